"""One platform's deliveries: lease what is due, push it, mark how it went.

* The outbox gives out one row of a key at a time, so rows of a key go in order and keys never wait for each
  other. Only so many rows are leased as can be pushed at once, and a push ends before its lease does.
* A platform in trouble gets one row at a time, after longer and longer pauses: what waits keeps its place,
  and is delivered in order when the trouble is over.
* A platform that refuses us (credentials, certificate) is paused in the database, where people see it,
  until somebody resumes it. Every quarter of an hour, and when the process starts, one row asks again.
"""

import asyncio
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

AT_ONCE = 16  # pushes to one platform; its profile bounds them per second
TROUBLE = 3  # pushes in a row without an answer to believe
LONGEST_REST = timedelta(minutes=15)
PROBE_EVERY = timedelta(minutes=15)
WITHIN_LEASE = 0.8  # part of the lease that a push may take
REFUSED = "refused: "  # begins the reason of a pause that is ours; a person's pause is not probed


class Platform(Protocol):
    """What a platform's client must do. `push` raises nothing for what the platform does."""

    @property
    def profile(self) -> Profile: ...

    async def push(self, kind: str, payload: Mapping[str, object]) -> Outcome: ...


class Lane:
    """Deliveries to the platform `name`. `run` is for ever; `deliver_due` once."""

    def __init__(
        self,
        name: str,
        platform: Platform,
        outbox: Outbox,
        settings: ReportingSettings,
        now: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self.name = name
        self._platform = platform
        self._outbox = outbox
        self._settings = settings
        self._now = now
        self._jitter = jitter
        self._log = log.bind(platform=name)
        self._failures = 0  # in a row
        self._rests = 0  # since the platform last answered
        self._rest_until = self._probe_at = now()
        self._is_refused = False
        self._rejections: dict[int, int] = {}  # by row; a restart counts anew

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            try:
                if await self._is_open():
                    await self.deliver_due()
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                self._log.debug("outbox_unavailable", error=str(exc))
            except Exception:
                # Other platforms, and the next row, must not pay for it.
                self._log.exception("deliveries_failed")
            await asyncio.sleep(self._settings.poll_s)

    async def deliver_due(self) -> int:
        """Push until nothing is due or the platform needs a rest; how many pushes.

        Raises StoreUnavailable.
        """
        pushed, running = 0, set[asyncio.Task[None]]()
        try:
            while True:
                entries = await self._lease(AT_ONCE - len(running))
                running |= {asyncio.create_task(self._deliver(entry)) for entry in entries}
                pushed += len(entries)
                if not running:
                    return pushed
                done, running = await asyncio.wait(
                    running, timeout=self._settings.poll_s, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _lease(self, free: int) -> list[OutboxEntry]:
        now = self._now()
        most = min(free, self._settings.outbox_batch)
        if self._failures >= TROUBLE:
            most = min(most, 1 - AT_ONCE + free)  # one in all
        if most <= 0 or now < self._rest_until:
            return []
        return await self._outbox.lease((self.name,), now, most, self._settings.outbox_lease_s)

    async def _deliver(self, entry: OutboxEntry) -> None:
        outcome = await self._push(entry)
        try:
            await self._mark(entry, outcome)
        except StoreUnavailable as exc:
            # It comes due again with the end of its lease, and is sent again.
            self._log.warning("delivery_not_marked", kind=entry.kind, about=entry.about, error=str(exc))

    async def _push(self, entry: OutboxEntry) -> Outcome:
        seconds = self._settings.outbox_lease_s * WITHIN_LEASE
        try:
            async with asyncio.timeout(seconds):
                return await self._platform.push(entry.kind, entry.payload)
        except TimeoutError:
            return Retry(f"no answer within {seconds:g} s")
        except Exception as exc:
            # A fault of ours over one record must hold up no other; it counts, and ends as a dead letter.
            self._log.exception("push_failed", kind=entry.kind, about=entry.about)
            return Rejected(f"internal error: {type(exc).__name__}")

    async def _mark(self, entry: OutboxEntry, outcome: Outcome) -> None:
        """Note how it went."""
        match outcome:
            case Delivered(answer=answer):
                await self._sent(entry, dict(answer))
            case Ignored(reason=reason):
                await self._sent(entry, {"ignored": reason})
            case Disputed(reason=reason, code=code):
                await self._sent(entry, {"disputed": code, "reason": reason})
            case Retry(reason=reason, after_s=after_s):
                await self._failed(entry, reason, after_s)
            case Rejected(reason=reason):
                await self._rejected(entry, reason)
            case Refused(reason=reason):
                await self._refused(entry, reason)

    async def _sent(self, entry: OutboxEntry, answer: dict[str, object]) -> None:
        self._answered()
        self._rejections.pop(entry.outbox_id, None)
        await self._outbox.sent(entry.outbox_id, self._now(), answer)

    async def _failed(self, entry: OutboxEntry, reason: str, after_s: float | None) -> None:
        """No answer to believe: tried again for ever, and the platform is spared meanwhile."""
        now = self._now()
        self._failures += 1
        if self._failures == 1:
            self._log.warning("platform_failed", error=reason)
        # What was under way when a rest began says nothing new.
        if now >= self._rest_until and (self._failures >= TROUBLE or after_s is not None):
            self._rests += 1
            self._rest_until = now + min(self._wait(entry.kind, self._rests, after_s), LONGEST_REST)
        await self._outbox.again(
            entry.outbox_id, now + self._wait(entry.kind, entry.attempts, after_s), reason
        )

    async def _rejected(self, entry: OutboxEntry, reason: str) -> None:
        """Refused for what it says: tried some times, then set aside so that later rows may pass."""
        self._answered()
        now, times = self._now(), self._rejections.pop(entry.outbox_id, 0) + 1
        if times < self._settings.outbox_attempts:
            self._rejections[entry.outbox_id] = times
            await self._outbox.again(entry.outbox_id, now + self._wait(entry.kind, times), reason)
            return
        await self._outbox.dead(entry.outbox_id, now, reason)
        self._log.error("report_set_aside", kind=entry.kind, about=entry.about, error=reason)

    async def _refused(self, entry: OutboxEntry, reason: str) -> None:
        """We are not wanted at all: no row is to blame, and none is tried until that changes."""
        now = self._now()
        await self._outbox.give_back([entry.outbox_id])
        await self._outbox.pause(self.name, REFUSED + reason, now)
        self._probe_at = now + PROBE_EVERY
        if not self._is_refused:
            self._is_refused = True
            self._log.error("platform_paused", error=reason)

    async def _is_open(self) -> bool:
        """Whether rows may go out. A platform that refused us is asked by one of them now and then."""
        reason = (await self._outbox.paused()).get(self.name)
        now = self._now()
        if reason is None:
            return True
        if now < self._probe_at or not reason.startswith(REFUSED):
            return False
        self._probe_at = now + PROBE_EVERY
        self._is_refused, self._failures, self._rest_until = True, TROUBLE, now
        await self._outbox.resume(self.name, now)
        return True

    def _answered(self) -> None:
        """The platform works."""
        if self._is_refused:
            self._log.info("platform_resumed")
        elif self._failures:
            self._log.info("platform_recovered")
        self._is_refused, self._failures, self._rests = False, 0, 0
        self._rest_until = self._now()

    def _wait(self, kind: str, times: int, after_s: float | None = None) -> timedelta:
        """The platform's own schedule, spread so that a thousand rows do not come back together."""
        schedule = self._platform.profile.retry_after_s(kind, times)
        return timedelta(seconds=max(after_s or 0.0, schedule * (0.5 + self._jitter() / 2)))
