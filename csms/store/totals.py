"""Totals: what lies below them, summed. Hours of sites and operators, days and months of everything.

Recomputed, never incremented: every total whose parts changed is summed again from them, wave by wave from
below: days of connectors and stations and hours of sites from the hours of sessions, all others from
totals of a shorter period or, for operators, of their sites. A period is closed some time after its end;
from then on another figure is a new revision, and the one before is kept. Hours of connectors and stations
are not stored: they would be as many as the hours of sessions. Knows tables and sums; who is told of closed
hours is the caller's to say.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Dialect,
    Select,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
)

from csms.domain.local_time import day_start, month_start, next_hour, zone
from csms.store.columns import WHOLE
from csms.store.key_sets import Columns, KeyQuery
from csms.store.session_hours import HourRow
from csms.store.statements import prepare, upsert
from csms.store.tables import operators, session_hours, total_revisions, totals
from csms.store.times import instant, micros
from csms.store.uptime_tables import peak_due

LOCK = 7_341_003  # any number, the same for all nodes: one settles, the others wait


class Subject(NamedTuple):
    """What a total is of. EVSE and connector are 0 but for level `connector`."""

    level: str
    subject_id: int
    evse: int = 0
    connector: int = 0


class Figures(NamedTuple):
    """What a total says."""

    energy_wh: int = 0
    sessions: int = 0
    charging_s: int = 0


class Scope(NamedTuple):
    """Whose a subject is, and by which clock its days begin."""

    operator_id: int
    zone: str


class Key(NamedTuple):
    """Names a total."""

    period: str
    subject: Subject
    start: int


SiteHourKey = tuple[int, int]  # site, start
Sums = dict[Key, Figures]

NOTHING = Figures()
UNKNOWN: tuple[Any, ...] = (None, None, None, 1, None, None)  # a total that is not there yet
PART_OF = {"day": "hour", "month": "day"}
WHOLE_OF = {part: whole for whole, part in PART_OF.items()}
START: dict[str, Callable[[datetime, Any], datetime]] = {"day": day_start, "month": month_start}
# A day has 23 to 25 hours, a month 28 to 31 days: so much later is always in the next one.
UNTIL: dict[str, Callable[[datetime, Any], datetime]] = {
    "hour": next_hour,
    "day": lambda start, local: day_start(start + timedelta(hours=26), local),
    "month": lambda start, local: month_start(start + timedelta(days=32), local),
}
TOTAL_KEY = tuple(totals.primary_key.columns.keys())
TOTAL_COLUMNS = tuple(totals.c.keys())
REVISION_COLUMNS = tuple(total_revisions.c.keys())
CHANGING = ("energy_wh", "sessions", "charging_s", "revision", "computed_at")
ZONES = select(operators.c.operator_id, operators.c.time_zone)

_N: Columns = {"n": int}  # a key's place among the keys asked for
_SUBJECT: Columns = {"period": str, "level": str, "subject_id": int, "evse": int, "connector": int}


def summed(table: Any, sessions: str = "sessions") -> list[Any]:
    """Figures of many rows of `table`."""
    # PostgreSQL sums BIGINTs to a NUMERIC.
    names = {"energy_wh": "energy_wh", "sessions": sessions, "charging_s": "charging_s"}
    return [cast(func.sum(table.c[column]), WHOLE).label(name) for name, column in names.items()]


def _connector_days(given: Any) -> Select[Any]:
    h = session_hours
    key = (given.station_id, given.start, h.c.evse, h.c.connector)
    within = and_(h.c.station_id == given.station_id, h.c.hour >= given.start, h.c.hour < given.until)
    return select(*key, *summed(h, "starts")).join_from(given.start.table, h, within).group_by(*key)


def _site_hours(given: Any) -> Select[Any]:
    h = session_hours
    here = and_(h.c.site_id == given.site_id, h.c.hour == given.start)
    key = (given.site_id, given.start)
    return select(*key, *summed(h, "starts")).join_from(given.start.table, h, here).group_by(*key)


def _operator_hours(given: Any) -> Select[Any]:
    of_sites = and_(
        totals.c.period == literal_column("'hour'"),
        totals.c.level == literal_column("'site'"),
        totals.c.start == given.start,
        totals.c.operator_id == given.operator_id,
    )
    key = (given.operator_id, given.start)
    return select(*key, *summed(totals)).join_from(given.start.table, totals, of_sites).group_by(*key)


def _parts(given: Any) -> Select[Any]:
    within = and_(_is_of(given), totals.c.start >= given.start, totals.c.start < given.until)
    return select(given.n, *summed(totals)).join_from(given.n.table, totals, within).group_by(given.n)


def _known(given: Any) -> Select[Any]:
    same = and_(_is_of(given), totals.c.start == given.start)
    return select(given.n, *(totals.c[name] for name in (*CHANGING, "closed_at"))).join_from(
        given.n.table, totals, same
    )


def _is_of(given: Any) -> Any:
    return and_(*(totals.c[name] == given[name] for name in _SUBJECT))


class Totals:
    """Statements over totals, compiled once for a database."""

    def __init__(self, dialect: Dialect) -> None:
        time: Columns = {"start": int}
        span: Columns = {"start": int, "until": int}
        self.connector_days = KeyQuery(dialect, _connector_days, {"station_id": int, **span})
        self.site_hours = KeyQuery(dialect, _site_hours, {"site_id": int, **time})
        self.operator_hours = KeyQuery(
            dialect, _operator_hours, {"operator_id": int, **time}, ("totals", "ix_totals_start")
        )
        self.parts = KeyQuery(dialect, _parts, {**_N, **_SUBJECT, **span})
        self.known = KeyQuery(dialect, _known, {**_N, **_SUBJECT, **time})
        put = upsert(dialect)(totals).values({name: bindparam(name) for name in TOTAL_COLUMNS}).inline()
        # No column of an index: a total that is there keeps its place in all of them.
        fresh = {name: put.excluded[name] for name in CHANGING}
        put = put.on_conflict_do_update(index_elements=TOTAL_KEY, set_=fresh)
        self.put = prepare(put, TOTAL_COLUMNS, dialect)
        keep = insert(total_revisions).values({name: bindparam(name) for name in REVISION_COLUMNS})
        self.keep = prepare(keep.inline(), REVISION_COLUMNS, dialect)
        mark = upsert(dialect)(peak_due).values(
            site_id=bindparam("site_id"), hour=bindparam("hour"), version=literal_column("1")
        )
        again = {"version": peak_due.c.version + literal_column("1")}
        mark = mark.inline().on_conflict_do_update(index_elements=["site_id", "hour"], set_=again)
        self.mark_peaks = prepare(mark, ("site_id", "hour"), dialect)
        self._takes_turns = dialect.name == "postgresql"

    def take_turn(self, connection: Connection) -> None:
        """Wait until no other node settles or closes: each must see what the other summed."""
        if self._takes_turns:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")

    def settle(self, touched: Iterable[HourRow], now: int, connection: Connection) -> list[SiteHourKey]:
        """Sum every total again that these hours of sessions touch; closed hours of sites that changed."""
        summing = _Summing(self, now, connection)
        summing.run(touched)
        return summing.revised_hours


class _Summing:
    """One round of sums. Everything that it knows of a subject is from the hours that touched it."""

    def __init__(self, statements: Totals, now: int, connection: Connection) -> None:
        self._statements = statements
        self._now = now
        self._connection = connection
        self._zones: dict[int | None, str] = {}
        self._scopes: dict[Subject, Scope] = {}
        self._spans: dict[tuple[str, str, int], tuple[int, int]] = {}
        self.revised_hours: list[SiteHourKey] = []
        self._changed_hours: list[SiteHourKey] = []

    def run(self, touched: Iterable[HourRow]) -> None:
        self._zones = {row.operator_id: row.time_zone for row in self._connection.execute(ZONES)}
        changed = self._store(self._lowest(touched))
        while changed:
            changed = self._store(self._operators(changed) | self._wholes(changed))
        if self._changed_hours:
            mark = self._statements.mark_peaks
            self._connection.exec_driver_sql(mark.sql, mark.parameters(self._changed_hours))

    def _lowest(self, touched: Iterable[HourRow]) -> Sums:
        """Days of connectors and stations, hours of sites: from hours of sessions."""
        sums: Sums = {}
        days: set[tuple[int, int, int]] = set()
        hours: set[SiteHourKey] = set()
        for _, hour, operator_id, site_id, station_id, evse, connector, *_ in touched:
            scope = Scope(operator_id or 0, self._zones.get(operator_id, "UTC"))
            start, until = self._span("day", scope.zone, hour)
            days.add((station_id, start, until))
            for subject in (
                Subject("connector", station_id, evse, connector),
                Subject("station", station_id),
            ):
                self._scopes[subject] = scope
                sums[Key("day", subject, start)] = NOTHING
            if site_id is not None:
                hours.add((site_id, hour))
                self._scopes[Subject("site", site_id)] = self._scopes[Subject("operator", operator_id)] = (
                    scope
                )
                sums[Key("hour", Subject("site", site_id), hour)] = NOTHING
        self._sum_days(sums, days)
        for site_id, hour, *figures in self._statements.site_hours.rows(list(hours), self._connection):
            sums[Key("hour", Subject("site", site_id), hour)] = Figures(*figures)
        return sums

    def _sum_days(self, sums: Sums, days: set[tuple[int, int, int]]) -> None:
        rows = self._statements.connector_days.rows(list(days), self._connection)
        for station_id, start, evse, connector, *figures in rows:
            key = Key("day", Subject("connector", station_id, evse, connector), start)
            # A connector that no session touched has not changed.
            if key in sums:
                sums[key] = Figures(*figures)
            whole = Key("day", Subject("station", station_id), start)
            sums[whole] = Figures(*map(int.__add__, sums[whole], figures))

    def _operators(self, changed: Sequence[Key]) -> Sums:
        """An operator's hour is that of its sites: a few rows, where its sessions may be thousands."""
        keys = {
            (self._scopes[key.subject].operator_id, key.start)
            for key in changed
            if key.period == "hour" and key.subject.level == "site"
        }
        sums = {Key("hour", Subject("operator", number), start): NOTHING for number, start in keys}
        for number, start, *figures in self._statements.operator_hours.rows(list(keys), self._connection):
            sums[Key("hour", Subject("operator", number), start)] = Figures(*figures)
        return sums

    def _wholes(self, changed: Sequence[Key]) -> Sums:
        """Days from their hours, months from their days."""
        spans: dict[Key, int] = {}
        for part, subject, at in changed:
            if part in WHOLE_OF:
                start, until = self._span(WHOLE_OF[part], self._scopes[subject].zone, at)
                spans[Key(WHOLE_OF[part], subject, start)] = until
        keys = list(spans)
        asked = [(n, PART_OF[key.period], *key.subject, key.start, spans[key]) for n, key in enumerate(keys)]
        sums = dict.fromkeys(keys, NOTHING)
        for n, *figures in self._statements.parts.rows(asked, self._connection):
            sums[keys[n]] = Figures(*figures)
        return sums

    def _store(self, sums: Sums) -> list[Key]:
        """Write the totals that changed, and keep what a closed one said before; which they are."""
        keys = list(sums)
        asked = [(n, key.period, *key.subject, key.start) for n, key in enumerate(keys)]
        known = {row[0]: row[1:] for row in self._statements.known.rows(asked, self._connection)}
        changed, fresh, kept = [], [], []
        for n, key in enumerate(keys):
            *before, revision, computed_at, closed_at = known.get(n, UNKNOWN)
            if tuple(before) == sums[key]:
                continue
            changed.append(key)
            is_site_hour = key.period == "hour" and key.subject.level == "site"
            if is_site_hour:
                self._changed_hours.append((key.subject.subject_id, key.start))
            if closed_at is not None:
                kept.append((key.period, *key.subject, key.start, revision, *before, computed_at))
                if is_site_hour:
                    self.revised_hours.append((key.subject.subject_id, key.start))
            next_revision = revision if closed_at is None else revision + 1
            fresh.append(self._row(key, sums[key], next_revision, closed_at))
        for statement, rows in ((self._statements.keep, kept), (self._statements.put, fresh)):
            if rows:
                self._connection.exec_driver_sql(statement.sql, statement.parameters(rows))
        return changed

    def _row(self, key: Key, figures: Figures, revision: int, closed_at: int | None) -> tuple[Any, ...]:
        period, subject, start = key
        scope = self._scopes[subject]
        _, until = self._span(period, scope.zone, start)
        return (
            period,
            *subject,
            start,
            until,
            scope.operator_id,
            *figures,
            revision,
            self._now,
            closed_at,
        )

    def _span(self, period: str, clock: str, at: int) -> tuple[int, int]:
        """From when to when the period of `at` is; an hour is asked for by its start."""
        found = self._spans.get((period, clock, at))
        if found is None:
            local, when = zone(clock), instant(at)
            start = START[period](when, local) if period in START else when
            found = micros(start), micros(UNTIL[period](start, local))
            self._spans[period, clock, at] = found
        return found
