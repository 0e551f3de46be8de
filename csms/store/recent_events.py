"""Security events that stations have told of late, newest first. Knows queries; not what an event means."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from csms.store.database import Database
from csms.store.device_tables import station_events
from csms.store.jsontext import value_of
from csms.store.tables import charging_stations
from csms.store.times import instant, micros

e, c = station_events.c, charging_stations.c

RECENT = (
    select(e.event_id, c.identity, e.at, e.details)
    .join_from(charging_stations, station_events, e.station_id == c.station_id)
    .where(
        c.identity.in_(bindparam("identities", expanding=True)),
        e.kind == "security",
        e.received_at >= bindparam("since"),
    )
    .order_by(e.event_id.desc())
    .limit(bindparam("most"))
)


class StationEvent(NamedTuple):
    """What a station told at `at`; `type` as it spelt it."""

    event_id: int
    identity: str
    at: datetime
    type: str
    info: str


class RecentEvents:
    """Raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, identities: Iterable[str], since: datetime, most: int) -> list[StationEvent]:
        """Those of these stations that came from then on."""
        asked = {"identities": sorted(set(identities)), "since": micros(since), "most": most}
        rows = await self._database.browse(lambda connection: connection.execute(RECENT, asked).all())
        return [_event(row) for row in rows]


def _event(row: Any) -> StationEvent:
    details = value_of(row.details)
    told, info = str(details.get("type", "")), str(details.get("info") or "")
    return StationEvent(row.event_id, row.identity, instant(row.at), told, info)
