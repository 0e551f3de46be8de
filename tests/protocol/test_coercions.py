"""One JSON type taken for another."""

from decimal import Decimal
from typing import Any

import pytest

from csms.protocol.coercions import coerced


@pytest.mark.parametrize(
    ("value", "wanted", "result"),
    [
        (5, "string", "5"),
        (Decimal("5.50"), "string", "5.50"),
        (2.5, "string", "2.5"),
        ("5", "integer", 5),
        (" -7 ", "integer", -7),
        ("5.0", "integer", 5),
        (Decimal("1.0"), "integer", 1),
        ("16.1", "number", Decimal("16.1")),
        ("true", "boolean", True),
        ("False", "boolean", False),
        ({"a": 1}, "array", [{"a": 1}]),
    ],
)
def test_certain(value: Any, wanted: str, result: Any) -> None:
    """What was meant is certain."""
    assert coerced(value, wanted) == result


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (True, "string"),
        ([], "string"),
        (True, "integer"),
        (1.5, "integer"),
        (Decimal("1E+400"), "number"),
        (Decimal("Infinity"), "integer"),
        ("1_000", "integer"),
        ("１２", "integer"),
        ("1e3", "number"),
        ("nan", "number"),
        ("1,5", "number"),
        ("yes", "boolean"),
        (1, "boolean"),
        ("a", "array"),
        ("a", "object"),
        (None, "string"),
    ],
)
def test_guesses(value: Any, wanted: str) -> None:
    """J09, J10: no value is made up."""
    assert coerced(value, wanted) is None
