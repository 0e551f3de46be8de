"""`make bench-city`: a whole city's chargers on one server, at the rate at which they really speak.

Workers share the port; each quarter of the city is a process with an address of its own. Afterwards the
database must hold what was acknowledged, to the Wh. Exit code 1 when it does not, or an aim is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import process
from tests.bench.city.quarter import Findings, Order, identity_of
from tests.bench.city.town import differences, enlarge, is_settled
from tests.bench.report import machine
from tests.bench.servers import PASSWORD, SETTINGS, SITE
from tests.serverkit import CsmsServer, polls

CHARGERS = 115_100
OF_A_WORKER = 15_000
SETTLED_WITHIN_S = 300.0
START_WITHIN_S = 120.0
STOP_WITHIN_S = 120.0
MOST_LINE = 1 << 26  # bytes: a quarter's findings
MOST_SHOWN = 5
AIMS = {"p99_ms": 20.0, "cores": 0.40, "memory_gb": 3.0, "errors": 0, "differences": 0}


@dataclass(frozen=True, slots=True)
class Result:
    """`cores`: processor time of all server processes by the time of the measured stretch."""

    chargers: int
    workers: int
    connect_s: float
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cores: float
    memory_gb: float
    sessions: int
    values: int
    energy_wh: int
    errors: int
    differences: int


async def measure(
    chargers: int, workers: int, seconds: float, say: Callable[[str], None]
) -> tuple[Result, list[str]]:
    """The whole run, and what was wrong. Raises what a server or a quarter fails with."""
    with tempfile.TemporaryDirectory(prefix="csms-city-") as place:
        csms = await _founded(Path(place), chargers, workers)
        await csms.start(START_WITHIN_S)
        say("the server is ready")
        quarters: list[asyncio.subprocess.Process] = []
        try:
            orders = _orders(csms.gateway_port, chargers, workers, seconds)
            quarters = [await _sent(order) for order in orders]
            connected = [json.loads(await _line(one)) for one in quarters]
            say(f"{sum(one['connected'] for one in connected):,} chargers are connected")
            began, cpu = time.monotonic(), process.cpu_s(csms.pid)
            for one in quarters:
                await _tell(one, "go")
            await asyncio.sleep(seconds)
            cores = (process.cpu_s(csms.pid) - cpu) / (time.monotonic() - began)
            memory = process.resident_bytes(csms.pid)
            found = [Findings(**json.loads(await _line(one))) for one in quarters]
            say("every session is over")
            async for _ in polls(SETTLED_WITHIN_S):
                if is_settled(csms.database_file):
                    say("and settled")
                    break
            await csms.stop(STOP_WITHIN_S)
        except BaseException:
            say(csms.child.log_tail())
            raise
        finally:
            for one in quarters:
                if one.returncode is None:
                    one.kill()
                await one.wait()
            csms.kill()
        charged = {name: (told[0], told[1]) for one in found for name, told in one.charged.items()}
        wrong = differences(csms.database_file, charged)
    latencies = _latencies(found)
    trouble = [line for one in found for line in one.trouble]
    result = Result(
        chargers=sum(one.connected for one in found),
        workers=workers,
        connect_s=max(one.connect_s for one in found),
        per_s=sum(one.answered for one in found) / seconds,
        p50_ms=_quantile(latencies, 0.5),
        p99_ms=_quantile(latencies, 0.99),
        max_ms=_quantile(latencies, 1.0),
        cores=cores,
        memory_gb=memory / 1e9,
        sessions=len(charged),
        values=sum(values for values, _ in charged.values()),
        energy_wh=sum(wh for _, wh in charged.values()),
        errors=sum(one.errors + one.lost for one in found),
        differences=len(wrong),
    )
    return result, [*trouble, *wrong]


async def _founded(place: Path, chargers: int, workers: int) -> CsmsServer:
    """A server that is not started, with everybody registered."""
    settings = {**SETTINGS, "gateway": {**SETTINGS["gateway"], "workers": workers}}
    csms = CsmsServer(place, settings)
    await csms.start(START_WITHIN_S)
    try:
        await csms.add_site(SITE)
        await csms.add_station(identity_of(0), PASSWORD, SITE)
        await csms.add_token(identity_of(0))
    finally:
        await csms.stop()
    enlarge(csms.database_file, chargers)
    return csms


def _orders(port: int, chargers: int, workers: int, seconds: float) -> list[Order]:
    each = -(-chargers // workers)
    return [
        Order(
            port, f"127.0.1.{number + 1}", number * each, min(each, chargers - number * each), PASSWORD,
            seconds, number,
        )
        for number in range(workers)
    ]  # fmt: skip


async def _sent(order: Order) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    quarter = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.city.quarter", stdin=pipe, stdout=pipe, limit=MOST_LINE
    )
    await _tell(quarter, json.dumps(asdict(order)))
    return quarter


async def _tell(quarter: asyncio.subprocess.Process, line: str) -> None:
    assert quarter.stdin is not None, "it was made with a pipe"
    quarter.stdin.write(f"{line}\n".encode())
    await quarter.stdin.drain()


async def _line(quarter: asyncio.subprocess.Process) -> bytes:
    assert quarter.stdout is not None, "it was made with a pipe"
    line = await quarter.stdout.readline()
    if not line:
        raise SystemExit(f"a quarter of the city failed: exit code {await quarter.wait()}")
    return line


def _latencies(found: list[Findings]) -> list[tuple[float, int]]:
    """Milliseconds and how many messages took so long, in order."""
    counted: Counter[int] = Counter()
    for one in found:
        counted.update({int(tenths): number for tenths, number in one.latencies.items()})
    return [((tenths + 1) / 10, counted[tenths]) for tenths in sorted(counted)]


def _quantile(latencies: list[tuple[float, int]], share: float) -> float:
    left = share * sum(number for _, number in latencies)
    for ms, number in latencies:
        left -= number
        if left <= 0:
            return ms
    return 0.0


def show(result: Result, wrong: list[str], console: Console) -> bool:
    """Print the table. Whether every aim is met."""
    table = Table(title="A city on one machine")
    for column in ("", "measured", "aim"):
        table.add_column(column, justify="left" if not column else "right")
    figures: dict[str, Any] = asdict(result)
    is_met = {name: figures[name] <= most for name, most in AIMS.items()}
    for name, value in figures.items():
        aim = f"{AIMS[name]:g} at most" if name in AIMS else ""
        shown = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
        table.add_row(name, shown, aim, style=None if is_met.get(name, True) else "red")
    console.print(table)
    for line in wrong[:MOST_SHOWN]:
        console.print(line, style="red", markup=False)
    return all(is_met.values())


def main() -> int:
    """Measure, print, write build/bench-city.json."""
    parser = argparse.ArgumentParser(prog="make bench-city", description=__doc__)
    parser.add_argument("--chargers", type=int, default=CHARGERS)
    parser.add_argument("--workers", type=int, default=0, help="0: one for each 15,000 chargers, 2 or more")
    parser.add_argument("--seconds", type=float, default=300.0, help="of the measured stretch")
    parser.add_argument("--build", type=Path, default=Path("build"), help="where the result is written")
    given = parser.parse_args()
    console = Console()
    workers = given.workers or max(2, -(-given.chargers // OF_A_WORKER))
    begun = time.monotonic()

    def say(what: str) -> None:
        console.print(f"{time.monotonic() - begun:6.1f} s {what}", highlight=False, markup=False)

    result, wrong = asyncio.run(measure(given.chargers, workers, given.seconds, say))
    given.build.mkdir(exist_ok=True)
    report = {"machine": machine(), "seconds": given.seconds, **asdict(result), "wrong": wrong[:100]}
    (given.build / "bench-city.json").write_text(json.dumps(report, indent=2) + "\n")
    return 0 if show(result, wrong, console) else 1


if __name__ == "__main__":
    sys.exit(main())
