"""Totals as they are kept up to date, reported and asked for. Knows queries; no platform and no rule.

`recompute` is one transaction: hours and costs of sessions that are due, totals, closed periods, and what
platforms are owed for ended sessions and closed hours. It may run on several nodes at once: whoever comes
second finds nothing to do.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from csms.store import total_queries as q
from csms.store.billing import BillMarks
from csms.store.database import Database
from csms.store.outbox import put_down
from csms.store.outbox_statements import BACKLOG
from csms.store.paging import Page
from csms.store.pricing import NO_ORDERS, Draft, Orders, Pricing
from csms.store.records import OutboxRow
from csms.store.session_codec import DUE_LATER
from csms.store.session_hours import Due, DueHours
from csms.store.statements import prepare
from csms.store.tables import charging_stations, operators, session_due, session_hours, sites, totals
from csms.store.times import instant, instant_or_none, micros
from csms.store.total_queries import TotalFilter
from csms.store.totals import TOTAL_KEY, SiteHourKey, Totals

__all__ = ["Orders", "Owed", "ReportStore", "SiteHour", "TotalFilter", "Waiting"]

MOST_CLOSED = 1_000  # periods per transaction

UNCLOSED: ColumnElement[bool] = literal_column("totals.closed_at IS NULL")


class SiteHour(NamedTuple):
    """A closed hour of a site, or its revision. `stations`: energy by station and connector, JSON-ready."""

    operator_code: str
    site_code: str
    hour: datetime
    energy_wh: int
    sessions: int
    revision: int
    stations: list[dict[str, Any]]


Owed = Callable[[Sequence[SiteHour]], Sequence[OutboxRow]]


class _Turn(NamedTuple):
    """When it is, before when periods have ended, how much at once, and who is owed what."""

    now: int
    ended: int
    most: int
    owed: Owed | None
    orders: Orders


class Waiting(NamedTuple):
    """What waits for a platform."""

    platform: str
    records: int
    oldest: datetime


DUE_NOW = select(session_due.c.session_id).where(session_due.c.due_at <= bindparam("now")).limit(1)
FIRST_DUE = select(func.min(session_due.c.due_at).label("due_at"))
ENDED_NOW = select(totals.c.until).where(UNCLOSED, totals.c.until <= bindparam("ended")).limit(1)
ENDED = (
    select(totals)
    .where(UNCLOSED, totals.c.until <= bindparam("ended"))
    .order_by(totals.c.until)
    .limit(bindparam("most"))
)
CLOSE = (
    update(totals)
    .where(*(column == bindparam(f"key_{column.name}") for column in totals.primary_key.columns))
    .values(closed_at=bindparam("now"))
)
CLOSE_FIELDS = ("now", *(f"key_{name}" for name in TOTAL_KEY))
SITE_HOURS = (
    select(totals, operators.c.code.label("operator_code"), sites.c.code.label("site_code"))
    .join(sites, sites.c.site_id == totals.c.subject_id)
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .where(
        totals.c.period == "hour",
        totals.c.level == "site",
        tuple_(totals.c.subject_id, totals.c.start).in_(bindparam("keys", expanding=True)),
    )
    .order_by(totals.c.start, totals.c.subject_id)
)
BY_CONNECTOR = (
    select(
        charging_stations.c.identity,
        session_hours.c.evse,
        session_hours.c.connector,
        func.sum(session_hours.c.energy_wh).label("energy_wh"),
    )
    .join(charging_stations, charging_stations.c.station_id == session_hours.c.station_id)
    .where(session_hours.c.site_id == bindparam("site"), session_hours.c.hour == bindparam("start"))
    .group_by(charging_stations.c.identity, session_hours.c.evse, session_hours.c.connector)
    .order_by(charging_stations.c.identity, session_hours.c.evse, session_hours.c.connector)
)


class ReportStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hours = DueHours(database.dialect_of)
        self._pricing = Pricing(database.dialect_of)
        self._totals = Totals(database.dialect_of)
        self._bills = BillMarks(database.dialect_of)
        self._close = prepare(CLOSE, CLOSE_FIELDS, database.dialect_of)

    async def recompute(
        self,
        now: datetime,
        *,
        grace: timedelta,
        owed: Owed | None = None,
        orders: Orders = NO_ORDERS,
        most: int = 200,
    ) -> int:
        """Bring totals and costs up to date; how many sessions and periods that took (0: all is done).

        A period is closed `grace` after its end. `owed` says what platforms are owed for closed and
        revised hours of sites, `orders` for ended and revised sessions; both are called inside the
        transaction and must be quick.
        """
        at, ended = micros(now), micros(now - grace)
        due, closing = await self._database.look(partial(_what_is_due, at, ended))
        if not due and not closing:
            return 0
        # What is marked for later belongs into the periods that are closed now.
        until = micros(now + DUE_LATER) if closing else at
        found, drafts = await self._database.look(partial(self._compute, until, most, orders))
        return await self._database.run(
            partial(self._settle, found, drafts, _Turn(at, ended, most, owed, orders))
        )

    async def waiting(self) -> list[Waiting]:
        """What waits for each platform."""
        rows = await self._database.browse(lambda connection: connection.execute(BACKLOG).all())
        return [Waiting(row.platform, row.records, instant(row.oldest)) for row in rows]

    async def due_since(self) -> datetime | None:
        """Since when, or from when on, the first session is due; None when none is."""
        rows = await self._database.browse(lambda connection: connection.execute(FIRST_DUE).all())
        return instant_or_none(rows[0].due_at)

    async def totals(self, wanted: TotalFilter, after: str | None = None, most: int = 1000) -> Page:
        """A page of totals as the API gives them, by start. Raises InvalidInput for a bad cursor or id."""
        return await self._database.browse(partial(q.find, wanted, after, most))

    async def revisions(self, wanted: TotalFilter) -> list[dict[str, Any]]:
        """What totals of the filter said before they were revised, oldest first."""
        return await self._database.browse(partial(q.revisions, wanted))

    def _compute(
        self, until: int, most: int, orders: Orders, connection: Connection
    ) -> tuple[list[Due], list[Draft]]:
        found = self._hours.compute(until, most, connection)
        return found, self._pricing.price(found, orders, self._hours.readings, connection)

    def _settle(
        self, found: Sequence[Due], drafts: Sequence[Draft], turn: _Turn, connection: Connection
    ) -> int:
        self._totals.take_turn(connection)
        held = self._hours.held(found, connection)
        self._order(held, drafts, turn, connection)
        touched = self._hours.put_down(held, connection)
        self._bills.mark(held, touched, turn.now, connection)
        hours = set(self._totals.settle(touched, turn.now, connection))
        # While sessions are still due, hours that have ended are not yet what they will be.
        closed = self._close_ended(turn.now, turn.ended, connection) if len(found) < turn.most else []
        hours |= {
            (row.subject_id, row.start) for row in closed if (row.period, row.level) == ("hour", "site")
        }
        if turn.owed is not None and hours:
            put_down(turn.owed(_site_hours(sorted(hours), connection)), connection)
        return len(found) + len(closed)

    def _order(
        self, held: Sequence[Due], drafts: Sequence[Draft], turn: _Turn, connection: Connection
    ) -> None:
        """What was computed for a mark that is gone is another's to tell."""
        if not drafts:
            return
        numbers = {due.session_id for due in held}
        still = [draft for draft in drafts if draft.session.session_id in numbers]
        told = self._pricing.put_down(still, turn.now, connection)
        if told:
            put_down(turn.orders.owed(told), connection)

    def _close_ended(self, now: int, ended: int, connection: Connection) -> Sequence[Row[Any]]:
        rows = connection.execute(ENDED, {"ended": ended, "most": MOST_CLOSED}).all()
        if rows:
            keys = [(now, *(getattr(row, name) for name in TOTAL_KEY)) for row in rows]
            connection.exec_driver_sql(self._close.sql, self._close.parameters(keys))
        return rows


def _what_is_due(now: int, ended: int, connection: Connection) -> tuple[bool, bool]:
    """Whether sessions are due, and whether periods can be closed."""
    due = connection.execute(DUE_NOW, {"now": now}).first()
    closing = connection.execute(ENDED_NOW, {"ended": ended}).first()
    return due is not None, closing is not None


def _site_hours(keys: list[SiteHourKey], connection: Connection) -> list[SiteHour]:
    return [
        SiteHour(
            row.operator_code,
            row.site_code,
            instant(row.start),
            row.energy_wh,
            row.sessions,
            row.revision,
            _stations(row.subject_id, row.start, connection),
        )
        for row in connection.execute(SITE_HOURS, {"keys": keys})
    ]


def _stations(site_id: int, start: int, connection: Connection) -> list[dict[str, Any]]:
    stations: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(BY_CONNECTOR, {"site": site_id, "start": start}):
        plug = {"evse": row.evse, "connector": row.connector, "energy_wh": int(row.energy_wh)}
        stations.setdefault(row.identity, []).append(plug)
    return [
        {"identity": identity, "energy_wh": sum(plug["energy_wh"] for plug in plugs), "connectors": plugs}
        for identity, plugs in stations.items()
    ]
