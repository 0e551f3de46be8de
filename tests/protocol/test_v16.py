"""OCPP 1.6: requests as events, answers as payloads."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.domain.answers import DONE, Answer, SessionAnswer, TokenAnswer
from csms.domain.assets import ConnectorStatus, OcppVersion, TokenStatus, TokenVerdict
from csms.domain.events import (
    ConnectorStatusChanged,
    DataReceived,
    Event,
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
from csms.domain.meter import Reading
from csms.protocol import read
from csms.protocol.schema import check_response
from csms.protocol.v16 import DIALECT

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = "2026-01-01T12:00:00Z"
ENERGY = "energy.active.import.register"
VALUES = [{"timestamp": AT, "sampledValue": [{"value": "5"}]}]


def event(action: str, **payload: Any) -> Event:
    return read(DIALECT, action, json.dumps(payload).encode())[0]


def answered(action: str, answer: Answer) -> dict[str, Any]:
    """The payload, once the schema has taken it."""
    payload = DIALECT.reply(action, answer)
    check_response(OcppVersion.V16, action, payload)
    return payload


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("Heartbeat", {}, StationAlive()),
        ("Authorize", {"idTag": "aB1"}, TokenPresented(PresentedToken("aB1"))),
        (
            "StartTransaction",
            {"connectorId": 2, "idTag": "A", "meterStart": 100, "timestamp": AT, "reservationId": 9},
            SessionStarted(None, NOON, 2, 1, PresentedToken("A"), meter_start_wh=100, reservation_id=9),
        ),
        (
            "StartTransaction",
            {"connectorId": -5, "idTag": "A", "meterStart": 0, "timestamp": "soon"},
            SessionStarted(None, None, -5, 1, PresentedToken("A"), meter_start_wh=0, at_raw="soon"),
        ),
        (
            "MeterValues",
            {"connectorId": 1, "transactionId": -1, "meterValue": VALUES},
            SessionMetered("-1", NOON, 1, 1, readings=(Reading(NOON, ENERGY, 5_000),)),
        ),
        (
            "MeterValues",
            {"connectorId": 0, "meterValue": VALUES},
            MeterSampled(0, (Reading(NOON, ENERGY, 5_000),)),
        ),
        (
            "StopTransaction",
            {"transactionId": 7, "meterStop": 300, "timestamp": AT},
            SessionEnded("7", NOON, meter_stop_wh=300, reason="local"),
        ),
        (
            "StopTransaction",
            {
                "transactionId": 7,
                "meterStop": 300,
                "timestamp": "2026-01-01T12:00:00",
                "idTag": "A",
                "reason": "EVDisconnected",
                "transactionData": VALUES,
            },
            SessionEnded(
                "7",
                NOON,
                token=PresentedToken("A"),
                meter_stop_wh=300,
                readings=(Reading(NOON, ENERGY, 5_000),),
                reason="ev-disconnected",
                at_raw="2026-01-01T12:00:00",
            ),
        ),
        (
            "StatusNotification",
            {"connectorId": 2, "errorCode": "NoError", "status": "SuspendedEV"},
            ConnectorStatusChanged(2, 1, ConnectorStatus.SUSPENDED_EV, None),
        ),
        (
            "StatusNotification",
            {
                "connectorId": 0,
                "errorCode": "GroundFailure",
                "status": "Faulted",
                "timestamp": AT,
                "info": "wet",
                "vendorErrorCode": "E7",
            },
            ConnectorStatusChanged(0, 0, ConnectorStatus.FAULTED, NOON, "GroundFailure", "wet", "E7"),
        ),
        (
            "BootNotification",
            {
                "chargePointVendor": "V",
                "chargePointModel": "M",
                "chargePointSerialNumber": "S",
                "firmwareVersion": "1.2",
                "iccid": "89",
            },
            StationBooted("V", "M", "S", "1.2", details={"iccid": "89"}),
        ),
        (
            "BootNotification",
            {"chargePointVendor": "V", "chargePointModel": "M", "chargeBoxSerialNumber": "B"},
            StationBooted("V", "M", "B", details={"chargeBoxSerialNumber": "B"}),
        ),
        ("DataTransfer", {"vendorId": "V"}, DataReceived("V", "")),
        ("DataTransfer", {"vendorId": "V", "messageId": "m", "data": "d"}, DataReceived("V", "m", "d")),
        (
            "SecurityEventNotification",
            {"type": "InvalidTLSVersion", "timestamp": AT, "techInfo": "1.0"},
            SecurityEventRaised("InvalidTLSVersion", NOON, "1.0"),
        ),
        (
            "FirmwareStatusNotification",
            {"status": "DownloadFailed"},
            FirmwareStatusChanged("download-failed"),
        ),
        (
            "SignedFirmwareStatusNotification",
            {"status": "InvalidSignature", "requestId": 3},
            FirmwareStatusChanged("invalid-signature", 3),
        ),
        ("LogStatusNotification", {"status": "Uploading", "requestId": 3}, LogStatusChanged("uploading", 3)),
        ("DiagnosticsStatusNotification", {"status": "UploadFailed"}, LogStatusChanged("upload-failed")),
    ],
)
def test_events(action: str, payload: dict[str, Any], expected: Event) -> None:
    """Each request as what it says."""
    assert event(action, **payload) == expected


def test_every_read_action_is_of_the_version() -> None:
    """No table entry that no station can reach."""
    assert DIALECT.read.keys() <= DIALECT.known_actions
    assert DIALECT.transaction_actions <= DIALECT.read.keys()


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (TokenStatus.ACCEPTED, "Accepted"),
        (TokenStatus.BLOCKED, "Blocked"),
        (TokenStatus.EXPIRED, "Expired"),
        (TokenStatus.CONCURRENT, "ConcurrentTx"),
        (TokenStatus.INVALID, "Invalid"),
        (TokenStatus.UNKNOWN, "Invalid"),
        (TokenStatus.NOT_PRESENTED, "Invalid"),
    ],
)
def test_verdicts(status: TokenStatus, word: str) -> None:
    """1.6 calls a token it does not know invalid."""
    assert answered("Authorize", TokenAnswer(TokenVerdict(status))) == {"idTagInfo": {"status": word}}


def test_verdict_in_full() -> None:
    """Expiry and group are told; a group longer than an idTag can be is not."""
    verdict = TokenVerdict(TokenStatus.ACCEPTED, "", NOON, "G")

    info = {"status": "Accepted", "expiryDate": "2026-01-01T12:00:00.000Z", "parentIdTag": "G"}
    assert answered("Authorize", TokenAnswer(verdict)) == {"idTagInfo": info}
    long = TokenAnswer(TokenVerdict(TokenStatus.ACCEPTED, group="g" * 21))
    assert answered("Authorize", long) == {"idTagInfo": {"status": "Accepted"}}


def test_session_answers() -> None:
    """A start always gets both fields; a stop what there is to say; meter values nothing."""
    refused = SessionAnswer("17", TokenVerdict(TokenStatus.BLOCKED))

    blocked = {"idTagInfo": {"status": "Blocked"}}
    assert answered("StartTransaction", refused) == {**blocked, "transactionId": 17}
    assert answered("StartTransaction", SessionAnswer("17"))["idTagInfo"] == {"status": "Accepted"}
    assert answered("StopTransaction", refused) == blocked
    assert answered("StopTransaction", SessionAnswer("17")) == {}
    assert answered("MeterValues", SessionAnswer("17")) == {}
    assert answered("StatusNotification", DONE) == {}
