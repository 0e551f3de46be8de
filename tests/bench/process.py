"""What a process and all its children have used, read from /proc. Linux only; knows nothing of servers."""

from __future__ import annotations

import gc
import os
import resource
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

PARENT, UTIME, STIME, CUTIME, CSTIME = 1, 11, 12, 13, 14  # proc(5), stat, counted after the command's name


def be_a_load() -> None:
    """This process is a load: as many sockets as may be, and no collection in the middle."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # It allocates no cycles; a collection would be measured as the server's latency.
    gc.disable()


def cpu_s(pid: int) -> float:
    """User and system time (s) of a process, its threads, and its children living or reaped."""
    ticks = 0
    for member in family(pid):
        stat = _stat(member)
        ticks += sum(int(stat[field]) for field in (UTIME, STIME, CUTIME, CSTIME)) if stat else 0
    return ticks / TICKS_PER_S


def resident_bytes(pid: int) -> int:
    """Memory in RAM of a process and its children. Pages they share count in each."""
    return sum(_resident(member) for member in family(pid))


def family(pid: int) -> list[int]:
    """A process and all its descendants that run now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        stat = _stat(int(entry.name)) if entry.name.isdigit() else []
        if stat:
            children.setdefault(int(stat[PARENT]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def _stat(pid: int) -> list[str]:
    try:
        # The command's name may hold spaces and brackets: the fields start after the last bracket.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []  # ended while we looked


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0
