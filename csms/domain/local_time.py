"""Hours, days, months and years of an operator's clock as instants in UTC. Knows zones, not sessions.

Hours begin where the local clock shows a full one, also in zones at :30 and :45, and through changes of
summer time. Where a change moves the clock by less than an hour, an hour also begins at the change.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from csms.errors import InvalidInput

HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=512)
def zone(name: str) -> tzinfo:
    """The time zone of this IANA name. Raises InvalidInput when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise InvalidInput("no such time zone:", name) from exc


def hour_start(at: datetime, local: tzinfo) -> datetime:
    """The instant at which the local hour of `at` began."""
    offset = offset_at(at, local)
    start = at - (at - _EPOCH + offset) % HOUR
    before = offset_at(start, local)
    if (before - offset) % HOUR:
        return change_between(start, at, local)
    return start


def next_hour(start: datetime, local: tzinfo) -> datetime:
    """The instant at which the hour after the one that began at `start` begins."""
    following = hour_start(start + HOUR, local)
    return following if following > start else start + HOUR


def day_start(at: datetime, local: tzinfo) -> datetime:
    """The instant at which the local day of `at` began (the change itself where midnight is left out)."""
    here = at.astimezone(local)
    return _instant(here.year, here.month, here.day, local)


def month_start(at: datetime, local: tzinfo) -> datetime:
    """The instant at which the local month of `at` began."""
    here = at.astimezone(local)
    return _instant(here.year, here.month, 1, local)


def year_start(at: datetime, local: tzinfo) -> datetime:
    """The instant at which the local year of `at` began."""
    return _instant(at.astimezone(local).year, 1, 1, local)


def is_same_hour(one: datetime, other: datetime, zone_name: str) -> bool:
    """Whether two instants are in one local hour."""
    # Most common first: no zone's hour has a border within a quarter of UTC's.
    if one.minute // 15 == other.minute // 15 and one.hour == other.hour and other - one < HOUR > one - other:
        return True
    local = zone(zone_name)
    return hour_start(one, local) == hour_start(other, local)


def _instant(year: int, month: int, day: int, local: tzinfo) -> datetime:
    return datetime(year, month, day, tzinfo=local).astimezone(UTC)


def offset_at(at: datetime, local: tzinfo) -> timedelta:
    """How far the local clock is ahead of UTC at this instant."""
    return at.astimezone(local).utcoffset() or timedelta(0)


def change_between(start: datetime, end: datetime, local: tzinfo) -> datetime:
    """The second in which the offset changed, given that it is another at `end` than at `start`."""
    new = offset_at(end, local)
    while end - start > _SECOND:
        middle = start + (end - start) / 2
        start, end = (start, middle) if offset_at(middle, local) == new else (middle, end)
    return end.replace(microsecond=0)
