"""What a station answers: valid in its version, and done."""

from typing import Any

import pytest

from simulators.facts import Stop
from tests.simulators.talk import VERSIONS, Talk, station, validator, visit

EVSE = {"id": 1}
VARIABLE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
MISSING = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "Nonsense"}}
NOBODY = {"component": {"name": "Nobody"}, "variable": {"name": "Nonsense"}}
TOKEN = {"idToken": "R1", "type": "Central"}

ORDERS_16: list[tuple[str, dict[str, Any], Any]] = [
    ("RemoteStartTransaction", {"idTag": "R1"}, "Accepted"),
    ("RemoteStartTransaction", {"idTag": "R1", "connectorId": 9}, "Rejected"),
    ("RemoteStopTransaction", {"transactionId": 12}, "Rejected"),
    ("Reset", {"type": "Hard"}, "Accepted"),
    ("UnlockConnector", {"connectorId": 1}, "Unlocked"),
    ("UnlockConnector", {"connectorId": 5}, "NotSupported"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}, "NotImplemented"),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 9}, "Rejected"),
    ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, "Accepted"),
    ("ChangeAvailability", {"connectorId": 7, "type": "Inoperative"}, "Rejected"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}, "Accepted"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "soon"}, "Rejected"),
    ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "9"}, "Rejected"),
    ("ChangeConfiguration", {"key": "Nonsense", "value": "9"}, "NotSupported"),
    ("GetConfiguration", {}, None),
    ("GetConfiguration", {"key": ["HeartbeatInterval", "Nonsense"]}, None),
    ("ClearCache", {}, "Accepted"),
    ("DataTransfer", {"vendorId": "Lantian"}, "Accepted"),
    ("DataTransfer", {"vendorId": "Other"}, "UnknownVendorId"),
]
ORDERS_2: list[tuple[str, dict[str, Any], Any]] = [
    ("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 3}, "Accepted"),
    ("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 3, "evseId": 9}, "Rejected"),
    ("RequestStopTransaction", {"transactionId": "no"}, "Rejected"),
    ("Reset", {"type": "Immediate"}, "Accepted"),
    ("UnlockConnector", {"evseId": 1, "connectorId": 1}, "Unlocked"),
    ("UnlockConnector", {"evseId": 1, "connectorId": 2}, "UnknownConnector"),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": EVSE}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "TransactionEvent"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "LogStatusNotification"}, "NotImplemented"),
    ("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": EVSE}, "Accepted"),
    ("SetVariables", {"setVariableData": [{**VARIABLE, "attributeValue": "60"}]}, None),
    ("SetVariables", {"setVariableData": [{**NOBODY, "attributeValue": "60"}]}, None),
    ("GetVariables", {"getVariableData": [VARIABLE, MISSING, NOBODY]}, None),
    ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, "Accepted"),
    ("GetTransactionStatus", {}, None),
    ("GetTransactionStatus", {"transactionId": "no"}, None),
    ("ClearCache", {}, "Accepted"),
    ("DataTransfer", {"vendorId": "Other"}, "UnknownVendorId"),
]
CASES = [("1.6", *case) for case in ORDERS_16] + [(v, *case) for v in VERSIONS[1:] for case in ORDERS_2]


@pytest.mark.parametrize(("version", "action", "payload", "status"), CASES)
def test_answers_are_valid(version: str, action: str, payload: dict[str, Any], status: str | None) -> None:
    """Request and answer obey their schemas, and what follows does too."""
    talk = Talk(station(version)).play()
    validator(version, action, False).validate(payload)

    kind, _, answer = talk.order(action, payload)

    assert kind == 3
    validator(version, action, True).validate(answer)
    assert answer.get("status") == status
    talk.flush()
    talk.assert_valid()


@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_actions_are_not_implemented(version: str) -> None:
    """A CALLERROR with the code both worlds spell alike."""
    reply = Talk(station(version)).play().order("MakeCoffee", {})
    assert reply == [4, "o1", "NotImplemented", "MakeCoffee", {}]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_remote_start_and_stop(version: str) -> None:
    """A session begins for the token given and ends when asked."""
    talk = Talk(station(version)).play()
    if version == "1.6":
        talk.order("RemoteStartTransaction", {"idTag": "R1", "connectorId": 1})
        talk.flush()
        stop = ("RemoteStopTransaction", {"transactionId": 7001})
    else:
        talk.order("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 31, "evseId": 1})
        talk.flush()
        info = talk.of("TransactionEvent")[0]["transactionInfo"]
        assert info["remoteStartId"] == 31
        stop = ("RequestStopTransaction", {"transactionId": info["transactionId"]})
    talk.step()
    talk.flush()

    assert talk.order(*stop)[2] == {"status": "Accepted"}
    talk.flush()

    talk.assert_valid()
    if version == "1.6":
        assert talk.of("StartTransaction")[0]["idTag"] == "R1"
        assert talk.of("StopTransaction")[0]["reason"] == "Remote"
    else:
        assert talk.of("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Remote"


@pytest.mark.parametrize("version", VERSIONS)
def test_changed_sampling_takes_effect(version: str) -> None:
    """The next session is sampled as often as the central system wants."""
    talk = Talk(station(version, visit(3600, minutes=2)))
    talk.connect()
    talk.flush()
    if version == "1.6":
        talk.order("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"})
    else:
        data = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
        talk.order("SetVariables", {"setVariableData": [{**data, "attributeValue": "30"}]})
    talk.play()
    updates = talk.of("MeterValues") or talk.of("TransactionEvent")[1:-1]
    assert len(updates) == 3


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_how_a_transaction_stands(version: str) -> None:
    """E14: ongoing while it runs; queued as long as one of its own messages is not acknowledged."""
    talk = Talk(station(version, visit(minutes=30))).until("TransactionEvent")
    key = talk.of("TransactionEvent")[0]["transactionInfo"]["transactionId"]

    def asked(*of: str) -> Any:
        return talk.order("GetTransactionStatus", {"transactionId": of[0]} if of else {})[2]

    running = {"ongoingIndicator": True, "messagesInQueue": False}
    unknown = {"ongoingIndicator": False, "messagesInQueue": False}
    assert (asked(key), asked("other"), asked()) == (running, unknown, {"messagesInQueue": False})

    talk.station.end_sessions(Stop.LOCAL, talk.at)
    waiting = {"ongoingIndicator": False, "messagesInQueue": True}
    assert (asked(key), asked("other"), asked()) == (waiting, unknown, {"messagesInQueue": True})

    talk.flush()
    assert asked(key) == unknown
    talk.assert_valid()


def test_variables_say_why_not() -> None:
    """Unknown components and unknown variables are told apart."""
    talk = Talk(station("2.0.1")).play()
    answer = talk.order("GetVariables", {"getVariableData": [VARIABLE, MISSING, NOBODY]})[2]
    statuses = [row["attributeStatus"] for row in answer["getVariableResult"]]
    assert statuses == ["Accepted", "UnknownVariable", "UnknownComponent"]


def test_unavailable_connector_says_so_and_takes_no_remote_start() -> None:
    """Inoperative: status Unavailable, remote start refused."""
    talk = Talk(station("1.6")).play()
    talk.order("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    talk.flush()
    assert talk.of("StatusNotification")[-1]["status"] == "Unavailable"
    assert talk.order("RemoteStartTransaction", {"idTag": "R1"})[2] == {"status": "Rejected"}


@pytest.mark.parametrize(("version", "code"), [("1.6", "FormationViolation"), ("2.1", "FormatViolation")])
def test_malformed_orders_are_refused_and_do_no_harm(version: str, code: str) -> None:
    """A payload without its fields gets a CALLERROR in the version's spelling."""
    talk = Talk(station(version)).play()
    for action in ("ChangeAvailability", "UnlockConnector", "DataTransfer", "Reset"):
        assert talk.order(action, {"evse": 1})[:3] == [4, "o1", code]


def test_a_station_reset_when_idle_waits_for_its_session() -> None:
    """OnIdle with a session running is scheduled, not done."""
    talk = Talk(station("2.1", visit(minutes=30))).until("TransactionEvent")
    assert talk.order("Reset", {"type": "OnIdle"})[2] == {"status": "Scheduled"}
    assert not talk.station.restart


def test_unlocking_a_16_connector_stops_its_transaction() -> None:
    """UnlockCommand is the reason."""
    talk = Talk(station("1.6", visit(minutes=30))).until("MeterValues")
    talk.order("UnlockConnector", {"connectorId": 1})
    talk.flush()
    assert talk.of("StopTransaction")[0]["reason"] == "UnlockCommand"
