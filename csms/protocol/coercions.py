"""One JSON value taken for another type, where it is certain what was meant. Pure."""

import re
from decimal import Decimal
from typing import Any

_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0*)?\s*")
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?)\s*")
_MOST = 2**63
_BOOLEANS = {"true": True, "false": False}


def coerced(value: Any, wanted: str) -> Any:
    """`value` as the JSON schema type `wanted`; None where that would be a guess (J09: true is no 1)."""
    match wanted:
        case "string":
            return _string(value)
        case "integer":
            return _integer(value)
        case "number":
            found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
            return Decimal(found[1]) if found else None
        case "boolean":
            return _BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else None
        case "array":
            return [value] if isinstance(value, dict) else None
    return None


def _string(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return str(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, float | Decimal):
        # The bound first: a number of a million digits is quickly written as 1e999999.
        return int(value) if -_MOST < value < _MOST and value == int(value) else None
    found = _INTEGER.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else None
