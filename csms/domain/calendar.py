"""Hours, days, months and years of an operator's clock as spans of time. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from csms.domain.local_time import day_start, hour_start, month_start, next_hour, year_start
from csms.domain.timeline import Span

Start = Callable[[datetime, tzinfo], datetime]


class Period(NamedTuple):
    """How a kind of period begins and ends. `unit` is the kind whose figures are stored."""

    start_of: Start
    next_of: Start
    unit: str
    unit_of_several: bool = False


PERIODS: dict[str, Period] = {
    "hour": Period(hour_start, next_hour, "hour"),
    # A day has 23 to 25 hours, a month 28 to 31 days: so much later is always in the next one.
    "day": Period(day_start, lambda at, local: day_start(at + timedelta(hours=26), local), "day"),
    "month": Period(month_start, lambda at, local: month_start(at + timedelta(days=32), local), "month"),
    "year": Period(year_start, lambda at, local: year_start(at + timedelta(days=370), local), "month", True),
}


def periods(kind: str, within: Span, local: tzinfo) -> list[Span]:
    """The periods that begin within the span, in order. Raises KeyError for a kind there is not."""
    start_of, next_of, *_ = PERIODS[kind]
    start = start_of(within.start, local)
    if start < within.start:
        start = next_of(start, local)
    found: list[Span] = []
    while start < within.end:
        end = next_of(start, local)
        found.append(Span(start, end))
        start = end
    return found


def units(kind: str, span: Span, local: tzinfo) -> list[datetime]:
    """Beginnings of the stored periods that make up the period: itself, or the months of a year."""
    if not PERIODS[kind].unit_of_several:
        return [span.start]
    return [part.start for part in periods(PERIODS[kind].unit, span, local)]


def city_of(area_code: str) -> str:
    """The city (prefecture, or municipality under the central government) of a GB/T 2260 code; '' of none."""
    code = area_code[:6]
    if len(code) < 6 or not code.isdigit():
        return ""
    return f"{code[:2]}0000" if code[:2] in ("11", "12", "31", "50") else f"{code[:4]}00"
