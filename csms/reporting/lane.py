"""One platform's deliveries: lease what is due, push it, mark how it went.

* The outbox gives out one row of a key at a time, so rows of a key go in order and keys never wait for each
  other. Only so many rows are leased as can be pushed at once, and a push ends before its lease does.
* A platform in trouble gets one row at a time, after longer and longer pauses: what waits keeps its place,
  and is delivered in order when the trouble is over.
* A kind that its profile gives up after some tries is dropped (of a live value the next one says more); one
  that matters is set aside.
* Where the profile says so, a newer record of the same thing takes the place of those not sent yet, and what
  was told once is not restated.
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
from csms.store.delivery_rows import Told
from csms.store.outbox import Outbox, OutboxEntry

log = structlog.get_logger()

AT_ONCE = 16  # pushes to one platform; its profile bounds them per second
TROUBLE = 3  # pushes in a row without an answer to believe
LONGEST_REST = timedelta(minutes=15)
PROBE_EVERY = timedelta(minutes=15)
WITHIN_LEASE = 0.8  # part of the lease that a push may take


class Platform(Protocol):
    """What a platform's client must do. `push` raises nothing for what the platform does.

    It raises StoreUnavailable where it needs the database.
    """

    @property
    def profile(self) -> Profile: ...

    async def push(self, kind: str, payload: Mapping[str, object]) -> Outcome: ...


class Desk(Protocol):
    """What completes records when they are told. Its methods raise StoreUnavailable without a database."""

    async def complete(self, entry: OutboxEntry) -> Mapping[str, object] | None:
        """The payload as it is told; None: the platform is not told of it."""

    async def delivered(self, entry: OutboxEntry, answer: Mapping[str, object]) -> None:
        """What follows from the platform's answer."""


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
        desk: Desk | None = None,
    ) -> None:
        """`jitter` gives numbers from 0 to 1. Without a `desk` payloads are told as they are."""
        self._desk = desk
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
        try:
            wanted = await self._wanted(entry)
            if wanted is not None:
                told = entry._replace(payload=dict(wanted))
                await self._mark(told, await self._push(told))
        except StoreUnavailable as exc:
            # It comes due again with the end of its lease, and is sent again.
            self._log.warning("delivery_not_marked", kind=entry.kind, about=entry.about, error=str(exc))

    async def _wanted(self, entry: OutboxEntry) -> Mapping[str, object] | None:
        """The payload to tell; None: it is dropped, the platform does not want it."""
        push, now = self._platform.profile.push(entry.kind), self._now()
        if push is not None and push.newest_only and await self._outbox.replaced(entry, now):
            return None
        revision = entry.payload.get("revision", 1)
        if push is not None and not push.restates and revision != 1 and await self._outbox.told_before(entry):
            await self._outbox.drop(entry.hold, now, "the platform takes no correction")
            self._log.warning("correction_not_told", kind=entry.kind, about=entry.about)
            return None
        payload = await self._completed(entry)
        if payload is None:
            await self._outbox.drop(entry.hold, now, "the platform is not told of this place")
        return payload

    async def _completed(self, entry: OutboxEntry) -> Mapping[str, object] | None:
        if self._desk is None:
            return entry.payload
        try:
            return await self._desk.complete(entry)
        except StoreUnavailable:
            raise
        except Exception:
            # What cannot be looked up must not hold up what can: it is told as it is, or refused.
            self._log.exception("record_not_completed", kind=entry.kind, about=entry.about)
            return entry.payload

    async def _push(self, entry: OutboxEntry) -> Outcome:
        seconds = self._settings.outbox_lease_s * WITHIN_LEASE
        try:
            async with asyncio.timeout(seconds):
                return await self._platform.push(entry.kind, entry.payload)
        except TimeoutError:
            return Retry(f"no answer within {seconds:g} s")
        except StoreUnavailable:
            raise
        except Exception as exc:
            # A fault of ours over one record must hold up no other; it counts, and ends as a dead letter.
            self._log.exception("push_failed", kind=entry.kind, about=entry.about)
            return Rejected(f"internal error: {type(exc).__name__}")

    async def _mark(self, entry: OutboxEntry, outcome: Outcome) -> None:
        """Note how it went."""
        match outcome:
            case Delivered(answer=answer, sha256=sha256):
                if self._desk is not None:
                    await self._desk.delivered(entry, answer)
                await self._sent(entry, dict(answer), Told(sha256, self._limit(entry)))
            case Ignored(reason=reason, sha256=sha256):
                await self._sent(entry, {"ignored": reason}, Told(sha256, self._limit(entry)))
            case Disputed(reason=reason, code=code, sha256=sha256):
                told = Told(sha256, self._limit(entry), code, _disputed(entry))
                await self._sent(entry, {"disputed": code, "reason": reason}, told)
            case Retry(reason=reason, after_s=after_s):
                await self._failed(entry, reason, after_s)
            case Rejected(reason=reason):
                await self._rejected(entry, reason)
            case Refused(reason=reason):
                await self._refused(entry, reason)

    async def _sent(self, entry: OutboxEntry, answer: dict[str, object], told: Told) -> None:
        self._answered()
        self._rejections.pop(entry.outbox_id, None)
        await self._outbox.sent(entry.hold, self._now(), answer, told)

    def _limit(self, entry: OutboxEntry) -> float | None:
        push = self._platform.profile.push(entry.kind)
        return None if push is None else push.within_s

    async def _failed(self, entry: OutboxEntry, reason: str, after_s: float | None) -> None:
        """No answer to believe: tried again for ever, and the platform is spared meanwhile."""
        now = self._now()
        self._failures += 1
        if self._failures == 1:
            self._log.warning("platform_failed", error=reason)
        # What was under way when a rest began says nothing new.
        if now >= self._rest_until and (self._failures >= TROUBLE or after_s is not None):
            self._rests += 1
            rest = self._spread(self._platform.profile.rest_s(entry.kind, self._rests), after_s)
            self._rest_until = now + min(rest, LONGEST_REST)
        wait = self._wait(entry.kind, entry.attempts, after_s)
        if wait is None:
            await self._give_up(entry, reason)
        else:
            await self._outbox.again(entry.hold, now + wait, reason)

    async def _give_up(self, entry: OutboxEntry, reason: str) -> None:
        """The profile's schedule is at its end."""
        push = self._platform.profile.push(entry.kind)
        said = f"given up after {entry.attempts} tries: {reason}"
        if push is not None and push.newest_only:
            await self._outbox.drop(entry.hold, self._now(), said)
            return
        await self._outbox.dead(entry.hold, self._now(), said)
        self._log.error("report_set_aside", kind=entry.kind, about=entry.about, error=reason)

    async def _rejected(self, entry: OutboxEntry, reason: str) -> None:
        """Refused for what it says: tried some times, then set aside so that later rows may pass."""
        self._answered()
        now, times = self._now(), self._rejections.pop(entry.outbox_id, 0) + 1
        if times < self._settings.outbox_attempts:
            self._rejections[entry.outbox_id] = times
            wait = self._wait(entry.kind, times) or LONGEST_REST
            await self._outbox.again(entry.hold, now + wait, reason)
            return
        await self._outbox.dead(entry.hold, now, reason)
        self._log.error("report_set_aside", kind=entry.kind, about=entry.about, error=reason)

    async def _refused(self, entry: OutboxEntry, reason: str) -> None:
        """We are not wanted at all: no row is to blame, and none is tried until that changes."""
        now = self._now()
        await self._outbox.give_back(entry.hold)
        await self._outbox.refused(self.name, reason, now)
        self._probe_at = now + PROBE_EVERY
        if not self._is_refused:
            self._is_refused = True
            self._log.error("platform_paused", error=reason)

    async def _is_open(self) -> bool:
        """Whether rows may go out. A platform that refused us is asked by one of them now and then."""
        now = self._now()
        if self.name not in await self._outbox.paused():
            return True
        if now < self._probe_at or not await self._outbox.probe(self.name, now):
            return False
        self._probe_at = now + PROBE_EVERY
        self._is_refused, self._failures, self._rest_until = True, TROUBLE, now
        return True

    def _answered(self) -> None:
        """The platform works."""
        if self._is_refused:
            self._log.info("platform_resumed")
        elif self._failures:
            self._log.info("platform_recovered")
        self._is_refused, self._failures, self._rests = False, 0, 0
        self._rest_until = self._now()

    def _wait(self, kind: str, times: int, after_s: float | None = None) -> timedelta | None:
        """The platform's own schedule; None: it ends here."""
        schedule = self._platform.profile.retry_after_s(kind, times)
        return None if schedule is None else self._spread(schedule, after_s)

    def _spread(self, seconds: float, after_s: float | None) -> timedelta:
        """So that a thousand rows do not come back together; no sooner than the platform asked for."""
        return timedelta(seconds=max(after_s or 0.0, seconds * (0.5 + self._jitter() / 2)))


def _disputed(entry: OutboxEntry) -> dict[str, object] | None:
    """What of an order is kept with its dispute."""
    seq = entry.payload.get("start_charge_seq")
    if not isinstance(seq, str):
        return None
    payload = entry.payload
    return {
        "start_charge_seq": seq,
        "our_energy_wh": payload.get("energy_wh"),
        "our_money": payload.get("money"),
    }
