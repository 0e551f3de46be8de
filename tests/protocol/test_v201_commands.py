"""OCPP 2.0.1: commands as calls, answers as outcomes."""

from typing import Any

import pytest

from csms.domain.commands import (
    AskTransaction,
    ChangeAvailability,
    ClearCache,
    Command,
    GetBaseReport,
    GetVariables,
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
from csms.errors import CommandNotSupported, CsmsError, InvalidInput
from csms.protocol import v21
from csms.protocol.schema import check_request
from csms.protocol.v201 import DIALECT

AUTH = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}}
CALLS: list[tuple[Command, str, dict[str, Any]]] = [
    (
        StartSession("A", evse=2, remote_start_id=5),
        "RequestStartTransaction",
        {"idToken": {"idToken": "A", "type": "ISO14443"}, "remoteStartId": 5, "evseId": 2},
    ),
    (
        StartSession("A", "Central"),
        "RequestStartTransaction",
        {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 0},
    ),
    (StopSession("t-1"), "RequestStopTransaction", {"transactionId": "t-1"}),
    (Reset("immediate", evse=1), "Reset", {"type": "Immediate", "evseId": 1}),
    (Reset(), "Reset", {"type": "OnIdle"}),
    (UnlockConnector(2), "UnlockConnector", {"evseId": 2, "connectorId": 1}),
    (TriggerMessage("Heartbeat"), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
    (
        TriggerMessage("StatusNotification", 1, 2),
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}},
    ),
    (ChangeAvailability(True), "ChangeAvailability", {"operationalStatus": "Operative"}),
    (
        ChangeAvailability(False, evse=2),
        "ChangeAvailability",
        {"operationalStatus": "Inoperative", "evse": {"id": 2}},
    ),
    (
        SetVariables(
            (SetVariable("Enabled", "1", "AuthCtrlr"), SetVariable("P[a]", "2", "EVSE@1", "Target"))
        ),
        "SetVariables",
        {
            "setVariableData": [
                {**AUTH, "attributeValue": "1"},
                {
                    "component": {"name": "EVSE", "evse": {"id": 1}},
                    "variable": {"name": "P", "instance": "a"},
                    "attributeValue": "2",
                    "attributeType": "Target",
                },
            ]
        },
    ),
    (GetVariables(("AuthCtrlr.Enabled",)), "GetVariables", {"getVariableData": [AUTH]}),
    (GetBaseReport(5), "GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"}),
    (AskTransaction("t-1"), "GetTransactionStatus", {"transactionId": "t-1"}),
    (ClearCache(), "ClearCache", {}),
    (SendData("V"), "DataTransfer", {"vendorId": "V"}),
    (
        SendData("V", "m", {"a": 1}),
        "DataTransfer",
        {"vendorId": "V", "messageId": "m", "data": {"a": 1}},
    ),
    (RawCall("GetReport", {"requestId": 1}), "GetReport", {"requestId": 1}),
]


@pytest.mark.parametrize(
    ("command", "action", "payload"), CALLS, ids=lambda x: x if isinstance(x, str) else ""
)
@pytest.mark.parametrize("dialect", [DIALECT, v21.DIALECT], ids=lambda d: d.version.value)
def test_calls(dialect: Any, command: Command, action: str, payload: dict[str, Any]) -> None:
    """Each command as one call the schemas of both versions take."""
    assert dialect.write(command) == [(action, payload)]
    check_request(dialect.version, action, payload)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (Reset("immediate-and-resume"), CommandNotSupported),
        (GetVariables(), CommandNotSupported),
        (GetVariables(("Enabled",)), InvalidInput),
        (SetVariables(()), InvalidInput),
        (SetVariables((SetVariable("Enabled", "1"),)), InvalidInput),
    ],
)
def test_what_cannot_be_sent(command: Command, error: type[CsmsError]) -> None:
    """Said before anything is sent."""
    with pytest.raises(error):
        DIALECT.write(command)


def test_variables_got() -> None:
    """What was got is reported; what was not is in the reason."""
    parts = [
        {**AUTH, "attributeStatus": "Accepted", "attributeValue": "true"},
        {
            "component": {"name": "EVSE", "evse": {"id": 1}},
            "variable": {"name": "P"},
            "attributeStatus": "UnknownVariable",
        },
    ]

    outcome = DIALECT.outcome(GetVariables(("A.B",)), "GetVariables", {"getVariableResult": parts})

    assert outcome.result is Result.REJECTED
    assert outcome.reason == "EVSE@1.P: unknown-variable"
    assert outcome.variables == (VariableReported("AuthCtrlr", "Enabled", "Actual", "true"),)


@pytest.mark.parametrize("dialect", [DIALECT, v21.DIALECT], ids=lambda d: d.version.value)
@pytest.mark.parametrize(
    ("payload", "said", "reason"),
    [
        (
            {"ongoingIndicator": True, "messagesInQueue": False},
            TransactionSaid(True, is_queued=False),
            "it is ongoing; no message waits to be sent",
        ),
        (
            {"ongoingIndicator": False, "messagesInQueue": True},
            TransactionSaid(False, is_queued=True),
            "it is not ongoing; messages wait to be sent",
        ),
        (
            {"messagesInQueue": False},
            TransactionSaid(None, is_queued=False),
            "whether it is ongoing is not said; no message waits to be sent",
        ),
    ],
)
def test_how_a_transaction_stands(
    dialect: Any, payload: dict[str, Any], said: TransactionSaid, reason: str
) -> None:
    """E14: the station's word in ours, and in words for who asked."""
    outcome = dialect.outcome(AskTransaction("t-1"), "GetTransactionStatus", payload)

    assert (outcome.result, outcome.transaction, outcome.reason) == (Result.ACCEPTED, said, reason)
    assert outcome.payload == payload


def test_variables_set() -> None:
    """The values do not come back: one may be a password."""
    part = {**AUTH, "attributeStatus": "RebootRequired"}

    outcome = DIALECT.outcome(SetVariables(()), "SetVariables", {"setVariableResult": [part]})

    assert (outcome.result, outcome.reason) == (Result.ACCEPTED, "AuthCtrlr.Enabled: reboot-required")
    assert outcome.variables == ()


@pytest.mark.parametrize(
    ("action", "payload", "result", "reason"),
    [
        ("RequestStartTransaction", {"status": "Accepted"}, Result.ACCEPTED, ""),
        (
            "RequestStartTransaction",
            {"status": "Rejected", "statusInfo": {"reasonCode": "TxInProgress"}},
            Result.REJECTED,
            "rejected: TxInProgress",
        ),
        ("UnlockConnector", {"status": "UnknownConnector"}, Result.REJECTED, "unknown-connector"),
        ("GetBaseReport", {"status": "EmptyResultSet"}, Result.ACCEPTED, "empty-result-set"),
        ("GetBaseReport", {"status": "NotSupported"}, Result.NOT_SUPPORTED, "not-supported"),
        ("SetMonitoringLevel", {}, Result.ACCEPTED, ""),
    ],
)
def test_outcomes(action: str, payload: dict[str, Any], result: Result, reason: str) -> None:
    """What the status word of an answer means, of raw calls too."""
    outcome = DIALECT.outcome(RawCall(action, {}), action, payload)

    assert (outcome.result, outcome.reason) == (result, reason)
