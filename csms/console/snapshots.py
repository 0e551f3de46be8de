"""The network at this moment, shared by all who look: one read for many windows. Knows no page and no SQL."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar, cast

import structlog

from csms.store.status import Status

REFRESH_S = 2.0
# Looking may take these parts of the database's time and of a core at most, however large the network is; but
# for a processor's sake nothing is left to get older than LONGEST_S.
SHARE = 0.1
CORE_SHARE = 0.004
LONGEST_S = 30.0

Read = Callable[[str | None], Awaitable[Status]]
T = TypeVar("T")

log = structlog.get_logger()


class Seen(NamedTuple):
    """The last status that could be read, and whether the latest attempt failed."""

    status: Status | None
    is_stale: bool


class Snapshots:
    """One status for all who look at the same scope, read at most every `REFRESH_S` seconds."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._seen: dict[str | None, Seen] = {}
        self._next: dict[str | None, float] = {}
        self._locks: dict[str | None, asyncio.Lock] = {}
        self._made: dict[Hashable, tuple[Status, Any]] = {}

    async def latest(self, operator: str | None) -> Seen:
        """The status now, give or take the time between two reads."""
        clock = asyncio.get_running_loop().time
        async with self._locks.setdefault(operator, asyncio.Lock()):
            begun = clock()
            if begun >= self._next.get(operator, 0.0):
                self._seen[operator] = await self._attempt(operator)
                took = clock() - begun
                rest = min(self._cost(operator) / CORE_SHARE, LONGEST_S)
                self._next[operator] = begun + max(REFRESH_S * 0.9, took / SHARE, rest)
            return self._seen[operator]

    def _cost(self, operator: str | None) -> float:
        status = self._seen[operator].status
        return 0.0 if status is None else status.cost_s

    def made(self, of: Status, key: Hashable, make: Callable[[Status], T]) -> T:
        """What `make` makes of a status, once for all who look alike: those with the same `key`."""
        known = self._made.get(key)
        if known is None or known[0] is not of:
            known = self._made[key] = (of, make(of))
        return cast("T", known[1])

    async def _attempt(self, operator: str | None) -> Seen:
        before = self._seen.get(operator, Seen(None, False))
        try:
            status = await self._read(operator)
        except Exception as exc:  # whatever the database says, the page shows the last it knew
            if not before.is_stale:
                log.warning("status_not_read", operator=operator, error=repr(exc))
            return Seen(before.status, True)
        if before.is_stale:
            log.info("status_read_again", operator=operator)
        return Seen(status, False)


def of_sites(status: Status, sites: Sequence[str]) -> Status:
    """What of a status belongs to some sites only. Figures of a whole operator are not among it."""
    kept = tuple(one for one in status.sites if one.code in sites)
    stations = {cell.identity for one in kept for cell in one.cells}
    online = sum(one.online for one in kept)
    live = tuple(line for line in status.live if line.station in stations)
    return replace(
        status,
        stations=sum(one.total for one in kept),
        online={"": online} if online else {},
        sites=kept,
        live=live,
        live_sessions=len(live),
        ended=tuple(line for line in status.ended if line.station in stations),
        orders=(),
    )
