"""Boots, heartbeats and reports of the device model."""

from datetime import UTC

import pytest

from csms.config import BootSettings, Settings
from csms.domain.assets import BootStatus, OcppVersion
from csms.store.registry import SiteForm, StationForm
from csms.store.writer import Write
from tests.handlers.kit import HOUR, MINUTE, OPERATOR, T0, House, Talk

EACH = pytest.mark.parametrize("version", list(OcppVersion))


@EACH
async def test_a_boot_is_remembered(house: House, version: OcppVersion) -> None:
    """What the station is, when it booted and why; a repeated boot is answered alike."""
    talk = await house.connect(version)

    answers = [await talk.boot() for _ in range(3)]

    assert {answer["status"] for answer in answers} == {"Accepted"}
    assert answers[0]["currentTime"] == "2026-01-01T10:00:00.000Z"
    shown = await house.services.devices.shown("CS-1")
    assert shown is not None
    assert (shown["vendor"], shown["model"], shown["boot_status"]) == ("V", "M", "accepted")
    assert [event["kind"] for event in await house.events(talk)] == ["booted"] * 3
    assert talk.state.booted_at == T0


async def test_intervals_are_spread_and_stay(house: House) -> None:
    """Fleets that boot together do not march in step; a station hears the same interval each time."""
    talks = [await house.connect(identity=f"CS-{n}") for n in range(20)]

    first = [(await talk.boot())["interval"] for talk in talks]
    second = [(await talk.boot())["interval"] for talk in talks]

    assert first == second
    assert len(set(first)) > 10
    assert all(270 <= interval <= 330 for interval in first)


async def test_a_boot_makes_open_sessions_suspected(house: House) -> None:
    """T11: it closes none; the stop that comes after it ends the session properly."""
    talk = await house.connect()
    transaction_id = await talk.start()
    house.at += HOUR

    await talk.boot()
    (suspected,) = await house.sessions()
    await talk.boot()  # says nothing new
    await talk.stop(transaction_id, 2000, house.at - MINUTE, reason="PowerLoss")

    assert suspected["state"] == "suspected-ended"
    (session,) = await house.sessions()
    assert (session["state"], session["energy_wh"], session["revision"]) == ("ended", 1000, 1)
    told = await house.services.sessions.timeline(int(session["session_id"]))
    assert [entry["kind"] for entry in told] == ["started", "evidence", "ended"]


def _waiting(house: House) -> House:
    settings = Settings(boot=BootSettings(approve=False))
    return House(house.database, house.writer, settings)


@EACH
async def test_approval_counts_from_the_next_boot(house: House, version: OcppVersion) -> None:
    """Also on the connection that was open when somebody approved the station."""
    talk = await _waiting(house).connect(version)
    pending = await talk.boot()
    await house.services.registry.set_boot_status("CS-1", BootStatus.ACCEPTED)

    accepted = await talk.boot()

    assert (pending["status"], accepted["status"]) == ("Pending", "Accepted")
    assert 54 <= pending["interval"] <= 66


async def test_a_rejection_by_hand_is_not_undone_by_a_boot(house: House) -> None:
    """What somebody decided stays, whatever the connection remembered."""
    talk = await house.connect()
    await talk.boot()
    await house.services.registry.set_boot_status("CS-1", BootStatus.REJECTED)

    answer = await talk.boot()

    assert answer["status"] == "Rejected"
    shown = await house.services.devices.shown("CS-1")
    assert shown is not None
    assert shown["boot_status"] == "rejected"


async def test_a_boot_takes_what_was_registered_meanwhile(house: House) -> None:
    """A station that was moved to another site has its next sessions there."""
    talk = await house.connect()
    await house.services.registry.put_site(SiteForm("S02", OPERATOR, "Other"))
    await house.services.registry.put_station(StationForm("CS-1", "S02"), T0)

    await talk.boot()
    await talk.start()

    (session,) = await house.sessions()
    assert session["site"] == "S02"


async def test_a_heartbeat_writes_nothing(house: House) -> None:
    """Memory only: last-seen times of all stations are written together."""
    written: list[Write] = []
    write = house.writer.write
    house.services.writer.write = written.append  # type: ignore[method-assign,assignment]  # only counted
    talk = await house.connect()

    answer = await talk.say("Heartbeat", {})

    house.services.writer.write = write  # type: ignore[method-assign]
    assert answer == {"currentTime": "2026-01-01T10:00:00.000Z"}
    assert written == []


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_a_report_replaces_what_was_known(house: House, version: OcppVersion) -> None:
    """B07: parts of a report come one by one; a later report's values stand."""
    talk = await house.connect(version)

    await talk.say("NotifyReport", _report("300", more=True))
    await talk.say("NotifyReport", _report("600"))

    (variable,) = await house.services.devices.variables(_station(talk))
    assert variable == {
        "component": "OCPPCommCtrlr",
        "variable": "HeartbeatInterval",
        "attribute": "Actual",
        "value": "600",
        "mutability": "ReadWrite",
        "characteristics": {"dataType": "integer", "supportsMonitoring": False, "unit": "s"},
        "received_at": "2026-01-01T10:00:00.000Z",
    }


def _report(value: str, more: bool = False) -> dict[str, object]:
    entry = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "HeartbeatInterval"},
        "variableAttribute": [{"type": "Actual", "value": value, "mutability": "ReadWrite"}],
        "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": False, "unit": "s"},
    }
    generated_at = T0.astimezone(UTC).isoformat()
    return {"requestId": 1, "generatedAt": generated_at, "seqNo": 0, "tbc": more, "reportData": [entry]}


def _station(talk: Talk) -> int:
    return talk.state.station.station_id
