"""What the gateway counts, in plain numbers for whoever reads them. No metrics library."""

from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
MOST_NOTED = 10_000
MOST_REFUSED = 1_000  # identities, and refusals of one, that are remembered


class Told(msgspec.Struct, array_like=True):
    """Counters since start, as one process tells another."""

    messages: dict[tuple[str, str], int] = {}
    handshakes: dict[str, int] = {}
    closes: dict[int, int] = {}
    bad_frames: dict[str, int] = {}
    commands: dict[tuple[str, str], int] = {}
    latency: list[int] = []
    latency_sum_s: float = 0.0
    takeovers: int = 0
    takeover_alarms: int = 0
    late_replies: int = 0
    read_pauses: int = 0
    send_timeouts: int = 0


_COUNTERS = ("messages", "handshakes", "closes", "bad_frames", "commands")
_NUMBERS = (
    "latency_sum_s", "takeovers", "takeover_alarms", "late_replies", "read_pauses", "send_timeouts",
)  # fmt: skip


class GatewayStats:
    """Counters since start. Written by the gateway, read at scrape time; no locks, one loop.

    `messages` counts by (action, outcome): answered, repeated, refused, failed, gated, sent. Actions are
    those of the protocol or `unknown`, so that stations cannot fill the memory with names.
    """

    def __init__(self) -> None:
        self.messages: Counter[tuple[str, str]] = Counter()
        self.handshakes: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.bad_frames: Counter[str] = Counter()
        self.commands: Counter[tuple[str, str]] = Counter()
        self.latency: list[int] = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self.latency_sum_s = 0.0
        self.takeovers = 0
        self.takeover_alarms = 0
        self.late_replies = 0
        self.read_pauses = 0
        self.send_timeouts = 0
        self._refused: OrderedDict[str, deque[float]] = OrderedDict()
        self._noted: OrderedDict[tuple[str, str], None] = OrderedDict()

    def told(self) -> Told:
        """Everything that is counted; refused logins are looked up where they happened."""
        told: dict[str, Any] = {name: dict(getattr(self, name)) for name in _COUNTERS}
        told |= {name: getattr(self, name) for name in _NUMBERS}
        return Told(**told, latency=list(self.latency))

    def become(self, parts: Iterable[Told]) -> None:
        """The sum of what several processes have told."""
        parts = list(parts)
        for name in _COUNTERS:
            counter = getattr(self, name)
            counter.clear()
            for part in parts:
                counter.update(getattr(part, name))
        for name in _NUMBERS:
            setattr(self, name, sum(getattr(part, name) for part in parts))
        for place in range(len(self.latency)):
            self.latency[place] = sum(part.latency[place] for part in parts)

    def login_refused(self, identity: str, at: float) -> None:
        """Count wrong credentials of a registered station; `at` in seconds of the gateway's clock."""
        times = self._refused.setdefault(identity, deque(maxlen=MOST_REFUSED))
        times.append(at)
        self._refused.move_to_end(identity)
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)

    def refused_since(self, at: float) -> Iterator[tuple[str, int]]:
        """Stations whose credentials were refused since then, and how often."""
        for identity, times in list(self._refused.items()):
            while times and times[0] < at:
                times.popleft()
            if times:
                yield identity, len(times)
            else:
                del self._refused[identity]

    def refusals_since(self, at: float) -> list[tuple[str, float]]:
        """The newest of them since then, one by one."""
        found: list[tuple[str, float]] = []
        for identity, times in reversed(self._refused.items()):
            if times[-1] < at or len(found) >= MOST_REFUSED:
                break
            found += [(identity, when) for when in times if when >= at]
        return found[:MOST_REFUSED]

    def answered(self, action: str, seconds: float) -> None:
        """Count a message that was answered, and how long it took from its frame to its answer."""
        self.messages[action, "answered"] += 1
        self.latency[bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
        self.latency_sum_s += seconds

    def is_first(self, identity: str, what: str) -> bool:
        """Whether this has not been said of this station before: log once, not at every message."""
        key = (identity, what)
        if key in self._noted:
            return False
        self._noted[key] = None
        if len(self._noted) > MOST_NOTED:
            self._noted.popitem(last=False)
        return True
