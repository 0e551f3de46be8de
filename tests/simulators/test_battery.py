"""The battery: energy is neither made nor lost."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.battery import Battery, Car, Supply, some_car


@given(
    steps=st.lists(st.floats(0.1, 900), min_size=1, max_size=30),
    soc=st.floats(0, 0.99),
    seed=st.integers(0, 1000),
    watts=st.floats(0, 250_000),
)
def test_drawn_energy_times_efficiency_is_what_the_battery_gained(
    steps: list[float], soc: float, seed: int, watts: float
) -> None:
    """Whatever the supply and the steps, energy is conserved and no battery is overfilled."""
    battery = Battery(some_car(Random(seed)), soc)
    before = battery.stored_wh

    drawn = [battery.charge(watts, seconds) for seconds in steps]

    assert all(one >= 0 for one in drawn)
    assert sum(drawn) * battery.car.efficiency == pytest.approx(battery.stored_wh - before, abs=1e-6)
    assert battery.soc <= max(soc, battery.car.target_soc) + 1e-9


@given(soc=st.floats(0, 1), watts=st.floats(1_000, 200_000))
def test_power_never_exceeds_the_supply(soc: float, watts: float) -> None:
    """A car takes at most what is offered."""
    battery = Battery(Car(), soc)
    battery.charge(watts, 600)
    assert battery.power_w <= watts


def test_power_ramps_up_and_tapers() -> None:
    """It starts from zero, reaches the supply, and falls towards full."""
    battery = Battery(Car(ramp_w_per_s=100), 0.5)

    battery.charge(50_000, 10)
    ramping = battery.power_w
    battery.charge(50_000, 900)
    steady = battery.power_w
    battery.charge(50_000, 2_400)

    assert ramping == 1_000
    assert steady == 50_000
    assert battery.power_w < 25_000


def test_full_battery_takes_nothing() -> None:
    """At its target the car stops asking."""
    battery = Battery(Car(target_soc=0.8), 0.8)
    assert battery.full
    assert battery.charge(50_000, 60) == 0
    assert battery.power_w == 0


@pytest.mark.parametrize(
    ("supply", "car", "watts", "phases"),
    [
        (Supply(False, 22_000), Car(max_ac_w=22_000), 22_000, 3),
        (Supply(False, 22_000), Car(max_ac_w=7_000, ac_phases=1), 7_000, 1),
        (Supply(False, 11_000), Car(max_ac_w=22_000, ac_phases=1), 11_000 / 3, 1),
        (Supply(False, 7_000, phases=1), Car(), 7_000, 1),
        (Supply(True, 120_000), Car(max_dc_w=90_000), 90_000, 0),
    ],
)
def test_supply_and_car_agree_on_the_lesser(supply: Supply, car: Car, watts: float, phases: int) -> None:
    """Phases and powers of both sides limit each other."""
    assert supply.for_car(car) == pytest.approx(watts)
    assert supply.phases_used(car) == phases
