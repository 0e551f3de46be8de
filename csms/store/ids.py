"""Numbers that are never given twice: by no other node, after no crash, and after no restored backup.

Blocks are leased from the table `counters`: what a crash leaves of a block is lost, not reused. A restored
backup has old counters, so a block never starts below a floor that rises with the clock: faster than
numbers are used over time (`Kind.per_second`), and so beyond all that were given after the backup was made,
as long as the minutes that a restore takes outlast the last rush.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, literal_column, select

from csms.errors import StoreError
from csms.store.database import Database
from csms.store.statements import upsert
from csms.store.tables import counters

FIRST = datetime(2026, 1, 1, tzinfo=UTC)  # earlier clocks are wrong


class NumbersUsedUp(StoreError):
    """No number of this kind is left."""


class Kind(NamedTuple):
    """`per_second`: how fast the floor rises, hence the highest average use it protects."""

    name: str
    block: int
    per_second: int
    last: int


SESSIONS = Kind("session", 1_000, 1_000, 10**18 - 1)  # 18 digits: the city's order number has no more
TRANSACTIONS = Kind("transaction", 200, 4, 2**31 - 1)  # int32 of 1.6; the floor gets there in 2043


class Ids:
    """Gives numbers from blocks in memory; asks the database once a block."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._blocks: dict[str, Iterator[int]] = {}
        self._leasing = asyncio.Lock()

    async def session_id(self) -> int:
        """A session's number: at most 18 digits."""
        return await self._next(SESSIONS)

    async def transaction_id(self) -> int:
        """A 1.6 transaction id: int32, above 0, unique over all stations."""
        return await self._next(TRANSACTIONS)

    async def _next(self, kind: Kind) -> int:
        # Most common first: the block lasts.
        number = next(self._blocks.get(kind.name, iter(())), None)
        while number is None:
            async with self._leasing:
                number = next(self._blocks.get(kind.name, iter(())), None)
                if number is None:
                    self._blocks[kind.name] = iter(await self._lease(kind))
        return number

    async def _lease(self, kind: Kind) -> range:
        floor = 1 + kind.per_second * max(0, int((self._now() - FIRST).total_seconds()))

        def job(connection: Connection) -> int:
            mark = upsert(connection.dialect)(counters).values(name=kind.name, next=floor + kind.block)
            higher = case((counters.c.next > floor, counters.c.next), else_=floor)
            raised = mark.on_conflict_do_update(
                index_elements=["name"], set_={"next": higher + literal_column(str(kind.block))}
            )
            connection.execute(raised)
            # The row is locked until the commit: what we read is what we have set.
            return int(connection.scalars(select(counters.c.next).where(counters.c.name == kind.name)).one())

        end = await self._database.run(job)
        if end > kind.last:
            raise NumbersUsedUp(kind.name)
        return range(end - kind.block, end)
