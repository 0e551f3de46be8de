"""Readings and the one unit each measurand has here. Knows numbers and units; nothing of sessions."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple


class Reading(NamedTuple):
    """One sampled value. A tuple, because thousands a second are made and stored as they are.

    `value` is in thousandths of the measurand's unit (Wh, varh, W, var, VA, A, V, Hz, percent,
    Celsius, rpm), so that it is exact; None when the text could not be read. `raw` keeps what was sent
    (value and unit, and a signed blob where there is one) whenever `value` is None, converted or rounded.
    `phase`, `location` and `context` are the specification's words in lower case with dashes, '' when
    absent (`location` '' means outlet, `context` '' means sample.periodic).
    `at` is UNREADABLE_AT where the station's text gave no time.
    """

    at: datetime
    measurand: str
    value: int | None
    phase: str = ""
    location: str = ""
    context: str = ""
    raw: str | None = None


ENERGY_IMPORT_REGISTER = "energy.active.import.register"
ENERGY_IMPORT_INTERVAL = "energy.active.import.interval"
TRANSACTION_BEGIN = "transaction.begin"
TRANSACTION_END = "transaction.end"

UNREADABLE_AT = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a reading's unreadable time; the clock rule gives such a reading its time of arrival."""

_ENERGY = {"": 0, "Wh": 0, "kWh": 3, "MWh": 6}
_REACTIVE_ENERGY = {"": 0, "varh": 0, "kvarh": 3}
_APPARENT_ENERGY = {"": 0, "VAh": 0, "kVAh": 3}
_ACTIVE_POWER = {"": 0, "W": 0, "kW": 3, "MW": 6}
_REACTIVE_POWER = {"": 0, "var": 0, "kvar": 3}
_APPARENT_POWER = {"": 0, "VA": 0, "kVA": 3}
_CURRENT = {"": 0, "A": 0, "dA": -1, "mA": -3}
_VOLTAGE = {"": 0, "V": 0, "mV": -3, "kV": 3}
_FREQUENCY = {"": 0, "Hz": 0}
_PERCENT = {"": 0, "Percent": 0, "%": 0}
# 1.6 has it misspelt in its own enumeration ("Celcius").
_TEMPERATURE = {"": 0, "Celsius": 0, "Celcius": 0, "C": 0, "K": 0, "Fahrenheit": 0}
_SPEED = {"": 0, "RPM": 0}
_RATIO = {"": 0}

_REGISTERS = ("import.register", "export.register", "import.interval", "export.interval", "net")
_LIMITS = (
    *("import", "export", "offered", "import.offered", "export.offered"),
    *("import.minimum", "export.minimum"),
)
_FAMILIES: dict[str, tuple[dict[str, int], tuple[str, ...]]] = {
    "energy.active": (_ENERGY, _REGISTERS),
    "energy.reactive": (_REACTIVE_ENERGY, _REGISTERS),
    "energy.apparent": (_APPARENT_ENERGY, ("import", "export", "net")),
    "power": (_ACTIVE_POWER, _LIMITS),
    "power.active": (_ACTIVE_POWER, ("import", "export", "setpoint", "residual")),
    "power.reactive": (_REACTIVE_POWER, ("import", "export")),
    "power.apparent": (_APPARENT_POWER, ("import", "export")),
    "current": (_CURRENT, _LIMITS),
}
_SINGLES: dict[str, dict[str, int]] = {
    "voltage": _VOLTAGE,
    "frequency": _FREQUENCY,
    "soc": _PERCENT,
    "temperature": _TEMPERATURE,
    "rpm": _SPEED,
    "power.factor": _RATIO,
}
_UNITS_OF: dict[str, dict[str, int]] = {
    **{f"{stem}.{leaf}": units for stem, (units, leaves) in _FAMILIES.items() for leaf in leaves},
    **_SINGLES,
}
_ANY_UNIT: dict[str, int] = {unit: scale for units in _UNITS_OF.values() for unit, scale in units.items()}
_OTHER_DEGREES = ("K", "Fahrenheit")

_PLACES: dict[tuple[str, str | None], int] = {
    (measurand, unit or None): scale + 3
    for measurand, units in _UNITS_OF.items()
    for unit, scale in units.items()
    if unit not in _OTHER_DEGREES
}
"""Decimal places that a number in this measurand and unit may have to stay exact in thousandths."""

# J10: ASCII digits, one point, at most a two-digit exponent; no blanks, commas, underscores, names.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?")
_MOST = 2**63 - 1
_MOST_SCALE = 9


def parse_value(
    value: str | int | float | None, unit: str | None, multiplier: int | None, measurand: str
) -> tuple[int | None, str | None]:
    """A sampled value in thousandths of its measurand's unit, and the text as sent where that says more.

    Exact: no binary fractions. The number is None when the text is no decimal number or the unit does not
    fit the measurand; then the text is always kept. `measurand` is in lower case.
    """
    # Most common first: digits, perhaps with a few decimals, in a known unit.
    places = _PLACES.get((measurand, unit), -1)
    if places >= 0 and not multiplier and isinstance(value, str):
        whole, _, rest = value.partition(".")
        digits = whole + rest.ljust(places, "0")
        if len(rest) <= places and whole and len(digits) < 18 and digits.isdigit() and digits.isascii():
            return int(digits), None if places == 3 else f"{value} {unit}"
    return _parse_any(value, unit, multiplier, measurand)


def _parse_any(
    value: str | int | float | None, unit: str | None, multiplier: int | None, measurand: str
) -> tuple[int | None, str | None]:
    """`parse_value` for signs, exponents, JSON numbers, odd units and what is no number at all."""
    raw = _as_sent(value, unit, multiplier)
    number = read_decimal(value)
    scale = _scale(measurand, unit, multiplier)
    if number is None or scale is None:
        return None, raw
    exact = _to_base(number, unit or "").scaleb(scale + 3)
    thousandths = int(exact.to_integral_value())
    if abs(thousandths) > _MOST:
        return None, raw
    is_plain = exact == thousandths and scale == 0 and unit not in _OTHER_DEGREES
    return thousandths, None if is_plain else raw


def read_decimal(value: object) -> Decimal | None:
    """The number a station wrote, exactly, or None when it is not one (strict: J10)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    # A JSON number with a fraction comes as a float; its shortest text is what the station wrote.
    text = value if isinstance(value, str) else repr(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def is_number(text: str) -> bool:
    """Whether `text` is a decimal number by itself: then only its unit can have been at fault."""
    return _NUMBER.fullmatch(text) is not None


def _scale(measurand: str, unit: str | None, multiplier: int | None) -> int | None:
    """Power of ten from what was sent to the measurand's unit; None when they do not fit."""
    units = _UNITS_OF.get(measurand.lower(), _ANY_UNIT)
    by_unit = units.get(unit or "")
    if by_unit is None:
        by_unit = {name.lower(): scale for name, scale in units.items()}.get((unit or "").strip().lower())
    if by_unit is None or abs(multiplier or 0) > _MOST_SCALE:
        return None
    return by_unit + (multiplier or 0)


def _to_base(number: Decimal, unit: str) -> Decimal:
    """Degrees of other scales as Celsius; everything else as it is."""
    if unit == "K":
        return number - Decimal("273.15")
    if unit == "Fahrenheit":
        return (number - 32) * 5 / 9
    return number


def _as_sent(value: object, unit: str | None, multiplier: int | None) -> str:
    text = value if isinstance(value, str) else "null" if value is None else repr(value)
    scale = f"e{multiplier}" if multiplier else ""
    return f"{text}{scale} {unit}" if unit else f"{text}{scale}"


def kind_number(measurand: str, phase: str, location: str, context: str) -> int:
    """A number for what a reading measures, the same in every process.

    47 bits: a clash among a thousand kinds has a chance of 1 in 10^8.
    """
    text = "\0".join((measurand, phase, location, context)).encode()
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big") >> 1
