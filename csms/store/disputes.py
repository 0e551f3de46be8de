"""Orders that platforms were told to check, and what they dispute of them. Knows rows, not platforms.

Every method raises StoreUnavailable when the database is away.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, literal_column, select, update

from csms.domain import clock
from csms.errors import NotFound
from csms.store.database import Database
from csms.store.delivery_rows import raise_dispute
from csms.store.delivery_tables import disputes, order_checks
from csms.store.jsontext import value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.platforms import first_since
from csms.store.tables import outbox
from csms.store.times import micros, text_of

EPOCH_DAY = date(1970, 1, 1)

CHUNK = 1_000  # rows per query
EARLIEST = clock.AHEAD + timedelta(minutes=1)  # before a session's end its order may be put down

d, o = disputes, outbox

OPEN_DISPUTES = (
    select(d.c.platform, func.count().label("n")).where(d.c.resolved_at.is_(None)).group_by(d.c.platform)
)
LAST_CHECKS = (
    select(order_checks)
    .where(order_checks.c.platform == bindparam("whose"))
    .order_by(order_checks.c.day.desc())
    .limit(bindparam("most"))
)
RESOLVE = (
    update(d)
    .where(d.c.dispute_id == bindparam("id"), d.c.platform == bindparam("whose"), d.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("now"), resolved_by=bindparam("actor"), note=bindparam("said"))
)
# Counted, not added up: parts of a day make one number, and an answer that comes again changes nothing.
CHECK_ANSWERED = (
    update(order_checks)
    .where(order_checks.c.platform == bindparam("whose"), order_checks.c.day == bindparam("of"))
    .values(
        answered_at=bindparam("now"),
        disputes=select(func.count())
        .where(
            d.c.platform == bindparam("whose"),
            d.c.source == literal_column("'order-check'"),
            d.c.about == bindparam("which"),
        )
        .scalar_subquery(),
    )
)


ORDERS_TOLD = (
    select(o.c.outbox_id, o.c.state, o.c.payload, o.c.answer)
    .where(
        o.c.platform == bindparam("whose"),
        o.c.kind == literal_column("'charge-order'"),
        o.c.outbox_id >= bindparam("first"),
        o.c.outbox_id > bindparam("after"),
    )
    .order_by(o.c.outbox_id)
    .limit(CHUNK)
)


class ToldOrder(NamedTuple):
    """An order as the platform has it: its last revision that was taken. Wh; CNY as decimal text."""

    start_charge_seq: str
    energy_wh: int
    money: str | None


class DisputeStore:
    """Reads and writes what platforms dispute."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_disputes(self) -> dict[str, int]:
        """How many disputes of each platform nobody has resolved."""
        return {row.platform: row.n for row in await self._database.read(OPEN_DISPUTES)}

    async def disputes(
        self, platform: str, is_open: bool | None, after: str | None = None, most: int = 100
    ) -> Page:
        """A page of a platform's disputes as the API gives them, latest first."""
        return await self._database.browse(partial(_disputes, platform, is_open, after, most))

    async def resolve(self, platform: str, dispute_id: int, actor: str, note: str, now: datetime) -> None:
        """A person has settled it. Raises NotFound when there is no such open dispute."""
        asked = {
            "id": dispute_id, "whose": platform, "now": micros(now), "actor": actor, "said": note,
        }  # fmt: skip
        if await self._database.execute(RESOLVE, asked) != 1:
            raise NotFound(f"open dispute {dispute_id}")

    async def checks(self, platform: str, most: int = 31) -> list[dict[str, Any]]:
        """The platform's latest order checks as the API gives them."""
        rows = await self._database.read(LAST_CHECKS, {"whose": platform, "most": most})
        return [_check(row) for row in rows]

    async def told_orders(self, platform: str, start: datetime, end: datetime) -> tuple[list[ToldOrder], int]:
        """Orders of sessions that ended from `start` on, before `end`; and how many of them still wait."""
        return await self._database.browse(partial(_told_orders, platform, start, end))

    async def check_answered(
        self, platform: str, day: date, found: Sequence[dict[str, Any]], now: datetime
    ) -> None:
        """Keep what the platform disputes of a day's orders."""
        await self._database.run(partial(_check_answered, platform, day, found, micros(now)))


def _disputes(
    platform: str, is_open: bool | None, after: str | None, most: int, connection: Connection
) -> Page:
    query = select(d).where(d.c.platform == platform)
    if is_open is not None:
        query = query.where(d.c.resolved_at.is_(None) if is_open else d.c.resolved_at.is_not(None))
    if after is not None:
        query = query.where(d.c.dispute_id < key_of(after, (int,))[0])
    rows = list(connection.execute(query.order_by(d.c.dispute_id.desc()).limit(most + 1)))
    return page_of(rows, most, _dispute, lambda row: (row.dispute_id,))


def _dispute(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.dispute_id),
        "source": row.source,
        "about": row.about,
        "start_charge_seq": row.start_charge_seq,
        "reason": row.reason,
        "their_power": row.their_power,
        "their_money": row.their_money,
        "our_energy_wh": row.our_energy_wh,
        "our_money": row.our_money,
        "raised_at": text_of(row.raised_at),
        "resolved_at": text_of(row.resolved_at),
        "resolved_by": row.resolved_by,
        "note": row.note,
    }


def _check(row: Row[Any]) -> dict[str, Any]:
    return {
        "day": (EPOCH_DAY + timedelta(days=row.day)).isoformat(),
        "check_order_seq": row.check_order_seq,
        "orders": row.orders,
        "energy_wh": row.energy_wh,
        "money": row.money,
        "created_at": text_of(row.created_at),
        "answered_at": text_of(row.answered_at),
        "disputes": row.disputes,
    }


def _check_answered(
    platform: str, day: date, found: Sequence[dict[str, Any]], now: int, connection: Connection
) -> None:
    number, about = (day - EPOCH_DAY).days, day.isoformat()
    for one in found:
        raise_dispute(
            connection,
            {"platform": platform, "source": "order-check", "about": about, "raised_at": now} | one,
        )
    connection.execute(CHECK_ANSWERED, {"whose": platform, "of": number, "which": about, "now": now})


def _told_orders(
    platform: str, start: datetime, end: datetime, connection: Connection
) -> tuple[list[ToldOrder], int]:
    # No order is put down before its session has ended, by a clock that may be ahead of ours.
    asked = {"whose": platform, "first": first_since(connection, micros(start - EARLIEST)), "after": 0}
    told: dict[str, ToldOrder] = {}
    waiting = 0
    while rows := connection.execute(ORDERS_TOLD, asked).all():
        for row in rows:
            order = value_of(row.payload)
            ended = datetime.fromisoformat(order.get("ended_at") or "1970-01-01T00:00:00Z")
            if not start <= ended < end:
                continue
            waiting += row.state == "waiting"
            if row.state == "sent":
                seq = order["start_charge_seq"]
                name = _own_name(row.answer) or seq
                told[seq] = ToldOrder(name, order.get("energy_wh") or 0, order.get("money"))
        asked["after"] = rows[-1].outbox_id
    return list(told.values()), waiting


def _own_name(answer: str | None) -> str | None:
    """The platform answers with the name it gave to a session that it started."""
    told = None if answer is None else value_of(answer)
    name = told.get("StartChargeSeq") if isinstance(told, dict) else None
    return name if isinstance(name, str) and len(name) == 27 else None
