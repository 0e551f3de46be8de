"""A quarter of the city, a process of its own: `python -m tests.bench.city.quarter`.

Reads an order (a JSON line), connects its chargers and says so; reads "go", keeps the city's real rate for
the seconds of the order, lets every session end, and writes what it found. One line each.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from random import Random

import uvloop

from tests.bench import process
from tests.bench.city.charger import Charger, Due
from tests.bench.stations import Tally, clock

HEARTBEAT_S = 300.0
VALUE_S = 60.0
CHARGING_OF = 5  # one charger in so many
VERSION_2_OF = 3
CONNECT_WITHIN_S = 600.0
DRAIN_WITHIN_S = 60.0
TICK_S = 0.001


@dataclass(frozen=True, slots=True)
class Order:
    """`address`: where this quarter's chargers connect from. `at_once`: handshakes in progress."""

    port: int
    address: str
    first: int
    count: int
    password: str
    seconds: float
    seed: int
    at_once: int = 20


@dataclass(slots=True)
class Findings:
    """What came of it. `latencies`: messages by tenths of a millisecond from falling due to the answer."""

    connected: int
    connect_s: float
    answered: int = 0
    latencies: dict[int, int] = field(default_factory=dict)
    errors: int = 0
    lost: int = 0
    trouble: list[str] = field(default_factory=list)
    charged: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Acknowledged meter values and energy (Wh) by charger."""


def identity_of(number: int) -> str:
    """A charger's identity, and its token."""
    return f"CITY-{number:06d}"


async def carry_out(order: Order) -> Findings:
    """Everything between the order and what is found; waits for "go" in the middle."""
    began = clock()
    chargers = await _connected(order)
    found = Findings(len(chargers), clock() - began)
    print(json.dumps({"connected": found.connected, "seconds": found.connect_s}), flush=True)
    if await asyncio.to_thread(sys.stdin.readline) != "go\n":
        raise SystemExit("no go")
    tally = _counted(chargers)
    await _keep_pace(order, chargers)
    await _drained(chargers)
    found.answered = tally.answered
    found.latencies = dict(Counter(int(seconds * 1e4) for seconds in tally.latencies))
    for charger in chargers:
        if charger.charges:
            charger.fall_due(Due(clock(), "stop"))
            await asyncio.sleep(TICK_S)  # sessions end one after another: their end is not what is measured
    await _drained(chargers)
    found.errors, found.trouble = tally.errors, tally.trouble
    found.lost = sum(charger.lost for charger in chargers)
    found.charged = {one.identity: (one.values, one.energy_wh) for one in chargers if one.charges}
    for charger in chargers:
        charger.close()
    return found


async def _connected(order: Order) -> list[Charger]:
    """Every charger connected, booted and at its work."""
    gate, loop = asyncio.Semaphore(order.at_once), asyncio.get_running_loop()

    async def connect(number: int) -> Charger:
        version = "2.0.1" if number % VERSION_2_OF == 0 else "1.6"
        identity, charges = identity_of(number), number % CHARGING_OF == 0
        async with gate:
            _, charger = await loop.create_connection(
                lambda: Charger(order.port, identity, order.password, version, charges),
                "127.0.0.1",
                order.port,
                local_addr=(order.address, 0),
            )
            await charger.connected
            for action in ("boot", "status", *(["start"] if charges else [])):
                charger.fall_due(Due(clock(), action))
            await _drained([charger])
        return charger

    async with asyncio.timeout(CONNECT_WITHIN_S), asyncio.TaskGroup() as group:
        numbers = range(order.first, order.first + order.count)
        tasks = [group.create_task(connect(number)) for number in numbers]
    return [task.result() for task in tasks]


def _counted(chargers: list[Charger]) -> Tally:
    """One tally for all from here on, with the trouble there has been."""
    tally = Tally(
        errors=sum(one.tally.errors for one in chargers),
        trouble=[line for one in chargers for line in one.tally.trouble][:5],
    )
    for charger in chargers:
        charger.tally = tally
    return tally


async def _keep_pace(order: Order, chargers: list[Charger]) -> None:
    start = clock()
    for at, charger, action in sorted(_plan(order, chargers), key=lambda one: one[0]):
        if (early := start + at - clock()) > 0:
            await asyncio.sleep(max(early, TICK_S))
        charger.fall_due(Due(start + at, action))


def _plan(order: Order, chargers: list[Charger]) -> Iterator[tuple[float, Charger, str]]:
    """What falls due when: heartbeats and values, each charger at a moment of its own."""
    random = Random(order.seed)
    for charger in chargers:
        for every, action in ((HEARTBEAT_S, "heartbeat"), (VALUE_S, "value")):
            if action == "heartbeat" or charger.charges:
                at = random.uniform(0, every)
                while at < order.seconds:
                    yield at, charger, action
                    at += every


async def _drained(chargers: list[Charger]) -> None:
    until = clock() + DRAIN_WITHIN_S
    for charger in chargers:
        while charger.is_busy or charger.waiting:
            if clock() > until:
                raise TimeoutError(f"{charger.identity} has no answer within {DRAIN_WITHIN_S:g} s")
            await asyncio.sleep(TICK_S)


def main() -> None:
    """One order, one result."""
    process.be_a_load()
    order = Order(**json.loads(sys.stdin.readline()))
    print(json.dumps(asdict(uvloop.run(carry_out(order)))), flush=True)


if __name__ == "__main__":
    main()
