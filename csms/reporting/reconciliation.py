"""The nightly check_charge_orders: yesterday's orders and their sums, as each platform was told of them.

Leader-free like all that is periodic. It waits for orders that are still on their way until the last quarter
of the window; what comes later is not in it. A day of many orders is checked in parts.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import structlog

from csms.reporting.routes import CHINA, Route, look_for_ever
from csms.reporting.tcec.checks import CheckedOrder, OrderCheck, check_order_seq
from csms.reporting.tcec.pushes import OrderCheckPush
from csms.store.disputes import DisputeStore, ToldOrder
from csms.store.platforms import Check, PlatformStore
from csms.store.records import OutboxRow

LOOK_S = 30.0
DAY = timedelta(days=1)
LAST_PART = 0.75  # of the window: then it is sent with what there is
NEVER_SENT = ""  # in place of its sequence: a check whose window was missed

log = structlog.get_logger()


class Reconciliation:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, routes: Iterable[Route], platforms: PlatformStore, disputes: DisputeStore) -> None:
        self._routes = [one for one in routes if one.profile.push("order-check") is not None]
        self._platforms, self._disputes = platforms, disputes

    async def run(self) -> None:
        """Look for ever; at once where no platform has such a check."""
        await look_for_ever("reconciliation", self._routes, self.look, LOOK_S)

    async def look(self, route: Route) -> bool:
        """Owe yesterday's check if it is time; True when it was owed. Raises StoreUnavailable."""
        push, now = route.profile.push("order-check"), route.now()
        assert isinstance(push, OrderCheckPush)
        local = now.astimezone(UTC) + CHINA
        part = _part_of_window(local, push)
        day = local.date() - DAY
        task, tick = f"{route.name}/order-check", day.toordinal()
        if part < 0 or await self._platforms.has_ticked(task, tick):
            return False
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - CHINA
        told, waiting = await self._disputes.told_orders(route.name, start, start + DAY)
        if part >= 1:
            await self._missed(route, day, told)
            return False
        if waiting and part < LAST_PART:
            return False
        rows = _rows(route, push.orders_max, day, start, told, now)
        check = _check(route, day, check_order_seq(route.operator_code, day), told)
        done = await self._platforms.run_once(task, tick, rows, now, check=check)
        if done:
            log.info("orders_checked", platform=route.name, day=day.isoformat(), orders=len(told))
        return done

    async def _missed(self, route: Route, day: date, told: Sequence[ToldOrder]) -> None:
        """No process ran in the whole window: people hear of it once, and see it among the checks."""
        check = _check(route, day, NEVER_SENT, told) if told else None
        task, tick = f"{route.name}/order-check", day.toordinal()
        if await self._platforms.run_once(task, tick, (), route.now(), check=check) and told:
            log.error("order_check_missed", platform=route.name, day=day.isoformat(), orders=len(told))


def _check(route: Route, day: date, seq: str, told: Sequence[ToldOrder]) -> Check:
    energy = sum(one.energy_wh for one in told)
    money = sum((Decimal(one.money) for one in told if one.money), Decimal(0))
    return Check(route.name, day, seq, len(told), energy, f"{money:.2f}")


def _part_of_window(local: datetime, push: OrderCheckPush) -> float:
    """How much of the window is over: below 0 before it, 1 and more after it."""
    opens, closes = _minutes(push.from_), _minutes(push.until)
    at = local.hour * 60 + local.minute + local.second / 60
    return (at - opens) / (closes - opens)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _rows(
    route: Route, most: int, day: date, start: datetime, told: Sequence[ToldOrder], now: datetime
) -> list[OutboxRow]:
    """One message, or several where one would be too large; a day without orders is told as such."""
    rows = []
    for n in range(max(1, -(-len(told) // most))):
        orders = tuple(
            CheckedOrder(
                one.start_charge_seq, one.energy_wh, None if one.money is None else Decimal(one.money)
            )
            for one in told[n * most : (n + 1) * most]
        )
        seq = check_order_seq(route.operator_code, day, n)
        check = OrderCheck(seq, route.operator_code, start, start + DAY - timedelta(seconds=1), orders)
        # Each part is a fact of its own: one that was set aside may be told after later ones.
        about = f"{day.isoformat()}/{n}"
        rows.append(OutboxRow.of(route.name, "order-check", about, about, check.to_payload(), now))
    return rows
