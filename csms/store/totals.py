"""Totals from sessions: hours of sessions, summed into hours, days and months of four levels.

Recomputed, never incremented: a session that is due has its hours computed anew, and every total they
touch is summed again from what lies below it. A period is closed some time after its end; from then on
another figure is a new revision, and the one before is kept. Knows tables and sums; who is told of closed
hours is the caller's to say.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_

from csms.domain.local_time import day_start, month_start, next_hour, zone
from csms.domain.rollup import SessionHour
from csms.domain.rollup import session_hours as hours_of
from csms.store.session_codec import reading_of, session_of
from csms.store.sessions import READINGS
from csms.store.statements import upsert
from csms.store.tables import (
    operators,
    session_due,
    session_hours,
    sessions,
    total_revisions,
    totals,
)
from csms.store.times import instant, micros

MOST_KEYS = 500  # per statement: SQLite takes 32,766 parameters


class Due(NamedTuple):
    """A session's hours, computed. `version` tells whether it was marked again meanwhile."""

    session_id: int
    version: int
    rows: list[tuple[int, ...]]


class Subject(NamedTuple):
    """What a total is of. EVSE and connector are 0 but for level `connector`."""

    level: str
    subject_id: int
    evse: int
    connector: int


class Figures(NamedTuple):
    """What a total says."""

    energy_wh: int = 0
    sessions: int = 0
    charging_s: int = 0

    def plus(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(*(a + b for a, b in zip(self, other, strict=True)))


class Scope(NamedTuple):
    """Whose a subject is, and by which clock its days begin."""

    operator_id: int
    zone: str


SiteHourKey = tuple[int, int]  # site, start
Sums = dict[tuple[Subject, int], Figures]

DUE = (
    select(sessions, session_due.c.version, operators.c.time_zone)
    .join(session_due, session_due.c.session_id == sessions.c.session_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .where(session_due.c.due_at <= bindparam("now"))
    .order_by(session_due.c.due_at)
    .limit(bindparam("most"))
)
DONE = delete(session_due).where(
    session_due.c.session_id == bindparam("id"), session_due.c.version == bindparam("seen")
)
HOUR_COLUMNS = tuple(session_hours.c.keys())
ZONES = select(operators.c.operator_id, operators.c.time_zone)
ENERGY = func.sum(session_hours.c.energy_wh).label("energy_wh")
_SUMS = (
    ENERGY,
    func.sum(session_hours.c.starts).label("sessions"),
    func.sum(session_hours.c.charging_s).label("charging_s"),
)


def compute(now: int, most: int, connection: Connection) -> list[Due]:
    """The hours of sessions that are due, longest due first. Reads only."""
    found = []
    for row in connection.execute(DUE, {"now": now, "most": most}).all():
        session = session_of(row)
        told = connection.execute(READINGS, {"session_id": session.session_id})
        hours = hours_of(session, map(reading_of, told), zone(row.time_zone or "UTC"))
        found.append(Due(session.session_id, row.version, [_hour_row(session, hour) for hour in hours]))
    return found


def _hour_row(session: Any, hour: SessionHour) -> tuple[int, ...]:
    return (
        session.session_id,
        micros(hour.hour_start),
        session.operator_id,
        session.site_id,
        session.station_id,
        session.evse,
        session.connector,
        hour.energy_wh,
        hour.charging_s,
        hour.sessions,
    )


def settle(found: Sequence[Due], now: int, connection: Connection) -> list[SiteHourKey]:
    """Put the computed hours down and sum every total again that they touch; closed hours that changed."""
    ids = [due.session_id for due in found]
    fresh = [row for due in found for row in due.rows]
    before = [tuple(row) for row in _in(connection, select(session_hours), session_hours.c.session_id, ids)]
    for some in _chunks(ids):
        connection.execute(delete(session_hours).where(session_hours.c.session_id.in_(some)))
    if fresh:
        rows = [dict(zip(HOUR_COLUMNS, row, strict=True)) for row in fresh]
        connection.execute(insert(session_hours), rows)
    if not found:
        return []
    connection.execute(DONE, [{"id": due.session_id, "seen": due.version} for due in found])
    summing = _Summing(connection, now)
    summing.run([*before, *fresh])
    return summing.revised_hours


class _Summing:
    """Sums the totals that some session hours touch, from below: hours, then days, then months."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self._now = now
        self._zones = {row.operator_id: row.time_zone for row in connection.execute(ZONES)}
        self._scopes: dict[Subject, Scope] = {}
        self.revised_hours: list[SiteHourKey] = []

    def run(self, touched: Iterable[tuple[int, ...]]) -> None:
        hours: set[tuple[Subject, int]] = set()
        for _, hour, operator_id, site_id, station_id, evse, connector, *_ in touched:
            for subject in _subjects(operator_id, site_id, station_id, evse, connector):
                self._scopes[subject] = Scope(operator_id or 0, self._zones.get(operator_id, "UTC"))
                hours.add((subject, hour))
        lower = {key for key in hours if key[0].level != "operator"}
        self._store("hour", self._stations(lower) | self._sites(lower))
        self._store("hour", self._operators(hours - lower))
        days = {(subject, self._start("day", subject, hour)) for subject, hour in hours}
        self._store("day", self._from_below("hour", "day", days))
        months = {(subject, self._start("month", subject, day)) for subject, day in days}
        self._store("month", self._from_below("day", "month", months))

    def _stations(self, hours: set[tuple[Subject, int]]) -> Sums:
        """Connectors, and stations from their connectors."""
        sums: Sums = {key: Figures() for key in hours if key[0].level in ("connector", "station")}
        keys = sorted({(subject.subject_id, hour) for subject, hour in sums})
        columns = (session_hours.c.station_id, session_hours.c.evse, session_hours.c.connector)
        query = select(*columns, session_hours.c.hour, *_SUMS).group_by(*columns, session_hours.c.hour)
        place = tuple_(session_hours.c.station_id, session_hours.c.hour)
        for row in _in(self._connection, query, place, keys):
            figures = _figures(row)
            station = Subject("station", row.station_id, 0, 0)
            connector = Subject("connector", row.station_id, row.evse, row.connector)
            # A connector that no session touched has not changed.
            if (connector, row.hour) in sums:
                sums[connector, row.hour] = figures
            sums[station, row.hour] = sums[station, row.hour].plus(figures)
        return sums

    def _sites(self, hours: set[tuple[Subject, int]]) -> Sums:
        sums: Sums = {key: Figures() for key in hours if key[0].level == "site"}
        keys = sorted({(subject.subject_id, hour) for subject, hour in sums})
        columns = (session_hours.c.site_id, session_hours.c.hour)
        for row in _in(self._connection, select(*columns, *_SUMS).group_by(*columns), tuple_(*columns), keys):
            key = (Subject("site", row.site_id, 0, 0), row.hour)
            sums[key] = _figures(row)
        return sums

    def _operators(self, hours: set[tuple[Subject, int]]) -> Sums:
        """An operator's hour is that of its sites: a few rows, where its sessions may be thousands."""
        sums: Sums = {key: Figures() for key in hours}
        columns = (totals.c.operator_id, totals.c.start)
        query = (
            select(
                *columns,
                func.sum(totals.c.energy_wh).label("energy_wh"),
                func.sum(totals.c.sessions).label("sessions"),
                func.sum(totals.c.charging_s).label("charging_s"),
            )
            .where(totals.c.period == "hour", totals.c.level == "site")
            .group_by(*columns)
        )
        for row in _in(self._connection, query, totals.c.start, sorted({hour for _, hour in hours})):
            key = (Subject("operator", row.operator_id, 0, 0), row.start)
            if key in sums:
                sums[key] = _figures(row)
        return sums

    def _from_below(self, part: str, whole: str, keys: set[tuple[Subject, int]]) -> Sums:
        """Days from their hours, months from their days."""
        sums: Sums = {key: Figures() for key in keys}
        if not keys:
            return sums
        first = min(start for _, start in keys)
        last = max(self._until(whole, subject, start) for subject, start in keys)
        query = select(totals).where(totals.c.period == part, totals.c.start >= first, totals.c.start < last)
        for row in _in(self._connection, query, SUBJECT, sorted({subject for subject, _ in keys})):
            subject = Subject(row.level, row.subject_id, row.evse, row.connector)
            key = (subject, self._start(whole, subject, row.start))
            if key in sums:
                sums[key] = sums[key].plus(_figures(row))
        return sums

    def _store(self, period: str, sums: Sums) -> None:
        """Write the totals that changed; keep what a closed one said before."""
        fresh, revised = [], []
        known = self._known(period, sums)
        for (subject, start), figures in sums.items():
            before = known.get((subject, start))
            if before is not None and _figures(before) == figures:
                continue
            revision = 1 if before is None else before.revision
            if before is not None and before.closed_at is not None:
                revised.append({name: getattr(before, name) for name in REVISION_COLUMNS})
                revision += 1
                if period == "hour" and subject.level == "site":
                    self.revised_hours.append((subject.subject_id, start))
            fresh.append(self._row(period, subject, start, figures, revision, before))
        if revised:
            self._connection.execute(insert(total_revisions), revised)
        if fresh:
            self._connection.execute(_replace(self._connection), fresh)

    def _known(self, period: str, sums: Sums) -> dict[tuple[Subject, int], Any]:
        query = select(totals).where(totals.c.period == period)
        keys = sorted((*subject, start) for subject, start in sums)
        rows = _in(self._connection, query, tuple_(*SUBJECT_COLUMNS, totals.c.start), keys)
        return {(Subject(r.level, r.subject_id, r.evse, r.connector), r.start): r for r in rows}

    def _row(
        self, period: str, subject: Subject, start: int, figures: Figures, revision: int, before: Any
    ) -> dict[str, Any]:
        return {
            "period": period,
            **subject._asdict(),
            "start": start,
            "until": self._until(period, subject, start),
            "operator_id": self._scopes[subject].operator_id,
            **figures._asdict(),
            "revision": revision,
            "computed_at": self._now,
            "closed_at": None if before is None else before.closed_at,
        }

    def _start(self, period: str, subject: Subject, at: int) -> int:
        local = zone(self._scopes[subject].zone)
        return micros(START[period](instant(at), local))

    def _until(self, period: str, subject: Subject, start: int) -> int:
        local = zone(self._scopes[subject].zone)
        return micros(UNTIL[period](instant(start), local))


START: dict[str, Callable[[datetime, Any], datetime]] = {"day": day_start, "month": month_start}
# A day has 23 to 25 hours, a month 28 to 31 days: so much later is always in the next one.
UNTIL: dict[str, Callable[[datetime, Any], datetime]] = {
    "hour": next_hour,
    "day": lambda start, local: day_start(start + timedelta(hours=26), local),
    "month": lambda start, local: month_start(start + timedelta(days=32), local),
}
SUBJECT_COLUMNS = (totals.c.level, totals.c.subject_id, totals.c.evse, totals.c.connector)
SUBJECT = tuple_(*SUBJECT_COLUMNS)
REVISION_COLUMNS = tuple(total_revisions.c.keys())
TOTAL_COLUMNS = tuple(totals.c.keys())
TOTAL_KEY = tuple(totals.primary_key.columns.keys())


def _subjects(
    operator_id: int | None, site_id: int | None, station_id: int, evse: int, connector: int
) -> list[Subject]:
    found = [Subject("connector", station_id, evse, connector), Subject("station", station_id, 0, 0)]
    if site_id is not None:
        found.append(Subject("site", site_id, 0, 0))
    if operator_id is not None:
        found.append(Subject("operator", operator_id, 0, 0))
    return found


def _figures(row: Any) -> Figures:
    # PostgreSQL sums BIGINTs to a NUMERIC.
    return Figures(int(row.energy_wh), int(row.sessions), int(row.charging_s))


def _replace(connection: Connection) -> Any:
    mark = upsert(connection.dialect)(totals)
    fresh = {name: mark.excluded[name] for name in TOTAL_COLUMNS if name not in TOTAL_KEY}
    return mark.on_conflict_do_update(index_elements=list(TOTAL_KEY), set_=fresh)


def _chunks(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (keys[n : n + MOST_KEYS] for n in range(0, len(keys), MOST_KEYS))


def _in(connection: Connection, query: Any, column: Any, keys: Sequence[Any]) -> Iterable[Any]:
    """The rows of `query` whose `column` is one of `keys`."""
    for some in _chunks(keys):
        yield from connection.execute(query.where(column.in_(some))).all()
