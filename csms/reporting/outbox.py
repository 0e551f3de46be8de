"""Delivers what city platforms are owed: a lane for each platform, none of which waits for another.

The outbox table is the truth; this only empties it. Whatever is lost on the way (a reply, a process) comes
due again with the end of its lease and is sent again: a platform knows an order by its StartChargeSeq, so
twice sent is once counted. How one platform is dealt with is in `lane`.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime

from csms.config import ReportingSettings
from csms.reporting.lane import Desk, Lane, Platform
from csms.store.outbox import Outbox

__all__ = ["Deliverer", "Platform"]


class Deliverer:
    """Empties the outbox for the platforms it has clients for. Run it with `run`; stop by cancelling.

    Several may run at once, here or on other nodes: a row is leased to one of them.
    """

    def __init__(
        self,
        outbox: Outbox,
        platforms: Mapping[str, Platform],
        settings: ReportingSettings,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
        desks: Mapping[str, Desk] | None = None,
    ) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self._lanes = [
            Lane(name, platform, outbox, settings, now, jitter, (desks or {}).get(name))
            for name, platform in platforms.items()
        ]

    async def run(self) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run(), name=f"deliveries to {lane.name}")

    async def deliver_due(self) -> int:
        """Deliver until nothing is due; how many pushes that took. Raises StoreUnavailable."""
        return sum(await asyncio.gather(*(lane.deliver_due() for lane in self._lanes)))
