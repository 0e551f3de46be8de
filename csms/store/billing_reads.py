"""What a month's bill of an operator is made of: sums by site and day, corrections, disputes, session lines.

A session belongs to the month it started in by the operator's clock. Sums are the roll-ups, and of days that
are marked the sessions themselves, all of one state of the database. Knows tables; no document.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, exists, literal_column, select, tuple_

from csms.domain.billing import Sums, fen, sums_of, yuan
from csms.domain.local_time import zone
from csms.errors import NotFound
from csms.store.billing import (
    COLUMNS,
    IS_BILLED,
    LONGEST_DAY,
    PRICE,
    BillKey,
    Day,
    billed,
    day_of,
    days_of,
    rows_of,
)
from csms.store.billing_tables import SUMS, bill_days, bill_due
from csms.store.database import Database
from csms.store.delivery_tables import disputes
from csms.store.paging import Page, key_of, page_of
from csms.store.session_queries import start_charge_seq
from csms.store.tables import charging_stations, operators, sessions, sites
from csms.store.tariff_tables import session_costs
from csms.store.times import micros, text_of

CHUNK = 500
MOST_CORRECTIONS = 2_000  # listed one by one; all are in the sums

s, c, d = sessions, session_costs, disputes
OPERATOR = select(operators).where(operators.c.code == bindparam("code"))
WITHIN: tuple[Any, Any] = (bindparam("since"), bindparam("until"))
DAYS = select(bill_days).where(
    bill_days.c.operator_id == bindparam("operator"),
    bill_days.c.start >= WITHIN[0],
    bill_days.c.start < WITHIN[1],
)
DUE = select(bill_due).where(
    bill_due.c.operator_id == bindparam("operator"),
    bill_due.c.start >= bindparam("marked_since"),
    bill_due.c.start < WITHIN[1],
)
SITES: Select[Any] = select(sites.c.site_id, sites.c.code, sites.c.name).where(
    sites.c.operator_id == bindparam("operator")
)
_late = session_costs.alias("late")
REVISED: Select[Any] = (
    select(c.c.revision, c.c.at, c.c.total, c.c.energy_wh, s.c.session_id, s.c.started_at)
    .select_from(s)
    .join(c, c.c.session_id == s.c.session_id)
    .where(
        s.c.operator_id == bindparam("operator"),
        s.c.state == literal_column("'ended'"),
        s.c.started_at >= WITHIN[0],
        s.c.started_at < WITHIN[1],
        exists().where(_late.c.session_id == s.c.session_id, _late.c.at >= bindparam("closed")),
    )
    .order_by(s.c.started_at, s.c.session_id, c.c.revision)
)
OF_SITE = REVISED.where(s.c.site_id == bindparam("site"))
OF_NO_SITE = REVISED.where(s.c.site_id.is_(None))
DISPUTES = (
    select(d)
    .where(d.c.start_charge_seq >= bindparam("first"), d.c.start_charge_seq <= bindparam("last"))
    .where(d.c.raised_at >= bindparam("since"))
    .order_by(d.c.start_charge_seq, d.c.dispute_id)
)
STARTED = select(s.c.session_id).where(
    s.c.session_id.in_(bindparam("numbers", expanding=True)),
    s.c.started_at >= WITHIN[0],
    s.c.started_at < WITHIN[1],
)
LINES: Select[Any] = (
    select(
        *COLUMNS,
        s.c.started_at,
        s.c.ended_at,
        s.c.evse,
        s.c.connector,
        s.c.token,
        c.c.at,
        charging_stations.c.identity,
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
    )
    .select_from(s)
    .join(charging_stations, charging_stations.c.station_id == s.c.station_id)
    .join(operators, operators.c.operator_id == s.c.operator_id)
    .outerjoin(sites, sites.c.site_id == s.c.site_id)
    .outerjoin(c, PRICE)
    .where(s.c.operator_id == bindparam("operator"), IS_BILLED)
    .order_by(s.c.started_at, s.c.session_id)
    .limit(bindparam("most"))
)
KEY = (s.c.started_at, s.c.session_id)
FIRST_LINES = LINES.where(s.c.started_at >= WITHIN[0], s.c.started_at < WITHIN[1])
MORE_LINES = LINES.where(
    tuple_(*KEY) > tuple_(bindparam("last_at"), bindparam("last_id")), s.c.started_at < WITHIN[1]
)


class Operator(NamedTuple):
    """Whose bill it is. `time_zone` says when its days and months begin."""

    operator_id: int
    code: str
    name: str
    time_zone: str


class Month(NamedTuple):
    """From `since` to `until`; what was priced from `closed` on came too late to be in it at first."""

    operator: Operator
    since: datetime
    until: datetime
    closed: datetime


class Site(NamedTuple):
    """A site by its code; empty for sessions of no site."""

    code: str
    name: str


class Figures(NamedTuple):
    """Everything but the lines. Corrections and disputes as the API gives them."""

    days: list[Day]
    sites: dict[int, Site]
    corrections: list[dict[str, Any]]
    corrections_in_all: int
    corrected_fen: int
    disputes: list[dict[str, Any]]


class _Read(NamedTuple):
    days: Sequence[Row[Any]]
    due: list[tuple[BillKey, Sequence[Row[Any]]]]
    sites: Sequence[Row[Any]]
    revised: list[tuple[int, Sequence[Row[Any]]]]
    disputes: list[Row[Any]]


class BillReads:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def operator(self, code: str) -> Operator:
        """The operator of this code. Raises NotFound."""
        rows = await self._database.read(OPERATOR, {"code": code})
        if not rows:
            raise NotFound(f"operator {code}")
        row = rows[0]
        return Operator(row.operator_id, row.code, row.name, row.time_zone)

    async def figures(self, month: Month) -> Figures:
        """The month's sums and what changed them late, of one state of the database."""
        read = await self._database.browse(partial(_read, month))
        # A large operator has ten thousand days of sites: not on the loop of the stations.
        return await asyncio.to_thread(_figures, month, read)

    async def lines(self, month: Month, after: str | None = None, most: int = 1000) -> Page:
        """A page of the month's billed sessions, oldest first. Raises InvalidInput for a bad cursor."""
        return await self._database.browse(partial(_lines, month, after, most))


def _asked(month: Month) -> dict[str, Any]:
    return {
        "operator": month.operator.operator_id,
        "since": micros(month.since),
        "until": micros(month.until),
    }


def _read(month: Month, connection: Connection) -> _Read:
    asked = _asked(month)
    days = connection.execute(DAYS, asked).all()
    fresh = [(key, rows_of(key, month.operator.time_zone, connection)) for key in _due(month, connection)]
    late = {row.site_id for row in days if (row.last_priced_at or 0) >= micros(month.closed)}
    late |= {
        key.site_id
        for key, rows in fresh
        if any((row.priced_at or 0) >= micros(month.closed) for row in rows)
    }
    revised = [(site, _revised(site, month, connection)) for site in sorted(late)]
    owned = connection.execute(SITES, {"operator": month.operator.operator_id}).all()
    return _Read(days, fresh, owned, revised, _disputes(month, connection))


def _due(month: Month, connection: Connection) -> list[BillKey]:
    asked, local = _asked(month), zone(month.operator.time_zone)
    rows = connection.execute(DUE, asked | {"marked_since": micros(month.since - LONGEST_DAY)})
    marks = [BillKey(row.operator_id, row.start, row.site_id) for row in rows]
    days = {day for mark in marks for day in days_of(mark, local)}
    return sorted(day for day in days if asked["since"] <= day.start < asked["until"])


def _revised(site_id: int, month: Month, connection: Connection) -> Sequence[Row[Any]]:
    asked = _asked(month) | {"closed": micros(month.closed)}
    if site_id:
        return connection.execute(OF_SITE, asked | {"site": site_id}).all()
    return connection.execute(OF_NO_SITE, asked).all()


def _disputes(month: Month, connection: Connection) -> list[Row[Any]]:
    prefix = f"{month.operator.code:0>9}"
    asked = {"first": prefix + "0" * 18, "last": prefix + "9" * 18, "since": micros(month.since)}
    rows = [row for row in connection.execute(DISPUTES, asked) if row.start_charge_seq[9:].isdecimal()]
    known: set[int] = set()
    numbers = [int(row.start_charge_seq[9:]) for row in rows]
    for n in range(0, len(numbers), CHUNK):
        known |= set(connection.scalars(STARTED, _asked(month) | {"numbers": numbers[n : n + CHUNK]}))
    return [row for row, number in zip(rows, numbers, strict=True) if number in known]


def _figures(month: Month, read: _Read) -> Figures:
    days = {
        BillKey(row.operator_id, row.start, row.site_id): Sums(*(getattr(row, name) for name in SUMS))
        for row in read.days
    }
    days |= {key: day_of(key, rows).sums for key, rows in read.due}
    names = {row.site_id: Site(row.code, row.name) for row in read.sites}
    found = [one for site, rows in read.revised for one in _corrections(month, names.get(site), rows)]
    found.sort(key=lambda one: (one["started_at"], one["session_id"]))
    return Figures(
        [Day(key, sums, None) for key, sums in sorted(days.items()) if sums.sessions],
        names,
        found[:MOST_CORRECTIONS],
        len(found),
        sum(fen(one["difference"]) for one in found),
        [_dispute(row) for row in read.disputes],
    )


def _corrections(month: Month, site: Site | None, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    found = []
    for session_id, some in groupby(rows, key=lambda row: row.session_id):
        revisions = list(some)
        told = [row for row in revisions if row.at < micros(month.closed)]
        before, now = told[-1] if told else None, revisions[-1]
        old = before.total if before is not None else None
        found.append(
            {
                "session_id": str(session_id),
                "start_charge_seq": start_charge_seq(month.operator.code, session_id),
                "site": site.code if site is not None else None,
                "started_at": text_of(now.started_at),
                "revision": now.revision,
                "priced_at": text_of(now.at),
                "energy_wh_before": before.energy_wh if before is not None else None,
                "energy_wh": now.energy_wh,
                "total_before": old,
                "total": now.total,
                "difference": yuan(fen(now.total) - fen(old)),
            }
        )
    return found


def _dispute(row: Row[Any]) -> dict[str, Any]:
    return {
        "platform": row.platform,
        "start_charge_seq": row.start_charge_seq,
        "session_id": str(int(row.start_charge_seq[9:])),
        "reason": row.reason,
        "their_power": row.their_power,
        "their_money": row.their_money,
        "our_energy_wh": row.our_energy_wh,
        "our_money": row.our_money,
        "raised_at": text_of(row.raised_at),
        "resolved_at": text_of(row.resolved_at),
    }


def _lines(month: Month, after: str | None, most: int, connection: Connection) -> Page:
    asked, query = _asked(month) | {"most": most + 1}, FIRST_LINES
    if after is not None:
        at, number = key_of(after, (int, int))
        query, asked = MORE_LINES, asked | {"last_at": at, "last_id": number}
    rows = list(connection.execute(query, asked))
    return page_of(rows, most, _line, lambda row: (row.started_at, row.session_id))


def _line(row: Row[Any]) -> dict[str, Any]:
    one = billed(row)
    sums = sums_of(one)
    parts = {
        f"{period}_{what}": value
        for period in ("sharp", "peak", "flat", "valley")
        for what, value in zip(("wh", "fen"), (sums.part(period).wh, sums.part(period).fen), strict=True)
    }
    return {
        "session_id": str(row.session_id),
        "start_charge_seq": start_charge_seq(row.operator_code, row.session_id),
        "site": row.site_code,
        "charging_station": row.identity,
        "evse": row.evse,
        "connector": row.connector,
        "id_token": row.token,
        "started_at": text_of(row.started_at),
        "ended_at": text_of(row.ended_at),
        "revision": row.price_revision,
        "priced_at": text_of(row.priced_at),
        "energy_wh": one.energy_wh,
        "elec_money": one.elec_money,
        "service_money": one.service_money,
        "idle_money": one.idle_money,
        "parking_money": one.parking_money,
        "total": one.total,
        "sums": sums,
        **parts,
    }
