"""Times in and out of the database, exactly."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.store.times import instant, instant_or_none, micros, micros_or_none, text_of

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(INSTANTS)
def test_times_come_back_as_they_went(at: datetime) -> None:
    """To the microsecond, in any year."""
    assert instant(micros(at)) == at


def test_a_zone_is_only_another_spelling() -> None:
    """Beijing's noon is 4:00 UTC."""
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=8)))

    assert instant(micros(noon)) == datetime(2026, 1, 1, 4, tzinfo=UTC)


def test_no_time_stays_none() -> None:
    """Unknown is not the epoch."""
    assert micros_or_none(None) is None
    assert instant_or_none(None) is None
    assert text_of(None) is None


@pytest.mark.parametrize(
    ("us", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (1_767_607_200_123_456, "2026-01-05T10:00:00.123Z")],
)
def test_times_as_the_api_writes_them(us: int, text: str) -> None:
    """UTC with milliseconds."""
    assert text_of(us) == text
