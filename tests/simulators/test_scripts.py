"""Scripts: visits fit between past and present, and a later run goes on where the last one ended."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from simulators.battery import Supply
from simulators.clock import StationClock
from simulators.evse import Evse
from simulators.facts import moment
from simulators.scenario import Backfill, Sessions
from simulators.scripts import UNENDED_WH, Drivers, Fixed, Living, NoRoom, pasts
from tests.simulators.talk import T0, station


def evse() -> Evse:
    """An EVSE without visits."""
    return Evse(1, Supply(False, 11_000), 0, Random(1), Random(2))


def test_pasts_end_where_the_last_session_ended() -> None:
    """Latest end and highest register of each EVSE; an unended session leaves room for what it may add."""
    rows = [
        {"charging_station": "A", "evse": 1, "started_at": "2026-01-01T10:00:00.000Z",
         "ended_at": "2026-01-01T11:00:00.000Z", "meter_start_wh": 10, "meter_stop_wh": 70},
        {"charging_station": "A", "evse": 1, "started_at": "2026-01-01T08:00:00.000Z",
         "ended_at": "2026-01-01T09:00:00.000Z", "meter_start_wh": 0, "meter_stop_wh": 10},
        {"charging_station": "B", "evse": None, "started_at": "2026-01-01T08:00:00.000Z",
         "ended_at": None, "meter_start_wh": 5, "meter_stop_wh": None},
    ]  # fmt: skip
    known = pasts(rows)
    assert known["A", 1].until == moment("2026-01-01T11:00:00.000Z")
    assert known["A", 1].register_wh == 70
    assert known["B", 1].register_wh == 5 + UNENDED_WH
    assert known["B", 1].until == moment("2026-01-01T10:00:00.000Z")


def test_fixed_sessions_stay_in_their_window() -> None:
    """All of them lie between start and end, one after the other."""
    one, until = evse(), T0 + timedelta(hours=3)
    Fixed(Sessions(), Random(3)).plan(one, "T", 5, T0, until)
    at = T0
    for visit in one.visits:
        assert visit.plug_at >= at
        at = visit.plug_at + timedelta(seconds=visit.charge_s)
    assert len(one.visits) == 5
    assert at <= until


def test_sessions_shrink_when_there_is_little_room() -> None:
    """Shorter, but still there."""
    one, until = evse(), T0 + timedelta(minutes=20)
    Fixed(Sessions(), Random(3)).plan(one, "T", 2, T0, until)
    assert one.visits[-1].plug_at + timedelta(seconds=one.visits[-1].charge_s) <= until


def test_no_room_is_an_error() -> None:
    """When the clocks have caught up with the present, that is said."""
    with pytest.raises(NoRoom, match="prefix"):
        Fixed(Sessions(), Random(3)).plan(evse(), "T", 2, T0, T0 + timedelta(seconds=90))


def living(now: Callable[[], datetime] = lambda: T0) -> Living:
    """A script for a demo station."""
    sessions = Sessions(minutes=(2, 3), gap_minutes=(1, 2), sample_s=5)
    drivers = {n: Drivers([f"D{n}-{number}" for number in range(20)], Random(2)) for n in (1, 2)}
    return Living(sessions, drivers, Random(1), now, backfill=Backfill(daily=(3, 7)))


def test_past_days_are_filled_and_do_not_reach_the_present() -> None:
    """Some sessions a day, ordered, none across the present."""
    one = station("1.6")
    since = T0 - timedelta(days=30)
    living().tell_past(one, {1: since}, T0)
    visits = list(one.evses[1].visits)
    assert one.past
    assert one.settings.sample_s == 600
    assert 60 <= len(visits) <= 300
    assert all(a.plug_at + timedelta(seconds=a.charge_s) < b.plug_at for a, b in pairwise(visits))
    assert visits[-1].plug_at + timedelta(seconds=visits[-1].charge_s) < T0


def test_people_charge_by_day() -> None:
    """Beijing's evenings see several times as many arrivals as its nights."""
    one = station("1.6")
    living().tell_past(one, {1: T0 - timedelta(days=300)}, T0)
    hours = [(visit.plug_at + timedelta(hours=8)).hour for visit in one.evses[1].visits]
    night, evening = sum(1 <= hour < 5 for hour in hours), sum(18 <= hour < 22 for hour in hours)
    assert evening > 3 * night > 0


def test_after_the_past_it_goes_live_and_awaits_cars() -> None:
    """The clock runs, statuses are told, sampling is that of the present."""
    one, script = station("2.0.1", evses=2), living()
    clock = StationClock(T0 - timedelta(days=1))
    one.past = True
    one.connected(T0)
    one.outbox.interrupted()
    one.online = True

    assert script.more(one, clock)

    assert clock.live
    assert not one.past
    assert one.settings.sample_s == 5
    assert all(len(each.visits) == 1 for each in one.evses.values())
    assert len(one.outbox) == 2


def test_no_driver_is_at_two_places() -> None:
    """Whoever was taken last is not taken again soon."""
    drivers = Drivers([f"D{number}" for number in range(100)], Random(4))
    taken = [drivers.take() for _ in range(1000)]
    for start in range(950):
        assert len(set(taken[start : start + 50])) == 50
