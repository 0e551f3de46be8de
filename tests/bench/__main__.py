"""`make bench`: ours, its peers and the floor under the same load, in interleaved rounds.

Bounded in time by `--seconds` for each stretch and in count by the lives that
the stations can tell. The product's goals are ratios, so the whole table comes
from one run on one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from tests.bench import report
from tests.bench.load import Findings, Order, Stretch
from tests.bench.report import Rounds
from tests.bench.servers import PASSWORD, REPOSITORY, Server, all_servers
from tests.clients.node import NodeMissing

LOAD_WITHIN_S = 180.0
MOST_MESSAGES = 2_000_000
WIDTH = 120


class LoadFailed(Exception):
    """The load generator could not carry out its order."""


async def measure(order: Order) -> Findings:
    """Run the load generator in its own process. Raises LoadFailed with what it printed."""
    load = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        timeout=LOAD_WITHIN_S,
        check=False,
        cwd=REPOSITORY,
    )
    if load.returncode:
        raise LoadFailed(load.stderr[-3_000:])
    found = json.loads(load.stdout)
    stretches = {name: Stretch(**found[name]) for name in ("saturation", "half")}
    return Findings(**{**found, **stretches})


async def run(options: argparse.Namespace, servers: list[Server], console: Console) -> Rounds:
    """All rounds of all servers; a peer that cannot run here is said and left out."""
    identities = [f"BENCH-{number:05d}" for number in range(options.connections)]
    rounds: Rounds = {}
    with tempfile.TemporaryDirectory(prefix="csms-bench-") as temporary:
        ready = [s for s in servers if await _prepared(s, Path(temporary), identities, console)]
        for number in range(options.rounds):
            for server in ready:
                for version in server.versions:
                    console.print(f"round {number + 1}: {server.name} {version}", style="dim")
                    place = _directory(Path(temporary), f"{number}-{server.name}-{version}")
                    findings = await _one(server, version, place, identities, options)
                    rounds.setdefault((server.name, version), []).append(findings)
    return rounds


async def _one(
    server: Server, version: str, place: Path, identities: list[str], options: argparse.Namespace
) -> Findings:
    server_core, load_core = cores()
    running = await server.start(place, server_core)
    try:
        order = Order(
            port=running.port,
            path=running.path,
            version=version,
            identities=identities,
            password=PASSWORD,
            server_pid=running.pid,
            seconds=options.seconds,
            most_messages=options.messages,
            core=load_core,
        )
        return await measure(order)
    finally:
        await server.stop()


async def _prepared(server: Server, temporary: Path, identities: list[str], console: Console) -> bool:
    try:
        await server.prepare(_directory(temporary, f"prepare-{server.name}"), identities)
    except NodeMissing as exc:
        if os.environ.get("CI"):
            raise
        console.print(f"{server.title}: left out, {exc}", style="yellow")
        return False
    return True


def cores() -> tuple[int | None, int | None]:
    """One core for the server and another for the load, where there are two."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def chosen(only: str | None) -> list[Server]:
    """The servers named in a comma-separated list, or all. Raises SystemExit for an unknown name."""
    servers = all_servers()
    names = [server.name for server in servers]
    wanted = only.split(",") if only else names
    if unknown := set(wanted) - set(names):
        raise SystemExit(f"--only: there is no {', '.join(sorted(unknown))}; known: {', '.join(names)}")
    return [server for server in servers if server.name in wanted]


def parse(arguments: Iterable[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--connections", type=int, default=1_000, help="stations connected at once")
    parser.add_argument("--rounds", type=int, default=2, help="rounds; the least cost of them is quoted")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each measured stretch")
    parser.add_argument("--messages", type=int, default=MOST_MESSAGES, help="most messages of a stretch")
    parser.add_argument("--only", help="servers to measure, separated by commas")
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build", help="where results are written")
    return parser.parse_args(list(arguments))


def main(arguments: Iterable[str]) -> None:
    """Measure, print, write."""
    options = parse(arguments)
    # The table needs room, which a pipe does not have by default.
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    servers = chosen(options.only)
    rounds = asyncio.run(run(options, servers, console))
    summary = report.summarize(rounds)
    report.write(summary, rounds, options.build)
    report.show(summary, {server.name: server.title for server in servers}, console)


def _directory(parent: Path, name: str) -> Path:
    directory = parent / name
    directory.mkdir()
    return directory


if __name__ == "__main__":
    main(sys.argv[1:])
