"""Charges that city platforms asked for, by StartChargeSeq, and the sessions that came of them.

A session is found by what the start carried: the order's own id token, or its remote start number. The token
is made for the one order, so it says more than the connector, which 1.6 stations may choose themselves.
Every change names the state it starts from, and what the platform is owed for it is put down in the same
transaction: several processes that look at once agree, and none tells twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, update

from csms.domain.assets import IdToken
from csms.store import platform_order_queries as q
from csms.store import registry_writes
from csms.store.database import Database
from csms.store.jsontext import json_of, value_of
from csms.store.outbox import put_down
from csms.store.platform_names import names_of
from csms.store.platform_order_queries import CHARGING, FAILED, FINISHED, STARTING, UNWANTED
from csms.store.platform_order_tables import platform_orders
from csms.store.records import OutboxRow
from csms.store.session_codec import folded
from csms.store.statements import upsert
from csms.store.times import instant, instant_or_none, micros

__all__ = [
    "CHARGING", "FAILED", "FINISHED", "STARTING", "TOKEN_TYPE", "UNWANTED", "Came", "Due", "OrderForm",
    "PlatformOrder", "PlatformOrders", "Step",
]  # fmt: skip

TOKEN_TYPE = "Central"
TOKEN_LIVES = timedelta(days=1)
o = platform_orders.c


@dataclass(frozen=True, slots=True)
class OrderForm:
    """A start as the platform asked for it. `id_token` is the order's own."""

    platform: str
    start_charge_seq: str
    station_id: int
    identity: str
    evse: int
    connector: int
    connector_id: str
    id_token: str


class PlatformOrder(NamedTuple):
    """An order as it stands. `start_answer`, `stop_answer`: what the platform was told, None before."""

    order_id: int
    platform: str
    start_charge_seq: str
    station_id: int
    identity: str
    evse: int
    connector: int
    connector_id: str
    id_token: str
    remote_start_id: int | None
    session_id: int | None
    state: str
    asked_at: datetime
    start_by: datetime
    start_answer: dict[str, Any] | None
    stop_asked_at: datetime | None
    stop_by: datetime | None
    stop_answer: dict[str, Any] | None
    failure: str
    changed_at: datetime


class Came(NamedTuple):
    """An order and the session that came of it."""

    order: PlatformOrder
    session_id: int
    started_at: datetime


class Due(NamedTuple):
    """Orders that something has happened to, or nothing for too long."""

    began: list[Came]
    unheard: list[PlatformOrder]
    ended: list[Came]
    unstopped: list[PlatformOrder]


class Step(NamedTuple):
    """One change of an order: from which state, to what, and what the platform is owed for it."""

    order_id: int
    before: str
    values: Mapping[str, Any]
    owed: Sequence[OutboxRow] = ()


class PlatformOrders:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, form: OrderForm, start_by: datetime, now: datetime) -> tuple[PlatformOrder, bool]:
        """The order of this StartChargeSeq, and whether it is new; a new one's token may charge from here."""
        return await self._database.run(partial(_begin, form, micros(start_by), now))

    async def adopt(self, form: OrderForm, session_id: int, now: datetime) -> tuple[PlatformOrder, bool]:
        """An order for a session that the platform did not start, so that it can stop it."""
        return await self._database.run(partial(_adopt, form, session_id, now))

    async def by_seq(self, platform: str, start_charge_seq: str) -> PlatformOrder | None:
        """The platform's order of this name."""
        rows = await self._database.read(q.BY_SEQ, {"platform": platform, "seq": start_charge_seq})
        return _order(rows[0]) if rows else None

    async def number(self, order_id: int, remote_start_id: int) -> None:
        """The number the start is sent under (2.x tells it with the session)."""
        await self._database.execute(q.NUMBER, {"id": order_id, "n": remote_start_id})

    async def start_told(self, order_id: int, answer: dict[str, Any]) -> None:
        """What the platform hears of its start, now and whenever it asks again. The first answer stays."""
        await self._database.execute(q.ANSWER_START, {"id": order_id, "told": json_of(answer)})

    async def due(self, platforms: Sequence[str], now: datetime, failed_since: datetime) -> Due:
        """What is to be done now. A start that failed is watched from `failed_since`: it may begin late."""
        return await self._database.look(partial(_due, list(platforms), micros(now), micros(failed_since)))

    async def ask_stop(self, order_id: int, by: datetime, now: datetime) -> bool:
        """The platform wants it stopped. False: it has asked before, or it is over."""
        asked = {"id": order_id, "by": micros(by), "now": micros(now)}
        return await self._database.execute(q.ASK_STOP, asked) == 1

    async def stop_told(self, order_id: int, answer: dict[str, Any]) -> None:
        """What the platform hears of its stop, now and whenever it asks again."""
        await self._database.execute(q.ANSWER_STOP, {"id": order_id, "told": json_of(answer)})

    async def seq_of(self, platform: str, session_id: int) -> str | None:
        """The platform's own name for a session, None for one it did not start."""
        names = await self._database.look(partial(names_of, {session_id}))
        return names.get((platform, session_id))

    async def take(self, step: Step, now: datetime) -> bool:
        """Change an order and owe what follows. False: it has changed before; nothing was written."""
        return await self._database.run(partial(_take, step, micros(now)))

    async def block_token(self, token: str, now: datetime) -> None:
        """A start that was called failed must not begin after all."""
        await self._database.execute(q.BLOCK_TOKEN, {"whose": folded(token), "now": micros(now)})

    async def forget_tokens(self, platforms: Sequence[str], since: datetime, before: datetime) -> int:
        """Tokens of orders that were over before then are no use to anybody; how many went.

        `since`: from when on the orders that ended are looked at.
        """
        asked = {"platforms": list(platforms), "since": micros(since), "before": micros(before)}
        return await self._database.execute(q.FORGET_TOKENS, asked)


def _due(platforms: list[str], now: int, failed_since: int, connection: Connection) -> Due:
    asked = {"platforms": platforms, "now": now, "failed_since": failed_since}

    def rows(query: Select[Any], *names: str) -> Sequence[Row[Any]]:
        return connection.execute(query, {name: asked[name] for name in ("platforms", *names)}).all()

    return Due(
        began=[*_came(rows(q.BEGAN)), *_came(rows(q.BEGAN_LATE, "failed_since"))],
        unheard=[_order(row) for row in rows(q.UNHEARD, "now")],
        ended=_came(rows(q.ENDED)),
        unstopped=[_order(row) for row in rows(q.UNSTOPPED, "now")],
    )


def _came(rows: Sequence[Row[Any]]) -> list[Came]:
    """The first session of each order: a station that begins twice on one start has begun with that."""
    first = {row.order_id: row for row in reversed(rows)}
    return [Came(_order(row), row.found, instant(row.started_at)) for row in reversed(first.values())]


def _begin(
    form: OrderForm, start_by: int, now: datetime, connection: Connection
) -> tuple[PlatformOrder, bool]:
    values = _values(form, micros(now)) | {"state": STARTING, "start_by": start_by, "session_id": None}
    order, is_new = _put(values, connection)
    if is_new:
        token = IdToken(form.id_token, TOKEN_TYPE, expires_at=now + TOKEN_LIVES)
        registry_writes.put_token(token, micros(now), connection)
    return order, is_new


def _adopt(
    form: OrderForm, session_id: int, now: datetime, connection: Connection
) -> tuple[PlatformOrder, bool]:
    at = micros(now)
    values = _values(form, at) | {"state": CHARGING, "start_by": at, "session_id": session_id}
    return _put(values, connection)


def _put(values: dict[str, Any], connection: Connection) -> tuple[PlatformOrder, bool]:
    mark = upsert(connection.dialect)(platform_orders).values(values)
    fresh = mark.on_conflict_do_nothing(index_elements=["platform", "start_charge_seq"])
    is_new = connection.scalar(fresh.returning(o.order_id)) is not None
    asked = {"platform": values["platform"], "seq": values["start_charge_seq"]}
    return _order(connection.execute(q.BY_SEQ, asked).one()), is_new


def _values(form: OrderForm, now: int) -> dict[str, Any]:
    return {
        "platform": form.platform,
        "start_charge_seq": form.start_charge_seq,
        "station_id": form.station_id,
        "identity": form.identity,
        "evse": form.evse,
        "connector": form.connector,
        "connector_id": form.connector_id,
        "id_token": form.id_token,
        "token_folded": folded(form.id_token),
        "asked_at": now,
        "failure": "",
        "changed_at": now,
    }


def _take(step: Step, now: int, connection: Connection) -> bool:
    values = {name: _kept(value) for name, value in step.values.items()}
    change = (
        update(platform_orders)
        .where(o.order_id == step.order_id, o.state == step.before)
        .values(**values, changed_at=now)
    )
    if connection.execute(change).rowcount != 1:
        return False
    put_down(step.owed, connection)
    return True


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return micros(value)
    return json_of(value) if isinstance(value, dict) else value


def _order(row: Row[Any]) -> PlatformOrder:
    return PlatformOrder(
        row.order_id,
        row.platform,
        row.start_charge_seq,
        row.station_id,
        row.identity,
        row.evse,
        row.connector,
        row.connector_id,
        row.id_token,
        row.remote_start_id,
        row.session_id,
        row.state,
        instant(row.asked_at),
        instant(row.start_by),
        None if row.start_answer is None else value_of(row.start_answer),
        instant_or_none(row.stop_asked_at),
        instant_or_none(row.stop_by),
        None if row.stop_answer is None else value_of(row.stop_answer),
        row.failure,
        instant(row.changed_at),
    )
