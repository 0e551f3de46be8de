"""The next reading of a session, read straight from the typed payload. Knows no session.

`read` of a dialect makes an event of every message, with a value for each sample. Nearly all messages of a
busy station are of one shape, and for those the event is three quarters of the work: here such a message
becomes a `NextReading`, and every other one None, which is no refusal: `read` has the last word on it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from csms.domain.course import NextReading
from csms.domain.meter import (
    ENERGY_IMPORT_REGISTER,
    TRANSACTION_BEGIN,
    TRANSACTION_END,
    UNREADABLE_AT,
    kind_number,
    parse_value,
)
from csms.domain.registers import is_energy
from csms.protocol.metering import metered_2, metered_16
from csms.protocol.words import dashed

Reader = Callable[[Any], NextReading | None]

_MOST_KINDS = 4_096
_MOST_SECONDS = 4_096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 15  # digits that stay exact in thousandths


class _Kind(NamedTuple):
    """What samples of one spelling are. `is_whole`: their numbers are in the measurand's own unit."""

    number: int
    measurand: str
    unit: str | None
    is_energy: bool
    is_whole: bool


_kinds: dict[tuple[Any, ...], _Kind | None] = {}
_seconds: dict[str, int] = {}


def next_reading_16(p: Any) -> NextReading | None:
    """1.6 MeterValues that name a transaction and hold the readings of one instant."""
    if p.transactionId is None or len(p.meterValue) != 1:
        return None
    group = p.meterValue[0]
    at = _instant(group.timestamp)
    if at is None:
        return None
    energy: int | None = None
    samples: list[Any] = []
    for sample in group.sampledValue:
        spelt = sample.measurand, sample.unit, sample.phase, sample.location, sample.context, sample.format
        kind = _kinds[spelt] if spelt in _kinds else _kind_16(sample, spelt)
        if kind is None:
            return None
        text = sample.value
        # Most common first: digits in the measurand's own unit.
        if kind.is_whole and len(text) < _LONGEST and text.isdigit() and text.isascii():
            value = int(text) * 1000
            samples.append((kind.number, value))
        else:
            value_or_none, raw = parse_value(text, kind.unit, None, kind.measurand)
            if value_or_none is None:
                return None
            value = value_or_none
            samples.append((kind.number, value) if raw is None else (kind.number, value, raw))
        if kind.is_energy:
            if energy is not None or value < 0:
                return None
            energy = value
    return NextReading(str(p.transactionId), at, at, energy, samples, tells_place=True)


def next_reading_2(p: Any) -> NextReading | None:
    """2.x TransactionEvent Updated with the readings of one instant, no token and no signature."""
    if p.eventType != "Updated" or p.idToken is not None or not p.meterValue or len(p.meterValue) != 1:
        return None
    group = p.meterValue[0]
    at = _instant(p.timestamp)
    taken = at if group.timestamp == p.timestamp else _instant(group.timestamp)
    if at is None or taken is None:
        return None
    energy: int | None = None
    samples: list[Any] = []
    for sample in group.sampledValue:
        if sample.signedMeterValue is not None:
            return None
        measure = sample.unitOfMeasure
        unit, multiplier = (measure.unit, measure.multiplier) if measure is not None else (None, None)
        spelt = sample.measurand, unit, sample.phase, sample.location, sample.context, multiplier
        kind = _kinds[spelt] if spelt in _kinds else _kind_2(sample, spelt)
        if kind is None:
            return None
        number = sample.value
        if kind.is_whole and type(number) is int and 0 <= number < 10**_LONGEST:
            value = number * 1000
            samples.append((kind.number, value))
        else:
            value_or_none, raw = parse_value(str(number), kind.unit, multiplier, kind.measurand)
            if value_or_none is None:
                return None
            value = value_or_none
            samples.append((kind.number, value) if raw is None else (kind.number, value, raw))
        if kind.is_energy:
            if energy is not None or value < 0:
                return None
            energy = value
    info = p.transactionInfo
    state = dashed(info.chargingState) if info.chargingState else ""
    return NextReading(info.transactionId, at, taken, energy, samples, p.seqNo, state, p.evse is not None)


def _instant(text: str) -> int | None:
    """Microseconds of `2026-01-01T10:00:00.000Z`, with three decimals or none; None for any other form.

    Many stations speak in the same second, and asking for a date costs five times as much as looking it up.
    """
    second, rest = text[:19], text[19:]
    if rest == "Z":
        millis = 0
    elif len(rest) == 5 and rest[0] == "." and rest[4] == "Z" and rest[1:4].isdecimal() and rest.isascii():
        millis = int(rest[1:4])
    else:
        return None
    base = _seconds.get(second)
    if base is None:
        base = _second(second)
        if base is None:
            return None
        if len(_seconds) >= _MOST_SECONDS:
            _seconds.clear()
        _seconds[second] = base
    return base + millis * 1000


def _second(text: str) -> int | None:
    # `fromisoformat` takes week dates and blanks for T too, which `times` puts right.
    if len(text) != 19 or text[4] != "-" or text[7] != "-" or text[10] != "T" or text[13] != ":":
        return None
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int((at - _EPOCH).total_seconds()) * 1_000_000 if 1900 <= at.year <= 2199 else None


def _kind_16(sample: Any, spelt: tuple[Any, ...]) -> _Kind | None:
    """The kind of a spelling met for the first time: what `metered_16` makes of it."""
    if sample.format == "SignedData":
        return _remember(spelt, None)
    return _kind_of(spelt, _Group(sample), metered_16, None)


def _kind_2(sample: Any, spelt: tuple[Any, ...]) -> _Kind | None:
    return _kind_of(spelt, _Group(sample), metered_2, spelt[-1])


class _Group:
    """One sample as a group of its own."""

    timestamp = ""

    def __init__(self, sample: Any) -> None:
        self.sampledValue = [sample]


def _kind_of(
    spelt: tuple[Any, ...], group: _Group, metered: Callable[[Any], Any], multiplier: int | None
) -> _Kind | None:
    (reading,) = metered([group]).readings
    assert reading.at == UNREADABLE_AT, "it has no time"
    is_register = reading.measurand == ENERGY_IMPORT_REGISTER
    is_main = is_register and not reading.phase and reading.location in ("", "outlet")
    if is_energy(reading) and (not is_main or reading.context in (TRANSACTION_BEGIN, TRANSACTION_END)):
        return _remember(spelt, None)
    unit = {"Celcius": "Celsius", "Hertz": "Hz"}.get(spelt[1], spelt[1])
    one, raw = parse_value("1", unit, multiplier, reading.measurand)
    number = kind_number(reading.measurand, reading.phase, reading.location, reading.context)
    kind = _Kind(number, reading.measurand, unit, is_main, one == 1000 and raw is None)
    return _remember(spelt, kind)


def _remember(spelt: tuple[Any, ...], kind: _Kind | None) -> _Kind | None:
    if len(_kinds) < _MOST_KINDS:  # stations must not fill the memory with words
        _kinds[spelt] = kind
    return kind


__all__ = ["Reader", "next_reading_2", "next_reading_16"]
