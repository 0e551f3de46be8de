"""What is kept of city platforms beside the outbox: tallies, pauses, ticks, cursors; forgets old rows.

Every method raises StoreUnavailable when the database is away. Knows rows; not what platforms say.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, update

from csms.store.database import Database
from csms.store.delivery_tables import order_checks, platform_cursors, platform_tallies, platform_ticks
from csms.store.outbox import fill_up, put_down, renew
from csms.store.outbox_statements import WAITING
from csms.store.records import OutboxRow
from csms.store.statements import upsert
from csms.store.tables import outbox, platform_state
from csms.store.times import instant_or_none, micros, text_of

EPOCH_DAY = date(1970, 1, 1)
PRUNED = 1_000  # rows per transaction
TICKS_KEPT = timedelta(days=2)
COUNTED = ("sent", "on_time", "accepted", "disputed", "dead")

t, o = platform_tallies, outbox

TALLIES = (
    select(
        t.c.platform,
        t.c.kind,
        *(func.sum(t.c[name]).label(name) for name in COUNTED),
        func.max(t.c.last_at).label("last_at"),
    )
    .where(t.c.day >= bindparam("first"), t.c.day <= bindparam("last"))
    .group_by(t.c.platform, t.c.kind)
)
WAITING_BY_KIND = (
    select(o.c.platform, o.c.kind, func.count().label("n")).where(WAITING).group_by(o.c.platform, o.c.kind)
)
_OF_KIND = (WAITING, o.c.platform == bindparam("whose"), o.c.kind == bindparam("what"))
WAITING_SINCE = select(func.count()).where(
    *_OF_KIND, o.c.outbox_id >= bindparam("first"), o.c.renewed_at.is_(None)
)
RENEWED_SINCE = select(func.count()).where(*_OF_KIND, o.c.renewed_at >= bindparam("since"))
LAST_ID = select(func.max(o.c.outbox_id))
AT_OR_AFTER = (
    select(o.c.outbox_id, o.c.created_at)
    .where(o.c.outbox_id >= bindparam("id"))
    .order_by(o.c.outbox_id)
    .limit(1)
)
PAUSES = select(platform_state)
TICKED = select(platform_ticks.c.tick).where(
    platform_ticks.c.task == bindparam("what"), platform_ticks.c.tick == bindparam("which")
)
FORGET_TICKS = delete(platform_ticks).where(platform_ticks.c.at < bindparam("before"))
POSITION = select(platform_cursors.c.position).where(platform_cursors.c.name == bindparam("who"))
ADVANCE = (
    update(platform_cursors)
    .where(platform_cursors.c.name == bindparam("who"), platform_cursors.c.position == bindparam("old"))
    .values(position=bindparam("new"), changed_at=bindparam("now"))
)
OLDEST = (
    select(o.c.outbox_id, o.c.state, o.c.created_at, o.c.sent_at, o.c.due_at)
    .where(o.c.outbox_id > bindparam("after"))
    .order_by(o.c.outbox_id)
    .limit(PRUNED)
)
PRUNE = delete(o).where(o.c.outbox_id.in_(bindparam("ids", expanding=True)))


How = Literal["add", "fill", "renew"]
PUT = {"add": put_down, "fill": fill_up, "renew": renew}
"""add: each fact once. fill: not where something of the same key waits. renew: in place of what was there."""


class Tally(NamedTuple):
    """Records of a kind to a platform. `late`: those that wait longer than the limit."""

    platform: str
    kind: str
    sent: int
    on_time: int
    accepted: int
    disputed: int
    dead: int
    waiting: int
    late: int
    last_at: datetime | None


class Check(NamedTuple):
    """A day's orders as a platform was told to check them. Wh; CNY as decimal text."""

    platform: str
    day: date
    check_order_seq: str
    orders: int
    energy_wh: int
    money: str


class PlatformStore:
    """Reads and writes what is kept of platforms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tallies(
        self, first: date, last: date, now: datetime, limits: dict[tuple[str, str], float]
    ) -> list[Tally]:
        """By platform and kind, of causes on the days `first` to `last` of China; what waits counts always.

        `limits`: seconds by platform and kind, from which on what waits is late.
        """
        return await self._database.browse(partial(_tallies, first, last, now, limits))

    async def pauses(self) -> dict[str, dict[str, Any]]:
        """Platforms that were ever paused or resumed: whether, why, since when."""
        rows = await self._database.read(PAUSES)
        return {
            row.platform: {
                "paused": bool(row.paused),
                "reason": row.reason,
                "changed_at": text_of(row.changed_at),
            }
            for row in rows
        }

    async def has_ticked(self, task: str, tick: int) -> bool:
        """Whether somebody ran this already: asked before the work, so that it is not done in vain."""
        return bool(await self._database.read(TICKED, {"what": task, "which": tick}))

    async def run_once(
        self,
        task: str,
        tick: int,
        rows: Sequence[OutboxRow],
        now: datetime,
        how: How = "add",
        check: Check | None = None,
    ) -> bool:
        """Owe `rows` unless somebody has for this tick; True when it was us. One transaction."""
        return await self._database.run(partial(_run_once, task, tick, rows, micros(now), how, check))

    async def position(self, name: str) -> int | None:
        """How far somebody got; None at first."""
        rows = await self._database.read(POSITION, {"who": name})
        return rows[0].position if rows else None

    async def advance(
        self, name: str, old: int | None, new: int, rows: Sequence[OutboxRow], now: datetime
    ) -> bool:
        """Owe `rows` and move on, in one transaction. False: somebody else did."""
        return await self._database.run(partial(_advance, name, old, new, rows, micros(now)))

    async def prune(self, before: datetime, after: int = 0) -> tuple[int, int | None]:
        """Forget rows that were done before `before`, among a bounded number from after row `after` on.

        How many, and from where to go on; None at the end.
        """
        return await self._database.run(partial(_prune, micros(before), after))

    async def forget_ticks(self, now: datetime) -> int:
        """Forget ticks that nobody will ask for."""
        return await self._database.execute(FORGET_TICKS, {"before": micros(now - TICKS_KEPT)})


def first_since(connection: Connection, at: int) -> int:
    """The first outbox row created at or after `at`, or one more than the last.

    Rows are created in the order of their ids, but for moments: halving finds it in twenty small steps.
    """
    low, high = 0, (connection.execute(LAST_ID).scalar_one() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(AT_OR_AFTER, {"id": middle}).one_or_none()
        if row is None or row.created_at >= at:
            high = middle
        else:
            low = row.outbox_id + 1
    return low


def _tallies(
    first: date, last: date, now: datetime, limits: dict[tuple[str, str], float], connection: Connection
) -> list[Tally]:
    days = {"first": (first - EPOCH_DAY).days, "last": (last - EPOCH_DAY).days}
    counted = {(row.platform, row.kind): row for row in connection.execute(TALLIES, days)}
    waiting = {(row.platform, row.kind): row.n for row in connection.execute(WAITING_BY_KIND)}
    starts: dict[int, int] = {}
    found = []
    for key in sorted(counted.keys() | waiting.keys()):
        row, waits, late = counted.get(key), waiting.get(key, 0), 0
        if waits and key in limits:
            since = micros(now - timedelta(seconds=limits[key]))
            if since not in starts:
                starts[since] = first_since(connection, since)
            late = waits - _waiting_since(key, since, starts[since], connection)
        sums: dict[str, Any] = {name: int(getattr(row, name)) if row else 0 for name in COUNTED}
        last_at = instant_or_none(row.last_at) if row else None
        found.append(Tally(*key, **sums, waiting=waits, late=max(late, 0), last_at=last_at))
    return found


def _waiting_since(key: tuple[str, str], since: int, first: int, connection: Connection) -> int:
    """How many wait whose cause arose at or after `since`; `first`: the first row created then."""
    asked = {"whose": key[0], "what": key[1]}
    created: int = connection.execute(WAITING_SINCE, {**asked, "first": first}).scalar_one()
    renewed: int = connection.execute(RENEWED_SINCE, {**asked, "since": since}).scalar_one()
    return created + renewed


def _run_once(
    task: str,
    tick: int,
    rows: Sequence[OutboxRow],
    now: int,
    how: How,
    check: Check | None,
    connection: Connection,
) -> bool:
    claim = upsert(connection.dialect)(platform_ticks).values(task=task, tick=tick, at=now)
    if connection.execute(claim.on_conflict_do_nothing()).rowcount != 1:
        return False
    PUT[how](rows, connection)
    if check is not None:
        values = check._asdict() | {"day": (check.day - EPOCH_DAY).days, "created_at": now}
        note = upsert(connection.dialect)(order_checks).values(values)
        connection.execute(note.on_conflict_do_nothing())
    return True


def _advance(
    name: str, old: int | None, new: int, rows: Sequence[OutboxRow], now: int, connection: Connection
) -> bool:
    if old is None:
        first = upsert(connection.dialect)(platform_cursors).values(name=name, position=new, changed_at=now)
        done = connection.execute(first.on_conflict_do_nothing()).rowcount
    else:
        done = connection.execute(ADVANCE, {"who": name, "old": old, "new": new, "now": now}).rowcount
    if done != 1:
        return False
    put_down(rows, connection)
    return True


def _prune(before: int, after: int, connection: Connection) -> tuple[int, int | None]:
    rows = connection.execute(OLDEST, {"after": after}).all()
    gone = [
        row.outbox_id
        for row in rows
        if (row.state == "sent" and row.sent_at < before) or (row.state == "dropped" and row.due_at < before)
    ]
    if gone:
        connection.execute(PRUNE, {"ids": gone})
    is_end = len(rows) < PRUNED or rows[-1].created_at >= before
    return len(gone), None if is_end else rows[-1].outbox_id
