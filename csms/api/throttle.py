"""Who fails to sign in waits longer each time. In this process's memory.

Failures count for a name from one network, for that network, and for the name from anywhere. The last has
the largest budget and the shortest pauses: nobody far away can keep a known person out for long. An attempt
counts as failed from when it is let in until it is forgiven, so that many at once are as many in a row.
"""

import hashlib
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple


class Budget(NamedTuple):
    """Failures without a pause, and the longest pause after those."""

    free: int
    longest_s: int


FREE = 5
HERE, NETWORK, ANYWHERE = Budget(FREE, 900), Budget(20, 900), Budget(50, 30)
FIRST_S = 2
FADES_S = 600  # one failure is forgotten in that time
MOST = 10_000  # counts that are kept


class Throttle:
    """Counts failures. Whoever signs in is forgiven."""

    def __init__(self) -> None:
        self._failed: dict[bytes, tuple[float, datetime]] = {}

    def book(self, now: datetime, name: str, address: str) -> int:
        """0 for an attempt that is let in, and counts as failed; else the seconds it must wait."""
        marks = _marks(name, address)
        wait_s = max(self._wait_s(mark, budget, now) for mark, budget in marks)
        if not wait_s:
            for mark, _ in marks:
                count = self._count(mark, now)
                self._failed.pop(mark, None)
                self._failed[mark] = count + 1, now
            while len(self._failed) > MOST:  # whoever failed longest ago
                del self._failed[next(iter(self._failed))]
        return wait_s

    def give_back(self, name: str, address: str) -> None:
        """The attempt was none: nobody has looked at it."""
        for mark, _ in _marks(name, address):
            self._take_one(mark)

    def forgive(self, name: str, address: str) -> None:
        """The attempt was right. What others of the network have failed stays counted."""
        (here, _), (network, _), (anywhere, _) = _marks(name, address)
        self._failed.pop(here, None)
        self._failed.pop(anywhere, None)
        self._take_one(network)

    def _take_one(self, mark: bytes) -> None:
        if mark in self._failed:
            count, last = self._failed[mark]
            self._failed[mark] = max(0.0, count - 1), last

    def _count(self, mark: bytes, now: datetime) -> float:
        count, last = self._failed.get(mark, (0.0, now))
        return max(0.0, count - (now - last).total_seconds() / FADES_S)

    def _wait_s(self, mark: bytes, budget: Budget, now: datetime) -> int:
        count, last = self._failed.get(mark, (0.0, now))
        beyond = round(count) - budget.free
        if beyond < 0:
            return 0
        pause = min(FIRST_S * 2 ** min(beyond, 16), budget.longest_s)
        return max(0, int(pause - (now - last).total_seconds() + 0.999))


def _marks(name: str, address: str) -> tuple[tuple[bytes, Budget], ...]:
    network = network_of(address)
    # Hashes: however long a name is, what is kept of it is not.
    return (
        (_mark("here", name, network), HERE),
        (_mark("network", network), NETWORK),
        (_mark("anywhere", name), ANYWHERE),
    )


def _mark(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).digest()


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network(f"{found}/64", strict=False))
