"""An electric vehicle's battery while it charges. No clock, no station, no chance of its own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

LONGEST_STEP_S = 30.0
"""Power is held constant within a step; thirty seconds keeps the taper smooth."""

FULL = 0.999
"""State of charge at which the vehicle stops asking for power."""


@dataclass(frozen=True, slots=True)
class Car:
    """What limits a vehicle: capacity in Wh, powers in W at the inlet, SoC as 0..1."""

    capacity_wh: float = 60_000.0
    max_ac_w: float = 11_000.0
    ac_phases: int = 3
    max_dc_w: float = 120_000.0
    efficiency: float = 0.92
    ramp_w_per_s: float = 1_500.0
    taper_from: float = 0.8
    target_soc: float = 1.0


@dataclass(frozen=True, slots=True)
class Supply:
    """What a connector offers: its kind and the most it gives, in W over all phases."""

    dc: bool
    max_w: float
    phases: int = 3

    def for_car(self, car: Car) -> float:
        """The power in W that this supply can give this car when nothing else limits it."""
        if self.dc:
            return min(self.max_w, car.max_dc_w)
        shared = self.phases_used(car) / 3
        return min(self.max_w * (self.phases_used(car) / self.phases), car.max_ac_w, 22_000.0 * shared)

    def phases_used(self, car: Car) -> int:
        """How many phases carry current; 0 for DC."""
        return 0 if self.dc else min(self.phases, car.ac_phases)


class Battery:
    """Takes energy from a supply.

    The rule that tests hold it to: energy drawn (Wh, at the connector) times
    the car's efficiency is the energy that the battery gained.
    """

    def __init__(self, car: Car, soc: float) -> None:
        self.car = car
        self.stored_wh = car.capacity_wh * soc
        self.power_w = 0.0
        """What the vehicle draws now, in W at the connector."""

    @property
    def soc(self) -> float:
        """State of charge, 0..1."""
        return self.stored_wh / self.car.capacity_wh

    @property
    def full(self) -> bool:
        """Whether the vehicle has stopped asking for power."""
        return self.soc >= min(self.car.target_soc, FULL)

    def charge(self, supply_w: float, seconds: float) -> float:
        """Draw from a supply of `supply_w` W for a time; returns the energy drawn in Wh."""
        drawn = 0.0
        while seconds > 0 and not self.full:
            step = min(seconds, LONGEST_STEP_S)
            drawn += self._step(supply_w, step)
            seconds -= step
        if self.full:
            self.power_w = 0.0
        return drawn

    def _step(self, supply_w: float, seconds: float) -> float:
        wanted = supply_w * self._taper()
        self.power_w = min(wanted, self.power_w + self.car.ramp_w_per_s * seconds)
        room = self.car.capacity_wh * min(self.car.target_soc, 1.0) - self.stored_wh
        drawn = min(self.power_w * seconds / 3600, room / self.car.efficiency)
        self.stored_wh += drawn * self.car.efficiency
        return drawn

    def _taper(self) -> float:
        """The share of power the battery still takes: 1 below the knee, 5 % when full."""
        if self.soc <= self.car.taper_from:
            return 1.0
        left = (1.0 - self.soc) / (1.0 - self.car.taper_from)
        return max(0.05, left)


def some_car(rng: Random) -> Car:
    """A car as they come: from a small hatchback to a large saloon."""
    capacity = rng.choice((38_000.0, 52_000.0, 60_500.0, 77_000.0, 100_000.0))
    return Car(
        capacity_wh=capacity,
        max_ac_w=rng.choice((3_600.0, 7_000.0, 11_000.0, 11_000.0, 22_000.0)),
        ac_phases=rng.choice((1, 1, 3)),
        max_dc_w=capacity * rng.uniform(1.2, 2.2),
        efficiency=rng.uniform(0.88, 0.96),
        taper_from=rng.uniform(0.7, 0.85),
        target_soc=rng.choice((0.8, 0.9, 1.0)),
    )
