"""Every frame of every version obeys the published schema, with every liberty a station may take."""

import json

import pytest

from simulators import frames
from simulators.facts import Stop
from tests.simulators.talk import T0, VERSIONS, Talk, station, visit

LIBERTIES = [
    {},
    {"energy_in_kwh": True},
    {"unit_spelled": False, "evse_once": True},
    {"transaction_data": True, "offline_said": False},
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("liberties", LIBERTIES, ids=str)
@pytest.mark.parametrize("stop", list(Stop), ids=str)
def test_a_whole_life_is_valid(version: str, liberties: dict[str, bool], stop: Stop) -> None:
    """Boot, statuses, a session and its stop of any kind validate against the ocpp package's schemas."""
    talk = Talk(station(version, visit(minutes=3, stop=stop), evses=2, **liberties)).play()
    talk.station.beat()
    talk.order("TriggerMessage", {"requestedMessage": "MeterValues"})
    talk.flush()

    talk.assert_valid()
    assert {"BootNotification", "Heartbeat", "StatusNotification", "Authorize", "MeterValues"} <= set(
        talk.actions()
    )


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_report_is_valid_and_says_when_it_is_complete(version: str) -> None:
    """NotifyReport comes in parts, the last one without `tbc`."""
    talk = Talk(station(version)).play()
    talk.order("GetBaseReport", {"requestId": 4, "reportBase": "FullInventory"})
    talk.flush()

    talk.assert_valid()
    parts = talk.of("NotifyReport")
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))


def test_16_tells_a_session_in_three_kinds_of_messages() -> None:
    """StartTransaction, MeterValues with the id it was given, StopTransaction."""
    talk = Talk(station("1.6", visit(minutes=3))).play()
    started, stopped = talk.of("StartTransaction")[0], talk.of("StopTransaction")[0]
    assert started == {
        "connectorId": 1,
        "idTag": "TOKEN1",
        "meterStart": 1000,
        "timestamp": "2026-01-01T10:00:14.000Z",
    }
    assert {values["transactionId"] for values in talk.of("MeterValues")} == {7001}
    assert (stopped["transactionId"], stopped["reason"]) == (7001, "Local")
    assert stopped["timestamp"] == "2026-01-01T10:03:14.000Z"


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_2x_tells_a_session_in_events(version: str) -> None:
    """Started, Updated and Ended under one transaction id, numbered from 0."""
    talk = Talk(station(version, visit(minutes=3))).play()
    events = talk.of("TransactionEvent")
    assert [event["eventType"] for event in events] == ["Started", "Updated", "Updated", "Ended"]
    assert [event["seqNo"] for event in events] == [0, 1, 2, 3]
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    assert events[0]["idToken"] == {"idToken": "TOKEN1", "type": "ISO14443"}
    assert events[-1]["transactionInfo"]["stoppedReason"] == "Local"


def test_21_says_what_201_cannot() -> None:
    """Operation mode, and a trigger of its own for a reached state of charge."""
    talk = Talk(station("2.1", visit(minutes=2, stop=Stop.SOC_REACHED))).play()
    events = talk.of("TransactionEvent")
    assert events[0]["transactionInfo"]["operationMode"] == "ChargingOnly"
    assert events[-1]["triggerReason"] == "SoCLimitReached"


def test_evse_may_stand_only_in_the_first_event() -> None:
    """E01.FR.16: later events inherit it."""
    talk = Talk(station("2.0.1", visit(minutes=2), evse_once=True)).play()
    assert ["evse" in event for event in talk.of("TransactionEvent")] == [True, False, False]


@pytest.mark.parametrize("version", VERSIONS)
def test_energy_in_kwh_has_every_wh(version: str) -> None:
    """1.234 kWh is 1234 Wh: three decimals, exactly."""
    in_wh = Talk(station(version, visit(minutes=3))).play()
    in_kwh = Talk(station(version, visit(minutes=3), energy_in_kwh=True)).play()
    assert energies(in_wh) == energies(in_kwh)
    assert len(energies(in_wh)) > 1


def energies(talk: Talk) -> list[int]:
    """Every register reading in whole Wh, whatever its unit."""
    found = []
    for _, payload in talk.said:
        for one in payload.get("meterValue", []):
            for value in one["sampledValue"]:
                if value["measurand"].startswith("Energy"):
                    kwh = "kWh" in (value.get("unit"), value.get("unitOfMeasure", {}).get("unit"))
                    found.append(round(float(value["value"]) * 1000) if kwh else int(value["value"]))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_statuses_in_each_versions_words(version: str) -> None:
    """1.6 names every step, 2.x only that a cable is in."""
    talk = Talk(station(version, visit(minutes=1))).play()
    key = "status" if version == "1.6" else "connectorStatus"
    said = [payload[key] for payload in talk.of("StatusNotification")]
    steps = ["Preparing", "Charging", "Finishing"] if version == "1.6" else ["Occupied"]
    assert said == ["Available"] * (2 if version == "1.6" else 1) + [*steps, "Available"]


def test_framing() -> None:
    """Message types 2, 3 and 4 as arrays."""
    told = frames.Told("Heartbeat", {})
    assert json.loads(frames.call("a", told)) == [2, "a", "Heartbeat", {}]
    assert json.loads(frames.result("a", {"x": 1})) == [3, "a", {"x": 1}]
    assert json.loads(frames.error("a", "NotImplemented", "What")) == [4, "a", "NotImplemented", "What", {}]
    assert T0.isoformat() == "2026-01-01T10:00:00+00:00"
