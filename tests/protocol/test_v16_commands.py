"""OCPP 1.6: commands as calls, answers as outcomes."""

from typing import Any

import pytest

from csms.domain.assets import OcppVersion
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
    TriggerMessage,
    UnlockConnector,
)
from csms.domain.events import VariableReported
from csms.errors import CommandNotSupported, CsmsError, InvalidInput
from csms.protocol.schema import check_request
from csms.protocol.v16 import DIALECT


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        (StartSession("A"), [("RemoteStartTransaction", {"idTag": "A"})]),
        (StartSession("A", evse=2), [("RemoteStartTransaction", {"idTag": "A", "connectorId": 2})]),
        (StopSession("17"), [("RemoteStopTransaction", {"transactionId": 17})]),
        (Reset("immediate"), [("Reset", {"type": "Hard"})]),
        (Reset(), [("Reset", {"type": "Soft"})]),
        (UnlockConnector(2), [("UnlockConnector", {"connectorId": 2})]),
        (TriggerMessage("Heartbeat"), [("TriggerMessage", {"requestedMessage": "Heartbeat"})]),
        (
            TriggerMessage("MeterValues", evse=1),
            [("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})],
        ),
        (
            TriggerMessage("SignChargePointCertificate"),
            [("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})],
        ),
        (ChangeAvailability(True), [("ChangeAvailability", {"connectorId": 0, "type": "Operative"})]),
        (
            ChangeAvailability(False, evse=2),
            [("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})],
        ),
        (
            SetVariables((SetVariable("a", "1"), SetVariable("b", "2"))),
            [
                ("ChangeConfiguration", {"key": "a", "value": "1"}),
                ("ChangeConfiguration", {"key": "b", "value": "2"}),
            ],
        ),
        (GetVariables(("a",)), [("GetConfiguration", {"key": ["a"]})]),
        (GetVariables(), [("GetConfiguration", {})]),
        (GetBaseReport(5), [("GetConfiguration", {})]),
        (ClearCache(), [("ClearCache", {})]),
        (SendData("V"), [("DataTransfer", {"vendorId": "V"})]),
        (
            SendData("V", "m", {"a": 1}),
            [("DataTransfer", {"vendorId": "V", "messageId": "m", "data": '{"a":1}'})],
        ),
        (RawCall("ClearCache", {}), [("ClearCache", {})]),
    ],
)
def test_calls(command: Command, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Each command as calls the schema takes."""
    assert DIALECT.write(command) == calls
    for action, payload in calls:
        check_request(OcppVersion.V16, action, payload)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (Reset("immediate", evse=1), CommandNotSupported),
        (Reset("immediate-and-resume"), CommandNotSupported),
        (StopSession("f3a1"), InvalidInput),
        (AskTransaction("17"), CommandNotSupported),
    ],
)
def test_what_16_cannot_do(command: Command, error: type[CsmsError]) -> None:
    """Said before anything is sent."""
    with pytest.raises(error):
        DIALECT.write(command)


def test_configuration() -> None:
    """GetConfiguration's answer is variables without a component."""
    keys = [{"key": "a", "readonly": True, "value": "1"}, {"key": "b", "readonly": False}]
    payload = {"configurationKey": keys, "unknownKey": ["c", "d"]}

    assert DIALECT.outcome(GetVariables(), "GetConfiguration", payload) == Outcome(
        Result.ACCEPTED,
        payload,
        "unknown: c, d",
        (
            VariableReported("", "a", value="1", mutability="ReadOnly"),
            VariableReported("", "b", mutability="ReadWrite"),
        ),
    )


@pytest.mark.parametrize(
    ("command", "action", "status", "result", "reason"),
    [
        (StartSession("A"), "RemoteStartTransaction", "Accepted", Result.ACCEPTED, ""),
        (StartSession("A"), "RemoteStartTransaction", "Rejected", Result.REJECTED, "rejected"),
        (UnlockConnector(1), "UnlockConnector", "Unlocked", Result.ACCEPTED, ""),
        (UnlockConnector(1), "UnlockConnector", "UnlockFailed", Result.FAILED, "unlock-failed"),
        (UnlockConnector(1), "UnlockConnector", "NotSupported", Result.NOT_SUPPORTED, "not-supported"),
        (ChangeAvailability(True), "ChangeAvailability", "Scheduled", Result.ACCEPTED, "scheduled"),
        (SetVariables(()), "ChangeConfiguration", "RebootRequired", Result.ACCEPTED, "reboot-required"),
        (
            TriggerMessage("Heartbeat"),
            "TriggerMessage",
            "NotImplemented",
            Result.NOT_SUPPORTED,
            "not-implemented",
        ),
        (SendData("V"), "DataTransfer", "UnknownVendorId", Result.REJECTED, "unknown-vendor-id"),
    ],
)
def test_outcomes(command: Command, action: str, status: str, result: Result, reason: str) -> None:
    """What the status word of an answer means."""
    payload = {"status": status}

    assert DIALECT.outcome(command, action, payload) == Outcome(result, payload, reason)
