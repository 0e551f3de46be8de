"""What commits were like, in plain integers for whoever reads them. No metrics library."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

COMMIT_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0)
ROW_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Tally:
    """A histogram in plain integers: how many observations fell under each bound, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Told(msgspec.Struct, array_like=True):
    """Commits since start, as one process tells another: counts under each bound, and sums."""

    rows: list[int]
    rows_total: float
    seconds: list[int]
    seconds_total: float


class CommitTallies:
    """What the writer tells of its commits; give `observe` to it."""

    def __init__(self) -> None:
        self.rows = Tally(ROW_BOUNDS)
        self.seconds = Tally(COMMIT_BOUNDS_S)

    def observe(self, rows: int, seconds: float) -> None:
        """One commit of so many rows, and how long it took."""
        self.rows.observe(rows)
        self.seconds.observe(seconds)

    def told(self) -> Told:
        """Everything so far."""
        rows, seconds = self.rows, self.seconds
        return Told(list(rows.counts), rows.total, list(seconds.counts), seconds.total)

    def become(self, parts: Iterable[Told]) -> None:
        """The sum of what several processes have told."""
        parts = list(parts)
        self.rows.counts = [sum(counts) for counts in zip(*(part.rows for part in parts), strict=True)]
        self.rows.total = sum(part.rows_total for part in parts)
        self.seconds.counts = [sum(counts) for counts in zip(*(part.seconds for part in parts), strict=True)]
        self.seconds.total = sum(part.seconds_total for part in parts)
