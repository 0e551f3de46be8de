"""The nightly check over each database: in its window, once, when orders have arrived."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.reporting.reconciliation import Reconciliation
from csms.reporting.routes import Route
from csms.reporting.tcec.profile import load_profile
from csms.store.database import Database
from csms.store.disputes import DisputeStore
from csms.store.outbox import Outbox, OutboxEntry
from csms.store.platforms import PlatformStore
from csms.store.records import OutboxRow
from tests.reporting.cityparts import route_of
from tests.reporting.parts import OPERATOR, Clock, order

MIDNIGHT = datetime(2026, 1, 1, 16, tzinfo=UTC)  # of 2 January in China


async def ended(outbox: Outbox, n: int, at: datetime, sent: bool = True) -> None:
    """An order whose session ended then."""
    text = at.isoformat().replace("+00:00", "Z")
    payload = order(n, ended_at=text, money="1.50")
    await outbox.enqueue([OutboxRow.of("city", "charge-order", str(n), f"{n}/1", payload, at)])
    if sent:
        (entry,) = [one for one in await outbox.lease(["city"], at, 100) if one.about == f"{n}/1"]
        await outbox.sent(entry.hold, at, {"ConfirmResult": 0})


async def checks(outbox: Outbox) -> list[OutboxEntry]:
    entries = await outbox.lease(["city"], MIDNIGHT + timedelta(days=1), 100)
    return [entry for entry in entries if entry.kind == "order-check"]


def told(database: Database, route: Route) -> Reconciliation:
    return Reconciliation([route], PlatformStore(database), DisputeStore(database))


@pytest.mark.parametrize(("minutes", "is_time"), [(-1, False), (0, True), (179, True), (180, False)])
async def test_the_window(database: Database, minutes: int, is_time: bool) -> None:
    """00:00 to 03:00 in China, whatever time it is here."""
    route = route_of("beijing", Clock(MIDNIGHT + timedelta(minutes=minutes)))

    assert await told(database, route).look(route) is is_time


async def test_yesterdays_orders(database: Database, outbox: Outbox) -> None:
    """Those that ended in China's yesterday, with their sums; once."""
    await ended(outbox, 1, MIDNIGHT - timedelta(days=1))
    await ended(outbox, 2, MIDNIGHT - timedelta(seconds=1))
    await ended(outbox, 3, MIDNIGHT)
    route = route_of("beijing", Clock(MIDNIGHT + timedelta(minutes=1)))
    work = told(database, route)

    assert [await work.look(route), await work.look(route)] == [True, False]
    (check,) = await checks(outbox)
    assert [one["energy_wh"] for one in check.payload["orders"]] == [1001, 1002]
    assert check.payload["check_order_seq"] == f"{OPERATOR}202601010000000000"
    assert (check.payload["start"], check.payload["end"]) == ("2025-12-31T16:00:00Z", "2026-01-01T15:59:59Z")
    (kept,) = await DisputeStore(database).checks("city")
    assert (kept["day"], kept["orders"], kept["energy_wh"], kept["money"]) == ("2026-01-01", 2, 2003, "3.00")


async def test_it_waits_for_orders_on_their_way(database: Database, outbox: Outbox) -> None:
    """Until the last quarter of the window."""
    await ended(outbox, 1, MIDNIGHT - timedelta(hours=1), sent=False)
    clock = Clock(MIDNIGHT + timedelta(hours=2))
    route = route_of("beijing", clock)
    work = told(database, route)

    assert not await work.look(route)
    clock.move(timedelta(minutes=20))
    assert await work.look(route)
    (check,) = await checks(outbox)
    assert check.payload["orders"] == []


async def test_many_orders_are_checked_in_parts(database: Database, outbox: Outbox, tmp_path: Any) -> None:
    """No message grows beyond what a platform takes."""
    (tmp_path / "p.yaml").write_text("extends: beijing\nname: p\npushes: {order-check: {orders_max: 2}}\n")
    for n in range(1, 6):
        await ended(outbox, n, MIDNIGHT - timedelta(hours=1))
    route = route_of(load_profile(tmp_path / "p.yaml"), Clock(MIDNIGHT))

    await told(database, route).look(route)
    parts = await checks(outbox)
    assert [len(one.payload["orders"]) for one in parts] == [2, 2, 1]
    assert [one.payload["check_order_seq"][-1] for one in parts] == ["0", "1", "2"]


async def test_a_part_that_was_set_aside_is_told_after_later_ones(
    database: Database, outbox: Outbox, tmp_path: Any
) -> None:
    """Each is a fact of its own: none takes the place of another."""
    (tmp_path / "p.yaml").write_text("extends: beijing\nname: p\npushes: {order-check: {orders_max: 2}}\n")
    for n in range(1, 4):
        await ended(outbox, n, MIDNIGHT - timedelta(hours=1))
    await told(database, route_of(load_profile(tmp_path / "p.yaml"), Clock(MIDNIGHT))).look(
        route_of(load_profile(tmp_path / "p.yaml"), Clock(MIDNIGHT))
    )
    first, second = await checks(outbox)

    await outbox.dead(first.hold, MIDNIGHT, "Ret 4004")
    await outbox.sent(second.hold, MIDNIGHT)

    assert await outbox.resend_dead("city", MIDNIGHT) == (1, 0)


async def test_a_window_that_was_missed(database: Database, outbox: Outbox) -> None:
    """Said once, and seen among the checks; a day without orders is no loss."""
    await ended(outbox, 1, MIDNIGHT - timedelta(hours=1))
    clock = Clock(MIDNIGHT + timedelta(hours=4))
    route = route_of("beijing", clock)
    work = told(database, route)

    with capture_logs() as lines:
        assert [await work.look(route) for _ in range(3)] == [False] * 3
        clock.move(timedelta(days=1))
        assert not await work.look(route)

    assert [(line["event"], line["log_level"], line["day"]) for line in lines] == [
        ("order_check_missed", "error", "2026-01-01")
    ]
    (kept,) = await DisputeStore(database).checks("city")
    assert (kept["day"], kept["orders"], kept["check_order_seq"]) == ("2026-01-01", 1, "")
    assert await checks(outbox) == []


async def test_no_platform_has_a_check(database: Database, clock: Clock) -> None:
    """It ends at once."""
    await told(database, route_of("shenzhen", clock)).run()
