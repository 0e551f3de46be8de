"""Fields of asset records as people type them: kinds, limits, texts to values and back. Pure.

One set of rules for the API and for imported files: `read` makes a value of a cell's text, `faults` says
what is wrong with a record whatever it came from.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from csms.domain.inventory import AssetRecord, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.organisation_codes import fault_of_uscid
from csms.errors import InvalidInput

LEVELS: dict[str, type[AssetRecord]] = {
    "operators": OperatorRecord,
    "sites": SiteRecord,
    "equipment": EquipmentRecord,
    "connectors": ConnectorRecord,
}
KEYS = {
    OperatorRecord: ("operator",),
    SiteRecord: ("operator", "site"),
    EquipmentRecord: ("operator", "equipment_id"),
    ConnectorRecord: ("operator", "connector_id"),
}
# A time without an offset is the clock of the city.
CITY_TIME = timezone(timedelta(hours=8), "+08:00")
MANY = ";"

_ORGANISATION = re.compile(r"[A-Za-z0-9]{9}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # a half of a surrogate pair is no text at all
_NAME = re.compile(r"[^\s/?#%\\]+")
_PATTERNS: dict[str, tuple[re.Pattern[str], str]] = {
    "operator": (_ORGANISATION, "nine letters and digits"),
    "owner_id": (_ORGANISATION, "nine letters and digits"),
    "manufacturer_id": (_ORGANISATION, "nine letters and digits"),
    "country_code": (re.compile(r"[A-Z]{2}"), "two capital letters such as CN"),
    "area_code": (re.compile(r"\d{6}(\d{3}|\d{6})?"), "six digits of GB/T 2260 (nine or twelve where finer)"),
    "rural_area_code": (re.compile(r"\d{12}"), "twelve digits"),
    "station_id": (_NAME, "no spaces, slashes, ?, # or %"),
    "equipment_id": (_NAME, "no spaces, slashes, ?, # or %"),
    "connector_id": (_NAME, "no spaces, slashes, ?, # or %"),
}
_LENGTHS = {
    "station_id": 20, "equipment_id": 23, "connector_id": 26, "site": 64, "identity": 48, "name": 200,
    "tel": 32, "tel_2": 32, "service_tel": 30, "address": 200, "registered_address": 64, "payment": 20,
    "parking_bay": 10, "model": 50, "manufacturer_name": 64,
}  # fmt: skip
MOST_TEXT, MOST_MANY = 256, 20
_RANGES: dict[str, tuple[float, float]] = {
    "latitude": (-90, 90), "longitude": (-180, 180), "evse": (0, 65_535), "connector": (0, 65_535),
    "power_w": (0, 10_000_000), "rated_power_w": (0, 10**9), "capacity_va": (0, 10**9),
    "current_a": (0, 10_000), "constant_current_upper_a": (0, 10_000),
    "constant_current_lower_a": (0, 10_000),
}  # fmt: skip
_FIRST, _LAST = 1990, 2200
_YES, _NO = {"true", "yes", "y", "1", "是"}, {"false", "no", "n", "0", "否"}
_ORDERED = (
    ("voltage_lower_v", "voltage_upper_v"),
    ("constant_voltage_lower_v", "constant_voltage_upper_v"),
    ("constant_current_lower_a", "constant_current_upper_a"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `many`: several values, in a cell separated by `;`."""

    name: str
    kind: type
    many: bool
    is_key: bool

    @property
    def choices(self) -> tuple[str, ...]:
        """The values there are, where it is one of a few."""
        return tuple(self.kind) if issubclass(self.kind, StrEnum) else ()

    @property
    def hint(self) -> str:
        """What is to be entered, for people."""
        words = {bool: "true or false", int: "whole number", float: "number", date: "YYYY-MM-DD"}
        text = " | ".join(self.choices) or words.get(self.kind, "")
        if self.kind is datetime:
            text = "YYYY-MM-DD or YYYY-MM-DDTHH:MM[+08:00]"
        if self.name in _PATTERNS:
            text = _PATTERNS[self.name][1]
        return (text or "text") + (f", several separated by {MANY}" if self.many else "")


class Fault(NamedTuple):
    """What is wrong with a field."""

    field: str
    text: str


def fields_of(kind: type[AssetRecord]) -> tuple[Field, ...]:
    """The fields somebody enters, in order; `modified_at` is ours."""
    return _FIELDS[kind]


def _field(name: str, hint: Any, is_key: bool) -> Field:
    if isinstance(hint, UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    many = get_origin(hint) is tuple
    return Field(name, get_args(hint)[0] if many else hint, many, is_key)


def read(field: Field, text: str) -> Any:
    """The value of a cell; an empty one is unknown. Raises InvalidInput saying what was expected."""
    text = text.strip()
    if field.many:
        return tuple(_read_one(field, part.strip()) for part in text.split(MANY) if part.strip())
    if text:
        return _read_one(field, text)
    return "" if field.is_key else None


def _read_one(field: Field, text: str) -> Any:
    try:
        if field.kind is bool:
            return _read_bool(text)
        if field.kind is int:
            return _read_int(text)
        if field.kind is datetime:
            return _read_time(text)
        if field.kind is date:
            return date.fromisoformat(text[:10] if text[10:] in (" 00:00:00", "T00:00:00") else text)
        return field.kind(text)
    except ValueError as exc:
        raise InvalidInput(f"{text[:40]!r} is not: {field.hint}") from exc


def _read_bool(text: str) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        raise ValueError(word)
    return word in _YES


def _read_int(text: str) -> int:
    # Spreadsheets write 7000 as 7000.0.
    whole = text.removesuffix(".0")
    if not re.fullmatch(r"-?\d{1,18}", whole, re.ASCII):
        raise ValueError(whole)
    return int(whole)


def _read_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=CITY_TIME)).astimezone(UTC)


def write(value: Any) -> str:
    """The text of a value, as `read` reads it."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return MANY.join(map(write, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def faults(record: AssetRecord) -> list[Fault]:
    """Everything wrong with a record by itself; references and dates of others are the store's matter."""
    found = [Fault(name, text) for name, text in _faults(record)]
    if isinstance(record, OperatorRecord) and record.uscid and (text := fault_of_uscid(record.uscid)):
        found.append(Fault("uscid", text))
    for lower, upper in _ORDERED:
        low, high = getattr(record, lower, None), getattr(record, upper, None)
        if low is not None and high is not None and low > high:
            found.append(Fault(lower, f"{low} is above {upper}, {high}"))
    return found


def _faults(record: AssetRecord) -> Iterator[tuple[str, str]]:
    for field in fields_of(type(record)):
        value = getattr(record, field.name)
        if field.is_key and not value:
            yield field.name, "is missing"
        # Most common first: of most fields nothing is known.
        if value is None or value in ("", ()):
            continue
        values = value if field.many else (value,)
        if len(values) > MOST_MANY:
            yield field.name, f"has {len(values)} values; {MOST_MANY} are allowed"
        for one in values[:MOST_MANY]:
            if text := _fault(field, one):
                yield field.name, text
    yield from _pairs(record)


def _pairs(record: AssetRecord) -> Iterator[tuple[str, str]]:
    """Fields that mean something only together."""
    if isinstance(record, SiteRecord | EquipmentRecord) and (record.latitude is None) != (
        record.longitude is None
    ):
        yield "latitude" if record.latitude is None else "longitude", "is missing: a position has both"
    if isinstance(record, ConnectorRecord):
        address = (record.identity, record.evse, record.connector)
        if any(part is None for part in address) and any(part is not None for part in address):
            yield "identity", "identity, evse and connector belong together: give all three or none"


def _fault(field: Field, value: Any) -> str | None:
    if isinstance(value, StrEnum):
        return None
    if isinstance(value, str):
        return _fault_of_text(field.name, value)
    if isinstance(value, date):
        return None if _FIRST <= value.year <= _LAST else f"must be between the years {_FIRST} and {_LAST}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _RANGES.get(field.name, (0, 10_000_000))
        return None if low <= value <= high else f"must be from {low} to {high}"
    return None


def _fault_of_text(name: str, value: str) -> str | None:
    most = _LENGTHS.get(name, MOST_TEXT)
    if len(value) > most:
        return f"has {len(value)} characters; {most} are allowed"
    if _CONTROL.search(value):
        return "must not contain control characters"
    pattern = _PATTERNS.get(name)
    if pattern is not None and not pattern[0].fullmatch(value):
        return f"{value!r} is not: {pattern[1]}"
    return None


def _fields_of(kind: type[AssetRecord]) -> tuple[Field, ...]:
    hints = get_type_hints(kind)
    found = [_field(each.name, hints[each.name], each.name in KEYS[kind]) for each in fields(kind)]
    return tuple(field for field in found if field.name != "modified_at")


_FIELDS = {kind: _fields_of(kind) for kind in LEVELS.values()}
