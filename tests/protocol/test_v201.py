"""OCPP 2.0.1: requests as events, answers as payloads."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.domain.answers import DONE, Answer, SessionAnswer, TokenAnswer
from csms.domain.assets import ConnectorStatus, TokenStatus, TokenVerdict
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
from csms.domain.meter import Reading
from csms.protocol import read, v21, v201
from csms.protocol.dialect import Dialect
from csms.protocol.schema import check_response

BOTH = pytest.mark.parametrize("dialect", [v201.DIALECT, v21.DIALECT], ids=lambda d: d.version.value)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = "2026-01-01T12:00:00Z"
ENERGY = "energy.active.import.register"
VALUES = [{"timestamp": AT, "sampledValue": [{"value": 5}]}]
TOKEN = {"idToken": "aB1", "type": "ISO14443"}
PLACE = {"component": {"name": "EVSE", "instance": "x", "evse": {"id": 2, "connectorId": 1}}}
PLACE |= {"variable": {"name": "Power", "instance": "y"}}


def transaction_event(kind: str, info: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "timestamp": AT,
        "triggerReason": "CablePluggedIn",
        "seqNo": 3,
        "transactionInfo": {"transactionId": "t-1", **(info or {})},
        **more,
    }


EVENTS: list[tuple[str, dict[str, Any], Event]] = [
    ("Heartbeat", {}, StationAlive()),
    ("Authorize", {"idToken": TOKEN}, TokenPresented(PresentedToken("aB1", "ISO14443"))),
    (
        "TransactionEvent",
        transaction_event(
            "Started",
            {"chargingState": "EVConnected", "remoteStartId": 8},
            idToken=TOKEN,
            evse={"id": 2, "connectorId": 1},
            meterValue=VALUES,
            offline=True,
            reservationId=9,
        ),
        SessionStarted(
            "t-1",
            NOON,
            2,
            1,
            PresentedToken("aB1", "ISO14443"),
            seq_no=3,
            readings=(Reading(NOON, ENERGY, 5_000),),
            offline=True,
            trigger="cable-plugged-in",
            charging_state="ev-connected",
            remote_start_id=8,
            reservation_id=9,
        ),
    ),
    (
        "TransactionEvent",
        transaction_event("Updated", {"chargingState": "SuspendedEVSE"}, evse={"id": 2}, meterValue=VALUES),
        SessionMetered(
            "t-1",
            NOON,
            2,
            seq_no=3,
            readings=(Reading(NOON, ENERGY, 5_000),),
            trigger="cable-plugged-in",
            charging_state="suspended-evse",
        ),
    ),
    (
        "TransactionEvent",
        transaction_event("Updated"),
        SessionMetered("t-1", NOON, None, seq_no=3, trigger="cable-plugged-in"),
    ),
    (
        "TransactionEvent",
        transaction_event("Ended", {"stoppedReason": "SOCLimitReached"}, timestamp="soon", meterValue=VALUES),
        SessionEnded(
            "t-1",
            None,
            seq_no=3,
            readings=(Reading(NOON, ENERGY, 5_000),),
            trigger="cable-plugged-in",
            reason="soc-limit-reached",
            at_raw="soon",
        ),
    ),
    (
        "TransactionEvent",
        transaction_event("Ended", idToken=TOKEN),
        SessionEnded(
            "t-1",
            NOON,
            token=PresentedToken("aB1", "ISO14443"),
            seq_no=3,
            trigger="cable-plugged-in",
            reason="local",
        ),
    ),
    (
        "MeterValues",
        {"evseId": 2, "meterValue": VALUES},
        MeterSampled(2, (Reading(NOON, ENERGY, 5_000),)),
    ),
    (
        "StatusNotification",
        {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1},
        ConnectorStatusChanged(2, 1, ConnectorStatus.OCCUPIED, NOON),
    ),
    (
        "BootNotification",
        {
            "reason": "RemoteReset",
            "chargingStation": {"vendorName": "V", "model": "M", "modem": {"iccid": "89"}},
        },
        StationBooted("V", "M", reason="remote-reset", details={"modem": {"iccid": "89"}}),
    ),
    (
        "BootNotification",
        {
            "reason": "PowerUp",
            "chargingStation": {
                "vendorName": "V",
                "model": "M",
                "serialNumber": "S",
                "firmwareVersion": "1.2",
            },
        },
        StationBooted("V", "M", "S", "1.2", "power-up"),
    ),
    (
        "DataTransfer",
        {"vendorId": "V", "messageId": "m", "data": {"a": [1]}},
        DataReceived("V", "m", {"a": [1]}),
    ),
    (
        "NotifyReport",
        {
            "requestId": 5,
            "generatedAt": AT,
            "seqNo": 1,
            "tbc": True,
            "reportData": [
                {
                    **PLACE,
                    "variableAttribute": [
                        {"value": "7", "mutability": "ReadOnly"},
                        {"type": "Target", "value": "8"},
                    ],
                    "variableCharacteristics": {"dataType": "decimal", "supportsMonitoring": False},
                }
            ],
        },
        VariablesReported(
            5,
            1,
            True,
            (
                VariableReported(
                    "EVSE[x]@2.1",
                    "Power[y]",
                    "Actual",
                    "7",
                    "ReadOnly",
                    {"dataType": "decimal", "supportsMonitoring": False},
                ),
                VariableReported(
                    "EVSE[x]@2.1",
                    "Power[y]",
                    "Target",
                    "8",
                    "ReadWrite",
                    {"dataType": "decimal", "supportsMonitoring": False},
                ),
            ),
        ),
    ),
    (
        "NotifyReport",
        {"requestId": 5, "generatedAt": AT, "seqNo": 0},
        VariablesReported(5, 0, False, ()),
    ),
    (
        "NotifyEvent",
        {
            "generatedAt": AT,
            "seqNo": 0,
            "eventData": [
                {
                    **PLACE,
                    "eventId": 1,
                    "timestamp": AT,
                    "trigger": "Alerting",
                    "actualValue": "true",
                    "eventNotificationType": "HardWiredNotification",
                    "techCode": "E7",
                }
            ],
        },
        MonitorEventsReported(
            0,
            False,
            (
                MonitorEvent(
                    1,
                    NOON,
                    "alerting",
                    "EVSE[x]",
                    "Power[y]",
                    "true",
                    tech_code="E7",
                    evse=2,
                    connector=1,
                ),
            ),
        ),
    ),
    (
        "SecurityEventNotification",
        {"type": "FirmwareUpdated", "timestamp": AT},
        SecurityEventRaised("FirmwareUpdated", NOON),
    ),
    (
        "FirmwareStatusNotification",
        {"status": "InstallRebooting", "requestId": 3},
        FirmwareStatusChanged("install-rebooting", 3),
    ),
    (
        "LogStatusNotification",
        {"status": "AcceptedCanceled", "requestId": 3},
        LogStatusChanged("accepted-canceled", 3),
    ),
]


@BOTH
@pytest.mark.parametrize(
    ("action", "payload", "expected"), EVENTS, ids=lambda x: x if isinstance(x, str) else ""
)
def test_events(dialect: Dialect, action: str, payload: dict[str, Any], expected: Event) -> None:
    """Each request as what it says, in 2.0.1 and 2.1 alike, with nothing to put up with."""
    event, findings = read(dialect, action, json.dumps(payload).encode())

    assert event == expected
    assert not findings


@BOTH
def test_every_read_action_is_of_the_version(dialect: Dialect) -> None:
    """No table entry that no station can reach."""
    assert dialect.read.keys() <= dialect.known_actions
    assert dialect.transaction_actions <= dialect.read.keys()


def answered(dialect: Dialect, action: str, answer: Answer) -> dict[str, Any]:
    """The payload, once the schema has taken it."""
    payload = dialect.reply(action, answer)
    check_response(dialect.version, action, payload)
    return payload


@BOTH
@pytest.mark.parametrize("status", TokenStatus)
def test_verdicts(dialect: Dialect, status: TokenStatus) -> None:
    """Each verdict has a word of the version."""
    words = {TokenStatus.CONCURRENT: "ConcurrentTx", TokenStatus.NOT_PRESENTED: "Unknown"}

    info = answered(dialect, "Authorize", TokenAnswer(TokenVerdict(status)))["idTokenInfo"]

    assert info == {"status": words.get(status, status.value.capitalize())}


@BOTH
def test_verdict_in_full(dialect: Dialect) -> None:
    """Expiry and group are told."""
    info = {
        "status": "Accepted",
        "cacheExpiryDateTime": "2026-01-01T12:00:00.000Z",
        "groupIdToken": {"idToken": "G", "type": "Central"},
    }

    verdict = TokenVerdict(TokenStatus.ACCEPTED, "", NOON, "G")

    assert answered(dialect, "Authorize", TokenAnswer(verdict)) == {"idTokenInfo": info}


@BOTH
def test_session_answers(dialect: Dialect) -> None:
    """Only where a token was presented there is something to say of it."""
    blocked = SessionAnswer("t-1", TokenVerdict(TokenStatus.BLOCKED))

    assert answered(dialect, "TransactionEvent", blocked) == {"idTokenInfo": {"status": "Blocked"}}
    assert answered(dialect, "TransactionEvent", SessionAnswer("t-1")) == {}
    absent = SessionAnswer("t-1", TokenVerdict(TokenStatus.NOT_PRESENTED))
    assert answered(dialect, "TransactionEvent", absent) == {}
    assert answered(dialect, "MeterValues", blocked) == {}
    assert answered(dialect, "NotifyEvent", DONE) == {}
