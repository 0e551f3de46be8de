"""`make bench-queries`: how long the API's lists, searches and reports take over a large network's year.

The database is filled once and kept in `--build` (or in the PostgreSQL database that is named); a second run
only asks. Exit code 1 when a question is slower than `--within-ms` at the 95th percentile, or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx
from rich.console import Console
from rich.table import Table

from tests.bench.queries.city import Size, fill
from tests.bench.queries.questions import QUESTIONS, Draw
from tests.bench.report import machine
from tests.serverkit import CsmsServer

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
SEED = 7
WIDTH = 110
STARTED_WITHIN_S = 120.0


async def main() -> int:
    options = _options()
    console = Console(width=WIDTH)
    size = Size(options.stations, options.sessions, UNTIL)
    url = options.database or f"sqlite:///{options.build.resolve() / 'queries.db'}"
    options.build.mkdir(exist_ok=True)
    if options.fill:
        begun = time.monotonic()
        await fill(url, size, lambda what: console.print(f"{time.monotonic() - begun:7.1f} s {what}"))
    found = await ask_all(url, size, options.times)
    kind = url.partition(":")[0]
    report = {"machine": machine(), "stations": size.stations, "sessions": size.sessions, "ms": found}
    (options.build / f"bench-queries-{kind}.json").write_text(json.dumps(report, indent=2) + "\n")
    slow = _show(console, kind, found, options.within_ms)
    return 1 if slow else 0


async def ask_all(url: str, size: Size, times: int) -> dict[str, dict[str, float]]:
    """The 50th and 95th percentile and the longest time of each question, in ms, over real HTTP."""
    with tempfile.TemporaryDirectory(prefix="csms-queries-") as place:
        csms = CsmsServer(Path(place), {"database": {"url": url}})
        headers = {"Authorization": f"Bearer {csms.admin_key}"}
        await csms.start(STARTED_WITHIN_S)
        try:
            base = f"{csms.http_url}/api/v1/"
            async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
                draw = Draw(Random(SEED), size)
                return {name: await _ask(client, name, draw, times) for name in QUESTIONS}
        finally:
            await csms.stop()


async def _ask(client: httpx.AsyncClient, name: str, draw: Draw, times: int) -> dict[str, float]:
    took = []
    for _ in range(times):
        path = QUESTIONS[name](draw)
        begun = time.perf_counter()
        answer = await client.get(path)
        took.append((time.perf_counter() - begun) * 1000)
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{name}: GET {path} was answered {answer.status_code}\n{answer.text}")
    took.sort()
    return {"p50": took[len(took) // 2], "p95": took[int(len(took) * 0.95)], "max": took[-1]}


def _show(console: Console, kind: str, found: dict[str, dict[str, float]], within_ms: float) -> list[str]:
    """Print the table. Returns the questions that were too slow."""
    table = Table(title=f"{kind}: what is asked, in ms")
    for column in ("question", "p50", "p95", "max"):
        table.add_column(column, justify="left" if column == "question" else "right")
    slow = [name for name, figures in found.items() if figures["p95"] > within_ms]
    for name, figures in found.items():
        figured = [f"{figures[column]:,.1f}" for column in ("p50", "p95", "max")]
        table.add_row(name, *figured, style="red" if name in slow else None)
    console.print(table)
    console.print(f"{len(slow)} of {len(found)} questions are slower than {within_ms:.0f} ms at p95")
    return slow


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.queries", description=__doc__)
    parser.add_argument("--stations", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=10_000_000)
    parser.add_argument("--database", default="", help="an empty PostgreSQL database; else SQLite in --build")
    parser.add_argument("--fill", action=argparse.BooleanOptionalAction, default=True, help="fill it first")
    parser.add_argument("--times", type=int, default=40, help="requests of each question")
    parser.add_argument("--within-ms", type=float, default=300.0, help="the longest 95th percentile")
    parser.add_argument("--build", type=Path, default=Path("build"), help="where data and results are")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
