"""Readings as lines of a chart: one line for each measurand, phase and place, thinned, gaps kept. Pure.

A line is cut into stretches of equal time; of each, the least and the greatest value stay, so that no peak
is lost whatever is left out. Where readings stop for much longer than they usually follow each other there
is a gap, told as a point without a value: nobody must see a straight line where nothing was measured.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

FEWEST, MOST, USUAL = 50, 2_000, 300
SHORTEST_GAP = timedelta(minutes=5)
GAP_FACTOR = 3
"""A gap is this many times as long as the usual step, and no shorter than SHORTEST_GAP."""

UNITS = {
    "power.active.import": "W",
    "power.active.export": "W",
    "power.offered": "W",
    "energy.active.import.register": "Wh",
    "soc": "percent",
    "current.import": "A",
    "current.offered": "A",
    "voltage": "V",
    "temperature": "Celsius",
}
"""What is drawn, and in which unit."""


class Point(NamedTuple):
    """A value in thousandths of its unit; None where a gap begins."""

    at: datetime
    value: int | None


class Line(NamedTuple):
    """One line. `read` counts the readings it was made of, `step` is how they usually follow each other."""

    evse: int
    measurand: str
    phase: str
    location: str
    unit: str
    points: tuple[Point, ...]
    read: int
    step: timedelta | None
    gaps: int


class Sampled(NamedTuple):
    """One reading with a value."""

    at: datetime
    evse: int
    measurand: str
    phase: str
    location: str
    value: int


def lines(readings: Iterable[Sampled], points: int = USUAL) -> list[Line]:
    """The lines of readings in any order, each of at most `points` points beside those that mark gaps."""
    found: dict[tuple[int, str, str, str], dict[datetime, int]] = {}
    for one in readings:
        if one.measurand in UNITS:
            key = (one.evse, one.measurand, one.phase, one.location)
            found.setdefault(key, {}).setdefault(one.at, one.value)
    made = [_line(key, sorted(values.items()), points) for key, values in found.items()]
    return sorted(
        made, key=lambda line: (line.evse, list(UNITS).index(line.measurand), line.phase, line.location)
    )


def _line(key: tuple[int, str, str, str], values: Sequence[tuple[datetime, int]], points: int) -> Line:
    evse, measurand, phase, location = key
    known = [Point(at, value) for at, value in values]
    step = _usual_step(known)
    stretches = _stretches(known, step)
    kept: list[Point] = []
    for n, stretch in enumerate(stretches):
        share = max(2, points * len(stretch) // len(known))
        kept += thinned(stretch, share)
        if n < len(stretches) - 1:
            kept.append(Point(stretch[-1].at, None))
    return Line(
        evse, measurand, phase, location, UNITS[measurand], tuple(kept), len(known), step, len(stretches) - 1
    )


def _usual_step(points: Sequence[Point]) -> timedelta | None:
    steps = sorted(b.at - a.at for a, b in pairwise(points))
    return steps[len(steps) // 2] if steps else None


def _stretches(points: Sequence[Point], step: timedelta | None) -> list[Sequence[Point]]:
    """The points between gaps."""
    longest = max(SHORTEST_GAP, GAP_FACTOR * (step or timedelta(0)))
    cuts = [n for n in range(1, len(points)) if points[n].at - points[n - 1].at > longest]
    # More gaps than a chart can show are none: so is the line of a station that tells something now and then.
    if len(cuts) > MOST // 4:
        return [points]
    edges = [0, *cuts, len(points)]
    return [points[a:b] for a, b in pairwise(edges)]


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` (two at least) of them: first, last, and the extremes of equal spans between."""
    if len(points) <= most:
        return list(points)
    if most < 4:
        return [points[0], points[-1]]
    first, last = points[0], points[-1]
    spans = (most - 2) // 2
    width = (last.at - first.at) / spans
    kept: list[Point] = [first]
    inner: dict[int, list[Point]] = {}
    for point in points[1:-1]:
        inner.setdefault(min(int((point.at - first.at) / width), spans - 1), []).append(point)
    for span in sorted(inner):
        least = min(inner[span], key=_value)
        greatest = max(inner[span], key=_value)
        kept += sorted({least, greatest})
    kept.append(last)
    return kept


def _value(point: Point) -> int:
    return point.value or 0
