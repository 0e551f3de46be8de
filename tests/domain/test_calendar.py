"""Periods of a local clock, and the city of an area code."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.calendar import city_of, periods, units
from csms.domain.local_time import zone
from csms.domain.timeline import Span

SHANGHAI, BERLIN = zone("Asia/Shanghai"), zone("Europe/Berlin")


def utc(*when: int) -> datetime:
    """In UTC."""
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type,misc]  # year, month, day and so on


def test_periods_that_begin_within_a_span() -> None:
    """One that began before it is not among them; one that ends after it is."""
    found = periods("day", Span(utc(2026, 1, 1), utc(2026, 1, 3)), SHANGHAI)

    assert found == [
        Span(utc(2026, 1, 1, 16), utc(2026, 1, 2, 16)),
        Span(utc(2026, 1, 2, 16), utc(2026, 1, 3, 16)),
    ]
    assert periods("hour", Span(utc(2026, 1, 1), utc(2026, 1, 1)), SHANGHAI) == []
    (month,) = periods("month", Span(utc(2026, 1, 31, 16), utc(2026, 2, 1)), SHANGHAI)
    assert month.length == timedelta(days=28)


def test_days_and_hours_through_a_change_of_clocks() -> None:
    """The day has 23 hours and the hours are all there."""
    day, after = periods("day", Span(utc(2026, 3, 28, 23), utc(2026, 3, 30)), BERLIN)

    assert (day.length, after.length) == (timedelta(hours=23), timedelta(hours=24))
    assert len(periods("hour", day, BERLIN)) == 23


def test_a_year_is_stored_as_its_months() -> None:
    """All other periods as themselves."""
    (year,) = periods("year", Span(utc(2025, 12, 31, 16), utc(2026, 6, 1)), SHANGHAI)

    assert len(units("year", year, SHANGHAI)) == 12
    assert units("year", year, SHANGHAI)[1] == utc(2026, 1, 31, 16)
    assert units("month", year, SHANGHAI) == [year.start]


@pytest.mark.parametrize(
    ("code", "city"),
    [
        ("110105", "110000"),
        ("440304", "440300"),
        ("500101007", "500000"),
        ("", ""),
        ("12", ""),
        ("abcdef", ""),
    ],
)
def test_the_city_of_a_district(code: str, city: str) -> None:
    """Municipalities are provinces of their own."""
    assert city_of(code) == city
