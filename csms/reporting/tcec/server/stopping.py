"""query_stop_charge: ends a charge that a platform names, and answers in time in any case.

A stop that comes again while one is under way, or after it has worked, gets the same answer and has no
second effect; one that failed may be asked for again. A charge that has not begun yet is stopped as soon
as it does.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from csms.domain.charging_session import ChargingSession, SessionState
from csms.reporting.tcec.pulls import CommandPull
from csms.reporting.tcec.server.asks import StartAsk
from csms.reporting.tcec.server.directory import Directory, Outlet
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.orders_desk import OrdersDesk
from csms.reporting.tcec.server.results import stop_failed
from csms.reporting.tcec.server.starting import (
    OF_RESULT_TIME,
    RESULT_WITHIN_S,
    SEQ_CHARGING,
    SEQ_FINISHED,
    SEQ_STOPPING,
    SEQ_UNKNOWN,
    order_form,
    reason_of,
    seconds_until,
    time_to_answer,
)
from csms.store.platform_orders import CHARGING, STARTING, PlatformOrder, PlatformOrders, Step
from csms.store.records import OutboxRow
from csms.store.sessions import SessionStore

ALREADY, NO_SUCH = "already-stopped", "no-such-connector"
SEQ_DIGITS = 18  # of a session's number in a StartChargeSeq of ours

log = structlog.get_logger()


class Stopper:
    """Stops charges. `keep` is given the tasks that outlast the answer."""

    def __init__(
        self,
        directory: Directory,
        orders: PlatformOrders,
        sessions: SessionStore,
        desk: OrdersDesk,
        now: Callable[[], datetime],
        keep: Callable[[asyncio.Task[Any]], None],
    ) -> None:
        self._directory, self._orders, self._sessions, self._desk = directory, orders, sessions, desk
        self._now, self._keep = now, keep

    async def stop(self, platform: Inbound, ask: StartAsk) -> dict[str, Any]:
        """The answer's body. Raises StoreUnavailable."""
        pull = platform.profile.pulls.stop_charge or CommandPull(path="query_stop_charge")
        order = await self._orders.by_seq(platform.name, ask.start_charge_seq)
        if order is None:
            return await self._stop_of_ours(platform, pull, ask)
        if order.connector_id != ask.connector_id:
            return _answer(pull, ask, SEQ_UNKNOWN, NO_SUCH)
        if order.stop_asked_at is not None or order.stop_answer is not None:
            return order.stop_answer or _answer(pull, ask, SEQ_STOPPING, "")
        if order.state not in (STARTING, CHARGING):
            return _answer(pull, ask, SEQ_FINISHED, ALREADY)
        session = await self._session_of(order)
        if session is not None and session.state is SessionState.ENDED:
            return _answer(pull, ask, SEQ_FINISHED, ALREADY)
        return await self._stop(platform, pull, order, session, ask)

    async def _stop(
        self,
        platform: Inbound,
        pull: CommandPull,
        order: PlatformOrder,
        session: ChargingSession | None,
        ask: StartAsk,
    ) -> dict[str, Any]:
        now = self._now()
        by = now + timedelta(seconds=(pull.result_within_s or RESULT_WITHIN_S) * OF_RESULT_TIME)
        answer = _answer(pull, ask, SEQ_STOPPING, "")
        if not await self._orders.ask_stop(order.order_id, by, now):
            return answer
        if session is None:
            # It may have begun since the order was read, and the watch has looked before we asked.
            session = await self._session_of(await self._orders.by_seq(platform.name, ask.start_charge_seq))
        if session is not None and session.state is not SessionState.ENDED:
            order = order._replace(session_id=session.session_id)
            failure = await self._tried(platform, pull, order._replace(stop_asked_at=now), session)
            if failure:
                return _answer(pull, ask, SEQ_CHARGING, failure)
        await self._orders.stop_told(order.order_id, answer)
        return answer

    async def _session_of(self, order: PlatformOrder | None) -> ChargingSession | None:
        number = None if order is None else order.session_id
        return None if number is None else await self._sessions.by_id(number)

    async def _tried(
        self, platform: Inbound, pull: CommandPull, order: PlatformOrder, session: ChargingSession
    ) -> str:
        """Why the stop has failed already, or ''."""
        assert order.stop_asked_at is not None
        stopping = self._desk.stop(order, session.transaction_id, order.stop_asked_at)
        answer_at = time_to_answer(pull)
        task = asyncio.create_task(stopping, name=f"stop for {platform.name}")
        self._keep(task)
        done, _ = await asyncio.wait({task}, timeout=seconds_until(answer_at))
        if not done:
            self._keep(asyncio.create_task(self._settle_later(platform, order, task)))
            return ""
        failure = task.result()
        if failure:
            await self._give_up(platform, order, failure, tell=False)
        return failure

    async def _settle_later(
        self, platform: Inbound, order: PlatformOrder, sending: "asyncio.Task[str]"
    ) -> None:
        """The station refuses after the platform was told that it stops: the result says so."""
        try:
            failure = await sending
            if failure:
                await self._give_up(platform, order, failure, tell=True)
        except Exception:
            # The time limit of the result ends it, as if the station had kept silent.
            log.exception("city_stop_not_settled", platform=platform.name)

    async def _give_up(self, platform: Inbound, order: PlatformOrder, failure: str, *, tell: bool) -> None:
        """The charge goes on, and may be stopped again."""
        now = self._now()
        owed = [stop_failed(platform, order, failure, now)] if tell else []
        await self._orders.take(unasked(order, owed), now)

    async def _stop_of_ours(self, platform: Inbound, pull: CommandPull, ask: StartAsk) -> dict[str, Any]:
        """A charge that the platform did not start, under the name by which we told it."""
        digits = ask.start_charge_seq[-SEQ_DIGITS:]
        known = digits.isascii() and digits.isdigit()
        session = await self._sessions.by_id(int(digits)) if known else None
        outlet = await self._directory.outlet(platform, ask.connector_id)
        if session is None or outlet is None or not _is_at(session, outlet):
            return _answer(pull, ask, SEQ_UNKNOWN, NO_SUCH)
        if session.state is SessionState.ENDED:
            return _answer(pull, ask, SEQ_FINISHED, ALREADY)
        order, _ = await self._orders.adopt(
            order_form(platform, ask, outlet, ""), session.session_id, self._now()
        )
        return await self._stop(platform, pull, order, session, ask)


def unasked(order: PlatformOrder, owed: Sequence[OutboxRow] = ()) -> Step:
    """The stop has come to nothing: it may be asked for again."""
    values = {"stop_asked_at": None, "stop_by": None, "stop_answer": None}
    return Step(order.order_id, CHARGING, values, owed)


def _is_at(session: ChargingSession, outlet: Outlet) -> bool:
    place = (session.station_id, session.evse, session.connector or outlet.connector)
    return place == (outlet.station_id, outlet.evse, outlet.connector)


def _answer(pull: CommandPull, ask: StartAsk, state: int, failure: str) -> dict[str, Any]:
    return {
        "StartChargeSeq": ask.start_charge_seq,
        "StartChargeSeqStat": state,
        "SuccStat": 1 if failure else 0,
        "FailReason": reason_of(pull, failure),
    }
