"""Stored figures of operators, districts and cities: all sites in a span of time, summed. Knows tables.

A city is the sum of its districts. Nothing is stored for these questions beside what is stored of sites.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, cast, func, literal_column, select

from csms.store.asset_tables import site_assets
from csms.store.columns import WHOLE
from csms.store.platform_figures import Energy, Fold, Key, Peak, Use, add_use
from csms.store.platform_subjects import AREA, ZONE, Scope
from csms.store.tables import operators, sites, totals
from csms.store.uptime_tables import site_peaks, site_use_periods
from csms.store.use_days import summed, use_sums

Naming = Callable[[tuple[Any, ...]], tuple[Any, ...]]
"""Makes a subject's numbers of those of a group of sites."""

SINCE: Any = bindparam("since")
UNTIL: Any = bindparam("until")


def _grouped(of: str, inner: Any, *columns: Any, site_id: Any = None) -> Any:
    """Rows of sites, summed by operator or district; selects by the caller's operators."""
    group = (sites.c.operator_id,) if of == "operator" else (AREA, ZONE)
    labelled = [column.label(f"group_{n}") for n, column in enumerate(group)]
    query = (
        select(*labelled, *columns)
        .select_from(inner)
        .join(sites, sites.c.site_id == (inner.c.site_id if site_id is None else site_id))
        .join(operators, operators.c.operator_id == sites.c.operator_id)
        .outerjoin(site_assets, site_assets.c.site_id == sites.c.site_id)
    )
    return query, group


def _wide_uses(of: str) -> Select[Any]:
    u = site_use_periods
    query, group = _grouped(of, u, u.c.start, func.max(u.c.until), *use_sums(u))
    within = (u.c.period == bindparam("period"), u.c.start >= SINCE, u.c.start < UNTIL)
    made: Select[Any] = query.where(*within).group_by(*group, u.c.start)
    return made


def _wide_energy() -> Select[Any]:
    sums = [summed(totals.c[name]) for name in Energy._fields]
    query, group = _grouped("district", totals, totals.c.start, *sums, site_id=totals.c.subject_id)
    of_sites = (totals.c.period == bindparam("period"), totals.c.level == literal_column("'site'"))
    query = query.where(*of_sites, totals.c.start >= SINCE, totals.c.start < UNTIL)
    made: Select[Any] = query.group_by(*group, totals.c.start)
    return made


def _wide_peaks(of: str) -> Select[Any]:
    p = site_peaks
    inner = (
        select(p.c.site_id, func.max(p.c.peak_w).label("peak_w"), func.min(p.c.is_measured).label("measured"))
        .where(p.c.period == bindparam("period"), p.c.start >= SINCE, p.c.start < UNTIL)
        .group_by(p.c.site_id)
        .subquery("of_sites")
    )
    sums = (cast(func.sum(inner.c.peak_w), WHOLE), func.min(inner.c.measured))
    query, group = _grouped(of, inner, *sums)
    made: Select[Any] = query.group_by(*group)
    return made


WIDE_USES = {of: _wide_uses(of) for of in ("operator", "district")}
WIDE_PEAKS = {of: _wide_peaks(of) for of in ("operator", "district")}
WIDE_ENERGY = _wide_energy()


class Wide(NamedTuple):
    """What is asked of operators, districts or cities: stored periods that begin from `since` to `until`."""

    scope: Scope
    unit: str
    since: int
    until: int

    def rows(self, statement: Any, connection: Connection) -> Iterable[Any]:
        """The rows of one of the wide statements."""
        if self.scope.operators is not None:
            statement = statement.where(operators.c.code.in_(self.scope.operators))
        asked: Mapping[str, Any] = {"period": self.unit, "since": self.since, "until": self.until}
        return connection.execute(statement, asked).all()

    @property
    def grouping(self) -> str:
        """Cities are made of districts."""
        return "operator" if self.scope.of == "operator" else "district"

    @property
    def width(self) -> int:
        """How many columns name the group."""
        return 1 if self.grouping == "operator" else 2


def wide_energy(wide: Wide, name: Naming, connection: Connection) -> Fold[Energy]:
    """Of districts and cities; `name` makes a subject's numbers of those of a group."""
    return partial(_energy, wide.rows(WIDE_ENERGY, connection), name)


def _energy(rows: Iterable[Any], name: Naming) -> dict[Key, Energy]:
    found: dict[Key, Energy] = {}
    for area, clock, start, *figures in rows:
        key = Key(name((area, clock)), start)
        found[key] = Energy(*map(int.__add__, found.get(key, Energy()), figures))
    return found


def wide_uses(wide: Wide, name: Naming, connection: Connection) -> Fold[Use]:
    """Of operators, districts and cities."""
    return partial(_uses, wide.rows(WIDE_USES[wide.grouping], connection), wide.width, name)


def _uses(rows: Iterable[Any], width: int, name: Naming) -> dict[Key, Use]:
    found: dict[Key, Use] = {}
    for row in rows:
        group, (start, until, *sums) = tuple(row[:width]), row[width:]
        add_use(found, Key(name(group), start), Use.of(sums, until))
    return found


def wide_peaks(wide: Wide, name: Naming, connection: Connection) -> dict[tuple[Any, ...], Peak]:
    """Of operators, districts and cities: the sum of their sites' peaks in all of the time."""
    found: dict[tuple[Any, ...], Peak] = {}
    for row in wide.rows(WIDE_PEAKS[wide.grouping], connection):
        group, (watts, is_measured) = name(tuple(row[: wide.width])), row[wide.width :]
        before = found.get(group, Peak(0, True))
        found[group] = Peak(before.watts + watts, before.is_measured and bool(is_measured))
    return found
