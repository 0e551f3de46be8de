"""Kinds of text and numbers that requests are made of."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from csms.api import forms


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            forms.Identity,
            ["CS-0001", "a", "x" * 48, "A.b_c=d+e@f*g|h-i"],
            ["", "x" * 49, "a:b", "a/b", "ü", "a\n"],
        ),
        (
            forms.OperatorCode,
            ["123456789", "MA01H3BQ2"],
            ["12345678", "1234567890", "12345678 ", "12345678\n"],
        ),
        (forms.Name, ["x", "北京", "a'b\"c<d>"], ["", "x" * 201, "a\0b", "a\tb", "\x7f"]),
        (forms.TokenText, ["A1", "x" * 255], ["", "x" * 256, "a\nb"]),
        (forms.ZoneName, ["UTC", "Asia/Shanghai"], ["", "Mars/North", "/etc/passwd", "Asia/Shanghai\0"]),
        (forms.EvseNumber, [0, 65_535], [-1, 65_536, 2**70]),
        (
            forms.Instant,
            ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456+08:00"],
            ["2026-01-01", "2026-01-01T00:00:00", "1999-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "now"],
        ),
    ],
)
def test_what_fits_and_what_does_not(kind: Any, good: list[Any], bad: list[Any]) -> None:
    """Limits at both ends, and letters that have no business there."""
    adapter = TypeAdapter(kind)

    for value in good:
        adapter.validate_python(value)
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_a_form_takes_only_what_it_knows() -> None:
    """A field nobody knows is refused, and so is a number that is none."""

    class Example(forms.Form):
        number: float = 0

    Example.model_validate_json('{"number": 1}')
    for text in ('{"numbr": 1}', '{"number": NaN}', '{"number": Infinity}'):
        with pytest.raises(ValidationError):
            Example.model_validate_json(text)
