"""Commands as OCPP 1.6 calls, and what the answers to them mean. Tables of pure functions."""

from collections.abc import Callable
from typing import Any

from csms.domain.commands import (
    AskTransaction,
    ChangeAvailability,
    ClearCache,
    Command,
    GetBaseReport,
    GetVariables,
    Outcome,
    RawCall,
    Reset,
    Result,
    SendData,
    SetVariables,
    StartSession,
    StopSession,
    TriggerMessage,
    UnlockConnector,
)
from csms.domain.events import VariableReported
from csms.errors import CommandNotSupported, InvalidInput
from csms.protocol import outcomes, schema
from csms.protocol.dialect import Payload

Calls = list[tuple[str, Payload]]
_CORE_TRIGGERS = frozenset(
    {
        *("BootNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification"),
        *("Heartbeat", "MeterValues", "StatusNotification"),
    }
)
_RESETS = {"immediate": "Hard", "on-idle": "Soft"}


def _start(c: StartSession) -> Calls:
    payload: Payload = {"idTag": c.id_token}
    if c.evse is not None:
        payload["connectorId"] = c.evse
    return [("RemoteStartTransaction", payload)]


def _stop(c: StopSession) -> Calls:
    try:
        number = int(c.transaction_id)
    except ValueError as exc:
        raise InvalidInput(f"1.6 numbers its transactions; {c.transaction_id[:40]!r} is no number") from exc
    return [("RemoteStopTransaction", {"transactionId": number})]


def _reset(c: Reset) -> Calls:
    if c.evse or c.kind not in _RESETS:
        raise CommandNotSupported(f"Reset {c.kind}" + (" of one EVSE" if c.evse else ""))
    return [("Reset", {"type": _RESETS[c.kind]})]


def _trigger(c: TriggerMessage) -> Calls:
    payload: Payload = {"requestedMessage": c.message}
    if c.evse:
        payload["connectorId"] = c.evse
    # What the security whitepaper added has a trigger of its own.
    return [("TriggerMessage" if c.message in _CORE_TRIGGERS else "ExtendedTriggerMessage", payload)]


def _availability(c: ChangeAvailability) -> Calls:
    kind = "Operative" if c.operative else "Inoperative"
    return [("ChangeAvailability", {"connectorId": c.evse or 0, "type": kind})]


def _ask(c: AskTransaction) -> Calls:
    raise CommandNotSupported("AskTransaction")


def _send_data(c: SendData) -> Calls:
    payload: Payload = {"vendorId": c.vendor_id}
    if c.message_id is not None:
        payload["messageId"] = c.message_id
    if c.data is not None:
        payload["data"] = c.data if isinstance(c.data, str) else schema.encode(c.data).decode()
    return [("DataTransfer", payload)]


WRITE: dict[type, Callable[[Any], Calls]] = {
    StartSession: _start,
    StopSession: _stop,
    Reset: _reset,
    UnlockConnector: lambda c: [("UnlockConnector", {"connectorId": c.evse})],
    TriggerMessage: _trigger,
    ChangeAvailability: _availability,
    SetVariables: lambda c: [("ChangeConfiguration", {"key": v.name, "value": v.value}) for v in c.values],
    GetVariables: lambda c: [("GetConfiguration", {"key": list(c.names)} if c.names else {})],
    GetBaseReport: lambda c: [("GetConfiguration", {})],
    AskTransaction: _ask,
    ClearCache: lambda c: [("ClearCache", {})],
    SendData: _send_data,
    RawCall: lambda c: [(c.action, c.payload)],
}


def write(command: Command) -> Calls:
    """A command as the CALLs that carry it. Raises CommandNotSupported and InvalidInput."""
    return WRITE[type(command)](command)


def _configuration(payload: Payload) -> Outcome:
    variables = tuple(
        VariableReported(
            component="",
            variable=key["key"],
            value=key.get("value"),
            mutability="ReadOnly" if key["readonly"] else "ReadWrite",
        )
        for key in payload.get("configurationKey", ())
    )
    unknown = ", ".join(payload.get("unknownKey", ()))
    return Outcome(Result.ACCEPTED, payload, f"unknown: {unknown}" if unknown else "", variables)


def outcome(command: Command, action: str, payload: Payload) -> Outcome:
    """What the station's answer to one of the command's CALLs means."""
    return _configuration(payload) if action == "GetConfiguration" else outcomes.by_status(payload)
