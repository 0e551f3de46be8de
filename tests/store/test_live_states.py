"""How stations fare now, and what connectors gave out over a time, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.events import ConnectorStatusChanged
from csms.store.database import Database
from csms.store.live_states import LiveStates
from csms.store.records import ConnectorStateRow
from csms.store.registry import Registry
from csms.store.tables import session_hours
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.given import (
    HOUR,
    MINUTE,
    OPERATOR,
    T0,
    a_reading,
    a_session,
    start_of,
    stations,
    told_row,
    write_of,
)


def told(station: ChargingStation, status: ConnectorStatus, evse: int = 1, **more: Any) -> Any:
    """A connector's status as its station told it."""
    event = ConnectorStatusChanged(evse, 1, status, T0, **more)
    return write_of(station, ConnectorStateRow.of(station.station_id, event, T0))


async def connect(database: Database, station: ChargingStation) -> int:
    """The station is online; the connection's epoch."""
    return await Registry(database).raise_epoch(station.station_id, now=T0)


async def test_what_stations_told_last(database: Database) -> None:
    """Status with error and time; a station that nobody registered is left out."""
    first, second = await stations(database, 2)
    await connect(database, first)
    async with Writer(database, fence=False) as writer:
        await writer.write(told(first, ConnectorStatus.FAULTED, error_code="GroundFailure", info="wet"))
        await writer.write(told(first, ConnectorStatus.AVAILABLE, evse=2))

    found = await LiveStates(database).stations(["CS-0001", "CS-0002", "CS-9999"])

    assert sorted(found) == [first.identity, second.identity]
    now = found["CS-0001"]
    assert (now.is_online, now.changed_at, now.station_id) == (True, T0, first.station_id)
    assert now.connectors[1, 1][1:] == ("GroundFailure", "wet", T0)
    assert [now.status(evse, 1).value for evse in (1, 2, 3)] == ["faulted", "available", "unknown"]
    assert not found["CS-0002"].is_online


@pytest.mark.parametrize(
    ("status", "runs", "online", "is_now"),
    [
        (ConnectorStatus.OCCUPIED, True, True, ConnectorStatus.CHARGING),
        (ConnectorStatus.OCCUPIED, False, True, ConnectorStatus.OCCUPIED),
        (ConnectorStatus.SUSPENDED_EV, True, True, ConnectorStatus.SUSPENDED_EV),
        (ConnectorStatus.AVAILABLE, False, False, ConnectorStatus.OFFLINE),
    ],
)
async def test_the_status_that_stands(
    database: Database, status: ConnectorStatus, runs: bool, online: bool, is_now: ConnectorStatus
) -> None:
    """2.x's `occupied` with a running session is charging; a station that is away is offline."""
    (station,) = await stations(database)
    epoch = await connect(database, station)
    async with Writer(database, fence=False) as writer:
        await writer.write(told(station, status))
        if runs:
            await writer.write(start_of(station, a_session(station)))
    if not online:
        await Registry(database).note_disconnected(station.station_id, epoch, T0 + MINUTE)

    now = (await LiveStates(database).stations([station.identity]))[station.identity]

    assert now.status(1, 1) is is_now


async def test_running_sessions_and_their_late_readings(database: Database) -> None:
    """Those that have not ended, with readings from the asked time on; none where none are wanted."""
    (station,) = await stations(database)
    live = LiveStates(database)
    async with Writer(database, fence=False) as writer:
        await writer.write(start_of(station, a_session(station, 1)))
        await writer.write(start_of(station, a_session(station, 2, evse=2, connector=0)))
        for minutes in (1, 10):
            at = T0 + minutes * MINUTE
            row = told_row(1, [a_reading(at, minutes)], at)
            await writer.write(write_of(station, row))

    bare = (await live.stations([station.identity]))[station.identity]
    now = (await live.stations([station.identity], T0 + 5 * MINUTE))[station.identity]

    assert [one.session.session_id for one in bare.sessions] == [2, 1]
    found = now.session_at(1, 1)
    assert found is not None
    assert [reading.value for reading in found.readings] == [10_000]
    of_evse = now.session_at(2, 7)
    assert of_evse is not None
    assert of_evse.session.session_id == 2
    assert now.session_at(3, 1) is None


async def test_energy_of_hours(database: Database) -> None:
    """Summed by connector over the hours asked for, first included, last excluded; other stations not.

    Nor what the station gave out when it was another operator's.
    """
    first, second = await stations(database, 2)
    rows = [
        (1, T0, first, 1, 100),
        (1, T0 + HOUR, first, 1, 20),
        (2, T0, first, 2, 3),
        (3, T0 + 2 * HOUR, first, 1, 10_000),
        (4, T0 - HOUR, first, 1, 10_000),
        (5, T0, second, 1, 10_000),
        (6, T0, first, 1, 10_000),
    ]
    for number, hour, station, evse, wh in rows:
        values = {
            "session_id": number,
            "hour": micros(hour),
            "operator_id": None if number == 6 else station.operator_id,
            "site_id": 1,
            "station_id": station.station_id,
            "evse": evse,
            "connector": 1,
            "energy_wh": wh,
            "charging_s": 0,
            "starts": 1,
        }
        await database.execute(session_hours.insert(), values)

    found = await LiveStates(database).energy(OPERATOR, ["CS-0001"], T0, T0 + timedelta(hours=2))

    assert found == {("CS-0001", 1, 1): 120, ("CS-0001", 2, 1): 3}
