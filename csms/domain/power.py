"""Peak power: of a session, and of several sessions at once (a site). Pure.

A session's power is what it last measured, until it measures again, for at most a quarter of an hour, and
never past its end. Where a session measures no power, its energy is taken to flow evenly over the time given
with it. The peak of a site in an hour is the largest sum of its sessions' powers at one moment of that hour.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.timeline import Span

POWER = "power.active.import"
HELD = timedelta(minutes=15)
SHORTEST = timedelta(seconds=30)
"""Between two registers closer than this, rounding to whole Wh says more than the vehicle does."""


class Drawn(NamedTuple):
    """So much power (W) over a time."""

    span: Span
    watts: int


def measured(readings: Iterable[Reading], until: datetime) -> list[Drawn]:
    """What a session drew by its power readings, until `until` at the latest; overlaps nothing."""
    moments: dict[datetime, dict[str, int]] = {}
    for at, measurand, value, phase, location, *_ in readings:
        if measurand == POWER and value is not None and location in ("", "outlet"):
            moments.setdefault(at, {})[phase] = value
    instants = sorted(moments)
    ends = [*instants[1:], until] if instants else []
    return [
        Drawn(Span(at, min(end, at + HELD, until)), _watts(moments[at]))
        for at, end in zip(instants, ends, strict=True)
        if at < until
    ]


def _watts(phases: dict[str, int]) -> int:
    """A value without phase is the sum of the phases."""
    total = phases.get("", sum(value for phase, value in phases.items() if phase))
    return round(total / 1000)


def evenly(energy_wh: int, span: Span) -> Drawn:
    """Energy spread over a time."""
    seconds = span.length.total_seconds()
    return Drawn(span, round(energy_wh * 3600 / seconds) if seconds else 0)


def peak(drawn: Iterable[Drawn], window: Span) -> int:
    """The largest sum at one moment of the window, W."""
    edges: list[tuple[datetime, int]] = []
    for span, watts in drawn:
        part = span.within(window)
        if part.length:
            edges += [(part.start, watts), (part.end, -watts)]
    most = now = 0
    # What ends at a moment is gone before what begins then: a change of power is not both.
    for _, change in sorted(edges):
        now += change
        most = max(most, now)
    return most


def session_peak(readings: Sequence[Reading], energy_wh: int | None, span: Span) -> int | None:
    """A session's peak: measured power, else its steepest register interval, else its mean. None: unknown."""
    powers = [drawn.watts for drawn in measured(readings, span.end + HELD)]
    if powers:
        return max(powers)
    steepest = [drawn.watts for drawn in _intervals(readings)]
    if steepest:
        return max(steepest)
    return evenly(energy_wh, span).watts if energy_wh is not None and span.length else None


def _intervals(readings: Iterable[Reading]) -> Iterable[Drawn]:
    registers = sorted(
        (reading.at, reading.value)
        for reading in readings
        if reading.measurand == ENERGY_IMPORT_REGISTER and reading.value is not None and not reading.phase
    )
    for (start, before), (end, after) in pairwise(registers):
        if end - start >= SHORTEST and after >= before:
            yield evenly((after - before) // 1000, Span(start, end))
