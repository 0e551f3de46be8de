"""Envelopes are taken once, by one of many, and forgotten in time."""

import asyncio
from datetime import UTC, datetime, timedelta

from csms.store.database import Database
from csms.store.platform_envelopes import EnvelopeName, EnvelopeStore, forget_after
from tests.store.given import count

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
NAME = EnvelopeName("beijing", "999999999", "20260105180000", "0001", "A" * 32)


async def test_an_envelope_is_taken_once(database: Database) -> None:
    """Many at once, on two nodes: one of them gets it. Another Sig of the same second is another envelope."""
    nodes = EnvelopeStore(database), EnvelopeStore(database)

    taken = await asyncio.gather(*(nodes[n % 2].take(NAME, NOW) for n in range(20)))
    other = await nodes[0].take(NAME._replace(sig="B" * 32), NOW)

    assert sum(taken) == 1
    assert other


async def test_old_envelopes_are_forgotten(database: Database) -> None:
    """Those before the limit; an envelope at it stays."""
    store = EnvelopeStore(database)
    for n in range(3):
        await store.take(NAME._replace(seq=f"000{n}"), NOW + timedelta(seconds=n))

    gone = await store.forget(NOW + timedelta(seconds=1))

    assert gone == 1
    assert await count(database, "platform_envelopes") == 2
    assert not await store.take(NAME._replace(seq="0001"), NOW)


def test_they_are_known_longer_than_they_could_come_again() -> None:
    """A stamp may lie a window ahead of us and is good for a window after."""
    assert forget_after(timedelta(minutes=5)) > timedelta(minutes=10)
