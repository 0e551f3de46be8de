"""What the sessions of a filter add up to: counted one by one while they are few, else by days.

Knows rows and roll-ups. What is answered says how it was found, so that nobody takes a part for the whole.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, cast, func, literal_column, select

from csms.store.billing_tables import bill_days
from csms.store.columns import WHOLE
from csms.store.database import Database
from csms.store.session_filter import SessionFilter, is_by_place_only, plan_of
from csms.store.session_queries import IS_COST, KEYS, in_order, last_of, until_key
from csms.store.tables import charging_stations, operators, sessions, sites, totals
from csms.store.tariff_tables import session_costs
from csms.store.times import micros, text_of

MOST_COUNTED = 10_000  # sessions that are added up one by one
MINUTE_US = 60_000_000
NOTHING = {"exact": True, "basis": "sessions", "sessions": 0, "energy_wh": 0, "minutes": 0, "money": []}

_ended = func.coalesce(sessions.c.ended_at, sessions.c.last_event_at, sessions.c.started_at)
_fen = cast(func.replace(session_costs.c.total, ".", ""), WHOLE)
SUMS: Select[Any] = (
    select(
        session_costs.c.currency,
        func.count().label("sessions"),
        cast(func.coalesce(func.sum(sessions.c.energy_wh), literal_column("0")), WHOLE).label("energy_wh"),
        cast(func.sum(_ended - sessions.c.started_at), WHOLE).label("lasted"),
        cast(func.sum(_fen), WHOLE).label("fen"),
    )
    .select_from(sessions)
    .outerjoin(session_costs, IS_COST)
    .group_by(session_costs.c.currency)
)
DAYS = select(
    cast(func.sum(totals.c.sessions), WHOLE).label("sessions"),
    cast(func.sum(totals.c.energy_wh), WHOLE).label("energy_wh"),
    cast(func.sum(totals.c.charging_s), WHOLE).label("charging_s"),
    func.min(totals.c.start).label("since"),
    func.max(totals.c.until).label("until"),
).where(totals.c.period == literal_column("'day'"))
BILLED = select(cast(func.sum(bill_days.c.total_fen), WHOLE))
CURRENCY = "CNY"  # of every bill


class SessionTotals:
    """Raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, wanted: SessionFilter) -> dict[str, Any]:
        """The totals as the API gives them."""
        return await self._database.browse(partial(_of, wanted))


def _of(wanted: SessionFilter, connection: Connection) -> dict[str, Any]:
    plan = plan_of(wanted, connection)
    if plan is None:
        return NOTHING
    order = partial(in_order, KEYS.where(*plan.lead), wanted.oldest_first)
    last = connection.execute(last_of(order(None).limit(MOST_COUNTED), wanted.oldest_first)).one_or_none()
    if last is None:
        return NOTHING
    number, end = last[0], tuple(last[1:])
    is_all = number < MOST_COUNTED or connection.execute(order(end).limit(1)).first() is None
    if not is_all and is_by_place_only(wanted):
        by_days = _by_days(wanted, connection)
        if by_days is not None:
            return by_days
    query = SUMS.where(*plan.lead, *plan.rest, until_key(end, wanted.oldest_first))
    if wanted.text is not None:  # part of an identity, too
        query = query.join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    found = connection.execute(query).all()
    return {
        "exact": is_all and not plan.is_cut,
        "basis": "sessions",
        "sessions": sum(row.sessions for row in found),
        "energy_wh": sum(row.energy_wh for row in found),
        "minutes": sum(row.lasted for row in found) // MINUTE_US,
        "money": [
            {"currency": row.currency, "total": _decimal(row.fen)}
            for row in sorted(found, key=lambda row: row.currency or "")
            if row.currency is not None
        ],
        "counted_to": None if is_all else text_of(end[0]),
    }


def _decimal(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _by_days(wanted: SessionFilter, connection: Connection) -> dict[str, Any] | None:
    """By whole local days within the range; None where there is no day of it yet."""
    level, subjects = _subjects(wanted)
    query = DAYS.where(totals.c.level == level)
    if subjects is not None:
        query = query.where(totals.c.subject_id.in_(subjects))
    if wanted.since is not None:
        query = query.where(totals.c.start >= micros(wanted.since))
    if wanted.until is not None:
        # The start has an index; no local day is longer than 26 hours.
        query = query.where(
            totals.c.until <= micros(wanted.until), totals.c.start < micros(_earlier(wanted.until))
        )
    row = connection.execute(query).one()
    if row.since is None:
        return None
    return {
        "exact": False,
        "basis": "days",
        "sessions": row.sessions,
        "energy_wh": row.energy_wh,
        "minutes": row.charging_s // 60,
        "money": _billed(level, subjects, row.since, row.until, connection),
        "from": text_of(row.since),
        "to": text_of(row.until),
    }


def _billed(level: str, subjects: Select[Any] | None, since: int, until: int, connection: Connection) -> Any:
    """What these days are billed; None where no bill says, or of one charging station."""
    if level == "station":
        return None
    query = BILLED.where(bill_days.c.start >= since, bill_days.c.start < until)
    owners = select(operators.c.operator_id) if subjects is None else subjects
    if level == "site":
        query = query.where(bill_days.c.site_id.in_(owners))
        owners = select(sites.c.operator_id).where(sites.c.site_id.in_(owners))
    # Always by operator, of all where none is asked for: it leads the key.
    fen = connection.execute(query.where(bill_days.c.operator_id.in_(owners))).scalar()
    return None if fen is None else [{"currency": CURRENCY, "total": _decimal(fen)}]


def _earlier(at: datetime) -> datetime:
    return at - timedelta(hours=1)


def _subjects(wanted: SessionFilter) -> tuple[str, Select[Any] | None]:
    """The narrowest level that the filter names, and the numbers of its subjects the caller may see."""
    own = None if wanted.operator is None else select(operators.c.operator_id).where(
        operators.c.code == wanted.operator
    )  # fmt: skip
    if wanted.station is not None:
        query = select(charging_stations.c.station_id).where(charging_stations.c.identity == wanted.station)
        if wanted.site is not None:
            at = select(sites.c.site_id).where(sites.c.code == wanted.site)
            query = query.where(charging_stations.c.site_id.in_(at))
        return "station", query if own is None else query.where(charging_stations.c.operator_id.in_(own))
    if wanted.site is not None:
        query = select(sites.c.site_id).where(sites.c.code == wanted.site)
        return "site", query if own is None else query.where(sites.c.operator_id.in_(own))
    return "operator", own
