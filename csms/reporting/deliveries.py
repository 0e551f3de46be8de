"""Makes and delivers what schedules owe, once per period, with patience.

Every node looks; the database lets one have each period and each try. A file is made again for each try: its
name stays the same, and it says what is known by then. After downtime every period that was missed is owed.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import structlog

from csms.books.desk import Desk
from csms.books.exporting import MEDIA_TYPES, temporary_file
from csms.books.making import Span, name_of, parts
from csms.books.targets import folder_of
from csms.config import Settings
from csms.errors import CsmsError, StoreUnavailable
from csms.reporting.bills import BillKeeper
from csms.reporting.parcels import Parcel, Webhooks, digest_of, put_into
from csms.store.billing import BillStore
from csms.store.database import Database
from csms.store.deliveries import DeliveryStore, Made, Owed

POLL_S = 5.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
FORGET_EVERY = timedelta(hours=1)

log = structlog.get_logger()


class Deliveries:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, store: DeliveryStore, desk: Desk, now: Callable[[], datetime]) -> None:
        self._store, self._desk, self._now = store, desk, now
        self._settings = desk.settings
        self._forgotten_at: datetime | None = None

    async def run(self) -> None:
        """Look for what is due, for ever."""
        webhooks = Webhooks(self._settings)
        try:
            while True:
                busy = False
                try:
                    busy = await self.look(webhooks)
                except StoreUnavailable as exc:
                    # The writer reports the outage; here there is nothing to do but to wait.
                    log.debug("deliveries_unavailable", error=str(exc))
                except Exception:
                    log.exception("deliveries_failed")
                await asyncio.sleep(0 if busy else POLL_S)
        finally:
            await webhooks.close()

    async def look(self, webhooks: Webhooks) -> bool:
        """Owe what is due and try one delivery; whether there was anything to do. Raises StoreUnavailable."""
        now = self._now()
        planned = await self._store.plan(now)
        owed = await self._store.take(now)
        if owed is not None:
            await self._try(owed, webhooks)
        await self._forget(now)
        return bool(planned) or owed is not None

    async def _try(self, owed: Owed, webhooks: Webhooks) -> None:
        try:
            made = await self._deliver(owed, webhooks)
        except asyncio.CancelledError:
            # Stopped in the middle: at the next start, not after the lease.
            await asyncio.shield(self._store.give_back(owed.delivery_id, self._now()))
            raise
        except StoreUnavailable:
            raise
        except Exception as exc:
            await self._failed(owed, exc)
            return
        await self._store.delivered(owed, made, self._now())
        late_s = round((self._now() - owed.created_at).total_seconds(), 1)
        log.info("report_delivered", schedule=owed.schedule_id, file=made.file_name, late_s=late_s)

    async def _deliver(self, owed: Owed, webhooks: Webhooks) -> Made:
        form, label = owed.schedule, owed.period.partition("/")[0]
        name = name_of(form, owed.schedule_id, owed.delivery_id, label)
        span = Span(owed.since, owed.until, label)
        async with temporary_file() as file:
            async with aclosing(parts(self._desk, form, span, self._now())) as content:
                async for part in content:
                    await asyncio.to_thread(file.write, part)
            size, digest = await asyncio.to_thread(digest_of, file)
            parcel = Parcel(file, name, MEDIA_TYPES[form.form], owed.delivery_id, digest)
            if form.target == "folder":
                await asyncio.to_thread(put_into, folder_of(self._settings, form.address), parcel)
            else:
                await webhooks.send(form.address, owed.secret or "", parcel, self._now())
        return Made(name, size, digest)

    async def _failed(self, owed: Owed, exc: Exception) -> None:
        # What has a name is for people to mend; what has none is ours, and belongs into the log.
        error = str(exc) if isinstance(exc, CsmsError) else f"{type(exc).__name__}: see the server's log"
        if not isinstance(exc, CsmsError):
            log.error("report_failed", schedule=owed.schedule_id, exc_info=exc)
        if owed.attempts >= self._settings.delivery_attempts:
            await self._store.failed(owed.delivery_id, error)
            log.warning("report_given_up", schedule=owed.schedule_id, period=owed.period, error=error)
            return
        await self._store.again(owed.delivery_id, self._now() + pause(owed.attempts), error)
        log.info("report_not_delivered", schedule=owed.schedule_id, period=owed.period, error=error)

    async def _forget(self, now: datetime) -> None:
        if self._forgotten_at is None or now - self._forgotten_at >= FORGET_EVERY:
            self._forgotten_at = now
            await self._store.forget(now - timedelta(days=self._settings.deliveries_kept_days))


def pause(attempts: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time, with jitter of a quarter."""
    factor: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * factor, LONGEST_PAUSE) * random.uniform(0.75, 1)


def document_works(
    settings: Settings, database: Database, now: Callable[[], datetime]
) -> Iterator[Coroutine[Any, Any, None]]:
    """What is to run for as long as the program does: sums of bills, and schedules."""
    yield BillKeeper(BillStore(database), now).run()
    yield Deliveries(DeliveryStore(database), Desk(database, settings), now).run()
