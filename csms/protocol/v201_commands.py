"""Commands as OCPP 2.0.1 calls, and what the answers to them mean. Tables of pure functions."""

from collections.abc import Callable, Mapping
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
    SetVariable,
    SetVariables,
    StartSession,
    StopSession,
    TransactionSaid,
    TriggerMessage,
    UnlockConnector,
)
from csms.domain.events import VariableReported
from csms.errors import CommandNotSupported, InvalidInput
from csms.protocol import outcomes
from csms.protocol.dialect import Payload
from csms.protocol.naming import component_payload, component_text, split, variable_payload, variable_text

Calls = list[tuple[str, Payload]]
RESETS = {"immediate": "Immediate", "on-idle": "OnIdle"}


def _start(c: StartSession) -> Calls:
    token = {"idToken": c.id_token, "type": c.token_type}
    payload: Payload = {"idToken": token, "remoteStartId": c.remote_start_id}
    if c.evse is not None:
        payload["evseId"] = c.evse
    return [("RequestStartTransaction", payload)]


def reset_call(c: Reset, words: Mapping[str, str]) -> Calls:
    """Reset, with the kinds a version knows. Raises CommandNotSupported."""
    if c.kind not in words:
        raise CommandNotSupported(f"Reset {c.kind}")
    payload: Payload = {"type": words[c.kind]}
    if c.evse:
        payload["evseId"] = c.evse
    return [("Reset", payload)]


def trigger_payload(c: TriggerMessage) -> Payload:
    """TriggerMessage, for the messages a version names."""
    return {"requestedMessage": c.message, **_evse(c.evse, c.connector)}


def _availability(c: ChangeAvailability) -> Calls:
    status = "Operative" if c.operative else "Inoperative"
    return [("ChangeAvailability", {"operationalStatus": status, **_evse(c.evse, c.connector)})]


def _set_variables(c: SetVariables) -> Calls:
    if not c.values:
        raise InvalidInput("no variable to set")
    return [("SetVariables", {"setVariableData": [_set_variable(value) for value in c.values]})]


def _set_variable(v: SetVariable) -> Payload:
    payload: Payload = {
        "component": component_payload(v.component),
        "variable": variable_payload(v.name),
        "attributeValue": v.value,
    }
    if v.attribute != "Actual":
        payload["attributeType"] = v.attribute
    return payload


def _get_variables(c: GetVariables) -> Calls:
    if not c.names:
        raise CommandNotSupported("GetVariables of all; ask for a base report")
    asked = [
        {"component": component_payload(component), "variable": variable_payload(variable)}
        for component, variable in map(split, c.names)
    ]
    return [("GetVariables", {"getVariableData": asked})]


def _send_data(c: SendData) -> Calls:
    payload: Payload = {"vendorId": c.vendor_id}
    if c.message_id is not None:
        payload["messageId"] = c.message_id
    if c.data is not None:
        payload["data"] = c.data
    return [("DataTransfer", payload)]


def _evse(evse: int | None, connector: int | None) -> Payload:
    if not evse:
        return {}
    return {"evse": {"id": evse} if connector is None else {"id": evse, "connectorId": connector}}


WRITE: dict[type, Callable[[Any], Calls]] = {
    StartSession: _start,
    StopSession: lambda c: [("RequestStopTransaction", {"transactionId": c.transaction_id})],
    Reset: lambda c: reset_call(c, RESETS),
    UnlockConnector: lambda c: [("UnlockConnector", {"evseId": c.evse, "connectorId": c.connector})],
    TriggerMessage: lambda c: [("TriggerMessage", trigger_payload(c))],
    ChangeAvailability: _availability,
    SetVariables: _set_variables,
    GetVariables: _get_variables,
    GetBaseReport: lambda c: [("GetBaseReport", {"requestId": c.request_id, "reportBase": c.base})],
    AskTransaction: lambda c: [("GetTransactionStatus", {"transactionId": c.transaction_id})],
    ClearCache: lambda c: [("ClearCache", {})],
    SendData: _send_data,
    RawCall: lambda c: [(c.action, c.payload)],
}


def write(command: Command) -> Calls:
    """A command as the CALLs that carry it. Raises CommandNotSupported and InvalidInput."""
    return WRITE[type(command)](command)


def _variables_set(payload: Payload) -> Outcome:
    # The values are left out: a write-only one may be a password.
    results = [_result(part) for part in payload["setVariableResult"]]
    return outcomes.by_each(payload, results, ())


def _variables_got(payload: Payload) -> Outcome:
    parts = payload["getVariableResult"]
    variables = tuple(
        VariableReported(
            component_text(part["component"]),
            variable_text(part["variable"]),
            part.get("attributeType", "Actual"),
            part.get("attributeValue"),
        )
        for part in parts
        if part["attributeStatus"] == "Accepted"
    )
    return outcomes.by_each(payload, [_result(part) for part in parts], variables)


def _result(part: Payload) -> tuple[str, str, Payload | None]:
    name = f"{component_text(part['component'])}.{variable_text(part['variable'])}"
    return name, part["attributeStatus"], part.get("attributeStatusInfo")


_ONGOING = {True: "it is ongoing", False: "it is not ongoing", None: "whether it is ongoing is not said"}
_QUEUED = {True: "messages wait to be sent", False: "no message waits to be sent"}


def _transaction_status(payload: Payload) -> Outcome:
    # E14.FR.01: of a transaction it does not know a station says the same as of one that is over.
    said = TransactionSaid(payload.get("ongoingIndicator"), payload["messagesInQueue"])
    reason = f"{_ONGOING[said.is_ongoing]}; {_QUEUED[said.is_queued]}"
    return Outcome(Result.ACCEPTED, payload, reason, transaction=said)


_OUTCOMES: dict[str, Callable[[Payload], Outcome]] = {
    "SetVariables": _variables_set,
    "GetVariables": _variables_got,
    "GetTransactionStatus": _transaction_status,
}


def outcome(command: Command, action: str, payload: Payload) -> Outcome:
    """What the station's answer to one of the command's CALLs means."""
    return _OUTCOMES.get(action, outcomes.by_status)(payload)
