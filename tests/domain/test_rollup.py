"""Hours of a session add up to it, whatever the readings."""

import random
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.local_time import day_start, hour_start, month_start, zone
from csms.domain.meter import ENERGY_IMPORT_INTERVAL, Reading
from csms.domain.rollup import (
    SessionHour,
    Total,
    add_up,
    charging_end,
    energy_between,
    session_end,
    session_hours,
)
from tests.domain.story import T0, Story, at, ended, metered, register, started

UTC_ZONE = zone("UTC")
ZONES = ["UTC", "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]


def story_of(start: int | None, samples: list[tuple[int, int]], stop: int | None, minutes: int) -> Story:
    """A session with register samples (minute, Wh); all messages come a day late."""
    story = Story()
    story.tell(started(wh=start), at(24 * 60))
    for n, (minute, wh) in enumerate(samples):
        story.tell(metered(minute, wh), at(24 * 60 + n))
    story.tell(ended(minutes, stop), at(25 * 60))
    return story


def test_energy_flows_evenly_between_readings() -> None:
    """10:00 to 12:00, 3 kWh by 11:30, one more by 12:00."""
    story = story_of(0, [(90, 3000)], 4000, 120)

    assert session_hours(story.now, story.readings, UTC_ZONE) == [
        SessionHour(T0, 2000, 3600, 1),
        SessionHour(at(60), 2000, 3600, 0),
    ]


def test_hours_are_the_operators() -> None:
    """In India 10:00 UTC is 15:30: the hours change at half past."""
    story = story_of(0, [], 1200, 60)

    assert session_hours(story.now, [], zone("Asia/Kolkata")) == [
        SessionHour(at(-30), 600, 1800, 1),
        SessionHour(at(30), 600, 1800, 0),
    ]


def test_a_session_without_readings_is_spread_evenly() -> None:
    """From start to end."""
    story = story_of(0, [], 1000, 180)

    assert [hour.energy_wh for hour in session_hours(story.now, [], UTC_ZONE)] == [333, 334, 333]


def test_an_instant_is_an_hour() -> None:
    """A session that ended as it began still counts."""
    story = story_of(0, [], 500, 0)

    assert session_hours(story.now, [], UTC_ZONE) == [SessionHour(T0, 500, 0, 1)]


def test_an_end_on_the_hour_opens_no_other() -> None:
    """Half-open intervals."""
    story = story_of(0, [], 500, 60)

    assert len(session_hours(story.now, [], UTC_ZONE)) == 1


def test_unknown_energy_is_none_at_all() -> None:
    """The time still counts."""
    story = story_of(5000, [], 100, 90)
    assert story.now.energy_wh is None

    assert session_hours(story.now, [], UTC_ZONE) == [
        SessionHour(T0, 0, 3600, 1),
        SessionHour(at(60), 0, 1800, 0),
    ]


def test_an_open_session_counts_so_far() -> None:
    """Up to what was last heard of it."""
    story = Story()
    story.tell(started(wh=0))
    story.tell(metered(30, 1000))
    story.tell(metered(90, 3000))

    assert session_hours(story.now, story.readings, UTC_ZONE) == [
        SessionHour(T0, 2000, 3600, 1),
        SessionHour(at(60), 1000, 1800, 0),
    ]


def test_samples_from_zero_keep_their_shape_under_lifetime_registers() -> None:
    """T17: the energy is stop minus start, its hours are the samples'."""
    story = story_of(4_076_000, [(1, 0), (60, 3000), (119, 3000)], 4_079_000, 120)

    assert [hour.energy_wh for hour in session_hours(story.now, story.readings, UTC_ZONE)] == [3000, 0]


def hours_of(*events: tuple[int, tuple[Reading, ...]]) -> list[int]:
    """Wh by the hour of a session of two hours without any register at start and stop."""
    story = Story()
    story.tell(started(seq=0, wh=None))
    for n, (minute, readings) in enumerate(events):
        story.tell(metered(minute, seq=n + 1, readings=readings))
    story.tell(ended(120, seq=len(events) + 1))
    return [hour.energy_wh for hour in session_hours(story.now, story.readings, UTC_ZONE)]


def test_phases_and_intervals_have_a_shape_too() -> None:
    """When they are what counts."""
    phases = [
        (minute, tuple(register(minute, wh, phase=phase) for phase in ("l1", "l2")))
        for minute, wh in ((1, 0), (59, 1000), (119, 1500))
    ]
    intervals = [
        (minute, (Reading(at(minute), ENERGY_IMPORT_INTERVAL, 500_000),)) for minute in (30, 60, 120)
    ]

    assert hours_of(*phases) == [2017, 983]
    assert hours_of(*intervals) == [1000, 500]


SAMPLES = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 20_000)), max_size=8)


@given(
    st.one_of(st.none(), st.integers(0, 9_000)),
    SAMPLES,
    st.one_of(st.none(), st.integers(0, 30_000)),
    st.integers(0, 700),
    st.sampled_from(ZONES),
    st.randoms(use_true_random=False),
)
def test_hours_add_up_to_the_session_in_any_order(
    start: int | None,
    samples: list[tuple[int, int]],
    stop: int | None,
    minutes: int,
    name: str,
    rnd: random.Random,
) -> None:
    """D11: to the Wh and the second, in every zone, whatever the order of the readings."""
    story = story_of(start, samples, stop, minutes)
    shuffled = [*story.readings, *story.readings]
    rnd.shuffle(shuffled)
    session = story.now

    hours = session_hours(session, shuffled, zone(name))

    assert hours == session_hours(session, story.readings, zone(name))
    assert sum(hour.energy_wh for hour in hours) == (session.energy_wh or 0)
    assert all(hour.energy_wh >= 0 and hour.charging_s >= 0 for hour in hours)
    assert session.ended_at is not None
    length = (session.ended_at - session.started_at) // timedelta(seconds=1)
    assert sum(hour.charging_s for hour in hours) == length
    assert [hour.sessions for hour in hours] == [1] + [0] * (len(hours) - 1)
    assert all(hour.hour_start == hour_start(hour.hour_start, zone(name)) for hour in hours)


@pytest.mark.parametrize("name", ["Asia/Shanghai", "Europe/Berlin"])
def test_days_and_months_are_the_sums_of_their_hours(name: str) -> None:
    """Nothing is lost between the levels."""
    story = story_of(0, [(300, 4000)], 9000, 20 * 60)
    local = zone(name)
    hours = session_hours(story.now, story.readings, local)

    days = add_up(hours, partial(day_start, local=local))
    months = add_up(hours, partial(month_start, local=local))

    assert add_up(hours)[T0] == Total(hours[0].energy_wh, 3600, 1)
    assert len(days) == 2
    for totals in (days, months):
        assert sum(total.energy_wh for total in totals.values()) == 9000
        assert sum(total.sessions for total in totals.values()) == 1
        assert sum(total.charging_s for total in totals.values()) == 20 * 3600


def test_energy_between_any_edges() -> None:
    """As into hours: 3 kWh by 11:30, one more by 12:00; no time takes it all."""
    story = story_of(0, [(90, 3000)], 4000, 120)
    edges = [at(minute) for minute in (0, 30, 90, 100, 120)]

    assert energy_between(story.now, story.readings, edges) == [1000, 2000, 333, 667]
    instant = story_of(0, [], 500, 0)
    assert energy_between(instant.now, [], [T0, T0]) == [500]


def test_when_charging_ended() -> None:
    """With the last Wh; without readings at the session's end, as without energy."""
    full = story_of(0, [(30, 2000), (60, 4000), (90, 4000)], 4000, 120)

    assert session_end(full.now) == at(120)
    assert charging_end(full.now, full.readings) == at(60)
    assert charging_end(full.now, []) == at(120)
    nothing = story_of(0, [(30, 0)], 0, 120)
    assert charging_end(nothing.now, nothing.readings) == at(120)
