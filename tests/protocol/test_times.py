"""Texts as points in time: the fixed table of J13."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.protocol.times import format_time, parse_time

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T12:00:00.1Z", NOON.replace(microsecond=100_000)),
        ("2026-01-01T12:00:00.123456Z", NOON.replace(microsecond=123_456)),
        ("2026-01-01T20:00:00+08:00", NOON),
        ("2026-01-02T02:00:00+14:00", NOON),
        ("2026-01-01T12:00:00-00:00", NOON),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2036-02-07T06:28:16Z", datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC)),
    ],
)
def test_good_times(text: str, at: datetime) -> None:
    """What the specification allows is read in UTC, and its text need not be kept."""
    assert parse_time(text) == (at, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-01T12:00:00", NOON),
        ("2026-01-01 12:00:00Z", NOON),
        ("2026-01-01t12:00:00z", NOON),
        ("2026-01-01T12:00Z", NOON),
        ("2026-01-01T20:00:00+0800", NOON),
        (" 2026-1-1T12:00:00,5Z ", NOON.replace(microsecond=500_000)),
        ("2026-01-01T12:00:00.Z", NOON),
        ("2026-01-01T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2026-01-01T12:00:60Z", NOON + timedelta(minutes=1)),
        ("2026-12-31T24:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_repaired_times(text: str, at: datetime) -> None:
    """What can only be meant one way is read so, and the text is kept."""
    assert parse_time(text) == (at, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T24:00:01Z",
        "2026-01-01T12:00:61Z",
        "2026-W01-4T12:00:00Z",
        "2026-001T12:00:00Z",
        "20260101T120000Z",
        "2026-01-01",
        "1767268800",
        "２026-01-01T12:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T24:00:00Z",
        "2199-12-31T23:59:59-14:00",
        "2026-01-01T12:00:00+24:00",
        "2026-01-01T12:00:00+99:99",
        "2026-01-01T12:00:00.Z\x00",
        "2026-01-01T12:00:00Z" * 10,
    ],
)
def test_unreadable_times(text: str) -> None:
    """Anything else is no time; the text is kept."""
    assert parse_time(text) == (None, text)


def test_absent_time() -> None:
    """A time that was not sent is neither read nor kept."""
    assert parse_time(None) == (None, None)


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,12}[Z+0-9:]{0,6}"))
def test_never_fails(text: str) -> None:
    """Any text has an answer, in UTC."""
    at, raw = parse_time(text)

    assert at is not None or raw == text
    assert at is None or at.tzinfo is UTC


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_format_and_back(at: datetime, minutes: int) -> None:
    """What we write we read, to the millisecond, from any zone."""
    at = at.replace(tzinfo=timezone(timedelta(minutes=minutes)), microsecond=at.microsecond // 1000 * 1000)

    assert parse_time(format_time(at)) == (at, None)


def test_one_form() -> None:
    """Known stations fail on anything but Z and three decimals."""
    assert format_time(NOON) == "2026-01-01T12:00:00.000Z"
    assert format_time(NOON.astimezone(timezone(timedelta(hours=8)))) == "2026-01-01T12:00:00.000Z"
