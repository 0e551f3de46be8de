"""What was connected as of an instant, and the energy of a span: the figures of a yearbook. No rule of one.

Counts come from the dated spells, so any past date can be asked. Energy, sessions and charging time come from
the stored totals of operators' days.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)

from csms.store.asset_tables import asset_spells, equipment
from csms.store.columns import WHOLE
from csms.store.database import Database
from csms.store.tables import charging_stations, operators, sites, totals
from csms.store.times import micros


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was connected at one instant.

    `by_class`: every charger, by its class ("" unknown). `operators`, `sites`, `chargers`: operators that
    had joined, sites with a charger of the counted classes, and those chargers. `positions`: (latitude,
    longitude) of these sites, where known.
    """

    operators: int
    sites: int
    chargers: int
    by_class: dict[str, int]
    positions: list[tuple[float, float]]


class Work(NamedTuple):
    """What was done in a span: Wh, sessions begun, seconds of charging; seconds that chargers were there."""

    energy_wh: int
    sessions: int
    charging_s: int
    charger_s: int


S = asset_spells.c
_AT: ColumnElement[int] = bindparam("at")
_HOLDS = and_(S.since <= _AT, or_(S.until.is_(None), S.until > _AT))
# Most common first: every charger has a spell, so this reads one index range; what it counts is few rows.
CHARGERS = (
    select(S.site_id, S.operator_id, S.charger_class, func.count().label("number"))
    .where(S.level == "equipment", _HOLDS)
    .group_by(S.site_id, S.operator_id, S.charger_class)
)
DATED = (
    select(S.level, S.subject_id, S.operator_id, func.max(case((_HOLDS, 1), else_=0)).label("holds"))
    .where(S.level.in_(("operators", "sites")))
    .group_by(S.level, S.subject_id, S.operator_id)
)
OPERATOR = select(operators.c.operator_id).where(operators.c.code == bindparam("code"))
POSITIONS = select(sites.c.site_id, sites.c.latitude, sites.c.longitude).where(
    sites.c.latitude.is_not(None), sites.c.longitude.is_not(None)
)
UNDATED = (
    select(func.count())
    .select_from(charging_stations)
    .where(~exists().where(equipment.c.station_id == charging_stations.c.station_id))
)
_UNTIL: ColumnElement[int] = bindparam("until")
_SINCE: ColumnElement[int] = bindparam("since")
TOTALS = select(
    cast(func.coalesce(func.sum(totals.c.energy_wh), 0), WHOLE).label("energy_wh"),
    cast(func.coalesce(func.sum(totals.c.sessions), 0), WHOLE).label("sessions"),
    cast(func.coalesce(func.sum(totals.c.charging_s), 0), WHOLE).label("charging_s"),
).where(
    totals.c.period == "day", totals.c.level == "operator", totals.c.start >= _SINCE, totals.c.start < _UNTIL
)
_LEFT = case((or_(S.until.is_(None), S.until > _UNTIL), _UNTIL), else_=S.until)
_CAME = case((S.since < _SINCE, _SINCE), else_=S.since)
PRESENT = select(
    cast(func.coalesce(func.sum((_LEFT - _CAME) // 1_000_000), 0), WHOLE).label("charger_s")
).where(S.level == "equipment", S.since < _UNTIL, or_(S.until.is_(None), S.until > _SINCE))


class AssetCounts:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def at(self, when: datetime, counted: Collection[str], operator: str | None = None) -> Snapshot:
        """What was connected at `when`, perhaps of one operator only.

        A charger is not counted while its site or operator had not joined or had left; a site or operator
        without any date excludes nothing.
        """
        return await self._database.browse(partial(_snapshot, micros(when), counted, operator))

    async def work(self, since: datetime, until: datetime, operator: str | None = None) -> Work:
        """What was done from `since` to `until`, by operators' days that began in it."""
        return await self._database.browse(partial(_work, micros(since), micros(until), operator))

    async def unentered(self, operator: str | None = None) -> int:
        """Charging stations of which nobody said since when they are connected: no date counts them."""
        return await self._database.browse(partial(_unentered, operator))


def _snapshot(when: int, counted: Collection[str], operator: str | None, connection: Connection) -> Snapshot:
    dated: dict[str, dict[int, bool]] = {"operators": {}, "sites": {}}
    for row in connection.execute(DATED, {"at": when}):
        known = dated[row.level]
        known[row.subject_id] = known.get(row.subject_id, False) or bool(row.holds)
    whose = None if operator is None else connection.scalar(OPERATOR, {"code": operator}) or 0
    by_class: dict[str, int] = {}
    chargers, places, active = 0, set(), {n for n, holds in dated["operators"].items() if holds}
    for row in connection.execute(CHARGERS, {"at": when}):
        is_there = dated["sites"].get(row.site_id, True) and dated["operators"].get(row.operator_id, True)
        if not is_there or whose not in (None, row.operator_id):
            continue
        by_class[row.charger_class] = by_class.get(row.charger_class, 0) + row.number
        active.add(row.operator_id)
        if row.charger_class in counted:
            chargers += row.number
            places.add(row.site_id)
    if whose is not None:
        active &= {whose}
    found = [(row.latitude, row.longitude) for row in connection.execute(POSITIONS) if row.site_id in places]
    return Snapshot(len(active), len(places), chargers, by_class, found)


def _work(since: int, until: int, operator: str | None, connection: Connection) -> Work:
    asked = {"since": since, "until": until}
    done, present = TOTALS, PRESENT
    if operator is not None:
        whose = connection.scalar(OPERATOR, {"code": operator}) or 0
        done = done.where(totals.c.subject_id == whose)
        present = present.where(S.operator_id == whose)
    row = connection.execute(done, asked).one()
    charger_s = connection.scalar(present, asked) or 0
    return Work(row.energy_wh, row.sessions, row.charging_s, charger_s)


def _unentered(operator: str | None, connection: Connection) -> int:
    query = UNDATED
    if operator is not None:
        whose = connection.scalar(OPERATOR, {"code": operator}) or 0
        query = query.where(charging_stations.c.operator_id == whose)
    return connection.scalar(query) or 0
