"""What a meter shows."""

from random import Random

import pytest

from simulators.battery import Battery, Car, Supply
from simulators.metering import ENERGY, readings


@pytest.mark.parametrize(("phases", "count"), [(3, 8), (1, 4)])
def test_alternating_current(phases: int, count: int) -> None:
    """Register, power, and current and voltage of each phase that agree with the power."""
    battery = Battery(Car(ac_phases=phases, max_ac_w=7_000), 0.5)
    supply = Supply(False, 22_000)
    battery.charge(supply.for_car(battery.car), 120)
    values = readings(1234, battery, supply, Random(1))
    assert len(values) == count
    assert (values[0].measurand, values[0].value, values[0].unit) == (ENERGY, "1234", "Wh")
    amps = [float(value.value) for value in values if value.unit == "A"]
    volts = [float(value.value) for value in values if value.unit == "V"]
    assert sum(a * v for a, v in zip(amps, volts, strict=True)) == pytest.approx(battery.power_w, rel=0.01)


def test_direct_current() -> None:
    """One current, one voltage and the state of charge, which the car tells."""
    battery = Battery(Car(), 0.5)
    battery.charge(60_000, 120)
    values = readings(5, battery, Supply(True, 60_000), Random(1))
    assert [value.unit for value in values] == ["Wh", "W", "A", "V", "Percent"]
    assert values[-1].location == "EV"
    assert {value.phase for value in values} == {None}
