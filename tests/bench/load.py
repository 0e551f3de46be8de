"""The load, a process of its own: `python -m tests.bench.load`, an order as JSON in, findings as JSON out.

Connects all stations, brings each to its own place in a station's life, then
measures a closed loop (one call outstanding per station) and a fixed rate
whose latencies count from the scheduled time. Does not know which server it
talks to; reads that server's use of the processor from /proc.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import cycle

import uvloop

from tests.bench import process
from tests.bench.frames import SUBPROTOCOL, Script
from tests.bench.stations import Pace, Station, Tally, clock, handshake

CONNECT_WITHIN_S = 60.0
DRAIN_WITHIN_S = 30.0
SETTLE_S = 0.3
TICK_S = 0.001
ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Order:
    """What to do. `version` is an OCPP version, or "echo"; `server_pid` is whose cost is read.

    A station's identity is its token too, and has at most 19 characters.
    """

    port: int
    path: str
    version: str
    identities: list[str]
    password: str
    server_pid: int
    seconds: float
    most_messages: int
    handshakes_at_once: int = 50
    core: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """One measured stretch, until the last answer. Latencies in ms, costs in microseconds per message."""

    messages: int
    seconds: float
    per_s: float
    cpu_us: float
    load_cpu_us: float
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one order has measured."""

    connections: int
    handshake_us: float
    connection_kb: float
    saturation: Stretch
    half: Stretch
    errors: int
    calls_received: int
    trouble: list[str]


class ClosedLoop:
    """Each answer sends the station's next message, until time or count is used up."""

    def __init__(self, until: float, most: int) -> None:
        self._until, self._left = until, most

    def answered(self, station: Station, now: float) -> None:
        self._left -= 1
        if now < self._until and self._left > 0 and station.has_more:
            station.send(now)


class Opening:
    """Tells the first life up to the station's place in it: nothing is left out, no number is skipped."""

    def answered(self, station: Station, now: float) -> None:
        if not station.is_in_place:
            station.send(now)


class Schedule:
    """Sends what is due; what comes due while a call is outstanding waits at its station."""

    def answered(self, station: Station, now: float) -> None:
        if station.due and station.has_more:
            station.send(station.due.popleft())

    def fall_due(self, station: Station, at: float) -> None:
        if station.is_busy:
            station.due.append(at)
        elif station.has_more:
            station.send(at)


async def carry_out(order: Order) -> Findings:
    """Carry out an order. Raises ConnectionError when refused, TimeoutError when the server goes silent."""
    before = process.resident_bytes(order.server_pid)
    cpu_before = process.cpu_s(order.server_pid)
    stations = await _connect(order)
    handshake_s = process.cpu_s(order.server_pid) - cpu_before
    await asyncio.sleep(SETTLE_S)
    memory = process.resident_bytes(order.server_pid) - before
    everything = Tally()
    await _take_places(stations, everything)
    saturation = await _saturate(order, stations, everything)
    half = await _hold_rate(order, stations, everything, saturation.per_s / 2)
    for station in stations:
        station.close()
    count = len(stations)
    return Findings(
        connections=count,
        handshake_us=handshake_s / count * 1e6,
        connection_kb=memory / count / 1024,
        saturation=saturation,
        half=half,
        errors=everything.errors,
        calls_received=everything.calls_received,
        trouble=everything.trouble,
    )


async def connected(order: Order) -> list[Station]:
    """The stations of an order, connected and each at its own place in its life. Raises as `carry_out`."""
    stations = await _connect(order)
    await _take_places(stations, Tally())
    return stations


async def hold(order: Order, stations: list[Station], per_s: float) -> Stretch:
    """A stretch at a fixed rate, for the seconds of the order. Raises as `carry_out`."""
    return await _hold_rate(order, stations, Tally(), per_s)


async def _connect(order: Order) -> list[Station]:
    gate = asyncio.Semaphore(order.handshakes_at_once)
    script = None if order.version == ECHO else Script(order.version, datetime.now(UTC))
    subprotocol = SUBPROTOCOL.get(order.version, ECHO)
    loop = asyncio.get_running_loop()

    async def connect(phase: int, identity: str) -> Station:
        path = f"{order.path}/{identity}"
        request = handshake(order.port, path, subprotocol, f"{identity}:{order.password}")
        async with gate:
            _, station = await loop.create_connection(
                lambda: Station(request, script, identity, phase), "127.0.0.1", order.port
            )
            await station.connected
        return station

    async with asyncio.timeout(CONNECT_WITHIN_S), asyncio.TaskGroup() as group:
        tasks = [group.create_task(connect(*numbered)) for numbered in enumerate(order.identities)]
    return [task.result() for task in tasks]


async def _take_places(stations: list[Station], everything: Tally) -> None:
    with _measured(stations, Opening(), everything):
        for station in stations:
            if not station.is_in_place:
                station.send(clock())
        await _drained(stations)


async def _saturate(order: Order, stations: list[Station], everything: Tally) -> Stretch:
    meter = Meter(order.server_pid)
    pace = ClosedLoop(clock() + order.seconds, order.most_messages)
    with _measured(stations, pace, everything) as tally:
        for station in stations:
            if station.has_more:
                station.send(clock())
        await _drained(stations, order.seconds + DRAIN_WITHIN_S)
    return meter.read(tally)


async def _hold_rate(order: Order, stations: list[Station], everything: Tally, per_s: float) -> Stretch:
    meter, pace = Meter(order.server_pid), Schedule()
    most = min(int(per_s * order.seconds), order.most_messages)
    with _measured(stations, pace, everything) as tally:
        start = clock()
        for number, station in zip(range(most), cycle(stations), strict=False):
            at = start + number / per_s
            if (early := at - clock()) > 0:
                await asyncio.sleep(max(early, TICK_S))
            pace.fall_due(station, at)
        await _drained(stations)
    return meter.read(tally)


async def _drained(stations: list[Station], within_s: float = DRAIN_WITHIN_S) -> None:
    """Wait for the last answer; TimeoutError after `within_s`."""
    until = clock() + within_s
    for station in stations:
        while station.is_busy and clock() < until:  # noqa: ASYNC110 - an Event for each answer would be measured
            await asyncio.sleep(TICK_S)
    if any(station.is_busy for station in stations):
        raise TimeoutError(f"the server has not answered everything within {within_s} s")


@contextmanager
def _measured(stations: list[Station], pace: Pace, everything: Tally) -> Iterator[Tally]:
    """One tally for all stations while the pace is theirs; errors are added to `everything`."""
    tally = Tally()
    for station in stations:
        station.tally, station.pace = tally, pace
    yield tally
    everything.errors += tally.errors
    everything.calls_received += tally.calls_received
    everything.trouble = (everything.trouble + tally.trouble)[:5]


class Meter:
    """Processor time and wall time since it was made."""

    def __init__(self, server_pid: int) -> None:
        self._pid = server_pid
        self._server_s, self._own_s = process.cpu_s(server_pid), process.cpu_s(os.getpid())
        self._start = clock()

    def read(self, tally: Tally) -> Stretch:
        """What the messages of a tally have cost."""
        seconds = clock() - self._start
        server_s, own_s = process.cpu_s(self._pid) - self._server_s, process.cpu_s(os.getpid()) - self._own_s
        messages, ordered = max(tally.answered, 1), sorted(tally.latencies) or [0.0]
        return Stretch(
            messages=tally.answered,
            seconds=seconds,
            per_s=tally.answered / seconds,
            cpu_us=server_s / messages * 1e6,
            load_cpu_us=own_s / messages * 1e6,
            p50_ms=ordered[len(ordered) // 2] * 1e3,
            p99_ms=ordered[len(ordered) * 99 // 100] * 1e3,
            max_ms=ordered[-1] * 1e3,
        )


def main() -> None:
    """Read an order from standard input, write the findings to standard output."""
    order = Order(**json.load(sys.stdin))
    if order.core is not None:
        os.sched_setaffinity(0, {order.core})
    process.be_a_load()
    json.dump(asdict(uvloop.run(carry_out(order))), sys.stdout)


if __name__ == "__main__":
    main()
