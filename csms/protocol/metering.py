"""Meter values of every version as readings: the one place where this is done. Knows no session.

1.6 writes values as texts with the unit beside them, 2.x as numbers with a unit and a power of ten; both
mean imported energy in Wh, sampled periodically at the outlet, where they say nothing (1.6 7.43,
2.0.1 2.46). Readings leave the two defaults out, so that a station that writes them and one that does not
give the same readings.

Signed data that stands alone (1.6, format SignedData) gets a measurand of its own, `signed.<measurand>`:
under the plain name it would pass for a second delivery of the number it belongs to.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from csms.domain.meter import ENERGY_IMPORT_REGISTER, UNREADABLE_AT, Reading, parse_value
from csms.protocol.times import parse_time

_LONGEST_WORD = 64
_IRREGULAR_UNITS = {"Hertz": "Hz", "Celcius": "Celsius"}  # spellings of 1.6's schemas
_CONTEXTS: dict[str | None, str] = {
    None: "",
    "Sample.Periodic": "",
    "Sample.Clock": "sample.clock",
    "Transaction.Begin": "transaction.begin",
    "Transaction.End": "transaction.end",
    "Trigger": "trigger",
    "Interruption.Begin": "interruption.begin",
    "Interruption.End": "interruption.end",
    "Other": "other",
}
_LOCATIONS: dict[str | None, str] = {
    None: "",
    "Outlet": "",
    "Body": "body",
    "Cable": "cable",
    "EV": "ev",
    "Inlet": "inlet",
}
_LINES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
_PHASES: dict[str | None, str] = {word: word.lower() for word in _LINES}
_PHASES[None] = ""
_USUAL_MEASURANDS = (
    *("Energy.Active.Import.Register", "Energy.Active.Import.Interval", "Energy.Active.Export.Register"),
    *("Power.Active.Import", "Power.Offered", "Current.Import", "Current.Offered"),
    *("Voltage", "SoC", "Temperature", "Frequency"),
)
_MEASURANDS: dict[str | None, str] = {word: word.lower() for word in _USUAL_MEASURANDS}
_MEASURANDS[None] = ENERGY_IMPORT_REGISTER


class Metered(NamedTuple):
    """The readings of one message, and the last readable time among them (or the text that was none)."""

    readings: tuple[Reading, ...]
    at: datetime | None
    at_raw: str | None


NOTHING = Metered((), None, None)


def metered_16(meter_values: Iterable[Any] | None) -> Metered:
    """1.6 `meterValue` and `transactionData`."""
    if not meter_values:
        return NOTHING
    readings: list[Reading] = []
    last, last_raw = None, None
    for group in meter_values:
        at, at_raw = parse_time(group.timestamp)
        last, last_raw = (at, at_raw) if at is not None or last is None else (last, last_raw)
        for sample in group.sampledValue:
            if sample.format == "SignedData":
                readings.append(_signed_alone(sample, at or UNREADABLE_AT))
            else:
                unit = sample.unit
                readings.append(_reading(sample, at or UNREADABLE_AT, sample.value, unit, None))
    return Metered(tuple(readings), last, last_raw)


def metered_2(meter_values: Iterable[Any] | None) -> Metered:
    """2.x `meterValue`."""
    if not meter_values:
        return NOTHING
    readings: list[Reading] = []
    last, last_raw = None, None
    for group in meter_values:
        at, at_raw = parse_time(group.timestamp)
        last, last_raw = (at, at_raw) if at is not None or last is None else (last, last_raw)
        for sample in group.sampledValue:
            measure = sample.unitOfMeasure
            unit, multiplier = (measure.unit, measure.multiplier) if measure else (None, None)
            reading = _reading(sample, at or UNREADABLE_AT, str(sample.value), unit, multiplier)
            if sample.signedMeterValue:
                reading = reading._replace(raw=_as_sent(sample))
            readings.append(reading)
    return Metered(tuple(readings), last, last_raw)


def _reading(sample: Any, at: datetime, text: str, unit: str | None, multiplier: int | None) -> Reading:
    """The conversion."""
    word, phase, location, context = sample.measurand, sample.phase, sample.location, sample.context
    measurand = _MEASURANDS.get(word) or _lower(word)
    value, raw = parse_value(text, _IRREGULAR_UNITS.get(unit, unit) if unit else None, multiplier, measurand)
    return Reading(
        at,
        measurand,
        value,
        _PHASES[phase] if phase in _PHASES else _lower(phase),
        _LOCATIONS[location] if location in _LOCATIONS else _lower(location),
        _CONTEXTS[context] if context in _CONTEXTS else _lower(context),
        raw,
    )


def _signed_alone(sample: Any, at: datetime) -> Reading:
    reading = _reading(sample, at, "", None, None)
    return reading._replace(measurand=f"signed.{reading.measurand}", value=None, raw=sample.value)


def _lower(word: str) -> str:
    return word[:_LONGEST_WORD].lower()


def _as_sent(sample: Any) -> str:
    """Value, unit and signature as JSON: what a check of the signature needs."""
    parts = {"value": sample.value, "unit": sample.unitOfMeasure, "signed": sample.signedMeterValue}
    return msgspec.json.encode(parts).decode()
