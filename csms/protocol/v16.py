"""OCPP 1.6 as tables. Knows payloads and our words; no frame, no session.

connectorId n is EVSE n with its connector 1; connectorId 0 is the whole station. Transaction numbers are
texts above this line.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from csms.domain.answers import Answer, BootAnswer, DataAnswer, Done, SessionAnswer, TimeAnswer, TokenAnswer
from csms.domain.assets import OcppVersion, TokenStatus, TokenVerdict
from csms.domain.events import (
    ConnectorStatusChanged,
    DataReceived,
    FirmwareStatusChanged,
    LogStatusChanged,
    MeterSampled,
    PresentedToken,
    SecurityEventRaised,
    SessionEnded,
    SessionMetered,
    SessionStarted,
    StationAlive,
    StationBooted,
    TokenPresented,
)
from csms.protocol import replies, schema
from csms.protocol.dialect import Dialect, ErrorCodes, Payload
from csms.protocol.metering import metered_16
from csms.protocol.plain import next_reading_16
from csms.protocol.times import format_time, parse_time
from csms.protocol.v16_commands import outcome, write
from csms.protocol.words import connector_status, dashed, stop_reason

ERRORS = ErrorCodes(
    not_implemented="NotImplemented",
    not_supported="NotSupported",
    internal="InternalError",
    protocol="ProtocolError",
    security="SecurityError",
    malformed="FormationViolation",  # sic: 1.6-J 4.2.3, errata 5.2
    property_constraint="PropertyConstraintViolation",
    occurrence="OccurenceConstraintViolation",  # sic: errata 5.1
    type_constraint="TypeConstraintViolation",
    generic="GenericError",
    rpc_framework="",
    message_type="",
)
_ALIVE = StationAlive()


def _booted(p: Any) -> StationBooted:
    details = {name: value for name, value in msgspec.structs.asdict(p).items() if value is not None}
    vendor, model = details.pop("chargePointVendor"), details.pop("chargePointModel")
    serial = details.pop("chargePointSerialNumber", "") or details.get("chargeBoxSerialNumber", "")
    return StationBooted(vendor, model, serial, details.pop("firmwareVersion", ""), details=details)


def _status(p: Any) -> ConnectorStatusChanged:
    at, at_raw = parse_time(p.timestamp)
    return ConnectorStatusChanged(
        evse=p.connectorId,
        connector=_connector(p.connectorId),
        status=connector_status(p.status),
        at=at,
        error_code="" if p.errorCode == "NoError" else p.errorCode,
        info=p.info or "",
        vendor_error=p.vendorErrorCode or "",
        at_raw=at_raw,
    )


def _started(p: Any) -> SessionStarted:
    at, at_raw = parse_time(p.timestamp)
    return SessionStarted(
        transaction_id=None,
        at=at,
        evse=p.connectorId,
        connector=_connector(p.connectorId),
        token=PresentedToken(p.idTag),
        meter_start_wh=p.meterStart,
        reservation_id=p.reservationId,
        at_raw=at_raw,
    )


def _metered(p: Any) -> SessionMetered | MeterSampled:
    metered = metered_16(p.meterValue)
    if p.transactionId is None:
        return MeterSampled(p.connectorId, metered.readings)
    return SessionMetered(
        transaction_id=str(p.transactionId),
        at=metered.at,
        evse=p.connectorId,
        connector=_connector(p.connectorId),
        readings=metered.readings,
        at_raw=metered.at_raw,
    )


def _ended(p: Any) -> SessionEnded:
    at, at_raw = parse_time(p.timestamp)
    return SessionEnded(
        transaction_id=str(p.transactionId),
        at=at,
        token=None if p.idTag is None else PresentedToken(p.idTag),
        meter_stop_wh=p.meterStop,
        readings=metered_16(p.transactionData).readings,
        reason=stop_reason(p.reason),
        at_raw=at_raw,
    )


def _security_event(p: Any) -> SecurityEventRaised:
    return SecurityEventRaised(p.type, parse_time(p.timestamp)[0], p.techInfo or "")


def _connector(connector_id: int) -> int:
    return 1 if connector_id else 0


READ: dict[str, Callable[[Any], Any]] = {
    "MeterValues": _metered,
    "Heartbeat": lambda p: _ALIVE,
    "StatusNotification": _status,
    "StartTransaction": _started,
    "StopTransaction": _ended,
    "Authorize": lambda p: TokenPresented(PresentedToken(p.idTag)),
    "BootNotification": _booted,
    "DataTransfer": lambda p: DataReceived(p.vendorId, p.messageId or "", p.data),
    "SecurityEventNotification": _security_event,
    "FirmwareStatusNotification": lambda p: FirmwareStatusChanged(dashed(p.status)),
    "SignedFirmwareStatusNotification": lambda p: FirmwareStatusChanged(dashed(p.status), p.requestId),
    "LogStatusNotification": lambda p: LogStatusChanged(dashed(p.status), p.requestId),
    "DiagnosticsStatusNotification": lambda p: LogStatusChanged(dashed(p.status)),
}

_TOKEN_WORDS = {
    TokenStatus.ACCEPTED: "Accepted",
    TokenStatus.BLOCKED: "Blocked",
    TokenStatus.EXPIRED: "Expired",
    TokenStatus.CONCURRENT: "ConcurrentTx",
}
_LONGEST_ID_TAG = 20


def _id_tag_info(verdict: TokenVerdict) -> Payload:
    # 1.6 has no word for a token that is not known.
    info: Payload = {"status": _TOKEN_WORDS.get(verdict.status, "Invalid")}
    if verdict.expires_at is not None:
        info["expiryDate"] = format_time(verdict.expires_at)
    if verdict.group is not None and len(verdict.group) <= _LONGEST_ID_TAG:
        info["parentIdTag"] = verdict.group
    return info


_ACCEPTED = TokenVerdict(TokenStatus.ACCEPTED)


def _session_reply(action: str, answer: SessionAnswer) -> Payload:
    if action == "StartTransaction":
        info = _id_tag_info(answer.verdict or _ACCEPTED)
        return {"idTagInfo": info, "transactionId": int(answer.transaction_id)}
    if action == "StopTransaction" and answer.verdict is not None:
        return {"idTagInfo": _id_tag_info(answer.verdict)}
    return {}


REPLY: dict[type, Callable[[str, Any], Payload]] = {
    Done: replies.nothing,
    TimeAnswer: replies.time,
    SessionAnswer: _session_reply,
    TokenAnswer: lambda action, answer: {"idTagInfo": _id_tag_info(answer.verdict)},
    BootAnswer: replies.boot,
    DataAnswer: replies.data,
}


def reply(action: str, answer: Answer) -> Payload:
    """Our answer as the payload of that action's response."""
    return REPLY[type(answer)](action, answer)


DIALECT = Dialect(
    version=OcppVersion.V16,
    errors=ERRORS,
    read=READ,
    reply=reply,
    write=write,
    outcome=outcome,
    transaction_actions=frozenset({"StartTransaction", "StopTransaction", "MeterValues"}),
    known_actions=schema.actions(OcppVersion.V16),
    plain={"MeterValues": next_reading_16},
)
