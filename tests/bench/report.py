"""Rounds into a table, ratios and files. Each cost is the least of its rounds: noise only ever adds."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.load import ECHO, Findings

FLOOR, OURS = "floor", "csms"
Key = tuple[str, str]  # server, version
Rounds = dict[Key, list[Findings]]

# column -> (header, where it is in one round's findings, which round is quoted)
COLUMNS: dict[str, tuple[str, str, str | None, Any]] = {
    "cpu_us": ("CPU us / message", "saturation", "cpu_us", min),
    "per_s": ("messages / s", "saturation", "per_s", max),
    "p50_ms": ("p50 ms", "saturation", "p50_ms", min),
    "p99_ms": ("p99 ms", "saturation", "p99_ms", min),
    "half_per_s": ("at half of that: / s", "half", "per_s", max),
    "half_p50_ms": ("  p50 ms", "half", "p50_ms", min),
    "half_p99_ms": ("  p99 ms", "half", "p99_ms", min),
    "half_max_ms": ("  max ms", "half", "max_ms", min),
    "handshake_us": ("CPU us / handshake", "handshake_us", None, min),
    "connection_kb": ("kB / connection", "connection_kb", None, min),
    "load_cpu_us": ("the load's own us", "saturation", "load_cpu_us", min),
    "errors": ("errors", "errors", None, max),
}


def summarize(rounds: Rounds) -> dict[str, Any]:
    """The quoted figures by server and version, the ratios of ours to the others, machine and commit."""
    figures = {key: _quote(findings) for key, findings in rounds.items()}
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine(),
        "connections": max((one.connections for findings in rounds.values() for one in findings), default=0),
        "rounds": max(map(len, rounds.values()), default=0),
        "figures": {f"{server} {version}": figure for (server, version), figure in figures.items()},
        "ratios": _ratios(figures),
        "trouble": {
            " ".join(key): [line for one in found for line in one.trouble]
            for key, found in rounds.items()
            if any(one.trouble for one in found)
        },
    }


def write(summary: dict[str, Any], rounds: Rounds, directory: Path) -> None:
    """bench.json with every round; one line more in bench-history.jsonl."""
    directory.mkdir(exist_ok=True)
    detail = {" ".join(key): [asdict(one) for one in found] for key, found in rounds.items()}
    (directory / "bench.json").write_text(json.dumps(summary | {"all_rounds": detail}, indent=2) + "\n")
    with (directory / "bench-history.jsonl").open("a") as history:
        history.write(json.dumps(summary) + "\n")


def show(summary: dict[str, Any], titles: dict[str, str], console: Console) -> None:
    """Print the table and the ratios."""
    about = summary["machine"]
    console.print(
        f"{about['cpu']}, {about['cores']} cores, Python {about['python']}, commit {summary['commit']}; "
        f"{summary['connections']} connections; one core for the server, one for the load; "
        f"best of {summary['rounds']} round(s)"
    )
    table = Table(caption="; ".join(f"{name}: {title}" for name, title in titles.items()))
    table.add_column("", no_wrap=True)
    for name in summary["figures"]:
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for column, (header, *_) in COLUMNS.items():
        table.add_row(header, *(_figure(figure[column]) for figure in summary["figures"].values()))
    console.print(table)
    for what, ratio in summary["ratios"].items():
        console.print(f"{what}: {ratio:.2f}")
    for name, trouble in summary["trouble"].items():
        console.print(f"[red]{name}: {trouble[0]}[/red]")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _figure(value: float) -> str:
    """Three digits say enough."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _quote(findings: list[Findings]) -> dict[str, float]:
    rows = [asdict(one) for one in findings]
    quoted = {}
    for column, (_, outer, inner, choose) in COLUMNS.items():
        values = [row[outer][inner] if inner else row[outer] for row in rows]
        quoted[column] = choose(values)
    return quoted


def _ratios(figures: dict[Key, dict[str, float]]) -> dict[str, float]:
    """Ours divided by each other server, in CPU time per message."""
    floor = figures.get((FLOOR, ECHO))
    ratios = {}
    for (server, version), figure in figures.items():
        ours = figures.get((OURS, version))
        if server == OURS and floor and floor["cpu_us"]:
            ratios[f"csms {version} / floor"] = figure["cpu_us"] / floor["cpu_us"]
        elif ours and server != OURS and figure["cpu_us"]:
            ratios[f"csms {version} / {server} {version}"] = ours["cpu_us"] / figure["cpu_us"]
    return ratios


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    told = subprocess.run(asked, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    return told.stdout.strip() or "none"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
