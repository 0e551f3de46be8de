"""query_start_charge: begins a charge that a platform asks for, and answers in time in any case.

The answer comes when the station has answered or the platform's time is nearly up: it then says that the
start is under way, and the result is pushed. A StartChargeSeq that comes again has no second effect and
gets the same answer, from any node.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from csms.domain.assets import ConnectorStatus
from csms.reporting.tcec.pulls import CommandPull
from csms.reporting.tcec.server import refusals
from csms.reporting.tcec.server.asks import StartAsk
from csms.reporting.tcec.server.directory import Directory, Outlet
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.orders_desk import NOT_CONNECTED, OrdersDesk
from csms.reporting.tcec.server.results import start_failed
from csms.store.platform_orders import FAILED, STARTING, OrderForm, PlatformOrder, PlatformOrders, Step

ANSWER_WITHIN_S = 1.0  # where a profile does not say
RESULT_WITHIN_S = 50.0
OF_ITS_TIME = 0.7  # the rest is for the way there and back
OF_RESULT_TIME = 0.9  # the rest is for the push
LOOKED_EVERY_S = 0.05
SEQ_STARTING, SEQ_CHARGING, SEQ_STOPPING, SEQ_FINISHED, SEQ_UNKNOWN = 1, 2, 3, 4, 5

log = structlog.get_logger()


class Starter:
    """Starts charges. `keep` is given the tasks that outlast the answer."""

    def __init__(
        self,
        directory: Directory,
        orders: PlatformOrders,
        desk: OrdersDesk,
        now: Callable[[], datetime],
        keep: Callable[[asyncio.Task[Any]], None],
    ) -> None:
        self._directory, self._orders, self._desk = directory, orders, desk
        self._now, self._keep = now, keep

    async def start(self, platform: Inbound, ask: StartAsk) -> dict[str, Any]:
        """The answer's body. Raises Refusal and StoreUnavailable."""
        pull = platform.profile.pulls.start_charge or CommandPull(path="query_start_charge")
        answer_at = time_to_answer(pull)
        known = await self._orders.by_seq(platform.name, ask.start_charge_seq)
        if known is not None:
            return await self._again(pull, known, ask, answer_at)
        outlet = await self._directory.outlet(platform, ask.connector_id)
        if outlet is None:
            return _answer(pull, ask, "no-such-connector")
        within = timedelta(seconds=(pull.result_within_s or RESULT_WITHIN_S) * OF_RESULT_TIME)
        now = self._now()
        form = order_form(platform, ask, outlet, new_token())
        order, is_new = await self._orders.begin(form, now + within, now)
        if not is_new:
            return await self._again(pull, order, ask, answer_at)
        failure = await self._tried(platform, order, outlet, answer_at)
        answer = _answer(pull, ask, failure)
        await self._orders.start_told(order.order_id, answer)
        return answer

    async def _tried(self, platform: Inbound, order: PlatformOrder, outlet: Outlet, answer_at: float) -> str:
        """Why the start has failed already, or ''."""
        failure = _obstacle(outlet)
        if not failure:
            task = asyncio.create_task(self._sent(order), name=f"start for {platform.name}")
            self._keep(task)
            done, _ = await asyncio.wait({task}, timeout=seconds_until(answer_at))
            if not done:
                later = asyncio.create_task(self._settle_later(platform, order, task))
                self._keep(later)
                return ""
            failure = task.result()
        if failure:
            await self._orders.take(_failed(order, failure), self._now())
            await self._orders.block_token(order.id_token, self._now())
        return failure

    async def _sent(self, order: PlatformOrder) -> str:
        number = await self._desk.begin_start(order)
        if number is None:
            return ""
        await self._orders.number(order.order_id, number)
        return await self._desk.start(order, number)

    async def _settle_later(
        self, platform: Inbound, order: PlatformOrder, sending: "asyncio.Task[str]"
    ) -> None:
        """The station refuses after the platform was told that it starts: the result says so."""
        try:
            failure = await sending
            if failure:
                now = self._now()
                owed = [start_failed(platform, order, failure, now)]
                await self._orders.take(_failed(order, failure)._replace(owed=owed), now)
                await self._orders.block_token(order.id_token, now)
        except Exception:
            # The time limit of the result ends it, as if the station had kept silent.
            log.exception("city_start_not_settled", platform=platform.name)

    async def _again(
        self, pull: CommandPull, order: PlatformOrder, ask: StartAsk, answer_at: float
    ) -> dict[str, Any]:
        """What was answered before; while it is being answered, the same in a moment."""
        if order.connector_id != ask.connector_id:
            raise refusals.bad_business(
                f"StartChargeSeq was used for connector {order.connector_id}; it names one charge"
            )
        found: PlatformOrder | None = order
        while found is not None and found.start_answer is None:
            if seconds_until(answer_at) <= 0:
                return _answer(pull, ask, "")
            await asyncio.sleep(LOOKED_EVERY_S)
            found = await self._orders.by_seq(order.platform, order.start_charge_seq)
        return _answer(pull, ask, "") if found is None or found.start_answer is None else found.start_answer


def time_to_answer(pull: CommandPull) -> float:
    """When (by the loop's clock) the platform is answered, whether the station has answered or not."""
    within_s = pull.within_s or ANSWER_WITHIN_S
    return asyncio.get_running_loop().time() + within_s * OF_ITS_TIME


def seconds_until(at: float) -> float:
    """How long it is until then; 0 when it is over."""
    return max(0.0, at - asyncio.get_running_loop().time())


def reason_of(pull: CommandPull, failure: str) -> int:
    """The platform's FailReason for our word; 0 for none."""
    return pull.fail_reasons.get(failure, pull.fail_reasons.get("otherwise", 99)) if failure else 0


def new_token() -> str:
    """The id token of one order: 20 characters (1.6 has no more), which nobody guesses or meets."""
    return "P" + base64.b32encode(secrets.token_bytes(15)).decode()[:19]


def _obstacle(outlet: Outlet) -> str:
    """What is known beforehand to keep a charge from starting."""
    if not outlet.is_online:
        return NOT_CONNECTED
    if outlet.status in (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE):
        return "out-of-order"
    return "busy" if outlet.status is ConnectorStatus.CHARGING else ""


def order_form(platform: Inbound, ask: StartAsk, outlet: Outlet, id_token: str) -> OrderForm:
    """An order as the platform asked for it. `id_token`: its own; empty of a session that others began."""
    return OrderForm(
        platform=platform.name,
        start_charge_seq=ask.start_charge_seq,
        station_id=outlet.station_id,
        identity=outlet.identity,
        evse=outlet.evse,
        connector=outlet.connector,
        connector_id=ask.connector_id,
        id_token=id_token,
    )


def _failed(order: PlatformOrder, failure: str) -> Step:
    return Step(order.order_id, STARTING, {"state": FAILED, "failure": failure})


def _answer(pull: CommandPull, ask: StartAsk, failure: str) -> dict[str, Any]:
    return {
        "StartChargeSeq": ask.start_charge_seq,
        "StartChargeSeqStat": SEQ_FINISHED if failure else SEQ_STARTING,
        "ConnectorID": ask.connector_id,
        "SuccStat": 1 if failure else 0,
        "FailReason": reason_of(pull, failure),
    }
