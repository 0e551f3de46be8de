"""One station at real time that says what it does. For looking on, and for trying commands."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from random import Random

from rich.console import Console
from rich.markup import escape

from simulators.battery import Supply, some_car
from simulators.clock import StationClock
from simulators.evse import Evse, Step, Visit
from simulators.facts import stamp
from simulators.journal import Journal
from simulators.link import Link, Route
from simulators.misbehaviours import named
from simulators.station import Station
from simulators.traits import Traits

PAUSE_S = 5.0
"""Between two cars, on the station's clock."""
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Single:
    """What the command line asks of one station."""

    identity: str
    version: str
    url: str
    password: str | None = None
    misbehave: Sequence[str] = ()
    speed: float = 1.0
    sessions: int | None = None
    evses: int = 1
    kw: float = 22.0
    dc: bool = False
    tokens: Sequence[str] = ("SIMTOKEN1",)
    sample_s: float = 10.0
    minutes: float = 3.0
    seed: int = 1


class Turns:
    """Cars come one after the other until the wanted number of sessions was had."""

    def __init__(self, one: Single, rng: Random) -> None:
        self._one, self._rng = one, rng
        self._tokens = cycle(one.tokens)
        self._left = one.sessions

    def more(self, station: Station, clock: StationClock) -> bool:
        """Let the next car come to each EVSE that waits for none."""
        for evse in station.evses.values():
            waits = evse.step is Step.IDLE and not evse.visits and evse.operative
            if waits and self._left != 0:
                self._left = None if self._left is None else self._left - 1
                evse.expect(self._visit(clock))
        return self._left != 0 or not station.idle

    def _visit(self, clock: StationClock) -> Visit:
        at = datetime.fromtimestamp(clock.now().timestamp() + PAUSE_S, UTC)
        charge_s = self._one.minutes * 60
        return Visit(at, next(self._tokens), some_car(self._rng), self._rng.uniform(0.1, 0.6), charge_s)


def make(one: Single, start: datetime, seed: Random) -> Station:
    """The station itself; its register begins where no earlier run can have been."""
    supply = Supply(one.dc, one.kw * 1000, 1 if one.kw <= 7 and not one.dc else 3)
    # A quarter of a Wh a second is more than one 0.9 kW average: the register of a later run is higher.
    register = (start.timestamp() - 1_700_000_000) / 4
    evses = [Evse(number, supply, register, seed, seed) for number in range(1, one.evses + 1)]
    traits = Traits(one.identity, one.version, serial=f"S{one.identity}"[:25])
    station = Station(traits, evses, seed, named(one.misbehave))
    station.settings.sample_every(one.sample_s)
    return station


async def run_single(one: Single, console: Console) -> int:
    """Run until the sessions are had or Ctrl-C; returns the exit code."""
    start = datetime.now(UTC)
    rng = Random(f"{one.seed}/{start.timestamp()}")
    clock = StationClock(start)
    clock.go_live(start, one.speed)

    def say(what: str, detail: str) -> None:
        colour = {">": "cyan", "<": "green"}.get(what[0], "yellow")
        console.print(
            f"[dim]{stamp(clock.now())}[/] [{colour}]{escape(what)}[/] {escape(detail[:LONGEST_LINE])}"
        )

    link = Link(
        station=make(one, start, rng),
        clock=clock,
        script=Turns(one, rng),
        route=Route(one.url.rstrip("/"), one.password, asyncio.Semaphore(1)),
        journal=Journal(None),
        rng=rng,
        say=say,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, link.stop)
    await link.run()
    return 0
