"""Webhooks: who is told of what, how far each has got, and how deliveries went. Knows rows, no network.

A lease keeps a webhook to one node at a time; whoever dies with it gives it back by the clock. What a
delivery writes it writes only while it still holds the lease and nobody has moved the position meanwhile.

Every method raises StoreUnavailable when the database is away.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    func,
    insert,
    select,
    update,
)

from csms.errors import Conflict, NotFound
from csms.store import webhook_statements as q
from csms.store.change_tables import webhook_deliveries, webhooks
from csms.store.database import Database
from csms.store.paging import Page, key_of, page_of
from csms.store.tables import operators
from csms.store.times import micros, text_of

w, d = webhooks, webhook_deliveries
MOST_OF_ONE = 20


class Webhook(NamedTuple):
    """A webhook as it is served. `kinds` None: all; `operator`: the only one it is told of."""

    webhook_id: int
    url: str
    kinds: frozenset[str] | None
    operator: str | None
    secret: str
    position: int
    attempts: int
    due_at: int


class WebhookForm(NamedTuple):
    """What a person decides of a webhook."""

    url: str
    kinds: frozenset[str] | None
    operator: str | None
    enabled: bool


class Delivery(NamedTuple):
    """How an attempt went. `status` None: there was no answer."""

    at: int
    first: int
    last: int
    events: int
    attempt: int
    status: int | None
    error: str
    took_ms: int


def kinds_text(kinds: frozenset[str] | None) -> str:
    """`,a,b,`; empty for all kinds."""
    return "" if kinds is None else f",{','.join(sorted(kinds))},"


class WebhookStore:
    """Reads and writes webhooks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, form: WebhookForm, secret: str, position: int, now: datetime) -> int:
        """A new webhook, told of what comes behind `position`; its number.

        Raises NotFound (operator), and Conflict for one that has as many as it may.
        """
        return await self._database.run(
            partial(_add, form, self._database.seal.close(secret), position, micros(now))
        )

    async def change(self, webhook_id: int, form: WebhookForm) -> None:
        """Other words for the same webhook; its operator stays. Raises NotFound."""
        values = {"url": form.url, "kinds": kinds_text(form.kinds), "enabled": int(form.enabled)}
        await self._must(update(w).where(w.c.webhook_id == webhook_id).values(values), {}, webhook_id)

    async def remove(self, webhook_id: int) -> None:
        """It is told nothing more, and its deliveries are forgotten. Raises NotFound."""
        await self._must(delete(w).where(w.c.webhook_id == webhook_id), {}, webhook_id)
        await self._database.execute(delete(d).where(d.c.webhook_id == webhook_id))

    async def renew(self, webhook_id: int, secret: str) -> None:
        """Another secret from now on. Raises NotFound."""
        await self._must(
            q.NEW_SECRET, {"id": webhook_id, "fresh": self._database.seal.close(secret)}, webhook_id
        )

    async def replay(self, webhook_id: int, after: int) -> None:
        """Tell everything behind `after` (again), at once. Raises NotFound."""
        await self._must(q.MOVE, {"id": webhook_id, "new": after}, webhook_id)

    async def resume(self, webhook_id: int) -> None:
        """Go on with one that was paused, or waits for another attempt. Raises NotFound."""
        await self._must(q.RESUME, {"id": webhook_id}, webhook_id)

    async def find(self, operator: str | None, after: str | None = None, most: int = 100) -> Page:
        """A page of webhooks as the API gives them; never their secrets."""
        query = _of(q.SHOWN, operator).order_by(w.c.webhook_id).limit(most + 1)
        if after is not None:
            query = query.where(w.c.webhook_id > key_of(after, (int,))[0])
        rows = await self._database.browse(lambda connection: connection.execute(query).all())
        return page_of(list(rows), most, shown, lambda row: (row.webhook_id,))

    async def one(self, webhook_id: int, operator: str | None) -> tuple[Webhook, dict[str, Any]]:
        """A webhook, and as the API gives it. Raises NotFound, also for one of another operator."""
        query = _of(q.SHOWN, operator).where(w.c.webhook_id == webhook_id)
        rows = await self._database.read(query)
        if not rows:
            raise NotFound(f"webhook {webhook_id}")
        return self._opened(rows[0]), shown(rows[0])

    async def active(self) -> list[Webhook]:
        """Those that are to be told."""
        return [self._opened(row) for row in await self._database.read(q.ACTIVE)]

    async def paused(self) -> list[dict[str, Any]]:
        """Those that were given up, as the API gives them."""
        return [shown(row) for row in await self._database.read(q.PAUSED)]

    async def lease(self, hook: Webhook, holder: str, now: datetime, lease_s: float) -> Webhook | None:
        """Take (or keep) the webhook for so long, as it is by now. None: another has it, or it was moved."""
        asked = {
            "id": hook.webhook_id, "at": hook.position, "holder": holder, "now": micros(now),
            "until": micros(now + timedelta(seconds=lease_s)),
        }  # fmt: skip
        row = await self._database.run(lambda connection: connection.execute(q.LEASE, asked).one_or_none())
        if row is None:
            return None
        secret = self._database.seal.open(row.secret)
        return hook._replace(url=row.url, kinds=_kinds(row.kinds), secret=secret, attempts=row.attempts)

    async def delivered(self, hook: Webhook, holder: str, done: Delivery) -> bool:
        """The events up to `done.last` have arrived. False: somebody moved the position meanwhile."""
        asked = {
            "id": hook.webhook_id, "holder": holder, "at": hook.position, "new": done.last, "now": done.at,
        }  # fmt: skip
        return await self._database.run(partial(_done, hook.webhook_id, q.DELIVERED, asked, done))

    async def failed(self, hook: Webhook, holder: str, done: Delivery, again: int, paused: str = "") -> None:
        """Try again at `again` (microseconds), or not before somebody resumes it: `paused` says why."""
        asked = {
            "id": hook.webhook_id, "holder": holder, "at": hook.position, "again": again,
            "error": done.error, "why": paused,
        }  # fmt: skip
        await self._database.run(partial(_done, hook.webhook_id, q.FAILED, asked, done))

    async def release(self, webhook_id: int, holder: str) -> None:
        """Let others have it."""
        await self._database.execute(q.RELEASE, {"id": webhook_id, "holder": holder})

    async def skip(self, hook: Webhook, position: int) -> None:
        """Nothing up to `position` is wanted, while its kinds are those of `hook`."""
        kinds = kinds_text(hook.kinds)
        asked = {"id": hook.webhook_id, "at": hook.position, "new": position, "of": kinds}
        await self._database.execute(q.SKIP, asked)

    async def note(self, webhook_id: int, done: Delivery) -> dict[str, Any]:
        """A delivery that moves nothing (a test), as the API gives it."""
        values = {"webhook_id": webhook_id, **done._asdict()}
        await self._database.execute(insert(d).values(values))
        return _delivery(done)

    async def deliveries(self, webhook_id: int, after: str | None = None, most: int = 100) -> Page:
        """A page of attempts as the API gives them, latest first."""
        query = select(d).where(d.c.webhook_id == webhook_id).order_by(d.c.delivery_id.desc()).limit(most + 1)
        if after is not None:
            query = query.where(d.c.delivery_id < key_of(after, (int,))[0])
        rows = await self._database.browse(lambda connection: connection.execute(query).all())
        return page_of(list(rows), most, _delivery, lambda row: (row.delivery_id,))

    async def prune(self, before: datetime) -> int:
        """Forget a bounded number of attempts from before `before`; how many."""
        return await self._database.run(partial(_prune, micros(before)))

    def _opened(self, row: Row[Any]) -> Webhook:
        hook = _webhook(row)
        return hook._replace(secret=self._database.seal.open(hook.secret))

    async def _must(self, statement: Any, asked: dict[str, Any], webhook_id: int) -> None:
        if await self._database.execute(statement, asked) != 1:
            raise NotFound(f"webhook {webhook_id}")


def _of(query: Select[Any], operator: str | None) -> Select[Any]:
    condition: ColumnElement[bool] = operators.c.code == operator
    return query if operator is None else query.where(condition)


def _add(form: WebhookForm, secret: str, position: int, now: int, connection: Connection) -> int:
    operator_id = None
    if form.operator is not None:
        operator_id = connection.scalar(q.OF_OPERATOR, {"code": form.operator})
        if operator_id is None:
            raise NotFound(f"operator {form.operator}")
    own = w.c.operator_id.is_not_distinct_from(operator_id)
    if (connection.scalar(select(func.count()).select_from(w).where(own)) or 0) >= MOST_OF_ONE:
        raise Conflict(f"there are {MOST_OF_ONE} webhooks of {form.operator or 'all operators'} already")
    values = {
        "url": form.url, "kinds": kinds_text(form.kinds), "operator_id": operator_id, "secret": secret,
        "enabled": int(form.enabled), "created_at": now, "position": position, "attempts": 0, "due_at": 0,
        "paused": "", "last_error": "", "lease": "", "leased_until": 0,
    }  # fmt: skip
    return int(connection.scalars(insert(w).values(values).returning(w.c.webhook_id)).one())


def _done(
    webhook_id: int, statement: Any, asked: dict[str, Any], done: Delivery, connection: Connection
) -> bool:
    is_ours = connection.execute(statement, asked).rowcount == 1
    connection.execute(insert(d).values({"webhook_id": webhook_id, **done._asdict()}))
    return is_ours


def _prune(before: int, connection: Connection) -> int:
    old = [row.delivery_id for row in connection.execute(q.AMONG) if row.at < before]
    return int(connection.execute(q.FORGET, {"until": max(old)}).rowcount) if old else 0


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        row.webhook_id, row.url, _kinds(row.kinds), row.operator, row.secret, row.position, row.attempts,
        row.due_at,
    )  # fmt: skip


def _kinds(text: str) -> frozenset[str] | None:
    return frozenset(text.strip(",").split(",")) if text else None


def shown(row: Row[Any]) -> dict[str, Any]:
    """A webhook as the API gives it."""
    kinds = _kinds(row.kinds)
    return {
        "id": str(row.webhook_id),
        "url": row.url,
        "kinds": None if kinds is None else sorted(kinds),
        "operator": row.operator,
        "enabled": bool(row.enabled),
        "position": str(row.position),
        "attempts": row.attempts,
        "next_attempt_at": text_of(row.due_at) if row.attempts else None,
        "paused_because": row.paused,
        # One that is served may be behind for want of events that it wants.
        "has_lost": bool(not row.enabled or row.paused) and row.position + 1 < (row.oldest or 0),
        "created_at": text_of(row.created_at),
        "last_delivered_at": text_of(row.last_at),
        "last_error": row.last_error,
    }


def _delivery(row: Row[Any] | Delivery) -> dict[str, Any]:
    return {
        "at": text_of(row.at),
        "first": str(row.first),
        "last": str(row.last),
        "events": row.events,
        "attempt": row.attempt,
        "status": row.status,
        "error": row.error,
        "took_ms": row.took_ms,
    }
