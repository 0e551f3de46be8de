"""Keeps what connectors did by day, and peaks of sites, up to date. Knows when; the store knows what.

Off the hot path, in small batches with rests between them, as totals are. Several at once, here or on other
nodes, are harmless: whoever comes second finds nothing to do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from csms.errors import StoreUnavailable
from csms.store.database import Database
from csms.store.peaks import Peaks
from csms.store.use_days import UseDays
from csms.store.use_marks import UseMarks

log = structlog.get_logger()

LOOK_S = 30.0
FEWEST, MOST = 5, 200  # stations, or hours of sites, per transaction
BATCH_S = 0.06  # how long one should take: stations' messages wait for it on SQLite
REST = 1.0  # of the time a batch took: nobody waits for yesterday
LONGEST_PAUSE_S = 300.0

Compute = Callable[[int], Awaitable[int]]


class UseKeeper:
    """Run it with `run`; stop by cancelling."""

    def __init__(self, database: Database, now: Callable[[], datetime], grace_s: float) -> None:
        self._now = now
        self._grace = timedelta(seconds=grace_s)
        self._marks = UseMarks(database)
        self._days = UseDays(database)
        self._peaks = Peaks(database)
        self._most = {"days": FEWEST, "peaks": FEWEST}

    async def run(self) -> None:
        """Compute what is due, for ever."""
        pause_s = LOOK_S
        while True:
            try:
                await self.compute_due()
                pause_s = LOOK_S
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug("use_unavailable", error=str(exc))
            except Exception:
                log.exception("use_failed")
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def compute_due(self) -> int:
        """Everything that is due; how many stations and hours of sites it took. Raises StoreUnavailable."""
        while await self._marks.note_late(self._now()):
            pass
        days = await self._all("days", lambda most: self._days.compute(self._now(), self._grace, most))
        return days + await self._all(
            "peaks", lambda most: self._peaks.compute(self._now(), self._grace, most)
        )

    async def _all(self, kind: str, compute: Compute) -> int:
        total = 0
        while True:
            began = time.monotonic()
            done = await compute(self._most[kind])
            taken_s = time.monotonic() - began
            if not done:
                return total
            total += done
            self._adapt(kind, done, taken_s)
            await asyncio.sleep(taken_s * REST)

    def _adapt(self, kind: str, done: int, taken_s: float) -> None:
        """Larger batches where they are quick, smaller ones where they are slow."""
        most = self._most[kind]
        if taken_s > BATCH_S:
            self._most[kind] = max(FEWEST, most // 2)
        elif done >= most and taken_s < BATCH_S / 2:
            self._most[kind] = min(MOST, most * 2)
