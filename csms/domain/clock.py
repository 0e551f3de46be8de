"""Whether a station's time can be believed, and what is taken in its place. No clock of its own.

Stations report what happened long ago (a queue kept while offline), and stations whose clock was never
set report 1970 or next year. The first must keep their time; the others get the time of arrival.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from csms.domain.meter import Reading

AHEAD = timedelta(minutes=10)
"""How far a station's clock may be ahead of ours."""

BEHIND = timedelta(days=400)
"""How long ago something may have happened: stations replay months of history, not years."""

STEP = timedelta(seconds=10)
"""A step backwards of this much within a session is rounding, not a changed clock."""

NO_TIME = timedelta(0)
_TICK = timedelta(microseconds=1)


def is_sane(at: datetime, arrived: datetime) -> bool:
    """Whether something heard of at `arrived` can have happened `at`."""
    return arrived - BEHIND <= at <= arrived + AHEAD


def effective_time(
    at: datetime | None, arrived: datetime, not_before: datetime | None = None
) -> tuple[datetime, bool]:
    """The time to take for an event, and whether the station's own was not believed (T22, T23).

    An unbelievable time, or one before `not_before`, becomes the time of arrival (never before
    `not_before` either).
    """
    if at is not None and is_sane(at, arrived) and (not_before is None or at >= not_before):
        return at, False
    return (arrived if not_before is None else max(arrived, not_before)), True


def restamped(readings: Sequence[Reading], at: datetime, after: datetime | None) -> tuple[Reading, ...]:
    """Readings of a message whose clock was wrong: the last one `at`, the others as far before it as sent.

    None is put at or before `after`, so that they continue what is known; different times stay different.
    The order is that of their own times.
    """
    latest = max(reading.at for reading in readings)
    earliest = at - BEHIND if after is None else after
    moved: list[Reading] = []
    previous, stamp = None, earliest
    for reading in sorted(readings, key=_when):
        if reading.at != previous:
            previous = reading.at
            stamp = max(at - min(latest - reading.at, BEHIND), stamp + _TICK)
        moved.append(reading._replace(at=stamp))
    return tuple(moved)


def believed(readings: tuple[Reading, ...], at: datetime, arrived: datetime) -> tuple[Reading, ...]:
    """Readings as they are where their times can be; the others with the time of their event."""
    if all(is_sane(when, arrived) for when in {reading.at for reading in readings}):
        return readings
    return tuple(r if is_sane(r.at, arrived) else r._replace(at=at) for r in readings)


def _when(reading: Reading) -> datetime:
    return reading.at
