"""Availability of a port by two western regimes, each with its own meaning of "up". Pure.

* NEVI, 23 CFR 680.116(b): up is on-line and available or in use. Off-line, out of order or unknown is an
  outage; outages for causes outside the operator's control are excluded by dated records. Computed monthly
  over the previous twelve months, in minutes of a year of 525,600.
* UK, SI 2023/1168: by OCPI status. Out of order or inoperative is unreliable; all else is reliable, also
  UNKNOWN (no connection) and BLOCKED. Only hours in which the public has access are measured.

The same month differs: an off-line port is down for NEVI and reliable in the UK; a port broken by vandals is
excluded by NEVI and unreliable in the UK.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from csms.domain.local_time import month_start, year_start
from csms.domain.rates import percent
from csms.domain.timeline import ZERO, Span, Timeline, Use, common, spells, union

YEAR = timedelta(minutes=525_600)
RAPID_W = 50_000  # SI 2023/1168: a rapid charge point delivers 50 kW or more
NEVI_DOWN = (Use.OFFLINE, Use.FAULT, Use.UNKNOWN)
UK_UNRELIABLE = (Use.FAULT,)

DEFINITIONS = {
    "nevi": "23 CFR 680.116(b): ((525,600 - (T_outage - T_excluded)) / 525,600) x 100, minutes of 12 months;"
    " outage: off-line, faulted, unavailable or unknown",
    "uk": "SI 2023/1168: accessible time not INOPERATIVE or OUTOFORDER / accessible time;"
    " UNKNOWN (off-line) and BLOCKED count as reliable",
}


class Reason(StrEnum):
    """Why an outage is not the operator's."""

    UTILITY = "utility-interruption"
    VEHICLE = "vehicle-fault"
    MAINTENANCE = "scheduled-maintenance"
    VANDALISM = "vandalism"
    DISASTER = "natural-disaster"
    CLOSED = "outside-hours"  # not open to the public


class Exclusion(NamedTuple):
    """A time whose outages are excluded, and why."""

    span: Span
    reason: Reason


class Nevi(NamedTuple):
    """A port in a window: in service, T_outage, T_excluded (the part of T_outage that is excluded)."""

    in_service: timedelta
    outage: timedelta
    excluded: timedelta

    @property
    def uptime(self) -> float | None:
        """Percent of a year of 525,600 minutes, as the rule's formula has it; for twelve months."""
        return None if not self.in_service else percent(max(YEAR - self.counted, ZERO), YEAR)

    @property
    def uptime_in_service(self) -> float | None:
        """Percent of the time in service; for a month, and for a port younger than a year."""
        return percent(self.in_service - self.counted, self.in_service)

    @property
    def counted(self) -> timedelta:
        """The outage that counts."""
        return self.outage - self.excluded


class Uk(NamedTuple):
    """A charge point in a window: in service and accessible, and of that unreliable."""

    accessible: timedelta
    unreliable: timedelta

    @property
    def reliability(self) -> float | None:
        """Percent."""
        return percent(self.accessible - self.unreliable, self.accessible)


def nevi(steps: Timeline, window: Span, exclusions: Iterable[Exclusion]) -> Nevi:
    """The window is what of a period the port was in service."""
    outages = spells(steps, window, NEVI_DOWN)
    length = sum((outage.length for outage in outages), ZERO)
    return Nevi(window.length, length, common(outages, [one.span for one in exclusions]))


class Outage(NamedTuple):
    """One outage, 680.112(a)(8), and how much of it is excluded."""

    span: Span
    excluded: timedelta


def outages(steps: Timeline, window: Span, exclusions: Sequence[Exclusion]) -> list[Outage]:
    """Every outage of the window, in order."""
    excluded = [one.span for one in exclusions]
    return [Outage(span, common([span], excluded)) for span in spells(steps, window, NEVI_DOWN)]


def uk(steps: Timeline, window: Span, exclusions: Iterable[Exclusion]) -> Uk:
    """Only times outside opening hours are left out; no other cause excuses."""
    closed = [one.span.within(window) for one in exclusions if one.reason is Reason.CLOSED]
    down = spells(steps, window, UK_UNRELIABLE)
    length = sum((span.length for span in down), ZERO)
    shut = sum((span.length for span in union(closed)), ZERO)
    return Uk(window.length - shut, length - common(down, closed))


class Windows(NamedTuple):
    """The periods that a month is judged by: itself, twelve months ending with it, its year so far."""

    month: Span
    twelve_months: Span
    year: Span


def windows(month: datetime, local: tzinfo) -> Windows:
    """The windows of the local month in which `month` lies."""
    start = month_start(month, local)
    end = month_start(start + timedelta(days=32), local)
    first = start
    for _ in range(11):
        first = month_start(first - timedelta(days=1), local)
    return Windows(Span(start, end), Span(first, end), Span(year_start(start, local), end))


def shortened(spans: Windows, now: datetime) -> Windows:
    """The same up to now: what is to come has not been up or down."""
    past = Span(min(spans.twelve_months.start, spans.year.start), now)
    return Windows(*(span.within(past) for span in spans))
