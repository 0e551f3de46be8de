"""What happened at an operator's stations since a place in the history: faults of connectors, events.

Knows queries; not what of it is an alarm.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select

from csms.store.database import Database
from csms.store.device_tables import connector_states, station_events
from csms.store.jsontext import value_of
from csms.store.tables import charging_stations, operators, sites
from csms.store.times import micros

MOST = 1_000  # rows of one look

s, e, c = connector_states, station_events, charging_stations
before = connector_states.alias("before")
_earlier = connector_states.alias("earlier")
_before_id = (
    select(func.max(_earlier.c.state_id))
    .where(
        _earlier.c.station_id == s.c.station_id,
        _earlier.c.evse == s.c.evse,
        _earlier.c.connector == s.c.connector,
        _earlier.c.state_id < s.c.state_id,
    )
    .correlate(s)
    .scalar_subquery()
)


def _of_operator(query: Select[Any], station_id: Any) -> Select[Any]:
    return (
        query.join(c, c.c.station_id == station_id)
        .join(operators, operators.c.operator_id == c.c.operator_id)
        .outerjoin(sites, sites.c.site_id == c.c.site_id)
        .where(operators.c.code == bindparam("operator"))
    )


_WHERE = (c.c.identity, func.coalesce(sites.c.code, "").label("site_code"))
STATES = (
    _of_operator(
        select(
            s,
            *_WHERE,
            before.c.status.label("status_before"),
            before.c.error_code.label("error_before"),
        ).select_from(s.outerjoin(before, before.c.state_id == _before_id)),
        s.c.station_id,
    )
    .where(s.c.state_id > bindparam("after"), s.c.evse > 0)
    .order_by(s.c.state_id)
    .limit(MOST)
)
EVENTS = (
    _of_operator(select(e, *_WHERE), e.c.station_id)
    .where(e.c.event_id > bindparam("after"), e.c.kind == "security")
    .order_by(e.c.event_id)
    .limit(MOST)
)
# From the newest on backwards: only what came since is passed over.
LAST_STATE = (
    select(s.c.state_id).where(s.c.received_at < bindparam("before")).order_by(s.c.state_id.desc()).limit(1)
)
LAST_EVENT = (
    select(e.c.event_id).where(e.c.received_at < bindparam("before")).order_by(e.c.event_id.desc()).limit(1)
)


class StateRow(NamedTuple):
    """A change of a connector, and what it was before. Times in microseconds; '' is no error."""

    state_id: int
    identity: str
    site_code: str
    evse: int
    connector: int
    status: str
    error_code: str
    note: str
    status_before: str
    error_before: str
    at: int
    received_at: int


class EventRow(NamedTuple):
    """A security event of a station."""

    event_id: int
    identity: str
    site_code: str
    details: dict[str, Any]
    at: int
    received_at: int


class FeedStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_state(self, before: datetime) -> int:
        """The newest change of any connector that came before `before`; 0: there is none."""
        return await self._last(LAST_STATE, before)

    async def last_event(self, before: datetime) -> int:
        """The newest event of any station that came before `before`; 0: there is none."""
        return await self._last(LAST_EVENT, before)

    async def _last(self, query: Select[Any], before: datetime) -> int:
        asked = {"before": micros(before)}
        found = await self._database.browse(lambda connection: connection.execute(query, asked).scalar())
        return found or 0

    async def states(self, operator: str, after: int) -> list[StateRow]:
        """Changes of the operator's connectors after that one, oldest first, so many at a time."""
        asked = {"operator": operator, "after": after}
        rows = await self._database.browse(lambda connection: connection.execute(STATES, asked).all())
        return [
            StateRow(
                row.state_id,
                row.identity,
                row.site_code,
                row.evse,
                row.connector,
                row.status,
                row.error_code,
                " ".join(filter(None, (row.info, row.vendor_error))),
                row.status_before or "",
                row.error_before or "",
                row.at,
                row.received_at,
            )
            for row in rows
        ]

    async def events(self, operator: str, after: int) -> list[EventRow]:
        """Security events of the operator's stations after that one, oldest first, so many at a time."""
        asked = {"operator": operator, "after": after}
        rows = await self._database.browse(lambda connection: connection.execute(EVENTS, asked).all())
        return [
            EventRow(
                row.event_id, row.identity, row.site_code, value_of(row.details), row.at, row.received_at
            )
            for row in rows
        ]
