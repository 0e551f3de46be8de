"""Generated orders through every way a city can misbehave: its ledger ends up equal to what was sent."""

from dataclasses import dataclass
from typing import Any

import pytest

from simulators.city import CityPlatform
from simulators.city_faults import AFTER, BEFORE, MODES
from tests.simulators.city_kit import (
    OPERATOR,
    ORDER_PUSH,
    SECRETS,
    T0,
    Clock,
    Operator,
    Order,
    orders,
    restated,
)

# What changes nothing for an order, takes real seconds, or is said to be for ever.
SINGLE = sorted((BEFORE.keys() | AFTER.keys()) - {"slow", "huge", "other-order"})


@dataclass
class Run:
    """What a run sent, and how often."""

    latest: dict[str, Order]
    restatements: int
    attempts: int


async def run(operator: Operator, count: int, seed: int) -> Run:
    """Deliver `count` orders, every fourth of them twice: the second time restated."""
    profile, done, attempts, again = operator.city.profile.name, {}, 0, 0
    for n, order in enumerate(orders(count, seed)):
        told = [order, restated(order)] if n % 4 == 0 else [order]
        again += len(told) - 1
        for one in told:
            attempts += await operator.deliver(ORDER_PUSH[profile], one.body(profile))
            done[one.seq] = one
    return Run(done, again, attempts)


def agrees(city: CityPlatform, done: Run) -> None:
    """The ledger has every order once, its last statement standing, to the Wh and the fen."""
    kept = {one["key"]: one for one in city.ledger.orders()}
    figures = {key: (one["energy_wh"], round(one["body"]["TotalMoney"] * 100)) for key, one in kept.items()}
    assert figures == {seq: (order.wh, order.fen) for seq, order in done.latest.items()}
    numbers = city.ledger.numbers("order")
    assert (numbers["accepted"], numbers["corrections"]) == (len(done.latest), done.restatements)
    assert numbers["disputed"] == 0
    assert numbers["energy_wh"] == sum(order.wh for order in done.latest.values())
    for seq in done.latest:
        versions = city.ledger.history(seq)
        assert len(versions) == kept[seq]["versions"]
    assert city.ledger.violations() == []


async def campaign(profile: str, behave: list[str], count: int, seed: int) -> tuple[CityPlatform, Run]:
    clock = Clock(T0)
    city = CityPlatform({OPERATOR: SECRETS}, profile=profile, behave=behave, seed=seed, now=clock)
    async with city, Operator(city, clock) as operator:
        done = await run(operator, count, seed)
        agrees(city, done)
        city.behave()
        if profile != "zhejiang":
            clock.move(seconds=1)
            await operator.log_in()
            told = await operator.check(list(done.latest.values()))
            assert (told["TotalDisputeOrder"], told["DisputeOrders"]) == (0, [])
    return city, done


@pytest.mark.parametrize("mode", sorted(MODES))
async def test_every_mode(mode: str) -> None:
    """Named modes, drawn from a seed, at the platform with the most to check."""
    await campaign("beijing", [mode], 5 if mode == "sluggish" else 40, seed=11)


@pytest.mark.parametrize("fault", SINGLE)
async def test_every_fault_half_of_the_time(fault: str) -> None:
    """Each single fault strikes every second push."""
    await campaign("simulated", [f"{fault}~0.5"], 12, seed=5)


@pytest.mark.parametrize("profile", sorted(ORDER_PUSH))
async def test_every_dialect_of_orders(profile: str) -> None:
    """In rough weather."""
    await campaign(profile, ["rough"], 60, seed=3)


async def test_lost_answers_make_duplicates_and_nothing_else() -> None:
    """Everything that was sent again is counted as that."""
    clock = Clock(T0)
    city = CityPlatform({OPERATOR: SECRETS}, profile="tcec102-2016", behave=["lose~0.3"], seed=2, now=clock)
    async with city, Operator(city, clock) as operator:
        await operator.log_in()
        done = await run(operator, 50, seed=2)
        numbers = city.ledger.numbers("order")

    assert numbers["received"] == done.attempts
    assert numbers["duplicates"] == done.attempts - 50 - done.restatements > 0


async def test_the_same_seed_is_the_same_weather() -> None:
    """Two runs meet the same faults; another seed meets others."""

    async def faults(seed: int) -> dict[str, Any]:
        clock = Clock(T0)
        city = CityPlatform({OPERATOR: SECRETS}, behave=["rough"], seed=seed, now=clock)
        async with city, Operator(city, clock) as operator:
            await run(operator, 40, seed=1)
            counters: dict[str, Any] = city.ledger.summary()["counters"]
        return {name: n for name, n in counters.items() if name.startswith("fault:")}

    first, second, other = await faults(4), await faults(4), await faults(5)
    assert first == second != other
    assert len(first) >= 5


async def test_a_city_that_is_away_for_two_days() -> None:
    """By its own clock: nothing is recorded meanwhile, everything afterwards."""
    clock = Clock(T0)
    city = CityPlatform({OPERATOR: SECRETS}, profile="beijing", behave=["down=600+172800"], now=clock)
    async with city, Operator(city, clock) as operator:
        await operator.log_in()
        first, second = orders(2)
        assert await operator.deliver(ORDER_PUSH["beijing"], first.body("beijing")) == 1
        clock.move(seconds=600)
        attempts = await operator.deliver(ORDER_PUSH["beijing"], second.body("beijing"))
        entries = city.ledger.orders()

    assert attempts > 60
    assert [entry["key"] for entry in entries] == [first.seq, second.seq]
    assert entries[1]["first_at"] >= "2026-01-07T02:10:00"
    assert city.faults.told() == []


async def test_one_order_falsified_on_purpose_is_exactly_that_dispute() -> None:
    """Among many, before or after it came, and also once it was restated; its true versions stay."""
    clock = Clock(T0)
    sent = list(orders(30, seed=9))
    early, late = sent[4], sent[20]
    city = CityPlatform({OPERATOR: SECRETS}, profile="beijing", falsify=[early.seq], now=clock)
    async with city, Operator(city, clock) as operator:
        await operator.log_in()
        for order in sent:
            await operator.deliver(ORDER_PUSH["beijing"], order.body("beijing"))
        told = await operator.check(sent)
        assert [one["StartChargeSeq"] for one in told["DisputeOrders"]] == [early.seq]
        city.falsify(late.seq)
        new = restated(late)
        sent[20] = new
        await operator.deliver(ORDER_PUSH["beijing"], new.body("beijing"))
        clock.move(seconds=1)
        told = await operator.check(sent)
        history = city.ledger.history(late.seq)

    assert told["TotalDisputeOrder"] == 2
    assert told["DisputeOrders"] == [
        {
            "StartChargeSeq": one.seq,
            "TotalPower": float(one.energy + 1),
            "TotalMoney": float(one.elec + one.service + 1),
            "DisputeReason": 2,
        }
        for one in (early, new)
    ]
    assert told["TotalDisputePower"] == pytest.approx(float(early.energy + new.energy + 2))
    assert [version["body"]["TotalPower"] for version in history] == [float(late.energy), float(new.energy)]
