"""Gives commands to many stations, at their batch's rate, until none is left. One on every node: they share.

What is sent is leased first, so that no station is told twice, whatever dies when.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from pydantic import TypeAdapter

from csms.api.command_forms import CommandForm, to_command
from csms.api.commands import detail_of
from csms.api.parts import Sender
from csms.domain.redaction import redacted
from csms.errors import StoreUnavailable
from csms.store.batches import BatchStore, Item

log = structlog.get_logger()

TURN_S = 0.25
LONGEST_PAUSE_S = 60.0
MOST_UNDER_WAY = 200  # of this node
STOP_S = 5.0
LEASE_GRACE = timedelta(seconds=30)
FORMS: TypeAdapter[object] = TypeAdapter(CommandForm)


class BatchRunner:
    """Runs until it is cancelled; then it waits a little for what was sent."""

    def __init__(
        self, batches: BatchStore, courier: Sender, now: Callable[[], datetime], within_s: float
    ) -> None:
        """`within_s`: how long a command may take."""
        self._batches, self._courier, self._now, self._within_s = batches, courier, now, within_s
        self._under_way: set[asyncio.Task[None]] = set()
        self.results: Counter[str] = Counter()
        """Items completed by this process, by result."""

    async def run(self, settle_s: float = 0.0) -> None:
        """`settle_s`: after a start, stations need some time to come back."""
        await asyncio.sleep(settle_s)
        try:
            pause_s = TURN_S
            while True:
                try:
                    await self.turn()
                    pause_s = TURN_S
                except Exception:
                    # A batch that stands still is worth a line now and then, and no reason to stop for ever.
                    log.exception("batches_failed")
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                await asyncio.sleep(pause_s)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=STOP_S)
            for task in self._under_way:
                task.cancel()

    async def turn(self) -> int:
        """Send what may be sent now; how many."""
        room = MOST_UNDER_WAY - len(self._under_way)
        if room <= 0:
            return 0
        lease = timedelta(seconds=self._within_s) + LEASE_GRACE
        try:
            items = await self._batches.take(self._now(), lease, room)
        except StoreUnavailable as exc:
            log.warning("batches_not_looked_at", error=str(exc))
            return 0
        for item in items:
            task = asyncio.get_running_loop().create_task(self._give(item))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(items)

    async def idle(self) -> None:
        """Wait for everything that was sent."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _give(self, item: Item) -> None:
        try:
            form = FORMS.validate_python(item.command)
            command = to_command(form, transaction_id="", number=item.item_id)
            outcome = await self._courier.send(item.identity, command, self._within_s)
            self.results[outcome.result.value] += 1
            await self._batches.done(
                item.item_id, outcome.result.value, redacted(detail_of(outcome)), self._now()
            )
        except StoreUnavailable as exc:
            # Its lease runs out, and it counts as silent: it is not sent again.
            log.error("batch_item_not_stored", station=item.identity, error=str(exc))
        except Exception:
            log.exception("batch_item_failed", station=item.identity)  # as above
