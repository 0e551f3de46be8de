"""Peak power of sites by hour, day and month, computed again whenever an hour's energy changed.

An hour's peak comes from the power readings of the sessions in it; of a session that measures no power, from
its energy of that hour. A day's and a month's peak is the highest of their hours. Knows tables; what a peak
is the domain says.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, literal_column, select

from csms.domain.local_time import day_start, month_start, next_hour, zone
from csms.domain.meter import Reading
from csms.domain.power import HELD, POWER, Drawn, evenly, measured, peak
from csms.domain.timeline import Span
from csms.store.database import Database
from csms.store.key_sets import Columns, KeyQuery
from csms.store.reading_rows import unpack
from csms.store.statements import prepare, upsert
from csms.store.tables import operators, reading_kinds, session_hours, session_messages, sessions, sites
from csms.store.times import instant, micros
from csms.store.uptime_tables import peak_due, site_peaks

COLUMNS = tuple(site_peaks.c.keys())


class DueHour(NamedTuple):
    """An hour of a site whose peak is due; another `version` means that it is due again."""

    site_id: int
    hour: int
    version: int
    zone: str


class Part(NamedTuple):
    """What one session did in a due hour, and its power readings in it."""

    energy_wh: int
    charging_s: int
    started_at: int
    ended_at: int | None
    readings: list[Reading]


DUE = (
    select(
        peak_due.c.site_id,
        peak_due.c.hour,
        peak_due.c.version,
        func.coalesce(operators.c.time_zone, literal_column("'UTC'")).label("zone"),
    )
    .join(sites, sites.c.site_id == peak_due.c.site_id)
    .outerjoin(operators, operators.c.operator_id == sites.c.operator_id)
    .where(peak_due.c.hour <= bindparam("before"))
    .order_by(peak_due.c.hour, peak_due.c.site_id)
    .limit(bindparam("most"))
)
DONE = delete(peak_due).where(
    peak_due.c.site_id == bindparam("id"),
    peak_due.c.hour == bindparam("at"),
    peak_due.c.version == bindparam("mark"),
)
KINDS = select(reading_kinds).where(reading_kinds.c.measurand == POWER)

_HOUR: Columns = {"site_id": int, "hour": int}


def _parts(given: Any) -> Select[Any]:
    h = session_hours
    here = and_(h.c.site_id == given.site_id, h.c.hour == given.hour)
    columns = (h.c.site_id, h.c.hour, h.c.session_id, h.c.energy_wh, h.c.charging_s)
    return (
        select(*columns, sessions.c.started_at, sessions.c.ended_at)
        .join_from(given.hour.table, h, here)
        .join(sessions, sessions.c.session_id == h.c.session_id)
    )


def _told(given: Any) -> Select[Any]:
    m = session_messages
    here = and_(m.c.session_id == given.session_id, m.c.samples != literal_column("''"))
    return (
        select(given.session_id, m.c.samples)
        .join_from(given.session_id.table, m, here)
        .order_by(given.session_id, m.c.entry_id)
    )


def _highest(given: Any) -> Select[Any]:
    p = site_peaks
    within = and_(
        p.c.site_id == given.site_id,
        p.c.period == given.part,
        p.c.start >= given.start,
        p.c.start < given.until,
    )
    return (
        select(given.period, given.start, given.site_id, func.max(p.c.peak_w), func.min(p.c.is_measured))
        .join_from(given.start.table, p, within)
        .group_by(given.period, given.start, given.site_id)
    )


class Peaks:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        dialect = database.dialect_of
        self._database = database
        self._parts = KeyQuery(dialect, _parts, _HOUR)
        self._told = KeyQuery(dialect, _told, {"session_id": int})
        wholes: Columns = {"period": str, "part": str, "site_id": int, "start": int, "until": int}
        self._highest = KeyQuery(dialect, _highest, wholes)
        put = upsert(dialect)(site_peaks).values({name: bindparam(name) for name in COLUMNS}).inline()
        fresh = {name: put.excluded[name] for name in COLUMNS[3:]}
        put = put.on_conflict_do_update(index_elements=COLUMNS[:3], set_=fresh)
        self._put = prepare(put, COLUMNS, dialect)

    async def compute(self, now: datetime, grace: timedelta, most: int) -> int:
        """Peaks of at most `most` hours that ended `grace` ago; how many (0: none is due)."""
        before = micros(now - grace - timedelta(hours=1))
        rows = await self._database.read(DUE, {"before": before, "most": most})
        due = [DueHour(row.site_id, row.hour, row.version, row.zone) for row in rows]
        if not due:
            return 0
        parts = await self._database.look(partial(self._look, due))
        peaks = await asyncio.to_thread(_peaks, due, parts)
        await self._database.run(partial(self._put_down, due, peaks, micros(now)))
        return len(due)

    def _look(self, due: list[DueHour], connection: Connection) -> dict[tuple[int, int], list[Part]]:
        """What the sessions of each due hour did in it."""
        rows = self._parts.rows([(one.site_id, one.hour) for one in due], connection)
        spans = {one.hour: _span(one) for one in due}
        told = self._readings({session_id for _, _, session_id, *_ in rows}, connection)
        found: dict[tuple[int, int], list[Part]] = {}
        for site_id, hour, session_id, energy_wh, charging_s, started_at, ended_at in rows:
            since, until = spans[hour].start - HELD, spans[hour].end
            in_hour = [one for one in told.get(session_id, ()) if since <= one.at < until]
            part = Part(energy_wh, charging_s, started_at, ended_at, in_hour)
            found.setdefault((site_id, hour), []).append(part)
        return found

    def _readings(self, numbers: Iterable[int], connection: Connection) -> dict[int, list[Reading]]:
        """The power readings of each session, in order of time; of one time, as they came."""
        kinds = {row.kind_id: row[1:] for row in connection.execute(KINDS)}
        found: dict[int, list[Reading]] = {}
        for session_id, packed in self._told.rows([(number,) for number in sorted(numbers)], connection):
            for at, samples in unpack(packed):
                for kind, value, *_ in samples:
                    if kind in kinds:
                        measurand, phase, location, context = kinds[kind]
                        reading = Reading(instant(at), measurand, value, phase, location, context)
                        found.setdefault(session_id, []).append(reading)
        return {session_id: sorted(some, key=lambda one: one.at) for session_id, some in found.items()}

    def _put_down(
        self, due: list[DueHour], peaks: list[tuple[int, bool]], now: int, connection: Connection
    ) -> None:
        rows: list[tuple[Any, ...]] = [
            ("hour", one.hour, one.site_id, watts, int(is_measured), now)
            for one, (watts, is_measured) in zip(due, peaks, strict=True)
        ]
        self._store(rows, connection)
        for period, part, start_of, days in (
            ("day", "hour", day_start, 26 / 24),
            ("month", "day", month_start, 32),
        ):
            keys = set()
            for one in due:
                local = zone(one.zone)
                start = start_of(instant(one.hour), local)
                until = start_of(start + timedelta(days=days), local)
                keys.add((period, part, one.site_id, micros(start), micros(until)))
            found = self._highest.rows(sorted(keys), connection)
            self._store([(*row, now) for row in found], connection)
        marks = [{"id": one.site_id, "at": one.hour, "mark": one.version} for one in due]
        connection.execute(DONE, marks)

    def _store(self, rows: Sequence[tuple[Any, ...]], connection: Connection) -> None:
        connection.exec_driver_sql(self._put.sql, self._put.parameters(rows))


def _span(due: DueHour) -> Span:
    start = instant(due.hour)
    return Span(start, next_hour(start, zone(due.zone)))


def _peaks(due: list[DueHour], parts: dict[tuple[int, int], list[Part]]) -> list[tuple[int, bool]]:
    """The peak (W) of each due hour, and whether every session in it measured its power."""
    found = []
    for one in due:
        span = _span(one)
        some = parts.get((one.site_id, one.hour), [])
        drawn = [(part, _drawn(part, span)) for part in some]
        watts = peak((each for _, more in drawn for each in more), span)
        found.append((watts, all(part.readings or not part.energy_wh for part, _ in drawn)))
    return found


def _drawn(part: Part, span: Span) -> list[Drawn]:
    """Power over time; without readings, the hour's energy over what the session lasted of the hour."""
    end = span.end if part.ended_at is None else min(instant(part.ended_at), span.end)
    if part.readings:
        return measured(part.readings, end)
    start = max(instant(part.started_at), span.start)
    lasted = timedelta(seconds=part.charging_s)
    return [evenly(part.energy_wh, Span(start, start + lasted))] if part.energy_wh > 0 else []
