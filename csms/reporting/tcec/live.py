"""What a connector gives out at the moment, from its latest readings. Pure; knows measurands, no message."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from csms.domain.meter import Reading

INSIDE = ("inlet", "ev", "body", "cable", "upstream")  # not what comes out of the connector


@dataclass(frozen=True, slots=True)
class Live:
    """Thousandths of A, V, %, W and degrees, as readings are kept; None where not known. DC is in A alone."""

    at: datetime | None = None
    current_a: int | None = None
    current_b: int | None = None
    current_c: int | None = None
    voltage_a: int | None = None
    voltage_b: int | None = None
    voltage_c: int | None = None
    soc: int | None = None
    power: int | None = None
    connector_temperature: int | None = None
    equipment_temperature: int | None = None


NOTHING = Live()


def live_of(readings: Iterable[Reading], since: datetime) -> Live:
    """The latest of each value from `since` on; readings in order of time."""
    latest: dict[tuple[str, str], Reading] = {}
    for one in readings:
        if one.value is None or one.at < since:
            continue
        slot = _slot(one)
        if slot is not None:
            latest[slot] = one
    values = {key: one.value for key, one in latest.items()}
    currents, voltages = _phases(values, "current"), _phases(values, "voltage")
    return Live(
        max((one.at for one in latest.values()), default=None),
        *currents,
        *voltages,
        values.get(("soc", "")),
        _power(values, currents, voltages),
        values.get(("temperature", "connector")),
        values.get(("temperature", "equipment")),
    )


def _slot(one: Reading) -> tuple[str, str] | None:
    """Which value of ours a reading is."""
    if one.measurand == "soc":
        return "soc", ""
    if one.measurand == "temperature":
        return "temperature", "equipment" if one.location in ("body", "ambient") else "connector"
    if one.location in INSIDE:
        return None
    name = {
        "current.import": "current",
        "voltage": "voltage",
        "power.active.import": "power",
    }.get(one.measurand)
    phase = one.phase.removesuffix("-n")
    return (name, phase) if name and phase in ("", "l1", "l2", "l3") else None


_Values = dict[tuple[str, str], int | None]
_Three = tuple[int | None, int | None, int | None]


def _phases(values: _Values, name: str) -> _Three:
    """A, B, C; a value without a phase is A's, where direct current belongs."""
    first = values.get((name, "l1"))
    return (
        values.get((name, "")) if first is None else first,
        values.get((name, "l2")),
        values.get((name, "l3")),
    )


def _power(values: _Values, currents: _Three, voltages: _Three) -> int | None:
    """As told, in all or by phase; else from current and voltage."""
    whole = values.get(("power", ""))
    if whole is not None:
        return whole
    by_phase = [p for phase in ("l1", "l2", "l3") if (p := values.get(("power", phase))) is not None]
    if by_phase:
        return sum(by_phase)
    pairs = [(i, u) for i, u in zip(currents, voltages, strict=True) if i is not None and u is not None]
    return sum(i * u // 1000 for i, u in pairs) if pairs else None
