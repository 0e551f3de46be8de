"""The keeper computes what is due, in batches, and waits out a database that is away."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus as S
from csms.errors import StoreUnavailable
from csms.reporting import use_keeper
from csms.reporting.use_keeper import FEWEST, MOST, UseKeeper
from csms.store.database import Database
from tests.store.connector_history import link, state, tell
from tests.store.given import count, stations

START = datetime(2026, 1, 4, 16, tzinfo=UTC)
GRACE_S = 120


async def filled(database: Database, number: int) -> None:
    """Stations that have been free since Monday's midnight in Shanghai."""
    for station in await stations(database, number):
        await tell(database, station, [link(station, START, "connected"), state(station, START, S.AVAILABLE)])


async def test_everything_due_is_computed_in_batches(database: Database) -> None:
    """More stations than one batch takes; then nothing is left."""
    await filled(database, 2 * FEWEST + 1)
    keeper = UseKeeper(database, lambda: START + timedelta(days=3, minutes=5), GRACE_S)

    assert await keeper.compute_due() == 2 * FEWEST + 1
    assert await keeper.compute_due() == 0

    assert await count(database, "use_periods") == (2 * FEWEST + 1) * 4


async def test_it_goes_on_after_an_outage_and_after_a_mistake(
    inline_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database comes back; an error it did not foresee is a line in the log and a longer pause."""
    monkeypatch.setattr(use_keeper, "LOOK_S", 0.0)
    monkeypatch.setattr(use_keeper, "LONGEST_PAUSE_S", 0.0)
    keeper = UseKeeper(inline_database, lambda: START, GRACE_S)
    results: list[Any] = [StoreUnavailable(), ValueError("oops"), 1]
    done = asyncio.Event()

    async def compute_due() -> int:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        done.set()
        await asyncio.sleep(60)
        return int(result)

    monkeypatch.setattr(keeper, "compute_due", compute_due)
    task = asyncio.create_task(keeper.run())
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert results == []


def test_batches_grow_while_they_are_quick() -> None:
    """And shrink when they keep others waiting."""
    keeper = UseKeeper.__new__(UseKeeper)
    keeper._most = {"days": FEWEST}
    for _ in range(10):
        keeper._adapt("days", 10_000, 0.001)
    assert keeper._most["days"] == MOST
    for _ in range(10):
        keeper._adapt("days", 10_000, 1.0)
    assert keeper._most["days"] == FEWEST
