"""Whose clock to believe."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.clock import believed, effective_time, is_sane, restamped
from tests.domain.story import T0, at, register

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (T0, (T0, False)),
        (at(-60 * 24 * 90), (at(-60 * 24 * 90), False)),
        (at(9), (at(9), False)),
        (at(11), (T0, True)),
        (T0 + DAY, (T0, True)),
        (datetime(1970, 1, 1, tzinfo=UTC), (T0, True)),
        (datetime(2000, 1, 1, tzinfo=UTC), (T0, True)),
        (datetime(2036, 2, 7, tzinfo=UTC), (T0, True)),
        (datetime.min.replace(tzinfo=UTC), (T0, True)),
        (datetime.max.replace(tzinfo=UTC), (T0, True)),
        (None, (T0, True)),
    ],
)
def test_a_time_that_cannot_be_is_ours_t22(when: datetime | None, expected: tuple[datetime, bool]) -> None:
    """T22: a queue of three months is believed, 1970 and tomorrow are not."""
    assert effective_time(when, T0) == expected


def test_nothing_happens_before_its_beginning_t23() -> None:
    """T23: neither by the station's clock nor by ours."""
    assert effective_time(at(5), at(20), not_before=at(10)) == (at(20), True)
    assert effective_time(None, at(5), not_before=at(10)) == (at(10), True)
    assert effective_time(at(10), at(20), not_before=at(10)) == (at(10), False)


def test_readings_of_a_wrong_clock_keep_their_distances() -> None:
    """The last is now; none comes before what is known already."""
    found = [register(0, 1), register(30, 2), register(40, 3), register(40, 4, phase="l1")]

    moved = restamped(found, at(100), after=at(75))

    stamps = [reading.at for reading in moved]
    assert stamps == [at(75) + timedelta(microseconds=1), at(90), at(100), at(100)]
    assert [reading.value for reading in moved] == [1_000, 2_000, 3_000, 4_000]


def test_readings_of_the_beginning_of_time_are_no_trouble() -> None:
    """J13: years 1 and 9999 in one message."""
    first = register(0, 1)._replace(at=datetime.min.replace(tzinfo=UTC))
    last = register(0, 2)._replace(at=datetime.max.replace(tzinfo=UTC))

    moved = restamped([last, first], T0, after=None)

    assert [reading.value for reading in moved] == [1_000, 2_000]
    assert moved[-1].at == T0


def test_single_readings_of_no_time_get_their_events() -> None:
    """The others keep theirs."""
    found = (register(1, 1), register(2, 2)._replace(at=datetime(1970, 1, 1, tzinfo=UTC)))

    assert [reading.at for reading in believed(found, at(5), at(6))] == [at(1), at(5)]
    assert believed(found[:1], at(5), at(6)) is not None
    assert is_sane(at(1), at(6))
