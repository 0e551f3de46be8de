"""OCPP 2.0.1 as tables. Knows payloads and our words; no frame, no session."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from csms.domain.answers import Answer, BootAnswer, DataAnswer, Done, SessionAnswer, TimeAnswer, TokenAnswer
from csms.domain.assets import OcppVersion, TokenStatus, TokenVerdict
from csms.domain.events import (
    ConnectorStatusChanged,
    DataReceived,
    Event,
    FirmwareStatusChanged,
    LogStatusChanged,
    MeterSampled,
    MonitorEvent,
    MonitorEventsReported,
    PresentedToken,
    SecurityEventRaised,
    SessionEnded,
    SessionMetered,
    SessionStarted,
    StationAlive,
    StationBooted,
    TokenPresented,
    VariableReported,
    VariablesReported,
)
from csms.protocol import replies, schema
from csms.protocol.dialect import Dialect, ErrorCodes, Payload
from csms.protocol.metering import metered_2
from csms.protocol.naming import component_name, variable_name
from csms.protocol.plain import next_reading_2
from csms.protocol.times import format_time, parse_time
from csms.protocol.v201_commands import outcome, write
from csms.protocol.words import connector_status, dashed, stop_reason

ERRORS = ErrorCodes(
    not_implemented="NotImplemented",
    not_supported="NotSupported",
    internal="InternalError",
    protocol="ProtocolError",
    security="SecurityError",
    malformed="FormatViolation",
    property_constraint="PropertyConstraintViolation",
    occurrence="OccurrenceConstraintViolation",
    type_constraint="TypeConstraintViolation",
    generic="GenericError",
    rpc_framework="RpcFrameworkError",
    message_type="MessageTypeNotSupported",
)
_ALIVE = StationAlive()


def _booted(p: Any) -> StationBooted:
    station = p.chargingStation
    details: Payload = {} if station.modem is None else {"modem": msgspec.to_builtins(station.modem)}
    return StationBooted(
        vendor=station.vendorName,
        model=station.model,
        serial_number=station.serialNumber or "",
        firmware_version=station.firmwareVersion or "",
        reason=dashed(p.reason),
        details=details,
    )


def _status(p: Any) -> ConnectorStatusChanged:
    at, at_raw = parse_time(p.timestamp)
    status = connector_status(p.connectorStatus)
    return ConnectorStatusChanged(p.evseId, p.connectorId, status, at, at_raw=at_raw)


def _transaction_event(p: Any) -> Event:
    # Most common first. The schema (and the repairs) let no fourth word through.
    if p.eventType == "Updated":
        return _updated(p)
    return _started(p) if p.eventType == "Started" else _ended(p)


def _updated(p: Any) -> SessionMetered:
    at, at_raw = parse_time(p.timestamp)
    evse, connector = _place(p.evse)
    info = p.transactionInfo
    return SessionMetered(
        transaction_id=info.transactionId,
        at=at,
        evse=evse,
        connector=connector,
        token=_token(p.idToken),
        seq_no=p.seqNo,
        readings=metered_2(p.meterValue).readings,
        offline=bool(p.offline),
        trigger=dashed(p.triggerReason),
        charging_state=dashed(info.chargingState),
        at_raw=at_raw,
    )


def _started(p: Any) -> SessionStarted:
    at, at_raw = parse_time(p.timestamp)
    evse, connector = _place(p.evse)
    info = p.transactionInfo
    return SessionStarted(
        transaction_id=info.transactionId,
        at=at,
        evse=evse,
        connector=connector,
        token=_token(p.idToken),
        seq_no=p.seqNo,
        readings=metered_2(p.meterValue).readings,
        offline=bool(p.offline),
        trigger=dashed(p.triggerReason),
        charging_state=dashed(info.chargingState),
        remote_start_id=info.remoteStartId,
        reservation_id=p.reservationId,
        at_raw=at_raw,
    )


def _ended(p: Any) -> SessionEnded:
    at, at_raw = parse_time(p.timestamp)
    evse, connector = _place(p.evse)
    info = p.transactionInfo
    return SessionEnded(
        transaction_id=info.transactionId,
        at=at,
        evse=evse,
        connector=connector,
        token=_token(p.idToken),
        seq_no=p.seqNo,
        readings=metered_2(p.meterValue).readings,
        offline=bool(p.offline),
        trigger=dashed(p.triggerReason),
        reason=stop_reason(info.stoppedReason),
        at_raw=at_raw,
    )


def _place(evse: Any) -> tuple[int | None, int | None]:
    # E01.FR.16: only one of a transaction's events must say where.
    return (None, None) if evse is None else (evse.id, evse.connectorId)


def _token(id_token: Any) -> PresentedToken | None:
    return None if id_token is None else PresentedToken(id_token.idToken, id_token.type)


def _report(p: Any) -> VariablesReported:
    variables = tuple(variable for entry in p.reportData or () for variable in _variables(entry))
    return VariablesReported(p.requestId, p.seqNo, bool(p.tbc), variables)


def _variables(entry: Any) -> Iterable[VariableReported]:
    component, variable = component_name(entry.component), variable_name(entry.variable)
    limits = entry.variableCharacteristics
    characteristics = None if limits is None else msgspec.to_builtins(limits)
    for attribute in entry.variableAttribute:
        yield VariableReported(
            component,
            variable,
            attribute.type or "Actual",
            attribute.value,
            attribute.mutability or "ReadWrite",
            characteristics,
        )


def _monitor_events(p: Any) -> MonitorEventsReported:
    return MonitorEventsReported(p.seqNo, bool(p.tbc), tuple(_monitor_event(entry) for entry in p.eventData))


def _monitor_event(entry: Any) -> MonitorEvent:
    evse, connector = _place(entry.component.evse)
    return MonitorEvent(
        event_id=entry.eventId,
        at=parse_time(entry.timestamp)[0],
        trigger=dashed(entry.trigger),
        component=variable_name(entry.component),
        variable=variable_name(entry.variable),
        value=entry.actualValue,
        cleared=bool(entry.cleared),
        tech_code=entry.techCode or "",
        tech_info=entry.techInfo or "",
        evse=evse,
        connector=connector,
    )


def _security_event(p: Any) -> SecurityEventRaised:
    return SecurityEventRaised(p.type, parse_time(p.timestamp)[0], p.techInfo or "")


READ: dict[str, Callable[[Any], Event]] = {
    "TransactionEvent": _transaction_event,
    "Heartbeat": lambda p: _ALIVE,
    "StatusNotification": _status,
    "MeterValues": lambda p: MeterSampled(p.evseId, metered_2(p.meterValue).readings),
    "Authorize": lambda p: TokenPresented(PresentedToken(p.idToken.idToken, p.idToken.type)),
    "BootNotification": _booted,
    "DataTransfer": lambda p: DataReceived(p.vendorId, p.messageId or "", p.data),
    "NotifyReport": _report,
    "NotifyEvent": _monitor_events,
    "SecurityEventNotification": _security_event,
    "FirmwareStatusNotification": lambda p: FirmwareStatusChanged(dashed(p.status), p.requestId),
    "LogStatusNotification": lambda p: LogStatusChanged(dashed(p.status), p.requestId),
}

_TOKEN_WORDS = {
    TokenStatus.ACCEPTED: "Accepted",
    TokenStatus.BLOCKED: "Blocked",
    TokenStatus.EXPIRED: "Expired",
    TokenStatus.INVALID: "Invalid",
    TokenStatus.CONCURRENT: "ConcurrentTx",
    TokenStatus.UNKNOWN: "Unknown",
    TokenStatus.NOT_PRESENTED: "Unknown",
}
_LONGEST_ID_TOKEN = 36


def _id_token_info(verdict: TokenVerdict) -> Payload:
    info: Payload = {"status": _TOKEN_WORDS[verdict.status]}
    if verdict.expires_at is not None:
        info["cacheExpiryDateTime"] = format_time(verdict.expires_at)
    if verdict.group is not None and len(verdict.group) <= _LONGEST_ID_TOKEN:
        info["groupIdToken"] = {"idToken": verdict.group, "type": "Central"}
    return info


def _session_reply(action: str, answer: SessionAnswer) -> Payload:
    verdict = answer.verdict
    # Without an id token in the event there is none to tell about.
    if verdict is None or verdict.status is TokenStatus.NOT_PRESENTED or action != "TransactionEvent":
        return {}
    return {"idTokenInfo": _id_token_info(verdict)}


REPLY: dict[type, Callable[[str, Any], Payload]] = {
    Done: replies.nothing,
    TimeAnswer: replies.time,
    SessionAnswer: _session_reply,
    TokenAnswer: lambda action, answer: {"idTokenInfo": _id_token_info(answer.verdict)},
    BootAnswer: replies.boot,
    DataAnswer: replies.data,
}


def reply(action: str, answer: Answer) -> Payload:
    """Our answer as the payload of that action's response."""
    return REPLY[type(answer)](action, answer)


DIALECT = Dialect(
    version=OcppVersion.V201,
    errors=ERRORS,
    read=READ,
    reply=reply,
    write=write,
    outcome=outcome,
    transaction_actions=frozenset({"TransactionEvent"}),
    known_actions=schema.actions(OcppVersion.V201),
    plain={"TransactionEvent": next_reading_2},
)
