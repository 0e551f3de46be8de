"""What is owed to city platforms: leased, delivered, retried, set aside. Knows rows; not what they say.

A lease is a due time moved forward: whoever dies with rows in hand gives them back by the clock, and what a
worker says of a row counts only while the row is in its hands. Rows of
one (platform, kind, key) are given out one at a time and in order; others are never held up by them. A row
set aside no longer holds up its key.

States: waiting; sent; dead (set aside, for people to look at); dropped (not told on purpose: a newer record
replaced it, or the platform does not want it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, select

from csms.errors import Superseded
from csms.store import outbox_statements as q
from csms.store import platform_pauses as pauses
from csms.store.database import Database
from csms.store.delivery_rows import FOUND, PLAIN, Told, count, raise_dispute, tell_of_order, uncount_dead
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.platform_names import named
from csms.store.records import OutboxRow
from csms.store.statements import statements, upsert
from csms.store.tables import outbox, platform_state
from csms.store.times import instant, micros, text_of


class Hold(NamedTuple):
    """A row, and the end of the lease (microseconds) under which it is held; None: nobody holds it."""

    outbox_id: int
    until: int | None = None


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
    leased_until: int | None = None

    @property
    def hold(self) -> Hold:
        """What must still be so when its worker says how it went."""
        return Hold(self.outbox_id, self.leased_until)


class Resent(NamedTuple):
    """Rows owed again, and rows that stay set aside because the platform has taken a newer one."""

    owed: int
    superseded: int


@dataclass(frozen=True, slots=True)
class OutboxFilter:
    """Which rows; None does not filter. `platforms`: those the caller may see."""

    state: str | None = None
    platform: str | None = None
    kind: str | None = None
    platforms: tuple[str, ...] | None = None


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
        asked = {"now": micros(now), "until": micros(now + timedelta(seconds=lease_s))}
        rows = await self._database.run(partial(_leased_rows, platforms, asked, most))
        return [_leased(row) for row in sorted(rows, key=lambda row: row.outbox_id)]

    async def sent(
        self, hold: Hold, now: datetime, answer: dict[str, Any] | None = None, told: Told = PLAIN
    ) -> bool:
        """Delivered and verified; counted, and what is disputed is kept. False: it is not held any more."""
        return await self._database.run(partial(_sent, hold, micros(now), answer, told))

    async def again(self, hold: Hold, at: datetime, error: str) -> bool:
        """Try again at `at`. False: it is not held any more."""
        asked = {**_held(hold), "again": micros(at), "error": error}
        return await self._database.execute(q.RETRY, asked) == 1

    async def dead(self, hold: Hold, now: datetime, error: str) -> bool:
        """Set it aside, to be shown to people. False: it is not held any more."""
        return await self._database.run(partial(_dead, hold, micros(now), error))

    async def drop(self, hold: Hold, now: datetime, reason: str) -> bool:
        """It is not told, on purpose. False: it is not held any more."""
        asked = {**_held(hold), "now": micros(now), "error": reason}
        return await self._database.execute(q.DROP, asked) == 1

    async def replaced(self, entry: OutboxEntry, now: datetime) -> bool:
        """Drop what waits of `entry`'s kind and key, all but the newest. True: `entry` was dropped."""
        asked = {"whose": entry.platform, "what": entry.kind, "which": entry.key, "now": micros(now)}
        rows = await self._database.run(lambda connection: connection.execute(q.REPLACE, asked).all())
        return any(row.outbox_id == entry.outbox_id for row in rows)

    async def told_before(self, entry: OutboxEntry) -> bool:
        """Whether the platform has an earlier record of `entry`'s kind and key."""
        asked = {"whose": entry.platform, "what": entry.kind, "which": entry.key, "id": entry.outbox_id}
        return bool(await self._database.read(q.TOLD_BEFORE, asked))

    async def give_back(self, hold: Hold) -> None:
        """Leased and not tried: due again at once, and the attempt does not count."""
        await self._database.execute(q.GIVE_BACK, _held(hold))

    async def resend(self, outbox_id: int, now: datetime) -> bool:
        """Owe a sent or dead row again. False: it waits already, or there is none.

        Raises Superseded: the platform would end with what is older than it has.
        """
        return await self._database.run(partial(_resend, outbox_id, micros(now)))

    async def resend_dead(self, platform: str, now: datetime) -> Resent:
        """Owe again everything of a platform that was set aside and is still worth telling."""
        owed = superseded = 0
        for row in await self._database.read(q.DEAD_OF, {"whose": platform}):
            try:
                owed += await self.resend(row.outbox_id, now)
            except Superseded:
                superseded += 1
        return Resent(owed, superseded)

    async def platform_of(self, outbox_id: int) -> str | None:
        """Whose record this is; None when there is none."""
        rows = await self._database.read(FOUND, {"id": outbox_id})
        return rows[0].platform if rows else None

    async def pause(self, platform: str, reason: str, now: datetime) -> None:
        """Give out nothing for `platform` until it is resumed."""
        await self._database.run(partial(pauses.pause, platform, reason, micros(now)))

    async def resume(self, platform: str, now: datetime) -> None:
        """Give out its rows again, those that waited for a retry at once."""
        await self._database.run(partial(pauses.resume, platform, micros(now)))

    async def refused(self, platform: str, reason: str, now: datetime) -> None:
        """`platform` refuses us: pause it, unless somebody has, whose reason stays."""
        await self._database.run(partial(pauses.pause_refused, platform, reason, micros(now)))

    async def probe(self, platform: str, now: datetime) -> bool:
        """Resume `platform` if it is paused because it refused us; False: it is not, or by somebody."""
        return await self._database.run(partial(pauses.resume_refused, platform, micros(now)))

    async def paused(self) -> dict[str, str]:
        """The platforms that are paused, and why."""
        rows = await self._database.read(select(platform_state).where(platform_state.c.paused == 1))
        return {row.platform: row.reason for row in rows}

    async def find(self, wanted: OutboxFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of rows as the API gives them, latest first. Raises InvalidInput for a bad cursor."""
        return await self._database.browse(partial(_find, wanted, after, most))


def _leased_rows(
    platforms: Sequence[str], asked: dict[str, int], most: int, connection: Connection
) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for platform in platforms:
        if len(rows) < most:
            wanted = {**asked, "whose": platform, "most": most - len(rows)}
            rows += connection.execute(q.LEASE, wanted).all() or connection.execute(q.LEASE_ANY, wanted).all()
    return rows


def _held(hold: Hold) -> dict[str, Any]:
    return {"id": hold.outbox_id, "lease": hold.until}


def _sent(hold: Hold, now: int, answer: dict[str, Any] | None, told: Told, connection: Connection) -> bool:
    row = connection.execute(FOUND, {"id": hold.outbox_id}).one_or_none()
    values = {**_held(hold), "now": now, "hash": told.sha256 or None}
    values["told"] = None if answer is None else json_of(answer)
    if row is None or connection.execute(q.SENT, values).rowcount != 1:
        return False
    if row.sent_at is None:
        count(connection, row, now, told)
    if told.disputed is not None and told.order is not None:
        raise_dispute(
            connection,
            {
                "platform": row.platform,
                "source": row.kind,
                "about": row.about,
                "reason": told.disputed,
                "their_power": "",
                "their_money": "",
                "raised_at": now,
                **told.order,
            },
        )
    tell_of_order(connection, row, now, None if told.disputed is None else "disputed")
    return True


def _dead(hold: Hold, now: int, error: str, connection: Connection) -> bool:
    row = connection.execute(FOUND, {"id": hold.outbox_id}).one_or_none()
    asked = {**_held(hold), "now": now, "error": error}
    if row is None or connection.execute(q.DEAD, asked).rowcount != 1:
        return False
    if row.sent_at is None:
        count(connection, row, now, None)
    tell_of_order(connection, row, now, error)
    return True


def _resend(outbox_id: int, now: int, connection: Connection) -> bool:
    row = connection.execute(FOUND, {"id": outbox_id}).one_or_none()
    if row is None or connection.execute(q.RESEND, {"id": outbox_id, "now": now}).rowcount != 1:
        if row is not None and connection.execute(q.SUPERSEDED, {"id": outbox_id}).one_or_none():
            raise Superseded(row.about)
        return False
    if row.state == "dead" and row.sent_at is None:
        uncount_dead(connection, row)
    return True


def put_down(rows: Sequence[OutboxRow], connection: Connection) -> None:
    """Owe `rows`, in somebody's transaction; charges under the names their platforms gave them."""
    if rows:
        (insert,) = statements(connection.dialect)[OutboxRow]
        connection.exec_driver_sql(insert.sql, insert.parameters(named(rows, connection)))


def fill_up(rows: Sequence[OutboxRow], connection: Connection) -> None:
    """Owe those of `rows` (of one platform and kind) of whose key nothing waits: that will be told anyway."""
    if not rows:
        return
    asked = {"whose": rows[0].platform, "what": rows[0].kind, "which": [row.key for row in rows]}
    waiting = {row.key for row in connection.execute(q.KEYS_WAITING, asked)}
    put_down([row for row in rows if row.key not in waiting], connection)


def renew(rows: Sequence[OutboxRow], connection: Connection) -> None:
    """Owe `rows` in place of earlier ones of the same name: of such records only the newest is of use.

    One that waits for a retry keeps its time, a platform in trouble is not asked more often for it; and is
    owed since it was first.
    """
    if rows:
        add = upsert(connection.dialect)(outbox)
        connection.execute(
            add.on_conflict_do_update(
                index_elements=["platform", "kind", "about"], set_=q.renewed(add.excluded)
            ),
            [row._asdict() for row in named(rows, connection)],
        )


def _find(wanted: OutboxFilter, after: str | None, most: int, connection: Connection) -> Page:
    equal = {"platform": wanted.platform, "kind": wanted.kind}
    conditions = [_column(name, wanted) == value for name, value in equal.items() if value is not None]
    if wanted.state is not None:
        conditions.append(q.IN_STATE[wanted.state])
    if wanted.platforms is not None:
        conditions.append(outbox.c.platform.in_(wanted.platforms))
    if after is not None:
        conditions.append(outbox.c.outbox_id < key_of(after, (int,))[0])
    query = select(outbox).where(*conditions).order_by(outbox.c.outbox_id.desc()).limit(most + 1)
    rows = list(connection.execute(query))
    return page_of(rows, most, _shown, lambda row: (row.outbox_id,))


def _column(name: str, wanted: OutboxFilter) -> ColumnElement[str]:
    """What waits or is set aside has an index in the order of the page: no other must look better."""
    column: ColumnElement[str] = outbox.c[name]
    return column.concat("") if wanted.state in ("waiting", "dead") else column


def _leased(row: Row[Any]) -> OutboxEntry:
    return OutboxEntry(
        row.outbox_id,
        row.platform,
        row.kind,
        row.key,
        row.about,
        value_of(row.payload),
        row.attempts,
        instant(_caused_at(row)),
        row.leased_until,
    )


def _caused_at(row: Row[Any]) -> int:
    return int(row.created_at if row.renewed_at is None else row.renewed_at)


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.outbox_id),
        "platform": row.platform,
        "kind": row.kind,
        "about": row.about,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": text_of(_caused_at(row)),
        "due_at": text_of(row.due_at),
        "sent_at": text_of(row.sent_at),
        "answer": None if row.answer is None else value_of(row.answer),
        "last_error": row.last_error,
        "sent_hash": row.sent_hash,
    }
