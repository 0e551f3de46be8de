"""Security events of late, newest first."""

from datetime import datetime

from csms.domain.assets import ChargingStation
from csms.store.database import Database
from csms.store.recent_events import RecentEvents
from csms.store.records import StationEventRow
from csms.store.writer import Writer
from tests.store.given import MINUTE, T0, stations, write_of


async def test_recent_events(database: Database) -> None:
    """Of the stations asked for, of that kind, from then on, so many."""
    first, second = await stations(database, 2)
    events = RecentEvents(database)

    def row(
        station: ChargingStation, at: datetime, kind: str = "security", name: str = "A"
    ) -> StationEventRow:
        return StationEventRow.of(station.station_id, kind, at, at, {"type": name, "info": None})

    async with Writer(database, fence=False) as writer:
        for station, one in (
            (first, row(first, T0 - MINUTE, name="Old")),
            (first, row(first, T0, name="First")),
            (first, row(first, T0, kind="booted")),
            (second, row(second, T0, name="Other")),
            (first, row(first, T0 + MINUTE, name="Last")),
        ):
            await writer.write(write_of(station, one))

    found = await events.of([first.identity], T0, 10)
    newest = await events.of([first.identity, second.identity], T0, 2)

    assert [(one.type, one.identity, one.info) for one in found] == [
        ("Last", "CS-0001", ""),
        ("First", "CS-0001", ""),
    ]
    assert [one.type for one in newest] == ["Last", "Other"]
    assert await events.of([], T0, 10) == []
