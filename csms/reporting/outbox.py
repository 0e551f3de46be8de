"""Delivers what city platforms are owed: lease, push, mark; retried, set aside, or paused.

The outbox table is the truth; this only empties it. Rows of one key go in order, keys beside each other. A
row that was leased by a process that died becomes due again by itself; the platform knows a repeat by its
StartChargeSeq, so twice sent is once counted.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from csms.config import ReportingSettings
from csms.errors import StoreUnavailable
from csms.reporting.tcec.outcomes import Delivered, Disputed, Ignored, Outcome, Refused, Rejected, Retry
from csms.reporting.tcec.profile import Profile
from csms.store.outbox import Outbox, OutboxEntry

log = structlog.get_logger()

DISPUTED = "disputed"


class Platform(Protocol):
    """What a platform's client must do."""

    @property
    def profile(self) -> Profile: ...

    async def push(self, kind: str, payload: Mapping[str, object]) -> Outcome: ...


class Deliverer:
    """Empties the outbox for the platforms it has clients for. Run it with `run`; stop by cancelling."""

    def __init__(
        self,
        outbox: Outbox,
        platforms: Mapping[str, Platform],
        settings: ReportingSettings,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self._outbox = outbox
        self._platforms = platforms
        self._settings = settings
        self._now = now
        self._jitter = jitter
        self._failing: set[str] = set()

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            try:
                delivered = await self.deliver_due()
            except StoreUnavailable:
                delivered = 0  # the writer reports the outage; here we only wait
            if not delivered:
                await asyncio.sleep(self._settings.poll_s)

    async def deliver_due(self) -> int:
        """Lease what is due and deliver it; how many rows were taken."""
        entries = await self._outbox.lease(
            tuple(self._platforms), self._now(), self._settings.outbox_batch, self._settings.outbox_lease_s
        )
        lanes: dict[tuple[str, str], list[OutboxEntry]] = {}
        for entry in entries:
            lanes.setdefault((entry.platform, entry.key), []).append(entry)
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._deliver_in_order(lane))
        return len(entries)

    async def _deliver_in_order(self, lane: list[OutboxEntry]) -> None:
        """One key's rows. When one must wait, those behind it wait with it."""
        for n, entry in enumerate(lane):
            outcome = await self._platforms[entry.platform].push(entry.kind, entry.payload)
            if not await self._mark(entry, outcome):
                await self._outbox.give_back([later.outbox_id for later in lane[n + 1 :]])
                return

    async def _mark(self, entry: OutboxEntry, outcome: Outcome) -> bool:
        """Note how it went; whether the next row of the key may follow."""
        now = self._now()
        match outcome:
            case Delivered(answer=answer):
                await self._outbox.sent(entry.outbox_id, now, dict(answer))
            case Ignored(reason=reason):
                await self._outbox.sent(entry.outbox_id, now, {"ignored": reason})
            case Disputed(reason=reason, code=code):
                await self._outbox.sent(entry.outbox_id, now, {DISPUTED: code, "reason": reason})
            case Retry(reason=reason, after_s=after_s):
                await self._outbox.again(entry.outbox_id, now + self._pause(entry, after_s), reason)
                self._note(entry.platform, reason)
                return False
            case Rejected(reason=reason):
                return await self._rejected(entry, reason)
            case Refused(reason=reason):
                await self._outbox.again(entry.outbox_id, now + self._pause(entry, None), reason)
                await self._outbox.pause(entry.platform, reason, now)
                log.error("platform_paused", platform=entry.platform, error=reason)
                return False
        self._recovered(entry.platform)
        return True

    async def _rejected(self, entry: OutboxEntry, reason: str) -> bool:
        """Refused for what it says: tried some times, then set aside so that later rows may pass."""
        now = self._now()
        if entry.attempts < self._settings.outbox_attempts:
            await self._outbox.again(entry.outbox_id, now + self._pause(entry, None), reason)
            return False
        await self._outbox.dead(entry.outbox_id, now, reason)
        log.error(
            "report_set_aside", platform=entry.platform, kind=entry.kind, about=entry.about, error=reason
        )
        return True

    def _pause(self, entry: OutboxEntry, after_s: float | None) -> timedelta:
        """The platform's own schedule, spread so that a thousand rows do not come back together."""
        schedule = self._platforms[entry.platform].profile.retry_after_s(entry.kind, entry.attempts)
        seconds = max(after_s or 0.0, schedule * (0.5 + self._jitter() / 2))
        return timedelta(seconds=seconds)

    def _note(self, platform: str, reason: str) -> None:
        """Say that a platform fails when it begins to, not at every row."""
        if platform not in self._failing:
            self._failing.add(platform)
            log.warning("platform_failed", platform=platform, error=reason)

    def _recovered(self, platform: str) -> None:
        if platform in self._failing:
            self._failing.discard(platform)
            log.info("platform_recovered", platform=platform)
