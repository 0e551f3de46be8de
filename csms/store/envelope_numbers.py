"""Seconds and sequence numbers of envelopes: a pair is given once, to all processes together.

One counter for each platform in the table `counters` runs through all pairs, 9999 for each second, and never
behind the clock. Processes lease a few at a time; what is left of a lease when its second is over is lost.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, case, literal_column, select

from csms.store.database import Database
from csms.store.statements import upsert
from csms.store.tables import counters

PER_SECOND = 9_999
BLOCK = 50  # pairs of a lease
ASTRAY = 60 * PER_SECOND  # a counter so far ahead was set by a clock that was wrong: it is not followed
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


class EnvelopeNumbers:
    """Of one platform. A clock that steps back a little goes on from the last pair."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database, self._name = database, f"envelope/{platform}"
        self._block: Iterator[int] = iter(())
        self._turn = asyncio.Lock()

    async def take(self, now: datetime) -> tuple[datetime, int]:
        """The next second (UTC) and number, 1 to 9999. Raises StoreUnavailable."""
        second = int((now - FIRST).total_seconds())
        async with self._turn:
            # Most common first: the lease lasts.
            number = next(self._block, None)
            if number is None or number // PER_SECOND < second:
                self._block = iter(await self._database.run(partial(_lease, self._name, second * PER_SECOND)))
                number = next(self._block)
        return FIRST + timedelta(seconds=number // PER_SECOND), number % PER_SECOND + 1


def _lease(name: str, floor: int, connection: Connection) -> range:
    next_ = counters.c.next
    mark = upsert(connection.dialect)(counters).values(name=name, next=floor + BLOCK)
    begin = case((next_ < floor, floor), (next_ > floor + ASTRAY, floor), else_=next_)
    raised = mark.on_conflict_do_update(
        index_elements=["name"], set_={"next": begin + literal_column(str(BLOCK))}
    )
    connection.execute(raised)
    # The row is locked until the commit: what we read is what we have set.
    end = int(connection.scalars(select(next_).where(counters.c.name == name)).one())
    return range(end - BLOCK, end)
