"""Hours, days and months of an operator's clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.local_time import (
    day_start,
    hour_start,
    is_same_hour,
    month_start,
    next_hour,
    year_start,
    zone,
)
from csms.errors import InvalidInput

ZONES = [
    "UTC",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Beirut",
]


def utc(text: str) -> datetime:
    """An instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "at", "start"),
    [
        ("UTC", "2026-01-01T10:59:59", "2026-01-01T10:00:00"),
        ("Asia/Kolkata", "2026-01-01T10:29:59", "2026-01-01T09:30:00"),
        ("Asia/Kathmandu", "2026-01-01T10:15:00", "2026-01-01T10:15:00"),
        ("Europe/Berlin", "2026-03-29T01:30:00", "2026-03-29T01:00:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:10:00", "2026-04-04T15:00:00"),
        ("Australia/Lord_Howe", "2026-04-04T14:59:00", "2026-04-04T14:00:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:40:00", "2026-04-04T15:30:00"),
    ],
)
def test_hours_begin_when_the_local_clock_shows_one(name: str, at: str, start: str) -> None:
    """Also at :30 and :45, and where summer time moves the clock by half an hour."""
    assert hour_start(utc(at), zone(name)) == utc(start)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_hours_cover_time_without_gap_or_overlap(name: str, at: datetime) -> None:
    """An instant is in its hour, and that hour ends where the next begins."""
    local = zone(name)
    start = hour_start(at, local)
    following = next_hour(start, local)

    assert start <= at < following <= start + timedelta(hours=1)
    assert hour_start(start, local) == start
    assert hour_start(following, local) == following
    assert day_start(at, local) <= start
    assert hour_start(day_start(at, local), local) == day_start(at, local)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.integers(-5400, 5400),
)
def test_the_same_hour_is_the_same_start(name: str, at: datetime, seconds: int) -> None:
    """The quick answer is the right one."""
    other = at + timedelta(seconds=seconds)

    assert is_same_hour(at, other, name) == (hour_start(at, zone(name)) == hour_start(other, zone(name)))


@pytest.mark.parametrize(
    ("name", "at", "day", "month", "year"),
    [
        (
            "Asia/Shanghai",
            "2025-12-31T16:00:00",
            "2025-12-31T16:00:00",
            "2025-12-31T16:00:00",
            "2025-12-31T16:00:00",
        ),
        (
            "Europe/Berlin",
            "2026-03-29T12:00:00",
            "2026-03-28T23:00:00",
            "2026-02-28T23:00:00",
            "2025-12-31T23:00:00",
        ),
        (
            "Asia/Beirut",  # no midnight on this day: the clock goes from 0:00 to 1:00
            "2026-03-29T05:00:00",
            "2026-03-28T22:00:00",
            "2026-02-28T22:00:00",
            "2025-12-31T22:00:00",
        ),
    ],
)
def test_days_months_and_years_are_local(name: str, at: str, day: str, month: str, year: str) -> None:
    """D11: also on days of 23 and 25 hours."""
    local = zone(name)

    assert day_start(utc(at), local) == utc(day)
    assert month_start(utc(at), local) == utc(month)
    assert year_start(utc(at), local) == utc(year)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    """With an error that has a name."""
    with pytest.raises(InvalidInput):
        zone(name)
