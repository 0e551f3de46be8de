"""Keeps sums of what is billed up to date. What is due and how it is summed is the store's (`BillStore`)."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from csms.errors import StoreUnavailable
from csms.store.billing import BillStore

POLL_S = 5.0
BETWEEN_S = 0.2  # between batches: stations' messages come first

log = structlog.get_logger()


class BillKeeper:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, store: BillStore, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    async def run(self) -> None:
        """Sum what is due, for ever."""
        while True:
            pause_s = POLL_S
            try:
                pause_s = BETWEEN_S if await self._store.settle(self._now()) else POLL_S
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug("bills_unavailable", error=str(exc))
            except Exception:
                log.exception("bills_failed")
            await asyncio.sleep(pause_s)
