"""What a station's meter shows at a moment. Pure; chance comes in from outside."""

from __future__ import annotations

from random import Random

from simulators.battery import Battery, Supply
from simulators.facts import Value

ENERGY = "Energy.Active.Import.Register"


def register(register_wh: int) -> Value:
    """The lifetime energy register in whole Wh."""
    return Value(ENERGY, str(register_wh), "Wh")


def readings(register_wh: int, battery: Battery, supply: Supply, rng: Random) -> tuple[Value, ...]:
    """Everything that is sampled while a car charges: energy, power, currents, voltages, state of charge."""
    power = Value("Power.Active.Import", str(round(battery.power_w)), "W")
    electrical = _dc(battery) if supply.dc else _ac(battery, supply, rng)
    return (register(register_wh), power, *electrical)


def _ac(battery: Battery, supply: Supply, rng: Random) -> tuple[Value, ...]:
    used = supply.phases_used(battery.car)
    values: list[Value] = []
    for phase in range(1, used + 1):
        volts = rng.gauss(230.0, 1.5)
        amps = battery.power_w / used / volts
        values.append(Value("Current.Import", f"{amps:.2f}", "A", f"L{phase}"))
        values.append(Value("Voltage", f"{volts:.1f}", "V", f"L{phase}-N"))
    return tuple(values)


def _dc(battery: Battery) -> tuple[Value, ...]:
    # A pack's voltage rises with its state of charge; only DC stations can ask the car for it.
    volts = 330.0 + 80.0 * battery.soc
    return (
        Value("Current.Import", f"{battery.power_w / volts:.2f}", "A"),
        Value("Voltage", f"{volts:.1f}", "V"),
        Value("SoC", str(int(battery.soc * 100)), "Percent", location="EV"),
    )
