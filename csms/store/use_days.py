"""Days and months of connectors by state: recomputed from what was told, never incremented.

Every station has a time up to which its days are computed (`use_marks` sets it back for what is told late).
A day is computed some time after its end, by whichever node comes first. Months are the sum of their days.
What a site did is the sum of its connectors, put down with them. Knows tables and sums; what the evidence
means is the domain's.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Dialect,
    Select,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from csms.domain.local_time import day_start, month_start, zone
from csms.domain.periods import Served as Evident
from csms.domain.periods import figures
from csms.domain.rates import Figures
from csms.domain.timeline import Evidence, Span
from csms.store.columns import WHOLE
from csms.store.database import Database
from csms.store.evidence import EvidenceReader
from csms.store.key_sets import Columns, KeyQuery
from csms.store.served import Place, Served, served, served_of
from csms.store.statements import prepare
from csms.store.tables import charging_stations, operators
from csms.store.times import MICROSECOND, instant, micros
from csms.store.uptime_tables import site_use_periods, use_periods, use_progress
from csms.store.use_marks import take_turn

MOST_DAYS = 31  # of one station in one go
SHORTEST_DAY = timedelta(hours=22)
COLUMNS = tuple(use_periods.c.keys())
SITE_COLUMNS = tuple(site_use_periods.c.keys())
SUMS = COLUMNS[6:-1]  # seven lengths, capacity, equipment, records, fault records


class Due(NamedTuple):
    """A station whose days are to be computed from `done_until` on."""

    station_id: int
    done_until: int
    zone: str
    site_id: int | None


class Days(NamedTuple):
    """Computed rows of some stations, and what was to be done when they were begun."""

    due: list[Due]
    days: Span
    rows: list[tuple[Any, ...]]


DUE = (
    select(
        use_progress.c.station_id,
        use_progress.c.done_until,
        func.coalesce(operators.c.time_zone, literal_column("'UTC'")).label("zone"),
        charging_stations.c.site_id,
    )
    .join(charging_stations, charging_stations.c.station_id == use_progress.c.station_id)
    .outerjoin(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .where(use_progress.c.done_until <= bindparam("before"))
    .order_by(use_progress.c.done_until, use_progress.c.station_id)
    .limit(bindparam("most"))
)
OF_STATIONS = served(lambda number: number.in_(bindparam("stations", expanding=True)))
_THIS = use_progress.c.station_id == bindparam("id")
DONE = update(use_progress).where(_THIS).values(done_until=bindparam("until"))
REMOVE = delete(use_periods).where(
    use_periods.c.station_id == bindparam("id"),
    use_periods.c.period == bindparam("of_period"),
    use_periods.c.start >= bindparam("since"),
    use_periods.c.start < bindparam("before"),
)
REMOVE_FIELDS = ("id", "of_period", "since", "before")
REMOVE_SITE = delete(site_use_periods).where(
    site_use_periods.c.period == bindparam("of_period"),
    site_use_periods.c.start == bindparam("begin"),
    site_use_periods.c.site_id == bindparam("id"),
)


def _progress(given: Any) -> Select[Any]:
    return select(use_progress.c.station_id, use_progress.c.done_until).join_from(
        given.station_id.table, use_progress, use_progress.c.station_id == given.station_id
    )


def summed(column: Any) -> Any:
    """A sum that PostgreSQL gives as a whole number too."""
    return cast(func.sum(column), WHOLE)


def capacity(column: Any) -> Any:
    """The sum of rated energy; NULL where one of it is unknown."""
    return case((func.count(column) == func.count(), summed(column)))


def use_sums(table: Any) -> list[Any]:
    """The columns of `SUMS`, each summed over many rows."""
    return [
        (capacity(table.c[name]) if name == "capacity_wh" else summed(table.c[name])).label(name)
        for name in SUMS
    ]


def _of_sites(given: Any) -> Select[Any]:
    u, s = use_periods, charging_stations
    here = and_(u.c.period == given.period, u.c.start == given.start, u.c.station_id == s.c.station_id)
    key = (given.period, given.start, given.site_id)
    return (
        select(*key, func.max(u.c.until), *use_sums(u))
        .join_from(given.start.table, s, s.c.site_id == given.site_id)
        .join(u, here)
        .group_by(*key)
    )


def _months(given: Any) -> Select[Any]:
    p = use_periods
    days = and_(
        p.c.station_id == given.station_id,
        p.c.period == literal_column("'day'"),
        p.c.start >= given.since,
        p.c.start < given.before,
    )
    place = (p.c.station_id, p.c.evse, p.c.connector)
    return (
        select(given.since, *place, func.max(p.c.until), *use_sums(p))
        .join_from(given.since.table, p, days)
        .group_by(given.since, *place)
    )


class UseDays:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        dialect: Dialect = database.dialect_of
        self._database = database
        self._evidence = EvidenceReader(dialect)
        self._progress = KeyQuery(dialect, _progress, {"station_id": int})
        span: Columns = {"station_id": int, "since": int, "before": int}
        self._months = KeyQuery(dialect, _months, span)
        self._sites = KeyQuery(
            dialect,
            _of_sites,
            {"period": str, "start": int, "site_id": int},
            ("charging_stations", "ix_charging_stations_site"),
        )
        self._remove = prepare(REMOVE, REMOVE_FIELDS, dialect)
        self._remove_site = prepare(REMOVE_SITE, ("of_period", "begin", "id"), dialect)
        put = insert(use_periods).values({name: bindparam(name) for name in COLUMNS}).inline()
        self._put = prepare(put, COLUMNS, dialect)
        put = insert(site_use_periods).values({name: bindparam(name) for name in SITE_COLUMNS}).inline()
        self._put_site = prepare(put, SITE_COLUMNS, dialect)

    async def compute(self, now: datetime, grace: timedelta, most: int) -> int:
        """Days that ended `grace` ago, of at most `most` stations; how many stations (0: none is due)."""
        before = micros(now - grace - SHORTEST_DAY)
        rows = await self._database.read(DUE, {"before": before, "most": most})
        due, days = _together(
            [Due(row.station_id, row.done_until, row.zone, row.site_id) for row in rows], now - grace
        )
        if not due:
            return 0
        found = await self._database.look(partial(self._look, due, days))
        computed = await asyncio.to_thread(_rows, found, days, due[0].zone, micros(now))
        return await self._database.run(partial(self._settle, Days(due, days, computed), micros(now)))

    def _look(self, due: list[Due], days: Span, connection: Connection) -> list[tuple[Served, Evidence]]:
        asked = {"stations": [one.station_id for one in due]}
        served = [served_of(row) for row in connection.execute(OF_STATIONS, asked)]
        known = self._evidence.read([one.place for one in served], days, connection)
        return [(one, known[one.place]) for one in served]

    def _settle(self, found: Days, now: int, connection: Connection) -> int:
        take_turn(connection)
        known = dict(map(tuple, self._progress.rows([(one.station_id,) for one in found.due], connection)))
        # Set back, or computed by another, meanwhile: its next turn will find it.
        due = [one for one in found.due if known.get(one.station_id) == one.done_until]
        since, until = micros(found.days.start), micros(found.days.end)
        stations = {one.station_id for one in due}
        self._replace(
            [(number, "day", since, until) for number in stations],
            [row for row in found.rows if row[2] in stations],
            connection,
        )
        if due:
            clock = due[0].zone
            self._sum_months(sorted(stations), found.days, clock, now, connection)
            at = {one.site_id for one in due if one.site_id is not None}
            self._sum_sites(sorted(at), found.days, clock, now, connection)
            connection.execute(DONE, [{"id": number, "until": until} for number in stations])
        return len(found.due)

    def _sum_months(
        self, stations: list[int], days: Span, clock: str, now: int, connection: Connection
    ) -> None:
        spans = [(micros(span.start), micros(span.end)) for span in _spans(days, month_start, 32, clock)]
        keys = [(number, *span) for number in stations for span in spans]
        rows = [
            ("month", start, *place, until, *sums, now)
            for start, *place_and_sums in self._months.rows(keys, connection)
            for place, until, sums in [(place_and_sums[:3], place_and_sums[3], place_and_sums[4:])]
        ]
        self._replace([(number, "month", *span) for number, *span in keys], rows, connection)

    def _sum_sites(self, at: list[int], days: Span, clock: str, now: int, connection: Connection) -> None:
        starts = [("day", micros(span.start)) for span in _spans(days, day_start, 26 / 24, clock)]
        starts += [("month", micros(span.start)) for span in _spans(days, month_start, 32, clock)]
        keys = [(*start, number) for start in starts for number in at]
        rows = [(*row, now) for row in self._sites.rows(keys, connection)]
        for statement, given in ((self._remove_site, keys), (self._put_site, rows)):
            if given:
                connection.exec_driver_sql(statement.sql, statement.parameters(given))

    def _replace(
        self,
        gone: list[tuple[Any, ...]],
        rows: list[tuple[Any, ...]],
        connection: Connection,
    ) -> None:
        for statement, given in ((self._remove, gone), (self._put, rows)):
            if given:
                connection.exec_driver_sql(statement.sql, statement.parameters(given))


def _together(due: list[Due], ended: datetime) -> tuple[list[Due], Span]:
    """Of the stations that are due, those with the same days as the first; and these days."""
    for clock, some in groupby(sorted(due, key=lambda one: (one.zone, one.done_until)), itemgetter(2)):
        local, group = zone(clock), list(some)
        start = day_start(instant(group[0].done_until), local)
        end = day_start(ended, local)
        if end <= start:
            continue
        spans = _spans(Span(start, end), day_start, 26 / 24, clock)[:MOST_DAYS]
        same = [one for one in group if day_start(instant(one.done_until), local) == start]
        return same, Span(start, spans[-1].end)
    return [], Span(ended, ended)


def _spans(within: Span, start_of: Any, most_days: float, clock: str) -> list[Span]:
    """The local days or months in which `within` lies, in order."""
    local, found = zone(clock), list[Span]()
    start = start_of(within.start, local)
    while start < within.end:
        end = start_of(start + timedelta(days=most_days), local)
        found.append(Span(start, end))
        start = end
    return found


def _rows(found: list[tuple[Served, Evidence]], days: Span, clock: str, now: int) -> list[tuple[Any, ...]]:
    """A row for every day that a connector was in service."""
    windows = _spans(days, day_start, 26 / 24, clock)
    rows: list[tuple[Any, ...]] = []
    for _, some in groupby(found, lambda one: one[0].place.station_id):
        known = {of.place: Evident(evidence, of.rated_w, of.joined, of.retired) for of, evidence in some}
        for window, of_window in zip(windows, figures(known, windows), strict=True):
            rows += [_row(window, place, of, now) for place, of in of_window.items()]
    return rows


def _row(window: Span, place: Place, of: Figures, now: int) -> tuple[Any, ...]:
    return (
        "day",
        micros(window.start),
        *place,
        micros(window.end),
        *(length // MICROSECOND for length in of.usage),
        of.capacity_wh,
        of.equipment // MICROSECOND,
        of.records,
        of.fault_records,
        now,
    )
