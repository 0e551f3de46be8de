"""Sessions of a quarter for 23 CFR 680.112(a), a page at a time. Knows queries; the rule is the domain's."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from csms.domain.local_time import month_start, zone
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.nevi_sessions import NeviSession, error_codes, is_successful, payment_method
from csms.domain.power import POWER, session_peak
from csms.domain.scope import WHOLE, Scope
from csms.domain.timeline import Span
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.device_tables import connector_states
from csms.store.key_sets import KeyQuery
from csms.store.paging import cursor_of, key_of
from csms.store.readings import samples
from csms.store.scoping import within
from csms.store.tables import charging_stations, operators, sessions
from csms.store.times import instant, instant_or_none, micros

S = sessions
ZONE: ColumnElement[str] = func.coalesce(operators.c.time_zone, literal_column("'UTC'"))
MEASURANDS = (POWER, ENERGY_IMPORT_REGISTER)


@dataclass(frozen=True, slots=True)
class QuarterFilter:
    """`quarter`: `2026Q1`, by each operator's clock. `scope`: what the caller may see."""

    quarter: str
    station: str | None = None
    operator: str | None = None
    scope: Scope = WHOLE


SHOWN = (
    select(S, charging_stations.c.identity)
    .join(charging_stations, charging_stations.c.station_id == S.c.station_id)
    .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
    .order_by(S.c.started_at, S.c.session_id)
)


def _errors(given: Any) -> Select[Any]:
    h = connector_states
    here = and_(
        h.c.station_id == given.station_id,
        h.c.evse == given.evse,
        h.c.at >= given.since,
        h.c.at <= given.until,
        literal_column("connector_states.error_code NOT IN ('', 'NoError')"),
    )
    return select(given.n, h.c.error_code).join_from(given.n.table, h, here).order_by(h.c.state_id)


class NeviSessions:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        keys = {"n": int, "station_id": int, "evse": int, "since": int, "until": int}
        self._errors = KeyQuery(database.dialect_of, _errors, keys)

    async def find(
        self, wanted: QuarterFilter, after: str | None = None, most: int = 100
    ) -> tuple[list[NeviSession], str | None]:
        """A page of sessions by start, and the cursor of the page after. Raises InvalidInput."""
        return await self._database.browse(partial(self._find, wanted, after, most))

    def _find(
        self, wanted: QuarterFilter, after: str | None, most: int, connection: Connection
    ) -> tuple[list[NeviSession], str | None]:
        seen = within(wanted.scope, S.c.operator_id, S.c.site_id)
        query = SHOWN.where(_in_quarter(wanted.quarter, connection), *seen).limit(most + 1)
        if wanted.operator is not None:
            query = query.where(operators.c.code == wanted.operator)
        if wanted.station is not None:
            query = query.where(charging_stations.c.identity == wanted.station)
        if after is not None:
            query = query.where(tuple_(S.c.started_at, S.c.session_id) > tuple_(*key_of(after, (int, int))))
        rows = list(connection.execute(query))
        shown = rows[:most]
        told = self._told(shown, connection)
        items = [_session(row, told.get(row.session_id, []), connection) for row in shown]
        last = shown[-1] if len(rows) > most else None
        return items, None if last is None else cursor_of(last.started_at, last.session_id)

    def _told(self, rows: list[Row[Any]], connection: Connection) -> dict[int, list[str]]:
        """Error codes of the sessions' EVSEs while they ran."""
        keys = [
            (row.session_id, row.station_id, row.evse, row.started_at, _end(row))
            for row in rows
            if not is_successful(row.energy_wh, row.stop_reason)
        ]
        found: dict[int, list[str]] = {}
        for session_id, code in self._errors.rows(keys, connection):
            found.setdefault(session_id, []).append(code)
        return found


def quarter_of(text: str, clock: str) -> Span:
    """The quarter `2026Q1` by a local clock. Raises InvalidInput for anything else."""
    year, q, number = text.partition("Q")
    is_known = len(year) == 4 and year.isascii() and year.isdigit() and number in ("1", "2", "3", "4")
    if not q or not is_known or not 2000 <= int(year) <= 2200:
        raise InvalidInput("quarter: write it as 2026Q1")
    local, first = zone(clock), 3 * int(number) - 2
    start = datetime(int(year), first, 1, tzinfo=local)
    end = datetime(int(year) + first // 10, (first + 2) % 12 + 1, 1, tzinfo=local)
    return Span(month_start(start, local), month_start(end, local))


def _in_quarter(quarter: str, connection: Connection) -> ColumnElement[bool]:
    zones = [row.time_zone for row in connection.execute(select(operators.c.time_zone).distinct())]
    found: list[ColumnElement[bool]] = []
    for clock in dict.fromkeys([*zones, "UTC"]):
        span = quarter_of(quarter, clock)
        start = S.c.started_at
        found.append(and_(clock == ZONE, start >= micros(span.start), start < micros(span.end)))
    return or_(*found)


def _session(row: Row[Any], told: list[str], connection: Connection) -> NeviSession:
    end, good = instant(_end(row)), is_successful(row.energy_wh, row.stop_reason)
    peak_w = session_peak(_readings(row, connection), row.energy_wh, Span(instant(row.started_at), end))
    return NeviSession(
        charging_station=row.identity,
        port=f"{row.evse}/{row.connector}",
        session_id=str(row.session_id),
        started_at=instant(row.started_at),
        ended_at=instant_or_none(row.ended_at),
        successful=good,
        error_codes=() if good else error_codes(row.stop_reason, told),
        energy_kwh=None if row.energy_wh is None else row.energy_wh / 1000,
        peak_kw=None if peak_w is None else peak_w / 1000,
        payment_method=payment_method(row.token_type),
    )


def _end(row: Row[Any]) -> int:
    known = (row.started_at, row.last_event_at)
    return int(row.ended_at) if row.ended_at is not None else max(at for at in known if at is not None)


def _readings(row: Row[Any], connection: Connection) -> list[Reading]:
    return [one.reading() for one in samples(row.session_id, connection) if one.kind.measurand in MEASURANDS]
