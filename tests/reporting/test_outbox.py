"""Deliveries to a city over real HTTP, in good days and bad ones, from each database (rows D01-D10)."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from csms.reporting.outbox import Deliverer
from csms.reporting.tcec.client import PlatformClient
from csms.reporting.tcec.outcomes import Outcome
from csms.reporting.tcec.profile import Profile
from csms.store.outbox import Outbox, OutboxFilter
from csms.store.records import OutboxRow
from simulators.city import CityPlatform
from tests.reporting.parts import Clock, cancelled, client_of, order, reporting, until

LEASE = timedelta(seconds=61)
LONG = timedelta(minutes=16)


def deliverer(outbox: Outbox, clock: Clock, platforms: Mapping[str, Any], **changes: Any) -> Deliverer:
    return Deliverer(outbox, platforms, reporting(**changes), clock, jitter=lambda: 1.0)


async def owe(outbox: Outbox, clock: Clock, *numbers: int, platform: str = "city", revision: int = 1) -> None:
    """Owe the orders of these numbers."""
    await outbox.enqueue(
        [
            OutboxRow.of(
                platform, "charge-order", str(n), f"{n}/{revision}", order(n, revision=revision), clock()
            )
            for n in numbers
        ]
    )


async def states(outbox: Outbox) -> dict[str, str]:
    """State of every row by what it is about."""
    page = await outbox.find(OutboxFilter(), most=1000)
    return {row["about"]: row["state"] for row in page.items}


async def drain(deliveries: Deliverer, clock: Clock, step: timedelta = LONG, most: int = 30) -> None:
    """Deliver what is due, and what comes due as time passes."""
    for _ in range(most):
        await deliveries.deliver_due()
        clock.move(step)


def orders_of(city: CityPlatform) -> dict[str, Any]:
    numbers: dict[str, Any] = city.ledger.summary()["orders"]
    return numbers


async def test_what_is_owed_is_delivered_once(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """A hundred orders reach the city, and nothing is left to do."""
    await owe(outbox, clock, *range(100))

    pushed = await deliverer(outbox, clock, {"city": client}).deliver_due()

    assert pushed == 100
    assert orders_of(city) | {"energy_wh": 0} == {
        "accepted": 100,
        "received": 100,
        "duplicates": 0,
        "corrections": 0,
        "disputed": 0,
        "energy_wh": 0,
    }
    assert set((await states(outbox)).values()) == {"sent"}
    assert await deliverer(outbox, clock, {"city": client}).deliver_due() == 0


@pytest.mark.parametrize("fault", ["lose", "html", "bad-mac", "forged", "empty", "other-order", "huge"])
async def test_an_answer_that_cannot_be_believed_is_asked_for_again(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient, fault: str
) -> None:
    """D01, D05: the order was taken, its answer was lost or bad; it is sent again and counts once."""
    city.behave(f"{fault}=1")
    await owe(outbox, clock, 1)
    deliveries = deliverer(outbox, clock, {"city": client})

    await deliveries.deliver_due()
    assert await states(outbox) == {"1/1": "waiting"}
    await drain(deliveries, clock, most=3)

    assert await states(outbox) == {"1/1": "sent"}
    numbers = orders_of(city)
    assert (numbers["accepted"], numbers["received"], numbers["energy_wh"]) == (1, 2, 1001)


@pytest.mark.parametrize("fault", ["http500", "http503", "http429", "drop", "busy", "refuse"])
async def test_trouble_of_the_platform_is_waited_out(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient, fault: str
) -> None:
    """D02: never dropped, however often; twenty failures in a row are more than any row may be refused."""
    city.behave(f"{fault}=20")
    await owe(outbox, clock, 1)

    await drain(deliverer(outbox, clock, {"city": client}), clock)

    assert await states(outbox) == {"1/1": "sent"}
    assert orders_of(city)["accepted"] == 1


async def test_retry_after_is_honoured(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D02: a platform that asks for seven seconds gets no push of any row before they have passed."""
    city.behave("http429=1")
    await owe(outbox, clock, 1)
    deliveries = deliverer(outbox, clock, {"city": client})
    await deliveries.deliver_due()
    await owe(outbox, clock, 2)

    clock.move(timedelta(seconds=6.9))
    assert await deliveries.deliver_due() == 0
    clock.move(timedelta(seconds=0.1))
    assert await deliveries.deliver_due() == 2


async def test_poison_is_set_aside_and_holds_up_nobody(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D03: refused ten times for what it says, then dead; other orders were delivered at once."""
    city.behave(f"poison={order(2)['start_charge_seq']}")
    await owe(outbox, clock, 1, 2, 3)
    deliveries = deliverer(outbox, clock, {"city": client})

    await deliveries.deliver_due()
    assert await states(outbox) == {"1/1": "sent", "2/1": "waiting", "3/1": "sent"}
    await owe(outbox, clock, 2, revision=2)
    clock.move(LONG)
    await drain(deliveries, clock, most=8)
    assert (await states(outbox))["2/1"] == "waiting"

    await deliveries.deliver_due()
    assert (await states(outbox))["2/1"] == "dead"
    city.behave()
    await drain(deliveries, clock, most=2)
    # The later revision of the same order passes its dead predecessor.
    assert (await states(outbox))["2/2"] == "sent"
    (dead,) = (await outbox.find(OutboxFilter(state="dead"))).items
    assert dead["attempts"] == 10
    assert "poisoned" in dead["last_error"]


async def test_an_outage_does_not_count_as_refusal(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """After twenty failures of the platform, one refusal of the row is the first, not the last."""
    city.behave("http500=20", "http400=3")
    await owe(outbox, clock, 1)

    await drain(deliverer(outbox, clock, {"city": client}), clock)

    assert await states(outbox) == {"1/1": "sent"}


@pytest.mark.parametrize("fault", ["http401", "http403", "bad-signature", "redirect"])
async def test_a_platform_that_refuses_us_is_paused(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient, fault: str
) -> None:
    """D04: nothing is set aside, no row is blamed; the pause is seen and can be ended by a person."""
    city.behave(fault)
    await owe(outbox, clock, *range(40))
    deliveries = deliverer(outbox, clock, {"city": client})

    await drain(deliveries, clock, timedelta(seconds=1), most=5)

    assert set(await outbox.paused()) == {"city"}
    rows = (await outbox.find(OutboxFilter())).items
    assert {(row["state"], row["attempts"]) for row in rows} == {("waiting", 0)}
    pushes = city.ledger.summary()["counters"]["pushes"]
    assert pushes <= 32  # those under way when the first answer came, 401 asked twice; then silence

    city.behave()
    assert await deliveries.deliver_due() == 0
    await outbox.resume("city", clock())
    assert await deliveries.deliver_due() == 40
    assert orders_of(city)["accepted"] == 40


async def test_a_paused_platform_is_probed_now_and_then(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """One row every quarter of an hour asks whether we are taken again; when we are, all follow."""
    city.behave("http403")
    await owe(outbox, clock, *range(40))
    running = asyncio.create_task(deliverer(outbox, clock, {"city": client}).run())
    await until(lambda: quiet(outbox))
    before = city.ledger.summary()["counters"]["pushes"]

    clock.move(LONG)
    await until(lambda: counted(city, before + 1))
    await until(lambda: quiet(outbox))
    assert city.ledger.summary()["counters"]["pushes"] == before + 1
    city.behave()
    clock.move(LONG)
    await until(lambda: accepted(city, 40))

    assert await outbox.paused() == {}
    await cancelled(running)


async def test_a_restart_asks_at_once(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """Whoever restarts with other credentials need not wait for the probe; a person's pause stays."""
    await owe(outbox, clock, 1)
    await outbox.pause("city", "refused: HTTP 401", clock())
    running = asyncio.create_task(deliverer(outbox, clock, {"city": client}).run())
    await until(lambda: accepted(city, 1))
    await cancelled(running)

    await outbox.pause("city", "by hand", clock())
    await owe(outbox, clock, 2)
    running = asyncio.create_task(deliverer(outbox, clock, {"city": client}).run())
    await asyncio.sleep(0.2)
    await cancelled(running)

    assert await outbox.paused() == {"city": "by hand"}
    assert orders_of(city)["accepted"] == 1


async def test_a_platform_that_hangs_holds_up_no_other(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D06: one platform does not answer, or a byte a second; the other has its orders meanwhile."""
    silent = CityPlatform(city.operators, behave=["delay=60"])
    async with silent, client_of(silent, total_s=0.5) as hanging:
        await owe(outbox, clock, *range(50), platform="silent")
        await owe(outbox, clock, *range(50), platform="city")
        both = {"silent": hanging, "city": client}
        running = asyncio.create_task(deliverer(outbox, clock, both).run())

        await until(lambda: accepted(city, 50))

        # Nothing is left of the one while all of the other still waits.
        assert len((await outbox.find(OutboxFilter("waiting", "silent"))).items) == 50
        await cancelled(running)


async def test_an_outage_drains_in_order(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D07: a city that was away for a week is asked now and then; then it gets all, each key in order."""
    await city.stop()
    deliveries = deliverer(outbox, clock, {"city": client})
    for n in range(56):
        await owe(outbox, clock, n, 100 + n % 7, revision=1 + n // 7)
        await deliveries.deliver_due()
        clock.move(timedelta(hours=3))
    # A few rows paid for the outage, not all of them.
    attempts = [row["attempts"] for row in (await outbox.find(OutboxFilter(), most=1000)).items]
    assert len(attempts) == 112
    assert sum(attempts) <= 60

    await city.start()
    await drain(deliveries, clock, timedelta(minutes=1), most=5)

    assert set((await states(outbox)).values()) == {"sent"}
    numbers = orders_of(city)
    assert (numbers["accepted"], numbers["received"]) == (56 + 7, 112)
    for key in range(100, 107):
        history = city.ledger.history(order(key)["start_charge_seq"])
        assert [version["body"]["Revision"] for version in history] == list(range(1, 9))


async def test_a_deliverer_that_dies_loses_and_doubles_nothing(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D08: killed after its lease and in the middle of pushes; the next one sends the rest."""
    city.behave("delay=0.02")
    await owe(outbox, clock, *range(60))
    running = asyncio.create_task(deliverer(outbox, clock, {"city": client}).deliver_due())
    await until(lambda: accepted(city, 20))
    await cancelled(running)
    assert "waiting" in (await states(outbox)).values()

    clock.move(LEASE)
    await deliverer(outbox, clock, {"city": client}).deliver_due()

    assert set((await states(outbox)).values()) == {"sent"}
    numbers = orders_of(city)
    assert (numbers["accepted"], numbers["energy_wh"]) == (60, sum(range(1000, 1060)))
    assert numbers["corrections"] == 0


async def test_two_deliverers_send_each_row_once(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D09: side by side on one database, neither sends what the other has."""
    await owe(outbox, clock, *range(200))

    pushed = await asyncio.gather(
        *(deliverer(outbox, clock, {"city": client}).deliver_due() for _ in range(2))
    )

    assert sum(pushed) == orders_of(city)["received"] == orders_of(city)["accepted"] == 200


async def test_revisions_arrive_in_order(
    outbox: Outbox, clock: Clock, city: CityPlatform, client: PlatformClient
) -> None:
    """D10: whatever happens to the first ones, later figures never overtake earlier ones."""
    city.behave("http500=1", "lose=2", "busy=1", "html=1")
    for revision in (1, 2, 3, 4):
        await owe(outbox, clock, *range(5), revision=revision)

    await drain(deliverer(outbox, clock, {"city": client}), clock)

    for entry in city.ledger.orders():
        versions = [one["body"]["Revision"] for one in city.ledger.history(entry["key"])]
        assert (versions, entry["revision"]) == ([1, 2, 3, 4], 4)


class Broken:
    """A platform whose client has a fault of its own."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    async def push(self, kind: str, payload: Mapping[str, object]) -> Outcome:
        raise KeyError("a fault of ours")


async def test_a_fault_of_ours_ends_as_a_dead_letter(
    outbox: Outbox, clock: Clock, client: PlatformClient
) -> None:
    """An exception over one record stops neither the process nor the other platforms."""
    await owe(outbox, clock, 1, platform="broken")
    await owe(outbox, clock, 2)
    both = {"broken": Broken(client.profile), "city": client}

    await drain(deliverer(outbox, clock, both), clock, most=12)

    assert await states(outbox) == {"1/1": "dead", "2/1": "sent"}


async def quiet(outbox: Outbox) -> bool:
    """The platform is paused, and every row was given back."""
    rows = (await outbox.find(OutboxFilter(), most=1000)).items
    return bool(await outbox.paused()) and not any(row["attempts"] for row in rows)


async def accepted(city: CityPlatform, count: int) -> bool:
    return int(orders_of(city)["accepted"]) >= count


async def counted(city: CityPlatform, pushes: int) -> bool:
    return int(city.ledger.summary()["counters"]["pushes"]) >= pushes
