"""What is owed to city platforms: leased, delivered, retried, set aside. Knows rows; not what they say.

A lease is a due time moved forward: whoever dies with rows in hand gives them back by the clock. Rows of
one (platform, key) are given out one at a time and in order; other keys are never held up by them. A row
set aside no longer holds up its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, literal_column, select, update

from csms.store.database import Database
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.records import OutboxRow
from csms.store.statements import statements, upsert
from csms.store.tables import outbox, platform_state
from csms.store.times import instant, micros, text_of

WAITING: ColumnElement[bool] = literal_column("outbox.state = 'waiting'")


class OutboxEntry(NamedTuple):
    """A row in the hands of a worker. `attempts` counts this one."""

    outbox_id: int
    platform: str
    kind: str
    key: str
    about: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxFilter:
    """Which rows; None does not filter. `platforms`: those the caller may see."""

    state: str | None = None
    platform: str | None = None
    kind: str | None = None
    platforms: tuple[str, ...] | None = None


_earlier = outbox.alias("earlier")
_has_earlier = exists(
    select(_earlier.c.outbox_id).where(
        _earlier.c.platform == outbox.c.platform,
        _earlier.c.key == outbox.c.key,
        _earlier.c.outbox_id < outbox.c.outbox_id,
        literal_column("earlier.state = 'waiting'"),
    )
)
_is_paused = exists(
    select(platform_state.c.platform).where(
        platform_state.c.platform == outbox.c.platform, platform_state.c.paused == literal_column("1")
    )
)
_due = (
    select(outbox.c.outbox_id)
    .where(
        WAITING,
        outbox.c.due_at <= bindparam("now"),
        outbox.c.platform.in_(bindparam("platforms", expanding=True)),
        ~_has_earlier,
        ~_is_paused,
    )
    .order_by(outbox.c.due_at, outbox.c.outbox_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=outbox)  # SQLite has one writer and leaves this out
    .cte("due")
)
LEASE = (
    update(outbox)
    .where(outbox.c.outbox_id == _due.c.outbox_id)
    .values(due_at=bindparam("until"), attempts=outbox.c.attempts + literal_column("1"))
    .returning(outbox)
)
_WAITS = (outbox.c.outbox_id == bindparam("id"), WAITING)
SENT = (
    update(outbox)
    .where(*_WAITS)
    .values(state="sent", sent_at=bindparam("now"), answer=bindparam("told"), last_error=None)
)
RETRY = update(outbox).where(*_WAITS).values(due_at=bindparam("again"), last_error=bindparam("error"))
DEAD = (
    update(outbox).where(*_WAITS).values(state="dead", due_at=bindparam("now"), last_error=bindparam("error"))
)
GIVE_BACK = (
    update(outbox)
    .where(outbox.c.outbox_id.in_(bindparam("ids", expanding=True)), WAITING)
    .values(due_at=outbox.c.created_at, attempts=outbox.c.attempts - literal_column("1"))
)
RESEND = (
    update(outbox)
    .where(outbox.c.outbox_id == bindparam("id"), outbox.c.state != "waiting")
    .values(state="waiting", attempts=0, due_at=bindparam("now"), last_error=None)
)
RESUME = (
    update(outbox)
    .where(outbox.c.platform == bindparam("whose"), WAITING, outbox.c.due_at > bindparam("now"))
    .values(due_at=bindparam("now"))
)
BACKLOG = (
    select(outbox.c.platform, func.count().label("records"), func.min(outbox.c.created_at).label("oldest"))
    .where(WAITING)
    .group_by(outbox.c.platform)
)


class Outbox:
    """The table of what is owed. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, rows: Sequence[OutboxRow]) -> None:
        """Owe `rows`; what is owed already (platform, kind, about) is not owed twice."""
        await self._database.run(partial(put_down, rows))

    async def lease(
        self, platforms: Sequence[str], now: datetime, most: int = 100, lease_s: float = 60
    ) -> list[OutboxEntry]:
        """Rows that are due, for this worker alone for `lease_s` seconds, in the order they were owed."""
        asked = {
            "platforms": list(platforms),
            "now": micros(now),
            "until": micros(now + timedelta(seconds=lease_s)),
            "most": most,
        }
        rows = await self._database.run(lambda connection: connection.execute(LEASE, asked).all())
        return [_leased(row) for row in sorted(rows, key=lambda row: row.outbox_id)]

    async def sent(self, outbox_id: int, now: datetime, answer: dict[str, Any] | None = None) -> bool:
        """Delivered and verified. False: it does not wait any more."""
        told = None if answer is None else json_of(answer)
        return await self._database.execute(SENT, {"id": outbox_id, "now": micros(now), "told": told}) == 1

    async def again(self, outbox_id: int, at: datetime, error: str) -> bool:
        """Try again at `at`. False: it does not wait any more."""
        return (
            await self._database.execute(RETRY, {"id": outbox_id, "again": micros(at), "error": error}) == 1
        )

    async def dead(self, outbox_id: int, now: datetime, error: str) -> bool:
        """Set it aside, to be shown to people. False: it does not wait any more."""
        asked = {"id": outbox_id, "now": micros(now), "error": error}
        return await self._database.execute(DEAD, asked) == 1

    async def give_back(self, outbox_ids: Sequence[int]) -> None:
        """Leased and not tried: due again at once, and the attempt does not count."""
        if outbox_ids:
            await self._database.execute(GIVE_BACK, {"ids": list(outbox_ids)})

    async def resend(self, outbox_id: int, now: datetime) -> bool:
        """Owe a sent or dead row again. False: it waits already, or there is none."""
        return await self._database.execute(RESEND, {"id": outbox_id, "now": micros(now)}) == 1

    async def pause(self, platform: str, reason: str, now: datetime) -> None:
        """Give out nothing for `platform` until it is resumed."""
        await self._set_paused(platform, True, reason, now)

    async def resume(self, platform: str, now: datetime) -> None:
        """Give out its rows again, those that waited for a retry at once."""
        await self._set_paused(platform, False, "", now)
        await self._database.execute(RESUME, {"whose": platform, "now": micros(now)})

    async def _set_paused(self, platform: str, paused: bool, reason: str, now: datetime) -> None:
        values = {"platform": platform, "paused": int(paused), "reason": reason, "changed_at": micros(now)}
        await self._database.run(partial(_pause, values))

    async def paused(self) -> dict[str, str]:
        """The platforms that are paused, and why."""
        rows = await self._database.read(select(platform_state).where(platform_state.c.paused == 1))
        return {row.platform: row.reason for row in rows}

    async def find(self, wanted: OutboxFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of rows as the API gives them, latest first. Raises InvalidInput for a bad cursor."""
        return await self._database.browse(partial(_find, wanted, after, most))


def put_down(rows: Sequence[OutboxRow], connection: Connection) -> None:
    """Owe `rows`, in somebody's transaction."""
    if rows:
        (insert,) = statements(connection.dialect)[OutboxRow]
        connection.exec_driver_sql(insert.sql, insert.parameters(rows))


def _pause(values: dict[str, Any], connection: Connection) -> None:
    mark = upsert(connection.dialect)(platform_state).values(values)
    fresh = {name: mark.excluded[name] for name in ("paused", "reason", "changed_at")}
    connection.execute(mark.on_conflict_do_update(index_elements=["platform"], set_=fresh))


def _find(wanted: OutboxFilter, after: str | None, most: int, connection: Connection) -> Page:
    equal = {"state": wanted.state, "platform": wanted.platform, "kind": wanted.kind}
    conditions = [outbox.c[name] == value for name, value in equal.items() if value is not None]
    if wanted.platforms is not None:
        conditions.append(outbox.c.platform.in_(wanted.platforms))
    if after is not None:
        conditions.append(outbox.c.outbox_id < key_of(after, (int,))[0])
    query = select(outbox).where(*conditions).order_by(outbox.c.outbox_id.desc()).limit(most + 1)
    rows = list(connection.execute(query))
    return page_of(rows, most, _shown, lambda row: (row.outbox_id,))


def _leased(row: Row[Any]) -> OutboxEntry:
    return OutboxEntry(
        row.outbox_id,
        row.platform,
        row.kind,
        row.key,
        row.about,
        value_of(row.payload),
        row.attempts,
        instant(row.created_at),
    )


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.outbox_id),
        "platform": row.platform,
        "kind": row.kind,
        "about": row.about,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": text_of(row.created_at),
        "due_at": text_of(row.due_at),
        "sent_at": text_of(row.sent_at),
        "answer": None if row.answer is None else value_of(row.answer),
        "last_error": row.last_error,
    }
