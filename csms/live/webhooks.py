"""Delivers the feed to webhooks: each in order and at least once, and none in the way of another.

Every webhook that has something to be told gets a task of its own, which leases it, sends letter after
letter until it has caught up or one fails, and gives it back. Failures wait ever longer; after so many in a
row the webhook is paused, which is an alarm, until somebody resumes it.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog

from csms.config_live import WebhookSettings
from csms.errors import StoreUnavailable
from csms.live.events import Wanted
from csms.live.messenger import GONE, Messenger, letter_of
from csms.live.tail import Tail
from csms.store.changes import MOST, Event
from csms.store.times import micros
from csms.store.webhooks import Delivery, Webhook, WebhookStore

log = structlog.get_logger()

LOOK_S = 1.0
LEASE_MORE_S = 20.0  # beside the time a delivery may take
WRITE_AFTER = 1_000  # events nobody wants before the position is written


class _Batch(NamedTuple):
    events: list[Event]
    until: int  # everything up to here was looked at


class _Seen(NamedTuple):
    """Nothing of these kinds is between `position` and `until`."""

    position: int
    kinds: frozenset[str] | None
    until: int


class Webhooks:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(
        self,
        store: WebhookStore,
        tail: Tail,
        messenger: Messenger,
        settings: WebhookSettings,
        now: Callable[[], datetime],
        holder: str,
    ) -> None:
        """`holder` names this process in leases; no two have the same."""
        self._store, self._tail, self._messenger = store, tail, messenger
        self._settings, self._now, self._holder = settings, now, holder
        self._lease_s = settings.timeout_s + LEASE_MORE_S
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._seen: dict[int, _Seen] = {}
        self._moved: asyncio.Event | None = None

    async def run(self) -> None:
        """Deliver for ever."""
        try:
            while True:
                try:
                    await self.look()
                except StoreUnavailable as exc:
                    log.debug("webhooks_unavailable", error=str(exc))
                except Exception:
                    log.exception("webhooks_failed")
                await self._wait()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def look(self) -> int:
        """Begin to serve every webhook that is due; how many are being served. Raises StoreUnavailable."""
        hooks = await self._store.active()
        await self._mind_tail(bool(hooks))
        now = micros(self._now())
        for hook in hooks:
            if hook.webhook_id not in self._tasks and hook.due_at <= now and self._is_behind(hook):
                task = asyncio.create_task(self._serve(hook), name=f"webhook {hook.webhook_id}")
                self._tasks[hook.webhook_id] = task
                task.add_done_callback(partial(self._served, hook.webhook_id))
        return len(self._tasks)

    def _served(self, webhook_id: int, _: "asyncio.Task[None]") -> None:
        del self._tasks[webhook_id]

    async def _mind_tail(self, is_wanted: bool) -> None:
        if is_wanted and self._moved is None:
            self._moved = await self._tail.watch()
        elif not is_wanted and self._moved is not None:
            self._tail.unwatch(self._moved)
            self._moved = None

    async def _wait(self) -> None:
        if self._moved is None:
            await asyncio.sleep(LOOK_S)
            return
        try:
            async with asyncio.timeout(LOOK_S):
                await self._moved.wait()
        except TimeoutError:
            return
        self._moved.clear()

    def _is_behind(self, hook: Webhook) -> bool:
        return self._begin(hook) < self._tail.position

    def _begin(self, hook: Webhook) -> int:
        seen = self._seen.get(hook.webhook_id)
        if seen is None or (seen.position, seen.kinds) != (hook.position, hook.kinds):
            return hook.position
        return seen.until

    async def _serve(self, hook: Webhook) -> None:
        try:
            while (moved := await self._turn(hook)) is not None:
                hook = moved
        except StoreUnavailable as exc:
            log.debug("webhook_unavailable", webhook=hook.webhook_id, error=str(exc))
        except Exception:
            log.exception("webhook_failed", webhook=hook.webhook_id)

    async def _turn(self, hook: Webhook) -> Webhook | None:
        """One letter; the webhook as it is afterwards, or None when there is nothing more to do now."""
        batch = await self._batch(hook)
        if not batch.events:
            if batch.until - hook.position >= WRITE_AFTER:
                await self._store.skip(hook, batch.until)
            await self._store.release(hook.webhook_id, self._holder)
            return None
        async with self._messenger.room:
            return await self._tell(hook, batch)

    async def _tell(self, hook: Webhook, batch: _Batch) -> Webhook | None:
        leased = await self._store.lease(hook, self._holder, self._now(), self._lease_s)
        if leased is None or leased.kinds != hook.kinds:
            return leased  # other kinds: the letter is made again
        hook = leased
        done = await self._messenger.send(hook, letter_of(hook, batch.events))
        if done.error:
            await self._failed(hook, done)
            return None
        if not await self._store.delivered(hook, self._holder, done):
            await self._store.release(hook.webhook_id, self._holder)
            return None  # it was sent elsewhere meanwhile: looked at afresh
        return hook._replace(position=done.last, attempts=0)

    async def _batch(self, hook: Webhook) -> _Batch:
        """The next events it wants, up to a letter full."""
        wanted = Wanted(hook.operator, hook.kinds)
        at = self._begin(hook)
        certain = self._tail.position
        found: list[Event] = []
        while at < certain and not found:
            events = await self._tail.feed.read(at, certain)
            found = [event for event in events if wanted.takes(event)][: self._settings.batch]
            at = events[-1].number if len(events) == MOST else certain
        if not found:
            self._seen[hook.webhook_id] = _Seen(hook.position, hook.kinds, at)
        return _Batch(found, at)

    async def _failed(self, hook: Webhook, done: Delivery) -> None:
        attempts = hook.attempts + 1
        paused = ""
        if done.status == GONE:
            paused = "the receiver says it is gone (HTTP 410)"
        elif attempts >= self._settings.attempts:
            paused = f"{attempts} failures in a row: {done.error}"
        again = self._now() + self._delay(attempts)
        await self._store.failed(hook, self._holder, done, micros(again), paused)
        # The first and the last of a row are worth a line; the address may hold a secret and is not shown.
        if attempts == 1 or paused:
            log.warning(
                "webhook_not_delivered", webhook=hook.webhook_id, error=done.error, paused=bool(paused)
            )

    def _delay(self, attempts: int) -> timedelta:
        longest = min(
            self._settings.first_delay_s * 2 ** min(attempts - 1, 30), self._settings.longest_delay_s
        )
        return timedelta(seconds=longest * random.uniform(0.75, 1.25))
