"""Forgets events, deliveries and alarms of long ago, a bounded number at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from csms.errors import StoreUnavailable

EVERY_S = 3600.0
BETWEEN_S = 0.2  # between pieces: stations' messages come first

log = structlog.get_logger()

Prune = Callable[[datetime], Awaitable[int]]


class Forgetting:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, kept: dict[str, tuple[Prune, timedelta]], now: Callable[[], datetime]) -> None:
        """`kept`: by name, what forgets a piece of what is older, and for how long it is kept."""
        self._kept, self._now = kept, now

    async def run(self) -> None:
        """Forget every hour, for ever."""
        while True:
            for name in self._kept:
                try:
                    if gone := await self.forget(name):
                        log.info("forgotten", what=name, records=gone)
                except StoreUnavailable as exc:
                    log.debug("forgetting_unavailable", error=str(exc))
                except Exception:
                    log.exception("forgetting_failed", what=name)
            await asyncio.sleep(EVERY_S)

    async def forget(self, name: str) -> int:
        """Everything of that name that is due; how many. Raises StoreUnavailable."""
        prune, keep = self._kept[name]
        gone = 0
        while piece := await prune(self._now() - keep):
            gone += piece
            await asyncio.sleep(BETWEEN_S)
        return gone
