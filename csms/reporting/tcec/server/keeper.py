"""Looks after charges that platforms asked for, off the stations' way: binds their sessions, tells results.

* A session that carries the order's token or number is its session: the start has worked.
* No session within the platform's time: the start has failed, and its token charges no more. One that
  begins all the same is stopped; its energy is still told under the platform's StartChargeSeq.
* Its session has ended, by whatever cause: the charge is over.
* A stop that came to nothing within the platform's time has failed; it may be asked for again.

It only polls the database, and every change names the state it starts from: several processes that look at
once are harmless, and none needs to lead.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from csms.errors import StoreUnavailable
from csms.reporting.tcec.server import results
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.orders_desk import OrdersDesk
from csms.reporting.tcec.server.stopping import unasked
from csms.store.platform_envelopes import EnvelopeStore, forget_after
from csms.store.platform_orders import (
    CHARGING,
    FAILED,
    FINISHED,
    STARTING,
    UNWANTED,
    Came,
    PlatformOrder,
    PlatformOrders,
    Step,
)
from csms.store.records import OutboxRow
from csms.store.sessions import SessionStore

LOOK_S = 1.0
TIDY_EVERY = timedelta(minutes=10)
LATE_STARTS = timedelta(hours=1)  # how long a failed start is watched
AWAY = timedelta(days=365)  # what ended since is tidied up by a node that starts
SILENT = "silent"

log = structlog.get_logger()


class Keeper:
    """Run it with `run`; stop by cancelling."""

    def __init__(
        self,
        platforms: Mapping[str, Inbound],
        orders: PlatformOrders,
        sessions: SessionStore,
        envelopes: EnvelopeStore,
        desk: OrdersDesk,
        now: Callable[[], datetime],
    ) -> None:
        self._platforms, self._orders, self._sessions = platforms, orders, sessions
        self._envelopes, self._desk, self._now = envelopes, desk, now
        self._tidy_at = now()
        self._tidied = self._tidy_at - AWAY  # everything that ended before then

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.tend()
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug("platform_orders_unavailable", error=str(exc))
            except Exception:
                log.exception("platform_orders_failed")
            await asyncio.sleep(LOOK_S)

    async def tend(self) -> int:
        """Do what is due now; how many orders changed. Raises StoreUnavailable."""
        now = self._now()
        due = await self._orders.due(list(self._platforms), now, now - LATE_STARTS)
        changed = [await self._began(came) for came in due.began]
        bound = {came.order.order_id for came in due.began}
        changed += [await self._unheard(order) for order in due.unheard if order.order_id not in bound]
        changed += [await self._ended(came) for came in due.ended]
        changed += [await self._unstopped(order) for order in due.unstopped]
        if now >= self._tidy_at:
            await self._tidy(now)
        return sum(changed)

    async def _began(self, came: Came) -> bool:
        order, now = came.order, self._now()
        platform = self._platforms[order.platform]
        if order.state == FAILED:
            values = {"state": UNWANTED, "session_id": came.session_id}
            is_ours = await self._take(order, FAILED, values, [])
        else:
            values = {"state": CHARGING, "session_id": came.session_id}
            owed = [results.started(platform, order, came.started_at, now)]
            is_ours = await self._take(order, STARTING, values, owed)
        if is_ours and order.state == FAILED:
            await self._stop(platform, order._replace(session_id=came.session_id))
        elif is_ours:
            await self._stop_if_asked(platform, order)
        return is_ours

    async def _stop_if_asked(self, platform: Inbound, order: PlatformOrder) -> None:
        """A stop may have been asked for since the order was read; who asks now finds its session."""
        bound = await self._orders.by_seq(order.platform, order.start_charge_seq)
        if bound is not None and bound.stop_asked_at is not None:
            await self._stop(platform, bound)

    async def _stop(self, platform: Inbound, order: PlatformOrder) -> None:
        """Stop a session that nobody wants any more."""
        session = await self._sessions.by_id(order.session_id) if order.session_id is not None else None
        if session is None:
            return
        asked_at = order.stop_asked_at or order.changed_at
        failure = await self._desk.stop(order, session.transaction_id, asked_at)
        if failure and order.state != FAILED:
            now = self._now()
            await self._orders.take(unasked(order, [results.stop_failed(platform, order, failure, now)]), now)

    async def _unheard(self, order: PlatformOrder) -> bool:
        platform, now = self._platforms[order.platform], self._now()
        owed = [results.start_failed(platform, order, SILENT, now)]
        if order.stop_asked_at is not None:
            owed.append(results.stopped(platform, order, now))
        is_ours = await self._take(order, STARTING, {"state": FAILED, "failure": SILENT}, owed)
        if is_ours:
            await self._orders.block_token(order.id_token, now)
        return is_ours

    async def _ended(self, came: Came) -> bool:
        order = came.order
        # An unwanted one was told to have failed: there is nothing to tell of its end but its order.
        wanted = order.state == CHARGING
        owed = [results.stopped(self._platforms[order.platform], order, self._now())] if wanted else []
        return await self._take(order, order.state, {"state": FINISHED, "stop_by": None}, owed)

    async def _unstopped(self, order: PlatformOrder) -> bool:
        platform, now = self._platforms[order.platform], self._now()
        step = unasked(order, [results.stop_failed(platform, order, SILENT, now)])
        return await self._orders.take(step, now)

    async def _take(
        self, order: PlatformOrder, before: str, values: dict[str, object], owed: list[OutboxRow]
    ) -> bool:
        is_ours = await self._orders.take(Step(order.order_id, before, values, owed), self._now())
        if is_ours:
            log.info(
                "platform_order_changed",
                platform=order.platform,
                start_charge_seq=order.start_charge_seq,
                station=order.identity,
                session=values.get("session_id", order.session_id),
                state=values["state"],
            )
        return is_ours

    async def _tidy(self, now: datetime) -> None:
        """Forget what can no longer matter."""
        self._tidy_at = now + TIDY_EVERY
        window = max((one.window for one in self._platforms.values()), default=timedelta(0))
        await self._envelopes.forget(now - forget_after(window))
        over = now - LATE_STARTS
        await self._orders.forget_tokens(list(self._platforms), self._tidied, over)
        self._tidied = over - TIDY_EVERY  # clocks of nodes differ
