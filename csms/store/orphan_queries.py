"""Stops without a start, as people look for their sessions. Knows rows; what fits is for people to say."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, literal_column, select, tuple_

from csms.domain.scope import WHOLE, Scope
from csms.store.database import Database
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import within
from csms.store.session_queries import KEY
from csms.store.tables import charging_stations, operators, sessions, sites
from csms.store.times import text_of

CANDIDATES = 5
LONGEST_US = 7 * 86_400 * 1_000_000  # `domain.orphans.LONGEST`
CLOCK_US = 5 * 60 * 1_000_000

# The words of the index's condition: of ten million sessions it holds the few that are waiting.
IS_ORPHAN: ColumnElement[bool] = literal_column("sessions.flags LIKE '%,orphan-stop,%'")
IS_WAITING: ColumnElement[bool] = literal_column("sessions.flags NOT LIKE '%,dismissed,%'")
ORPHANS = (
    select(
        sessions,
        charging_stations.c.identity,
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
    )
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .outerjoin(sites, sites.c.site_id == sessions.c.site_id)
    .where(IS_ORPHAN, IS_WAITING)
    .order_by(*(column.desc() for column in KEY))
)
MAY_BE = (
    select(sessions.c.session_id, sessions.c.token_folded)
    .where(
        sessions.c.station_id == bindparam("station"),
        sessions.c.started_at <= bindparam("until"),
        sessions.c.started_at >= bindparam("since"),
        literal_column("(sessions.state <> 'ended' OR sessions.flags LIKE '%,no-stop,%')"),
    )
    .order_by(*(column.desc() for column in KEY))
    .limit(CANDIDATES)
)


@dataclass(frozen=True, slots=True)
class OrphanFilter:
    """Which stops, of those in sight; None does not filter. Codes and identities, not numbers."""

    operator: str | None = None
    site: str | None = None
    station: str | None = None
    scope: Scope = WHOLE


class Orphans:
    """Raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: OrphanFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of stops as the API gives them, newest first. Raises InvalidInput for a bad cursor."""
        return await self._database.browse(partial(_find, wanted, after, most))


def _find(wanted: OrphanFilter, after: str | None, most: int, connection: Connection) -> Page:
    query = ORPHANS.limit(most + 1)
    equal = (
        (operators.c.code, wanted.operator),
        (sites.c.code, wanted.site),
        (charging_stations.c.identity, wanted.station),
    )
    query = query.where(*(column == value for column, value in equal if value is not None))
    query = query.where(*within(wanted.scope, sessions.c.operator_id, sessions.c.site_id))
    if after is not None:
        query = query.where(tuple_(*KEY) < tuple_(*key_of(after, (int, int))))
    rows = list(connection.execute(query))
    found = page_of(rows, most, _shown, lambda row: (row.started_at, row.session_id))
    for row, item in zip(rows, found.items, strict=False):
        item["candidates"] = _candidates(row, connection)
    return found


def _candidates(row: Row[Any], connection: Connection) -> list[str]:
    """Sessions of the station without a stop that began in the week before; one of another token is none."""
    at = row.ended_at or row.started_at
    asked = {"station": row.station_id, "since": at - LONGEST_US, "until": at + CLOCK_US}
    return [
        str(one.session_id)
        for one in connection.execute(MAY_BE, asked)
        if not (one.token_folded and row.token_folded) or one.token_folded == row.token_folded
    ]


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "session_id": str(row.session_id),
        "operator": row.operator_code,
        "site": row.site_code,
        "charging_station": row.identity,
        "transaction_id": row.transaction_id,
        "id_token": row.token,
        "ended_at": text_of(row.ended_at),
        "received_at": text_of(row.received_at),
        "meter_stop_wh": row.meter_stop_wh,
        "stop_reason": row.stop_reason,
    }
