"""What share of their time connectors were on-line, out of order or in use, by each definition. Pure.

Two families, side by side and labelled: `own`, over the time in service; and `shenzhen`, as that city's
safety platform computes them (sessions' time over equipment's time; messages of a fault over all messages).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from csms.domain.timeline import ZERO, Usage

OWN_PLACES, SHENZHEN_PLACES = 4, 2
_MICROSECOND = timedelta(microseconds=1)
NO_TIME = Usage()

DEFINITIONS: dict[str, dict[str, str]] = {
    "own": {
        "online_rate": "在线率: time with a status other than off-line or unknown / time in service",
        "fault_rate": "故障率: time in fault / time with a status other than off-line or unknown",
        "available_rate": "可用率: 1 - time off-line, unknown or in fault / time in service",
        "time_use_rate": "时间利用率: time charging / time in service",
        "power_use_rate": "功率利用率: energy delivered / rated power x time in service",
    },
    "shenzhen": {
        "time_use_rate": "利用率: time of all sessions, from start to end / time in service of all equipment",
        "fault_rate": "故障率: status records that say fault / all status records",
    },
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One period of a connector, or of many added up.

    `capacity_wh`: what the rated power could have delivered in the time in service; None where the rated
    power of one of them is not known. `sessions`: length of all sessions together. `equipment`: time in
    service counted once for each charging station. `records`: statuses as a platform is sent them.
    """

    usage: Usage = NO_TIME
    energy_wh: int = 0
    capacity_wh: int | None = 0
    sessions: timedelta = ZERO
    equipment: timedelta = ZERO
    records: int = 0
    fault_records: int = 0


class OwnRates(NamedTuple):
    """Percent; None where there is nothing to divide by."""

    online_rate: float | None
    fault_rate: float | None
    available_rate: float | None
    time_use_rate: float | None
    power_use_rate: float | None


class ShenzhenRates(NamedTuple):
    """Percent; 0 where there is nothing to divide by, as that platform has it."""

    time_use_rate: float
    fault_rate: float


def own_rates(figures: Figures) -> OwnRates:
    """By our definitions."""
    use = figures.usage
    whole, unseen = use.total, use.offline + use.unknown
    capacity = figures.capacity_wh
    return OwnRates(
        online_rate=percent(whole - unseen, whole),
        fault_rate=percent(use.fault, whole - unseen),
        available_rate=percent(whole - unseen - use.fault, whole),
        time_use_rate=percent(use.charging, whole),
        power_use_rate=None if capacity is None else share(figures.energy_wh, capacity, OWN_PLACES),
    )


def shenzhen_rates(figures: Figures) -> ShenzhenRates:
    """As Shenzhen's platform computes them."""
    return ShenzhenRates(
        percent(figures.sessions, figures.equipment, SHENZHEN_PLACES) or 0.0,
        share(figures.fault_records, figures.records, SHENZHEN_PLACES) or 0.0,
    )


def percent(part: timedelta, whole: timedelta, places: int = OWN_PLACES) -> float | None:
    """`part` of `whole` in percent; None when `whole` is nothing."""
    return share(part // _MICROSECOND, whole // _MICROSECOND, places)


def share(part: int, whole: int, places: int) -> float | None:
    """The same for numbers; halves are rounded up."""
    if whole <= 0:
        return None
    scale: int = 10**places
    return (2 * 100 * scale * part + whole) // (2 * whole) / scale


def minutes(length: timedelta) -> float:
    """Minutes with three decimals."""
    return round(length / timedelta(minutes=1), 3)
