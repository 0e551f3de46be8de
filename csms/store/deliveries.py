"""Files that schedules owe: each period once, whoever looks first. Knows rows; makes no file.

A period is owed by inserting its delivery: UNIQUE (schedule, period). A delivery is taken by moving its due
time forward by a lease, which only one node can do; one that dies with it gives it back by the clock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, literal_column, select, update

from csms.store.command_queries import AUDIT
from csms.store.database import Database
from csms.store.records import AuditRow
from csms.store.schedule_tables import deliveries, schedules
from csms.store.schedules import ONE, SHOWN, ScheduleForm, form_of, owe
from csms.store.times import instant, micros

LEASE = timedelta(minutes=15)  # a large file takes minutes; a node that died is not waited for much longer
MOST = 100

s, d = schedules, deliveries


class Owed(NamedTuple):
    """A delivery in the hands of a worker. `attempts` counts this one; `secret` signs it."""

    delivery_id: int
    schedule_id: int
    schedule: ScheduleForm
    secret: str | None
    period: str
    since: datetime
    until: datetime
    created_at: datetime
    attempts: int


class Made(NamedTuple):
    """What was delivered."""

    file_name: str
    bytes: int
    sha256: str


class Tallies(NamedTuple):
    """Deliveries by state, and the oldest that waits."""

    states: dict[str, int]
    oldest: datetime | None


# Written out, because SQLite uses a partial index only for the very words of its condition.
DUE = (
    SHOWN.where(
        s.c.next_at <= bindparam("now"),
        literal_column("schedules.enabled = 1 AND schedules.removed_at IS NULL"),
    )
    .order_by(s.c.next_at)
    .limit(MOST)
)
MOVE_ON = (
    update(s)
    .where(s.c.schedule_id == bindparam("id"), s.c.next_at == bindparam("old"))
    .values(next_at=bindparam("new"))
)
WAITING: ColumnElement[bool] = literal_column("deliveries.state = 'waiting'")
READY = (
    select(d.c.delivery_id, d.c.due_at)
    .where(WAITING, d.c.due_at <= bindparam("now"))
    .order_by(d.c.due_at)
    .limit(MOST)
)
TAKE = (
    update(d)
    .where(d.c.delivery_id == bindparam("id"), d.c.due_at == bindparam("old"), WAITING)
    .values(due_at=bindparam("new"), attempts=d.c.attempts + literal_column("1"))
)
TAKEN = select(d).where(d.c.delivery_id == bindparam("id"))
END = update(d).where(d.c.delivery_id == bindparam("id"), WAITING)
DELIVERED = END.values(
    state=literal_column("'delivered'"),
    delivered_at=bindparam("now"),
    file_name=bindparam("name"),
    bytes=bindparam("size"),
    sha256=bindparam("digest"),
    last_error=None,
)
AGAIN = END.values(due_at=bindparam("new"), last_error=bindparam("error"))
FAILED = END.values(state=literal_column("'failed'"), last_error=bindparam("error"))
GIVE_BACK = END.values(due_at=bindparam("new"), attempts=d.c.attempts - literal_column("1"))
STATES = select(d.c.state, func.count().label("n"), func.min(d.c.created_at).label("oldest")).group_by(
    d.c.state
)
FORGET = delete(d).where(d.c.created_at < bindparam("before"), d.c.state != literal_column("'waiting'"))


class DeliveryStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, now: datetime) -> int:
        """Owe what is due, one period of each schedule; how many schedules were due."""
        due = await self._database.read(DUE, {"now": micros(now)})
        if due:
            await self._database.run(partial(_plan, due, micros(now)))
        return len(due)

    async def take(self, now: datetime) -> Owed | None:
        """One delivery that is due, for this worker alone until its lease ends."""
        for row in await self._database.read(READY, {"now": micros(now)}):
            taken = await self._database.run(partial(_take, row, micros(now + LEASE)))
            if taken is not None:
                secret = None if taken.secret is None else self._database.seal.open(taken.secret)
                return taken._replace(secret=secret)
        return None

    async def delivered(self, owed: Owed, made: Made, now: datetime) -> None:
        """It has arrived; also in the audit log."""
        asked = {
            "id": owed.delivery_id, "now": micros(now), "name": made.file_name, "size": made.bytes,
            "digest": made.sha256,
        }  # fmt: skip
        note = AuditRow.of(
            now, f"schedule:{owed.schedule_id}", "export", owed.schedule.report, {"file": made.file_name}
        )
        await self._database.run(partial(_delivered, asked, note))

    async def again(self, delivery_id: int, at: datetime, error: str) -> None:
        """Try again at `at`."""
        await self._database.execute(AGAIN, {"id": delivery_id, "new": micros(at), "error": error})

    async def give_back(self, delivery_id: int, now: datetime) -> None:
        """Taken and not tried: due again, and the attempt does not count."""
        await self._database.execute(GIVE_BACK, {"id": delivery_id, "new": micros(now)})

    async def failed(self, delivery_id: int, error: str) -> None:
        """Give up, for people to look at."""
        await self._database.execute(FAILED, {"id": delivery_id, "error": error})

    async def tallies(self) -> Tallies:
        """For metrics."""
        rows = await self._database.read(STATES)
        oldest = next((row.oldest for row in rows if row.state == "waiting"), None)
        return Tallies({row.state: row.n for row in rows}, None if oldest is None else instant(oldest))

    async def forget(self, before: datetime) -> int:
        """Forget deliveries that ended, of before `before`; how many."""
        return await self._database.execute(FORGET, {"before": micros(before)})


def _delivered(asked: dict[str, Any], note: AuditRow, connection: Connection) -> None:
    if connection.execute(DELIVERED, asked).rowcount == 1:
        connection.execute(AUDIT, note._asdict())


def _plan(due: Sequence[Row[Any]], now: int, connection: Connection) -> None:
    for row in due:
        rhythm = form_of(row).rhythm
        run = rhythm.due_at(instant(row.next_at))
        following = rhythm.next_after(run.due_at)
        moved = {"id": row.schedule_id, "old": row.next_at, "new": micros(following.due_at)}
        # Who comes second finds it moved on, and the period owed.
        if connection.execute(MOVE_ON, moved).rowcount == 1:
            owe(row.schedule_id, run, now, connection)


def _take(row: Row[Any], until: int, connection: Connection) -> Owed | None:
    asked = {"id": row.delivery_id, "old": row.due_at, "new": until}
    if connection.execute(TAKE, asked).rowcount != 1:
        return None
    taken = connection.execute(TAKEN, {"id": row.delivery_id}).one()
    of = connection.execute(ONE, {"id": taken.schedule_id}).one()
    times = (instant(taken.since), instant(taken.until), instant(taken.created_at))
    return Owed(
        taken.delivery_id, of.schedule_id, form_of(of), of.secret, taken.period, *times, taken.attempts
    )
