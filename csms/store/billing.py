"""What is billed by operator, site and day: kept as roll-ups, marked due in the commit of a session's price.

A mark names a site's day; `settle` sums it again from its sessions some time later, and takes the mark off if
nobody marked it meanwhile. Whoever reads sums while marks are there (`billing_reads`) sums those days itself:
what is read is always what the sessions say. When an operator's clock changes, what was summed by the old one
is forgotten and its days are marked by the new one. Knows tables; no document.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Row,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from csms.domain.billing import Billed, Sums, summed, sums_of
from csms.domain.charging_session import SessionState
from csms.domain.local_time import day_start, zone
from csms.store.billing_tables import bill_days, bill_due
from csms.store.database import Database
from csms.store.jsontext import value_of
from csms.store.session_hours import Due, HourRow
from csms.store.statements import prepare, upsert
from csms.store.tables import operators, sessions
from csms.store.tariff_tables import session_costs
from csms.store.times import instant, micros

WAITS = timedelta(seconds=20)  # a busy site's day is summed once for all that ends meanwhile
MOST = 50  # days per transaction
LONGEST_DAY = timedelta(hours=26)
MARKS = 5_000  # per statement: it has a few seconds


class BillKey(NamedTuple):
    """A site's day: where it starts, in microseconds. Site 0: sessions of no site."""

    operator_id: int
    start: int
    site_id: int


class Marked(NamedTuple):
    """A day to be summed: the mark, the clock it is summed by, and its days by that clock with their rows."""

    mark: BillKey
    version: int
    time_zone: str
    days: list[tuple[BillKey, Sequence[Row[Any]]]]


class Day(NamedTuple):
    """What a day's sessions add up to, and when the last of their prices was made."""

    key: BillKey
    sums: Sums
    last_priced_at: int | None


s, c = sessions, session_costs
_revisions = session_costs.alias("revisions")
LATEST = (
    select(func.max(_revisions.c.revision))
    .where(_revisions.c.session_id == sessions.c.session_id)
    .correlate(sessions)
    .scalar_subquery()
)
# What is billed: an ended session that has a price, or delivered something.
IS_BILLED: ColumnElement[bool] = and_(
    s.c.state == literal_column("'ended'"),
    or_(c.c.session_id.is_not(None), s.c.energy_wh > literal_column("0")),
)
PRICE = and_(c.c.session_id == s.c.session_id, c.c.revision == LATEST)
COLUMNS = (
    s.c.session_id,
    s.c.energy_wh,
    c.c.at.label("priced_at"),
    c.c.revision.label("price_revision"),
    c.c.energy_wh.label("priced_wh"),
    *(c.c[name] for name in ("total", "elec_money", "service_money", "idle_money", "parking_money", "lines")),
)
OF_DAY = (
    select(*COLUMNS)
    .select_from(s)
    .outerjoin(c, PRICE)
    .where(s.c.started_at >= bindparam("since"), s.c.started_at < bindparam("until"), IS_BILLED)
)
OF_SITE = OF_DAY.where(s.c.site_id == bindparam("site"), s.c.operator_id == bindparam("operator"))
OF_NO_SITE = OF_DAY.where(s.c.operator_id == bindparam("operator"), s.c.site_id.is_(None))
DUE = (
    select(bill_due)
    .where(bill_due.c.due_at <= bindparam("now"))
    .order_by(bill_due.c.due_at)
    .limit(bindparam("most"))
)
DONE = delete(bill_due).where(
    *(bill_due.c[name] == bindparam(f"key_{name}") for name in (*BillKey._fields, "version"))
)
FIRST_DUE = select(func.min(bill_due.c.due_at))
ZONES = select(operators.c.operator_id, operators.c.time_zone)
ZONES_KEPT = ZONES.where(operators.c.operator_id.in_(bindparam("ids", expanding=True))).with_for_update(
    read=True
)
_KEYS = tuple(bill_days.c[name] for name in BillKey._fields)
_MARK = (*BillKey._fields, "due_at")


class BillMarks:
    """Marks days due, within the transaction of what changed; compiled once for a database."""

    def __init__(self, dialect: Dialect) -> None:
        made = upsert(dialect)(bill_due)
        mark = made.values({name: bindparam(name) for name in _MARK} | {"version": literal_column("1")})
        again = mark.inline().on_conflict_do_update(
            index_elements=BillKey._fields, set_={"version": bill_due.c.version + literal_column("1")}
        )
        self._mark = prepare(again, _MARK, dialect)

    def mark(self, held: Sequence[Due], touched: Iterable[HourRow], now: int, connection: Connection) -> None:
        """The days of ended sessions: where they are now, and where they were before they were revised."""
        ended = {due.session_id: due for due in held if due.session.state is SessionState.ENDED}
        keys = {
            BillKey(one.session.operator_id, _day(one.session.started_at, one), one.session.site_id or 0)
            for one in ended.values()
            if one.session.operator_id is not None
        }
        for session_id, hour, operator_id, site_id, *_, starts in touched:
            if starts and operator_id is not None and session_id in ended:
                keys.add(BillKey(operator_id, _day(instant(hour), ended[session_id]), site_id or 0))
        self.put(keys, now + WAITS // timedelta(microseconds=1), connection)

    def put(self, keys: Iterable[BillKey], due_at: int, connection: Connection) -> None:
        """Mark these days."""
        rows = [(*key, due_at) for key in sorted(keys)]
        for n in range(0, len(rows), MARKS):
            connection.exec_driver_sql(self._mark.sql, self._mark.parameters(rows[n : n + MARKS]))


def rezone(operator_id: int, time_zone: str, connection: Connection) -> None:
    """The operator's days begin by another clock: every day of it that was known by the old one is marked."""
    owned = tuple(table.c.operator_id == operator_id for table in (bill_days, bill_due))
    known = select(*_KEYS).where(owned[0]).union(select(*(bill_due.c[k.name] for k in _KEYS)).where(owned[1]))
    local = zone(time_zone)
    keys = {day for row in connection.execute(known) for day in _overlapped(BillKey(*row), local)}
    connection.execute(delete(bill_days).where(owned[0]))
    connection.execute(delete(bill_due).where(owned[1]))
    BillMarks(connection.dialect).put(keys, 0, connection)


def days_of(key: BillKey, local: tzinfo) -> list[BillKey]:
    """The marked day; or, if it was marked by the clock before this one, those it lies in."""
    at = instant(key.start)
    return [key] if day_start(at, local) == at else _overlapped(key, local)


def _overlapped(key: BillKey, local: tzinfo) -> list[BillKey]:
    at = instant(key.start)
    starts = {_micros_of_day(at + part * LONGEST_DAY, local) for part in (0, 0.5, 1)}
    return [key._replace(start=start) for start in sorted(starts)]


def _micros_of_day(at: datetime, local: tzinfo) -> int:
    return micros(day_start(at, local))


def _day(at: datetime, due: Due) -> int:
    return _micros_of_day(at, due.local)


class BillStore:
    """Keeps the roll-ups. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        made = upsert(database.dialect_of)(bill_days)
        names = tuple(bill_days.c.keys())
        put = made.values({name: bindparam(name) for name in names}).inline()
        fresh = {name: put.excluded[name] for name in names[3:]}
        put = put.on_conflict_do_update(index_elements=BillKey._fields, set_=fresh)
        self._put = prepare(put, names, database.dialect_of)

    async def settle(self, now: datetime) -> int:
        """Sum days that are due; how many (0: nothing is due now)."""
        found = await self._database.look(partial(_due, micros(now)))
        if found:
            days = await asyncio.to_thread(_summed, found)
            await self._database.run(partial(self._store, days, micros(now)))
        return len(found)

    async def due_since(self) -> datetime | None:
        """Since when, or from when on, the first day is due; None when none is."""
        ((first,),) = await self._database.read(FIRST_DUE)
        return None if first is None else instant(first)

    def _store(self, found: Sequence[tuple[Marked, list[Day]]], now: int, connection: Connection) -> None:
        asked = {"ids": sorted({marked.mark.operator_id for marked, _ in found})}
        zones = {row.operator_id: row.time_zone for row in connection.execute(ZONES_KEPT, asked)}
        # Summed by a clock that does not count any more: the mark stays, or is gone with that clock.
        good = [one for one in found if one[0].time_zone == zones.get(one[0].mark.operator_id)]
        rows = [(*day.key, *day.sums, day.last_priced_at, now) for _, days in good for day in days]
        if rows:
            connection.exec_driver_sql(self._put.sql, self._put.parameters(rows))
        for marked, _ in good:
            done = {f"key_{name}": value for name, value in marked.mark._asdict().items()}
            connection.execute(DONE, done | {"key_version": marked.version})


def _due(now: int, connection: Connection) -> list[Marked]:
    rows = connection.execute(DUE, {"now": now, "most": MOST}).all()
    if not rows:
        return []
    zones = {row.operator_id: row.time_zone for row in connection.execute(ZONES)}
    found = []
    for row in rows:
        mark, time_zone = BillKey(row.operator_id, row.start, row.site_id), zones[row.operator_id]
        days = [(day, rows_of(day, time_zone, connection)) for day in days_of(mark, zone(time_zone))]
        found.append(Marked(mark, row.version, time_zone, days))
    return found


def _summed(found: Sequence[Marked]) -> list[tuple[Marked, list[Day]]]:
    return [(marked, [day_of(key, rows) for key, rows in marked.days]) for marked in found]


def rows_of(key: BillKey, time_zone: str, connection: Connection) -> Sequence[Row[Any]]:
    """The billed sessions of a site's day."""
    until = day_start(instant(key.start) + LONGEST_DAY, zone(time_zone))
    asked = {"operator": key.operator_id, "since": key.start, "until": micros(until)}
    if key.site_id:
        return connection.execute(OF_SITE, asked | {"site": key.site_id}).all()
    return connection.execute(OF_NO_SITE, asked).all()


def day_of(key: BillKey, rows: Sequence[Row[Any]]) -> Day:
    """What they add up to."""
    priced = [row.priced_at for row in rows if row.priced_at is not None]
    return Day(key, summed(sums_of(billed(row)) for row in rows), max(priced, default=None))


def billed(row: Row[Any]) -> Billed:
    """A row of `COLUMNS` as it is billed."""
    if row.total is None:
        return Billed(row.energy_wh or 0)
    return Billed(
        row.priced_wh or 0,
        row.total,
        row.elec_money,
        row.service_money,
        row.idle_money,
        row.parking_money,
        tuple(value_of(row.lines)),
    )
