"""How soon stations are answered while their city is well, hangs, refuses, or is not there at all.

The same paced fleet each time, against a csms of its own. Times are those of the fleet's journal, from the
moment a message is sent until its answer is read, in whole milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulators import journal
from tests.campaign.city.town import Platform, Town, fleet, journal_of
from tests.campaign.fleet import exit_code
from tests.campaign.kit import until

OPERATOR = "395815801"
WAYS: dict[str, tuple[str, ...]] = {
    "healthy": (),
    "hangs": ("delay=3600",),  # takes the push and never answers
    "refuses": ("refuse",),  # Ret 500 to everything
    "gone": (),  # nobody listens
}
DAY_IN_S = 86.4
TIMES, PLUS_MS = 3, 50
WITHIN_S = 180.0


@dataclass(frozen=True, slots=True)
class Load:
    """Stations, sessions of each, and how many times as fast as real ones their clocks run."""

    stations: int
    sessions: int
    speed: int


@dataclass(frozen=True, slots=True)
class Answers:
    """How stations were answered. Milliseconds; `told` is what the city has taken in meanwhile."""

    city: str
    sent: int
    answered: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    told: int
    exit_code: int


async def answered(way: str, load: Load, directory: Path) -> Answers:
    """Run the fleet with a city that behaves in this way."""
    town = Town(directory, [Platform("city", "simulated", OPERATOR, WAYS[way])], day_s=DAY_IN_S)
    size = ["--stations", load.stations, "--sessions", load.sessions, "--speed", load.speed]
    more = [str(word) for word in (*size, "--scenario", "calm", "--verify")]
    city = town.cities["city"]
    try:
        await town.start()
        if way == "gone":
            city.child.kill()
        stations = fleet(town.csms, OPERATOR, directory, *more)
        try:
            stations.spawn()
            code = (await until(partial(exit_code, stations), WITHIN_S))[0]
        finally:
            stations.kill()
        told = 0 if way == "gone" else (await city.get("/ledger"))["counters"].get("pushes", 0)
        await town.csms.stop()
    finally:
        town.end()
    return _measured(way, journal_of(OPERATOR, directory), told, code)


def _measured(way: str, file: Path, told: int, code: int) -> Answers:
    sent: dict[tuple[str, str], datetime] = {}
    waits = []
    for record in journal.read(file):
        key = record.get("station", ""), record.get("id", "")
        if record["op"] == "call":
            sent[key] = datetime.fromisoformat(record["t"])
        elif record["op"] == "ok":
            waits.append(1_000 * (datetime.fromisoformat(record["t"]) - sent[key]).total_seconds())
    waits.sort()
    p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    return Answers(way, len(sent), len(waits), p50, p99, waits[-1], told, code)


def unanswered(found: list[Answers]) -> list[str]:
    """Where a station was left without its answer, or csms's history is not the stations' truth."""
    return [
        f"{one.city}: {one.answered} of {one.sent} answered, exit {one.exit_code}"
        for one in found
        if one.answered != one.sent or one.exit_code
    ]


def slower(found: list[Answers]) -> list[str]:
    """Cities that cost the stations more than the bound."""
    bound = TIMES * found[0].p99_ms + PLUS_MS
    return [f"{one.city}: p99 {one.p99_ms:g} ms" for one in found[1:] if one.p99_ms > bound]


def show_answers(console: Console, found: list[Answers]) -> None:
    """Print them side by side."""
    names = ("city", "messages", "p50 ms", "p99 ms", "max ms", "pushes it saw")
    table = Table(*names, title="stations' answer times", title_justify="left")
    for one in found:
        table.add_row(*map(str, (one.city, one.answered, one.p50_ms, one.p99_ms, one.max_ms, one.told)))
    console.print(table)
