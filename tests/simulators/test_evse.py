"""One EVSE: visits from plug to unplug, and a meter that never goes back."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.battery import Car, Supply
from simulators.evse import Evse, Now, Step, Visit
from simulators.facts import (
    Began,
    Cause,
    Fact,
    Finished,
    Metered,
    Status,
    StatusChanged,
    Stop,
    TokenPresented,
)
from simulators.metering import ENERGY
from tests.simulators.talk import T0, visit


def live(evse: Evse, *, ask: bool = False) -> list[Fact]:
    """Everything the EVSE tells until nothing is due; tokens are accepted."""
    told: list[Fact] = []
    while evse.due is not None:
        now = Now(evse.due, offline=not ask, ask=ask)
        told += evse.tick(now)
        if told and isinstance(told[-1], TokenPresented):
            told += evse.authorized(True, now)
    return told


def make(*visits: Visit, dc: bool = False) -> Evse:
    """An EVSE that awaits these visits."""
    evse = Evse(1, Supply(dc, 60_000 if dc else 11_000), 5_000.7, Random(1), Random(2))
    evse.expect(*visits)
    return evse


def registers(told: list[Fact]) -> list[int]:
    """Every register reading in the order told."""
    samples = []
    for fact in told:
        if isinstance(fact, Began | Metered) and fact.sample is not None:
            samples.append(fact.sample)
        if isinstance(fact, Finished):
            samples.append(fact.samples[-1])
    return [int(value.value) for sample in samples for value in sample.values if value.measurand == ENERGY]


def test_a_visit_is_told_from_plug_to_unplug() -> None:
    """Token, start, samples, stop and a status at each change."""
    told = live(make(visit(minutes=3)), ask=True)

    kinds = [type(fact).__name__ for fact in told if not isinstance(fact, StatusChanged)]
    statuses = [fact.after for fact in told if isinstance(fact, StatusChanged)]
    assert kinds == ["TokenPresented", "Began", "Metered", "Metered", "Finished"]
    assert statuses == [Status.PREPARING, Status.CHARGING, Status.FINISHING, Status.AVAILABLE]


@given(
    minutes=st.floats(0.5, 200),
    soc=st.floats(0.05, 0.95),
    sample_s=st.sampled_from([5.0, 37.0, 60.0, 900.0]),
    dc=st.booleans(),
)
def test_register_increments_are_the_battery_energy_over_efficiency(
    minutes: float, soc: float, sample_s: float, dc: bool
) -> None:
    """What the meter counted is what the car took, to the Wh, and the register never falls."""
    car = Car(efficiency=0.9)
    evse = make(Visit(T0, "A", car, soc, minutes * 60), dc=dc)
    evse.sample_s = sample_s
    told: list[Fact] = []
    gained = 0.0
    while evse.due is not None:
        told += evse.tick(Now(evse.due, ask=False))
        gained = evse.battery.stored_wh - soc * car.capacity_wh if evse.battery else gained

    counted = registers(told)
    assert counted == sorted(counted)
    assert counted[-1] - counted[0] == pytest.approx(gained / car.efficiency, abs=1.0)


def test_register_goes_on_through_sessions() -> None:
    """The next session begins where the last one ended."""
    told = live(make(visit(minutes=3), visit(600, minutes=3)))
    starts = [fact.session.meter_start_wh for fact in told if isinstance(fact, Began)]
    stops = [fact.meter_stop_wh for fact in told if isinstance(fact, Finished)]
    assert starts == [5000, stops[0]]
    assert stops[0] > 5000


def test_sequence_numbers_count_from_zero_in_each_session() -> None:
    """Started is 0, then one up for each event."""
    told = live(make(visit(minutes=3), visit(600, minutes=2)))
    numbers = [fact.seq for fact in told if isinstance(fact, Began | Metered | Finished)]
    assert numbers == [0, 1, 2, 3, 0, 1, 2]


def test_full_car_suspends_the_session() -> None:
    """When the battery is full the session stays, suspended by the vehicle."""
    told = live(make(Visit(T0, "A", Car(target_soc=0.8), 0.79, 3600)))
    statuses = [fact.after for fact in told if isinstance(fact, StatusChanged)]
    assert Status.SUSPENDED_EV in statuses
    states = [fact for fact in told if isinstance(fact, Metered) and fact.cause is Cause.STATE]
    assert [fact.sample for fact in states] == [None]


@pytest.mark.parametrize(
    ("stop", "after"),
    [
        (Stop.FAULT, [Status.FAULTED, Status.AVAILABLE]),
        (Stop.EV_DISCONNECTED, [Status.FINISHING, Status.AVAILABLE]),
        (Stop.LOCAL, [Status.FINISHING, Status.AVAILABLE]),
    ],
)
def test_ways_to_stop(stop: Stop, after: list[Status]) -> None:
    """A fault shows, a torn out cable is gone at once."""
    told = live(make(visit(minutes=2, stop=stop)))
    ended = next(fact for fact in told if isinstance(fact, Finished))
    statuses = [fact for fact in told if isinstance(fact, StatusChanged)]
    assert ended.stop is stop
    assert [fact.after for fact in statuses[-2:]] == after
    if stop is Stop.EV_DISCONNECTED:
        assert statuses[-1].at == ended.at


def test_refused_token_does_not_charge() -> None:
    """The car leaves without a session."""
    evse = make(visit())
    told = evse.tick(Now(T0 + timedelta(minutes=1)))
    assert isinstance(told[-1], TokenPresented)
    assert evse.step is Step.ASKING

    after = evse.authorized(False, Now(T0 + timedelta(minutes=1)))

    assert [type(fact) for fact in after] == [StatusChanged]
    assert evse.session is None
    assert evse.due is None


def test_nobody_begins_after_the_last_visit_was_called_off() -> None:
    """A token being checked when the station is told to end does not start a session any more."""
    evse = make(visit(), visit(600))
    evse.tick(Now(T0 + timedelta(minutes=1)))

    evse.expect_nobody()

    assert evse.authorized(True, Now(T0 + timedelta(minutes=1))) == []
    assert evse.session is None
    assert evse.due is None


def test_remote_start_brings_a_car_and_names_the_request() -> None:
    """Without a car one comes; the session carries the remote start's number."""
    evse = make()
    told = evse.start_remotely("REMOTE", 17, Now(T0))
    assert told is not None
    began = next(fact for fact in told if isinstance(fact, Began))
    assert (began.session.token, began.session.remote_start_id, began.cause) == ("REMOTE", 17, Cause.REMOTE)
    assert evse.start_remotely("OTHER", 18, Now(T0)) is None


def test_inoperative_evse_awaits_nobody() -> None:
    """Closed, it lets visits wait; opened, they come."""
    evse = make(visit())
    closed = evse.set_operative(False, Now(T0))
    assert [fact.after for fact in closed if isinstance(fact, StatusChanged)] == [Status.UNAVAILABLE]
    assert evse.due is None

    evse.set_operative(True, Now(T0 + timedelta(hours=1)))

    assert evse.due == T0 + timedelta(hours=1, seconds=1)


def test_visits_that_overlap_queue_up() -> None:
    """The next car waits until the first is gone."""
    told = live(make(visit(minutes=10), visit(30, minutes=1)))
    began = [fact.at for fact in told if isinstance(fact, Began)]
    ended = [fact.at for fact in told if isinstance(fact, Finished)]
    assert began[1] > ended[0]
    assert all(at.microsecond % 1000 == 0 for at in [*began, *ended])
