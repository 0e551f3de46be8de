"""Connector states, and what a free connector says of the session there."""

import pytest

from csms.domain.assets import ConnectorStatus, OcppVersion
from tests.handlers.kit import HOUR, MINUTE, T0, House, event_2

V2 = pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])


async def test_a_repeated_state_is_not_written_again(house: House) -> None:
    """W14: some models repeat their states for ever."""
    talk = await house.connect()

    for _ in range(20):
        await talk.status("Charging")
        house.at += MINUTE
    await talk.status("Finishing")

    history = await house.services.devices.connector_history(talk.state.station.station_id)
    assert [row["status"] for row in history] == ["finishing", "charging"]
    assert len(await house.owed("connector-status")) == 2


async def test_a_new_connection_knows_the_states(house: House) -> None:
    """What did not change while the station was away is not written again."""
    await (await house.connect()).status("Charging")

    talk = await house.connect()
    await talk.status("Charging")

    assert talk.state.connectors == {(1, 1): (ConnectorStatus.CHARGING, "")}
    assert len(await house.owed("connector-status")) == 1


async def test_a_free_connector_makes_its_session_suspected(house: House) -> None:
    """Of this connector only; the stop that comes after all ends it as it was."""
    talk = await house.connect()
    first, second = await talk.start(evse=1), await talk.start(token="A2", evse=2)
    house.at += HOUR

    await talk.status("Available", evse=1)
    states = {row["transaction_id"]: row["state"] for row in await house.sessions()}
    await talk.stop(first, 2000, house.at - MINUTE)

    assert states == {str(first): "suspected-ended", str(second): "active"}
    ended = (await house.sessions())[0]
    assert (ended["state"], ended["energy_wh"], ended["revision"]) == ("ended", 1000, 1)


async def test_a_free_station_is_no_evidence(house: House) -> None:
    """Connector 0 is the station's own state."""
    talk = await house.connect()
    await talk.start()
    house.at += HOUR

    await talk.status("Available", evse=0)

    assert (await house.sessions())[0]["state"] == "active"


async def test_old_evidence_is_none(house: House) -> None:
    """A state of before the session, told late."""
    talk = await house.connect()
    await talk.start()
    house.at += HOUR

    await talk.status("Available", at=T0 - MINUTE)

    assert (await house.sessions())[0]["state"] == "active"


@V2
async def test_a_session_without_a_connector_is_at_any_of_its_evse(
    house: House, version: OcppVersion
) -> None:
    """E01.FR.16: an event may name the EVSE and no connector."""
    talk = await house.connect(version)
    await talk.say("TransactionEvent", event_2("Started", T0, 0, 100, evse={"id": 1}))
    house.at += HOUR

    await talk.status("Available")
    (suspected,) = await house.sessions()
    await talk.say("TransactionEvent", event_2("Updated", house.at + MINUTE, 1, 200))

    assert suspected["state"] == "suspected-ended"
    assert (await house.sessions())[0]["state"] == "active"  # it goes on after all


async def test_a_state_from_the_next_decade_is_of_now(house: House) -> None:
    """A clock that is wrong must not hold up what comes later."""
    talk = await house.connect()

    await talk.status("Charging", at=T0.replace(year=2036))

    (row,) = await house.services.devices.connector_history(talk.state.station.station_id)
    assert row["at"] == "2026-01-01T10:00:00.000Z"
