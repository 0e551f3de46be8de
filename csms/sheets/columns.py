"""Columns of files, and records as their values: the same in every format. Knows no record.

Times become those of one time zone; integers that count thousandths become exact decimals.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    WHOLE = "whole"  # integers
    DECIMAL = "decimal"  # exact, with so many digits after the point
    INSTANT = "instant"
    DAY = "day"
    YES_NO = "yes-no"


class Column(NamedTuple):
    """A column. `name` is for programs, `title` for people; `key` finds the value in a record.

    `places`: digits after the point of a DECIMAL. Where the record has an integer, it counts units of the
    last digit: 22500 with three places is 22.500.
    """

    name: str
    key: str
    title: str
    kind: Kind = Kind.TEXT
    places: int = 0


def row_of(columns: Sequence[Column], record: Mapping[str, Any], local: tzinfo) -> list[Any]:
    """The record's values in the columns' order: text, int, Decimal, bool, date, aware datetime or None."""
    return [_value(column, record.get(column.key), local) for column in columns]


def _value(column: Column, value: Any, local: tzinfo) -> Any:
    if value is None:
        return None
    match column.kind:
        case Kind.INSTANT:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            return at.astimezone(local)
        case Kind.DECIMAL:
            exact = Decimal(value)
            return exact.scaleb(-column.places) if isinstance(value, int) else exact
        case Kind.DAY:
            return value if isinstance(value, date) else date.fromisoformat(value)
        case Kind.WHOLE | Kind.YES_NO:
            return value
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def plain(value: Any) -> Any:
    """A value as CSV has it: times without an offset, for the title names the time zone."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, date) else value
