"""Field by field: does a message have what a platform's table asks for, spelt and typed as it asks?

Knows the small language of the tables in `city_profiles/` (explained at the head of `tcec102-2016.yaml`)
and nothing about any interface. Values are as `read_json` gives them: numbers are int or Decimal.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
STAMP = re.compile(r"\d{14}", re.ASCII)
SERIAL = 27
# Outside this box GCJ-02 is not defined; the country itself ends a little earlier on every side.
LNG = (Decimal("73.5"), Decimal("135.1"))
LAT = (Decimal("3.8"), Decimal("53.6"))


class BadTable(ValueError):
    """This is not the language of the field tables."""


class Violation(NamedTuple):
    """One field that is not as the table asks, or figures that do not fit each other."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass(frozen=True)
class Scope:
    """Whose serial numbers may stand in it (OperatorIDs), and whether a field in no table is a mistake."""

    owners: tuple[str, ...]
    refuse_unknown: bool = True


Check = Callable[[Any, Scope, str], Iterator[Violation]]


@dataclass(frozen=True)
class Field:
    """One row of a table: any one of `names`."""

    names: tuple[str, ...]
    optional: bool
    check: Check


class Table:
    """The fields of one message or record; `rows` are NAME -> TYPE as in YAML."""

    def __init__(self, rows: Mapping[str, str], records: "Mapping[str, Table]") -> None:
        self.fields = tuple(
            Field(tuple(name.rstrip("?").split("|")), name.endswith("?"), _compiled(str(kind), records))
            for name, kind in rows.items()
        )
        self._known = {name for field in self.fields for name in field.names}

    def check(self, body: Any, scope: Scope, path: str = "") -> Iterator[Violation]:
        """Everything that is wrong with `body`."""
        if not isinstance(body, dict):
            yield Violation(path or "Data", "not an object")
            return
        before = f"{path}." if path else ""
        missing: set[str] = set()
        for field in self.fields:
            here = [name for name in field.names if name in body]
            if len(here) > 1:
                yield Violation(before + here[0], f"stands beside {', '.join(here[1:])}")
            elif here:
                yield from field.check(body[here[0]], scope, before + here[0])
            else:
                missing.update(field.names)
                if not field.optional:
                    yield Violation(before + field.names[0], "missing")
        if scope.refuse_unknown:
            for name in body.keys() - self._known:
                near = difflib.get_close_matches(name, missing, 1, 0.75)
                hint = f", {near[0]} is how it is spelt" if near else ""
                yield Violation(before + name, f"not a field of this platform{hint}")


def _compiled(kind: str, records: Mapping[str, Table]) -> Check:
    """The check of a type written like `text 1..50`. Raises BadTable."""
    name, _, rest = kind.partition(" ")
    if name in PLAIN and not rest:
        return PLAIN[name]
    makers: dict[str, Callable[[], Check]] = {
        "text": lambda: _text(rest),
        "texts": lambda: _several(_text(rest.partition(" ")[0]), rest.partition(" ")[2]),
        "pattern": lambda: _pattern(re.compile(rest)),
        "whole": lambda: _whole(_allowed(rest), False),
        "whole-or-text": lambda: _whole(_allowed(rest), True),
        "wholes": lambda: _several(_whole(_allowed(rest), False), ""),
        "number": lambda: _number(*rest.split()),
        "object": lambda: _record(rest, records),
        "list": lambda: _records(rest, records),
        "object-or-list": lambda: _one_or_several(rest, records),
    }
    if name not in makers or not (rest or name == "whole"):
        raise BadTable(kind)
    return makers[name]()


def _span(text: str) -> tuple[int, int | None]:
    """`1..50`, `1..`, `50` (1..50) or `=27`."""
    found = re.fullmatch(r"=(\d+)|(\d+)\.\.(\d*)|(\d+)", text)
    if found is None:
        raise BadTable(text)
    exact, low, high, most = found.groups()
    if exact or most:
        return (int(exact), int(exact)) if exact else (1, int(most))
    return int(low), int(high) if high else None


def _outside(size: int, span: tuple[int, int | None]) -> str:
    """What is wrong with a size, '' where nothing is."""
    low, high = span
    if low <= size and (high is None or size <= high):
        return ""
    if low == high:
        return f"not {low}"
    return f"more than {high}" if high is not None and size > high else f"fewer than {low}"


def _text(length: str) -> Check:
    span = _span(length)

    def check(value: Any, _: Scope, path: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield _wrong_kind(path, value, "text")
        elif wrong := _outside(len(value), span):
            yield Violation(path, "empty" if not value else f"{len(value)} characters, {wrong}")

    return check


def _pattern(form: re.Pattern[str]) -> Check:
    def check(value: Any, _: Scope, path: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield _wrong_kind(path, value, "text")
        elif not form.fullmatch(value):
            yield Violation(path, f"{value!r} is not of the form {form.pattern}")

    return check


def _allowed(text: str) -> Callable[[int], bool]:
    """`0..32`, `in 0 1 100..103` or nothing at all."""
    parts = text.removeprefix("in ").split()
    spans = []
    for part in parts:
        low, dots, high = part.partition("..")
        if not low.isdigit() or (dots and not high.isdigit()):
            raise BadTable(text)
        spans.append((int(low), int(high if dots else low)))
    return lambda value: not spans or any(low <= value <= high for low, high in spans)


def _whole(allowed: Callable[[int], bool], text_too: bool) -> Check:
    def check(value: Any, _: Scope, path: str) -> Iterator[Violation]:
        if text_too and isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            yield _wrong_kind(path, value, "a whole number")
        elif not allowed(value):
            yield Violation(path, f"{value} is none of its values")

    return check


def _number(places: str, *more: str) -> Check:
    step, limit = Decimal(1).scaleb(-int(places)), Decimal(10**12)
    signed = "signed" in more
    spans = [part.split("..") for part in more if ".." in part]
    bounds = [(Decimal(low), Decimal(high)) for low, high in spans]

    def check(value: Any, _: Scope, path: str) -> Iterator[Violation]:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            yield _wrong_kind(path, value, "a number")
            return
        amount = Decimal(value)
        if abs(amount) >= limit:
            yield Violation(path, "beyond all measure")
        elif amount % step:
            yield Violation(path, f"{value} has more than {places} decimals")
        elif amount < 0 and not signed:
            yield Violation(path, f"{value} is negative")
        elif any(amount < low or amount > high for low, high in bounds):
            yield Violation(path, f"{value} is out of range")

    return check


def _several(one: Check, size: str) -> Check:
    span = _span(size) if size else (0, None)

    def check(value: Any, scope: Scope, path: str) -> Iterator[Violation]:
        if not isinstance(value, list):
            yield _wrong_kind(path, value, "a list")
            return
        if wrong := _outside(len(value), span):
            yield Violation(path, f"{len(value)} items, {wrong}")
        for n, item in enumerate(value):
            yield from one(item, scope, f"{path}[{n}]")

    return check


def _record(name: str, records: Mapping[str, Table]) -> Check:
    # Looked up when it is needed: a record may stand before those within it.
    def check(value: Any, scope: Scope, path: str) -> Iterator[Violation]:
        yield from records[name].check(value, scope, path)

    return check


def _records(rest: str, records: Mapping[str, Table]) -> Check:
    name, _, size = rest.partition(" ")
    return _several(_record(name, records), size)


def _one_or_several(rest: str, records: Mapping[str, Table]) -> Check:
    """A list where the name is a plural, else an object."""
    one, several = _record(rest.partition(" ")[0], records), _records(rest, records)

    def check(value: Any, scope: Scope, path: str) -> Iterator[Violation]:
        yield from (several if path.endswith("s") else one)(value, scope, path)

    return check


def _moment(*forms: tuple[re.Pattern[str], str]) -> Check:
    def check(value: Any, _: Scope, path: str) -> Iterator[Violation]:
        if not isinstance(value, str):
            yield _wrong_kind(path, value, "text")
            return
        for form, layout in forms:
            if form.fullmatch(value):
                try:
                    datetime.strptime(value, layout)
                except ValueError:
                    yield Violation(path, f"{value!r} does not exist")
                return
        yield Violation(path, f"{value!r} is not of the form {' or '.join(layout for _, layout in forms)}")

    return check


def _within(span: tuple[Decimal, Decimal]) -> Check:
    decimals = _number("6", "signed")

    def check(value: Any, scope: Scope, path: str) -> Iterator[Violation]:
        wrong = list(decimals(value, scope, path))
        yield from wrong
        if not wrong and not span[0] <= value <= span[1]:
            yield Violation(path, f"{value} is not in China")

    return check


def _serial(value: Any, scope: Scope, path: str) -> Iterator[Violation]:
    if not isinstance(value, str):
        yield _wrong_kind(path, value, "text")
    elif len(value) != SERIAL or not value.isascii() or not value.isprintable():
        yield Violation(path, f"{len(value)} characters, not {SERIAL} of ASCII")
    elif not value.startswith(scope.owners):
        yield Violation(path, f"does not begin with {' or '.join(scope.owners)}")


def _wrong_kind(path: str, value: Any, wanted: str) -> Violation:
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object", type(None): "null"}
    return Violation(path, f"{names.get(type(value), 'a number')}, not {wanted}")


_T, _D, _S = (TIME, "%Y-%m-%d %H:%M:%S"), (DATE, "%Y-%m-%d"), (STAMP, "%Y%m%d%H%M%S")
PLAIN: dict[str, Check] = {
    "operator": _pattern(re.compile(r"[\x21-\x7e]{9}")),
    "serial": _serial,
    "time": _moment(_T),
    "date": _moment(_D),
    "day": _moment(_D, _T),
    "clock": _moment(_T, _S),
    "hhmmss": _moment((re.compile(r"\d{6}", re.ASCII), "%H%M%S")),
    "lng": _within(LNG),
    "lat": _within(LAT),
}
