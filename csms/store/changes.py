"""The feed of changes as it is read: by number, without ever skipping one that commits late.

On SQLite one writer numbers and commits in one order. On PostgreSQL a transaction may be given number 7 and
commit after another that has 8. Numbers without a gap are certain. At a gap, the transactions are noted that
hold the lock of whoever writes to the table: each took it before its number, and keeps it to its end. Once
all of them have ended, what is still missing below the newest number was rolled back and never comes.

Every method raises StoreUnavailable when the database is away.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, literal_column, select, text

from csms.store.change_tables import changes
from csms.store.database import Database
from csms.store.tables import charging_stations, operators, sites
from csms.store.times import micros

MOST = 1_000  # events of one read
COUNTED = 10_000  # numbers looked through for gaps
PATIENCE_S = 60.0  # no transaction of ours lasts that long: statements and idling end sooner
PRUNED = 1_000  # rows per transaction
GAP_PAUSE_S = 0.01

n = changes.c.number
NEWEST = select(func.coalesce(func.max(n), 0))
OLDEST = select(func.coalesce(func.min(n), 0))
SINCE = select(func.coalesce(func.max(n), 0), func.count()).where(
    n > bindparam("after"), n <= bindparam("until")
)
# Who has put something into the feed and has not ended yet. The lock is taken before the number is.
WRITERS: Select[Any] = (
    select(literal_column("virtualtransaction"))
    .where(
        text(
            "locktype = 'relation' AND relation = CAST('changes' AS regclass) AND mode = 'RowExclusiveLock' "
            "AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    )
    .select_from(text("pg_locks"))
)
EVENTS = (
    select(
        n,
        changes.c.at,
        changes.c.kind,
        operators.c.code.label("operator"),
        sites.c.code.label("site"),
        charging_stations.c.identity.label("station"),
        changes.c.session_id,
        changes.c.body,
    )
    .outerjoin(operators, operators.c.operator_id == changes.c.operator_id)
    .outerjoin(sites, sites.c.site_id == changes.c.site_id)
    .outerjoin(charging_stations, charging_stations.c.station_id == changes.c.station_id)
    .where(n > bindparam("after"), n <= bindparam("until"))
    .order_by(n)
    .limit(bindparam("most"))
)
PLACES = (
    select(
        charging_stations.c.station_id,
        charging_stations.c.identity,
        operators.c.code.label("operator"),
        sites.c.code.label("site"),
    )
    .outerjoin(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .outerjoin(sites, sites.c.site_id == charging_stations.c.site_id)
)
AMONG = select(n, changes.c.at).order_by(n).limit(PRUNED)
FORGET = delete(changes).where(n <= bindparam("until"))


class Event(NamedTuple):
    """A row of the feed with names in place of numbers. `at` in microseconds, `body` JSON text.

    What is told and not kept has the number 0.
    """

    number: int
    at: int
    kind: str
    operator: str | None
    site: str | None
    station: str | None
    session_id: int | None
    body: str


class _Barrier(NamedTuple):
    """The newest number at a time, and who was writing then."""

    number: int
    writers: frozenset[str]
    since: float


class Whereabouts(NamedTuple):
    """A station by its names."""

    identity: str
    operator: str | None
    site: str | None


class ChangeFeed:
    """Reads the feed, in one process. `horizon` says how far it is certain."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._certain = 0
        self._barrier: _Barrier | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there are events that are not certain yet; they will be in a moment."""
        return self._barrier is not None

    async def horizon(self) -> int:
        """The number up to which no event can come any more."""
        async with self._turn:
            if self._database.dialect == "sqlite":
                return await self._one(NEWEST)
            await self._advance()
            return self._certain

    async def settled(self, within_s: float = 1.0) -> int:
        """The horizon, once everything is certain that is there now; what is by then at the latest."""
        until = time.monotonic() + within_s
        while True:
            certain = await self.horizon()
            if not self.is_waiting or time.monotonic() > until:
                return certain
            await asyncio.sleep(GAP_PAUSE_S)

    async def oldest(self) -> int:
        """The first event that is still kept; 0 when there is none."""
        return await self._one(OLDEST)

    async def read(self, after: int, until: int, most: int = MOST) -> list[Event]:
        """Events behind `after` up to `until`, which must be certain; oldest first."""
        asked = {"after": after, "until": until, "most": most}
        rows = await self._database.browse(lambda connection: connection.execute(EVENTS, asked).all())
        return [Event(*row) for row in rows]

    async def places(self) -> dict[int, Whereabouts]:
        """Every station's names, by its number."""
        rows = await self._database.browse(lambda connection: connection.execute(PLACES).all())
        return {row[0]: Whereabouts(row[1], row[2], row[3]) for row in rows}

    async def prune(self, before: datetime) -> int:
        """Forget a bounded number of events from before `before`; how many. The newest always stays."""
        return await self._database.run(partial(_prune, micros(before)))

    async def _advance(self) -> None:
        if self._barrier is not None:
            is_late = time.monotonic() - self._barrier.since > PATIENCE_S
            if not is_late and self._barrier.writers & await self._writers():
                return
            self._certain, self._barrier = self._barrier.number, None
        asked = {"after": self._certain, "until": self._certain + COUNTED}
        newest, count = (await self._rows(SINCE, asked))[0]
        if count == newest - self._certain or not count:
            self._certain = max(self._certain, newest)
        if count in (0, COUNTED) or newest > self._certain:
            # A gap, or more than was looked through.
            newest = await self._one(NEWEST)
            if newest > self._certain:
                # The number first: whoever has a lower one and is not done yet is among them.
                self._barrier = _Barrier(newest, await self._writers(), time.monotonic())

    async def _writers(self) -> frozenset[str]:
        return frozenset(row[0] for row in await self._rows(WRITERS))

    async def _one(self, query: Any) -> int:
        return int((await self._rows(query))[0][0])

    async def _rows(self, query: Any, asked: dict[str, int] | None = None) -> Sequence[Any]:
        return await self._database.browse(lambda connection: connection.execute(query, asked or {}).all())


def _prune(before: int, connection: Connection) -> int:
    rows = connection.execute(AMONG).all()
    newest = connection.execute(NEWEST).scalar_one()
    # In the order of numbers: one that is kept keeps all behind it. SQLite would begin at 1 again with the
    # newest gone, and readers' cursors would lie.
    gone = 0
    for row in rows:
        if row.at >= before or row.number == newest:
            break
        gone = row.number
    return int(connection.execute(FORGET, {"until": gone}).rowcount) if gone else 0
