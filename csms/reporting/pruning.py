"""Forgets what platforms were told long ago. What waits, what is set aside and every tally stay."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from csms.errors import StoreUnavailable
from csms.store.platforms import PlatformStore

EVERY_S = 3600.0
BETWEEN_S = 0.2  # between pieces: stations' messages come first

log = structlog.get_logger()


class Pruner:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, platforms: PlatformStore, keep: timedelta, now: Callable[[], datetime]) -> None:
        self._platforms, self._keep, self._now = platforms, keep, now

    async def run(self) -> None:
        """Prune every hour, for ever."""
        while True:
            try:
                gone = await self.prune()
                if gone:
                    log.info("outbox_pruned", records=gone)
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug("pruning_unavailable", error=str(exc))
            except Exception:
                log.exception("pruning_failed")
            await asyncio.sleep(EVERY_S)

    async def prune(self) -> int:
        """Forget what is due to be forgotten; how many rows. Raises StoreUnavailable."""
        before, after, gone = self._now() - self._keep, 0, 0
        await self._platforms.forget_ticks(self._now())
        while True:
            n, following = await self._platforms.prune(before, after)
            gone += n
            if following is None:
                return gone
            after = following
            await asyncio.sleep(BETWEEN_S)
