"""A fleet that charges and verifies, as a child process, and what it has come to."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from tests.serverkit import Child, CsmsServer

STATIONS, SESSIONS, SEED = 30, 2, 7
ANSWERED = re.compile(rb'"op": ?"ok"')
FLEET_WITHIN_S = 120.0


def made(csms: CsmsServer, journal: Path) -> Child:
    """The fleet as a child process; its exit code is its verdict."""
    where = ["--url", csms.gateway_url, "--api", csms.http_url, "--api-key", csms.admin_key]
    size = ["--stations", STATIONS, "--sessions", SESSIONS, "--seed", SEED, "--sites", 3, "--prefix", "KILL"]
    command = [sys.executable, "-m", "simulators", "fleet", "--verify", "--journal", journal, *where, *size]
    return Child("fleet", [str(word) for word in command], journal.parent)


async def has_acknowledged(fleet: Child, journal: Path, count: int) -> bool:
    """Whether that many messages were answered; the fleet must not be over before."""
    fleet.check_alive()
    return acknowledged(journal) >= count


def acknowledged(journal: Path) -> int:
    """How many messages were answered so far."""
    return len(ANSWERED.findall(journal.read_bytes())) if journal.exists() else 0


async def exit_code(fleet: Child) -> list[int]:
    """The fleet's exit code once it has ended."""
    return [] if fleet.is_running else [await fleet.stop()]


async def every(csms: CsmsServer, what: str, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    rows: list[dict[str, Any]] = []
    page = await csms.get(what, limit=1_000, **query)
    while page["next"]:
        rows += page["items"]
        page = await csms.get(what, limit=1_000, after=page["next"], **query)
    return [*rows, *page["items"]]
