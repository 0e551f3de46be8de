"""What stations are and do, as handlers and the API ask for it: connectors, variables, events, messages.

Knows queries; no rule, no session.
"""

from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, select

from csms.domain.assets import ConnectorStatus
from csms.domain.scope import WHOLE, Scope
from csms.store import message_pages
from csms.store import station_queries as q
from csms.store.database import Database
from csms.store.device_tables import connector_states, connectors, station_events, variables
from csms.store.jsontext import value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.station_filters import StationFilter
from csms.store.times import text_of

__all__ = ["DeviceStore", "StationFilter"]

_STATION: BindParameter[int] = bindparam("station_id")

CONNECTORS = select(connectors).where(connectors.c.station_id == _STATION)
VARIABLES = (
    select(variables)
    .where(variables.c.station_id == _STATION)
    .order_by(variables.c.component, variables.c.variable, variables.c.attribute)
)
HISTORY = (
    select(connector_states)
    .where(connector_states.c.station_id == _STATION)
    .order_by(connector_states.c.state_id.desc())
    .limit(bindparam("most"))
)


class DeviceStore:
    """Reads the state of devices. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def connector_states(self, station_id: int) -> dict[tuple[int, int], tuple[ConnectorStatus, str]]:
        """Status and error code of each (EVSE, connector) that was ever heard of."""
        rows = await self._database.read(CONNECTORS, {"station_id": station_id})
        return {(row.evse, row.connector): (ConnectorStatus(row.status), row.error_code) for row in rows}

    async def connector_history(self, station_id: int, most: int = 100) -> list[dict[str, Any]]:
        """Changes of the station's connectors, latest first, as the API gives them."""
        rows = await self._database.read(HISTORY, {"station_id": station_id, "most": most})
        return [
            {
                "evse": row.evse,
                "connector": row.connector,
                "status": row.status,
                "error_code": row.error_code,
                "info": row.info,
                "vendor_error": row.vendor_error,
                "at": text_of(row.at),
                "received_at": text_of(row.received_at),
            }
            for row in rows
        ]

    async def variables(self, station_id: int) -> list[dict[str, Any]]:
        """The device model (1.6: configuration keys) as last reported."""
        rows = await self._database.read(VARIABLES, {"station_id": station_id})
        return [
            {
                "component": row.component,
                "variable": row.variable,
                "attribute": row.attribute,
                "value": row.value,
                "mutability": row.mutability,
                "characteristics": None if row.characteristics is None else value_of(row.characteristics),
                "received_at": text_of(row.received_at),
            }
            for row in rows
        ]

    async def find(
        self, wanted: StationFilter, after: str | None = None, most: int = 100, sort: str = "identity"
    ) -> Page:
        """A page of stations as the API gives them. Raises InvalidInput for a bad cursor, state or sort."""
        return await self._database.browse(partial(q.find, wanted, sort, after, most))

    async def counts(self, wanted: StationFilter) -> dict[str, Any]:
        """How many stations and connectors are in each state, of those the filter leaves."""
        return await self._database.browse(partial(q.counts, wanted))

    async def shown(self, identity: str, scope: Scope = WHOLE) -> dict[str, Any] | None:
        """One station as the API gives it; None when there is none or it is out of sight."""
        page = await self._database.browse(partial(q.one, identity, scope))
        return page.items[0] if page.items else None

    async def events(
        self, station_id: int, after: str | None = None, most: int = 100, kind: str | None = None
    ) -> Page:
        """A page of the station's events, latest first."""
        query = select(station_events).where(station_events.c.station_id == station_id)
        if kind is not None:
            query = query.where(station_events.c.kind == kind)
        return await self._database.browse(
            partial(_latest_first, query, station_events.c.event_id, after, most, _event)
        )

    async def messages(self, station_id: int, after: str | None = None, most: int = 100) -> Page:
        """A page of the message log of a station, latest first."""
        return await self._database.browse(partial(message_pages.find, station_id, after, most))


def _latest_first(
    query: Any, key: Any, after: str | None, most: int, item: Any, connection: Connection
) -> Page:
    if after is not None:
        query = query.where(key < key_of(after, (int,))[0])
    rows = list(connection.execute(query.order_by(key.desc()).limit(most + 1)))
    return page_of(rows, most, item, lambda row: (getattr(row, key.name),))


def _event(row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "at": text_of(row.at),
        "received_at": text_of(row.received_at),
        "details": value_of(row.details),
    }
