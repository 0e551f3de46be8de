"""Stored figures of many subjects and periods, by their exact keys: energy, time by state, peaks.

For connectors, equipment and sites (energy of operators too); what is summed over many sites is read as a
whole (`platform_wide`). Of stations that went from one operator to another, who is limited to operators sees
what was charged under these, read from the hours of sessions. Knows tables.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from csms.store.key_sets import Columns, KeyQuery
from csms.store.platform_subjects import Scope
from csms.store.tables import charging_stations, operators, session_hours, sessions, totals
from csms.store.uptime_tables import site_peaks, site_use_periods, use_periods
from csms.store.use_days import SUMS, summed

T = TypeVar("T")
S = charging_stations
_H = session_hours.c
_first = sessions.alias("first")

LEVEL = {"connector": "connector", "equipment": "station", "site": "site", "operator": "operator"}


class Key(NamedTuple):
    """A subject's numbers, and the beginning of a stored period (microseconds)."""

    numbers: tuple[Any, ...]
    start: int


class Energy(NamedTuple):
    """What sessions did."""

    energy_wh: int = 0
    sessions: int = 0
    charging_s: int = 0


class Use(NamedTuple):
    """What connectors did: lengths in microseconds in the order of the states; up to when that is known."""

    lengths: tuple[int, ...]
    capacity_wh: int | None
    equipment_us: int
    records: int
    fault_records: int
    until: int

    @classmethod
    def of(cls, sums: Sequence[Any], until: int) -> "Use":
        """Of the columns of `SUMS`, in order."""
        capacity_wh, equipment_us, records, fault_records = sums[7:]
        return cls(tuple(sums[:7]), capacity_wh, equipment_us, records, fault_records, until)

    def plus(self, other: "Use") -> "Use":
        """Both together."""
        known = self.capacity_wh is not None and other.capacity_wh is not None
        return Use(
            tuple(map(int.__add__, self.lengths, other.lengths)),
            self.capacity_wh + other.capacity_wh if known else None,  # type: ignore[operator]  # both are known
            self.equipment_us + other.equipment_us,
            self.records + other.records,
            self.fault_records + other.fault_records,
            max(self.until, other.until),
        )


Fold = Callable[[], dict[Key, T]]
"""Makes figures of rows that were read: later, beside the event loop."""


class Peak(NamedTuple):
    """Watts, and whether every session in it measured its power."""

    watts: int
    is_measured: bool


_PAIR: Columns = {"period": str, "start": int, "number": int}
_SPAN: Columns = {"number": int, "start": int, "until": int}
_TOTAL: Columns = {
    "period": str, "level": str, "subject_id": int, "evse": int, "connector": int, "start": int,
}  # fmt: skip


def _totals(given: Any) -> Select[Any]:
    here = and_(*(totals.c[name] == given[name] for name in _TOTAL))
    place = (totals.c.subject_id, totals.c.evse, totals.c.connector, totals.c.start)
    figures = (totals.c.until, totals.c.energy_wh, totals.c.sessions, totals.c.charging_s)
    return select(*place, *figures).join_from(given.start.table, totals, here)


def _hours(given: Any) -> Select[Any]:
    return _summed(given, _H.hour == given.start, _H.hour)


def _hours_within(given: Any) -> Select[Any]:
    return _summed(given, and_(_H.hour >= given.start, _H.hour < given.until), given.start)


def _summed(given: Any, is_then: ColumnElement[bool], start: Any) -> Select[Any]:
    """What the connectors of the stations asked for did then."""
    place = (operators.c.code, _H.station_id, _H.evse, _H.connector, start)
    sums = (summed(_H.energy_wh), summed(_H.starts), summed(_H.charging_s))
    return (
        select(*place, *sums)
        .join_from(given.start.table, session_hours, and_(_H.station_id == given.number, is_then))
        .outerjoin(operators, operators.c.operator_id == _H.operator_id)
        .group_by(*place)
    )


def _moved(given: Any) -> Select[Any]:
    """Stations that have charged for others than whose they are: some month says so, or the first session."""
    whose = func.coalesce(S.c.operator_id, literal_column("0"))
    month = exists().where(
        totals.c.period == literal_column("'month'"),
        totals.c.level == literal_column("'station'"),
        totals.c.subject_id == S.c.station_id,
        totals.c.operator_id != whose,
    )
    earliest = select(func.min(_first.c.started_at)).where(_first.c.station_id == S.c.station_id).correlate(S)
    first = exists().where(
        sessions.c.station_id == S.c.station_id,
        sessions.c.started_at == earliest.scalar_subquery(),
        func.coalesce(sessions.c.operator_id, literal_column("0")) != whose,
    )
    here = S.c.station_id == given.number
    return select(S.c.station_id).join_from(given.number.table, S, here).where(or_(month, first))


def _of_connectors(given: Any) -> Select[Any]:
    u = use_periods
    here = and_(u.c.period == given.period, u.c.start == given.start, u.c.station_id == given.number)
    place = (u.c.station_id, u.c.evse, u.c.connector, u.c.start)
    return select(*place, u.c.until, *(u.c[name] for name in SUMS)).join_from(given.start.table, u, here)


def _of_sites(given: Any) -> Select[Any]:
    u = site_use_periods
    here = and_(u.c.period == given.period, u.c.start == given.start, u.c.site_id == given.number)
    columns = (u.c.site_id, u.c.start, u.c.until, *(u.c[name] for name in SUMS))
    return select(*columns).join_from(given.start.table, u, here)


def _site_peaks(given: Any) -> Select[Any]:
    p = site_peaks
    here = and_(p.c.period == given.period, p.c.start == given.start, p.c.site_id == given.number)
    return select(p.c.site_id, p.c.start, p.c.peak_w, p.c.is_measured).join_from(given.start.table, p, here)


class PlatformFigures:
    """Statements over stored figures, compiled once for a database."""

    def __init__(self, dialect: Dialect) -> None:
        self._totals = KeyQuery(dialect, _totals, _TOTAL)
        self._hours = KeyQuery(dialect, _hours, _PAIR)
        self._hours_within = KeyQuery(dialect, _hours_within, _SPAN)
        self._moved = KeyQuery(dialect, _moved, {"number": int})
        self._connectors = KeyQuery(dialect, _of_connectors, _PAIR)
        self._sites = KeyQuery(dialect, _of_sites, _PAIR)
        self._peaks = KeyQuery(dialect, _site_peaks, _PAIR)

    def energy(self, scope: Scope, unit: str, keys: Sequence[Key], connection: Connection) -> Fold[Energy]:
        """Of connectors to operators, by exact keys."""
        if unit == "hour" and scope.of in ("connector", "equipment"):
            pairs = {("hour", one.start, one.numbers[0]) for one in keys}
            return partial(_of_session_hours, scope, self._hours.rows(sorted(pairs), connection))
        asked = [(unit, LEVEL[scope.of], *(*one.numbers, 0, 0)[:3], one.start) for one in keys]
        width = len(keys[0].numbers) if keys else 0
        rows = self._totals.rows(asked, connection)
        moved = self._moved_among(scope, rows, connection)
        spans = sorted({(row[0], row[3], row[4]) for row in rows if row[0] in moved})
        own = self._hours_within.rows(spans, connection) if spans else []
        return lambda: (
            {Key(tuple(row[:3])[:width], row[3]): Energy(*row[5:]) for row in rows if row[0] not in moved}
            | (_of_session_hours(scope, own) if moved else {})
        )

    def _moved_among(self, scope: Scope, rows: Sequence[Any], connection: Connection) -> set[int]:
        """Stations whose totals are not their operator's alone. Stored totals do not tell whose they are."""
        if scope.operators is None or scope.of not in ("connector", "equipment"):
            return set()
        stations = sorted({(row[0],) for row in rows})
        return {number for (number,) in self._moved.rows(stations, connection)}

    def uses(self, scope: Scope, unit: str, keys: Sequence[Key], connection: Connection) -> Fold[Use]:
        """Of connectors, equipment and sites, by exact keys. Hours are not stored."""
        pairs = sorted({(unit, one.start, one.numbers[0]) for one in keys})
        if scope.of == "site":
            return partial(_of_site_rows, self._sites.rows(pairs, connection))
        return partial(_of_connector_rows, scope, self._connectors.rows(pairs, connection))

    def peaks(self, unit: str, keys: Sequence[Key], connection: Connection) -> Fold[Peak]:
        """Of sites, by exact keys."""
        rows = self._peaks.rows([(unit, one.start, one.numbers[0]) for one in keys], connection)
        return lambda: {
            Key((number,), start): Peak(watts, bool(is_measured))
            for number, start, watts, is_measured in rows
        }


def _of_session_hours(scope: Scope, rows: Sequence[Any]) -> dict[Key, Energy]:
    found: dict[Key, Energy] = {}
    for operator, station_id, evse, plug, start, *figures in rows:
        # Whose the session was: a station may have gone from one operator to another.
        if scope.operators is not None and operator not in scope.operators:
            continue
        key = Key((station_id, evse, plug) if scope.of == "connector" else (station_id,), start)
        found[key] = Energy(*map(int.__add__, found.get(key, Energy()), figures))
    return found


def _of_site_rows(rows: Sequence[Any]) -> dict[Key, Use]:
    return {Key((number,), start): Use.of(sums, until) for number, start, until, *sums in rows}


def _of_connector_rows(scope: Scope, rows: Sequence[Any]) -> dict[Key, Use]:
    found: dict[Key, Use] = {}
    for station_id, evse, plug, start, until, *sums in rows:
        numbers = (station_id, evse, plug) if scope.of == "connector" else (station_id,)
        add_use(found, Key(numbers, start), Use.of(sums, until))
    return found


def add_use(found: dict[Key, Use], key: Key, use: Use) -> None:
    """Put it to what is there."""
    found[key] = found[key].plus(use) if key in found else use
