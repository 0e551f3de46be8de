"""Totals as charts want them: every subject's figures in every period, in one answer. Knows tables.

Periods are those of each operator's clock, and then stored totals of that length are read; or those of one
time zone, and then, for operators of another, hours are summed. Years are sums of months.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Dialect, Select, and_, cast, func, literal_column, select

from csms.domain.calendar import PERIODS, periods, units
from csms.domain.local_time import hour_start, next_hour, zone
from csms.domain.timeline import Span
from csms.errors import InvalidInput
from csms.store.asset_tables import site_assets
from csms.store.columns import WHOLE
from csms.store.database import Database
from csms.store.json_fields import field_of
from csms.store.key_sets import Columns, KeyQuery
from csms.store.tables import operators, sites, totals
from csms.store.times import micros

MOST_PERIODS, MOST_HOURS_DAYS, MOST_SERIES = 400, 93, 1_000
LEVELS = {"operator": "operator", "site": "site", "district": "site"}
FIGURES = ("energy_wh", "sessions", "charging_s")
AREA: ColumnElement[str] = func.coalesce(
    func.substr(field_of(site_assets.c.attributes, "area_code"), literal_column("1"), literal_column("6")),
    literal_column("''"),
)
ZONES = select(operators.c.code, operators.c.time_zone)


@dataclass(frozen=True, slots=True)
class ChartFilter:
    """`by`: day, month, year. `of`: operator, site, district. `since` <= a period's start < `until`.

    `operator`: the only one whose totals are wanted. `time_zone` None: each operator's own.
    """

    by: str
    of: str
    since: date
    until: date
    operator: str | None = None
    id: str | None = None
    time_zone: str | None = None


class _Part(NamedTuple):
    """One zone's operators: periods by the clock that counts, and the stored unit they are summed of."""

    zone: str
    spans: list[Span]
    unit: str


_GIVEN: Columns = {"n": int, "start": int, "zone": str, "operator": str}
UNITS = ("hour", "day", "month")


def _sums(of: str, unit: str, given: Any) -> Select[Any]:
    t = totals.c
    # Unit and level are part of the statement, and each stored period is asked for by its start: a planner
    # that has to guess how much lies between two times reads all totals.
    kind = (t.period == literal_column(f"'{unit}'"), t.level == literal_column(f"'{LEVELS[of]}'"))
    within = and_(*kind, t.start == given.start)
    # '' stands for every operator.
    owner = and_(
        operators.c.operator_id == t.operator_id,
        operators.c.time_zone == given.zone,
        (given.operator == literal_column("''")) | (operators.c.code == given.operator),
    )
    place: dict[str, tuple[Any, ...]] = {
        "operator": (operators.c.code, operators.c.code, operators.c.name),
        "site": (sites.c.code, operators.c.code, sites.c.name),
        "district": (AREA, literal_column("''"), literal_column("''")),
    }
    sums = [cast(func.sum(t[name]), WHOLE) for name in FIGURES]
    query = select(given.n, *place[of], *sums).join_from(given.n.table, totals, within).join(operators, owner)
    if of != "operator":
        query = query.join(sites, sites.c.site_id == t.subject_id)
    if of == "district":
        query = query.outerjoin(site_assets, site_assets.c.site_id == sites.c.site_id)
    names = [column for column in place[of] if column not in (place["district"][1], place["district"][2])]
    return query.group_by(given.n, *dict.fromkeys(names))


class ChartTotals:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = {(of, unit): _query(of, unit, database.dialect_of) for of in LEVELS for unit in UNITS}

    async def find(self, wanted: ChartFilter) -> dict[str, Any]:
        """Figures by subject, in the order of the periods. Raises InvalidInput for too much at once."""
        return await self._database.look(partial(self._find, wanted))

    def _find(self, wanted: ChartFilter, connection: Connection) -> dict[str, Any]:
        zones = [row.time_zone for row in connection.execute(ZONES) if wanted.operator in (None, row.code)]
        parts = [_part(wanted, name) for name in sorted(set(zones))]
        labels = {
            _label(wanted.by, span, wanted.time_zone or part.zone) for part in parts for span in part.spans
        }
        places = {label: n for n, label in enumerate(sorted(labels))}
        series: dict[tuple[str, ...], dict[str, Any]] = {}
        for part in parts:
            clock = wanted.time_zone or part.zone
            for n, name, operator, title, *figures in self._rows(wanted, part, connection):
                if wanted.id not in (None, name):
                    continue
                empty = _empty(name, operator, title, clock, len(places))
                one = series.setdefault((name, operator, clock), empty)
                at = places[_label(wanted.by, part.spans[n], clock)]
                for label, value in zip(FIGURES, figures, strict=True):
                    one[label][at] += value
        if len(series) > MOST_SERIES:
            raise InvalidInput(f"operator: more than {MOST_SERIES} series; name an operator, or larger areas")
        return {
            "by": wanted.by,
            "of": wanted.of,
            "time_zone": wanted.time_zone,
            "periods": list(places),
            "series": [series[key] for key in sorted(series)],
        }

    def _rows(self, wanted: ChartFilter, part: _Part, connection: Connection) -> Sequence[Any]:
        same = (part.zone, wanted.operator or "")
        starts = [(n, start) for n, span in enumerate(part.spans) for start in _stored(wanted.by, span, part)]
        keys = [(n, micros(start), *same) for n, start in starts]
        return self._queries[wanted.of, part.unit].rows(keys, connection)


def _query(of: str, unit: str, dialect: Dialect) -> KeyQuery:
    return KeyQuery(dialect, partial(_sums, of, unit), _GIVEN)


def _part(wanted: ChartFilter, name: str) -> _Part:
    local = zone(wanted.time_zone or name)
    since, until = (
        datetime(day.year, day.month, day.day, tzinfo=local) for day in (wanted.since, wanted.until)
    )
    # A period is one of its clock: a part of it is none.
    spans = periods(wanted.by, Span(since, until), local)
    if len(spans) > MOST_PERIODS:
        raise InvalidInput(f"from: more than {MOST_PERIODS} periods in one question")
    if wanted.time_zone in (None, name):
        return _Part(name, spans, PERIODS[wanted.by].unit)
    if (until - since).days > MOST_HOURS_DAYS:
        raise InvalidInput(f"tz: not the operators' own, for which at most {MOST_HOURS_DAYS} days are summed")
    return _Part(name, spans, "hour")


def _stored(by: str, span: Span, part: _Part) -> Iterator[datetime]:
    """Beginnings of the stored periods that make up one: itself, months of a year, hours of another clock."""
    local = zone(part.zone)
    if part.unit != "hour":
        yield from units(by, span, local)
        return
    at = hour_start(span.start, local)
    while at < span.end:
        if at >= span.start:
            yield at
        at = next_hour(at, local)


def _label(by: str, span: Span, clock: str) -> str:
    day = span.start.astimezone(zone(clock)).date().isoformat()
    return {"day": day, "month": day[:7], "year": day[:4]}[by]


def _empty(name: str, operator: str, title: str, clock: str, length: int) -> dict[str, Any]:
    return {
        "id": name,
        "name": title or None,
        "operator": operator or None,
        "time_zone": clock,
        **{label: [0] * length for label in FIGURES},
    }
