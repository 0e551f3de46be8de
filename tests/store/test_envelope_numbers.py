"""Pairs of second and number, on both databases: each once, near the clock."""

import asyncio
from datetime import datetime, timedelta

from csms.store.database import Database
from csms.store.envelope_numbers import BLOCK, PER_SECOND, EnvelopeNumbers
from csms.store.tables import counters
from tests.store.given import HOUR, T0

S = timedelta(seconds=1)


async def taken(numbers: EnvelopeNumbers, count: int, at: datetime = T0) -> list[tuple[datetime, int]]:
    return [await numbers.take(at) for _ in range(count)]


async def test_no_pair_is_given_twice(database: Database) -> None:
    """Two nodes in the same second, one of which restarts."""
    nodes = [EnvelopeNumbers(database, "city") for _ in range(3)]

    hands = await asyncio.gather(*(taken(node, 2 * BLOCK) for node in nodes))
    given = [one for hand in hands for one in hand]

    assert len(set(given)) == 6 * BLOCK
    assert {second for second, _ in given} == {T0}
    assert sorted(number for _, number in given) == list(range(1, 6 * BLOCK + 1))
    assert await EnvelopeNumbers(database, "other").take(T0) == (T0, 1)


async def test_each_second_begins_anew(database: Database) -> None:
    """What was left of the one before is lost; microseconds do not matter."""
    numbers = EnvelopeNumbers(database, "city")

    assert await numbers.take(T0 + S / 2) == (T0, 1)
    assert await numbers.take(T0 + S) == (T0 + S, 1)
    assert await numbers.take(T0) == (T0 + S, 2)


async def test_a_full_second_runs_over(database: Database) -> None:
    """As a clock that stands still does."""
    numbers = EnvelopeNumbers(database, "city")
    await numbers.take(T0)
    await database.execute(counters.update().values(next=counters.c.next + PER_SECOND - BLOCK - 1))

    first, second = await taken(EnvelopeNumbers(database, "city"), 2)

    assert (first, second) == ((T0, 9999), (T0 + S, 1))


async def test_a_clock_that_was_far_ahead_is_not_followed(database: Database) -> None:
    """A platform would refuse such a TimeStamp."""
    await EnvelopeNumbers(database, "city").take(T0 + HOUR)

    assert await EnvelopeNumbers(database, "city").take(T0) == (T0, 1)
