"""CSV: quoted as RFC 4180 has it, and harmless in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from csms.api.exports import cell, csv_lines, csv_stream


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "\0x",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "  =1",
        '=HYPERLINK("x")',
    ],
)
def test_a_formula_gets_a_quote(text: str) -> None:
    """Whatever some spreadsheet takes for a formula begins with a single quote."""
    assert cell(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (22500, "22500"),
        ("A1", "A1"),
        (["gap", "clock"], "gap clock"),
        (["=x"], "'=x"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_other_values_stay(value: Any, expected: str) -> None:
    """Numbers stay numbers, negative ones too; nothing becomes an empty field."""
    assert cell(value) == expected


def test_what_is_written_can_be_read() -> None:
    """Commas, quotes and line ends survive a reader of RFC 4180; lines end in CRLF."""
    row = ["a,b", 'say "x"', "two\nlines", "中文"]

    text = csv_lines([row])

    assert text.endswith("\r\n")
    assert next(csv.reader(io.StringIO(text, newline=""))) == row


async def test_a_stream_is_a_header_and_its_pages() -> None:
    """Columns in the given order, a page at a time; what a record lacks is empty."""

    async def pages() -> AsyncIterator[list[dict[str, Any]]]:
        yield [{"a": 1, "b": "x", "other": 0}]
        yield [{"a": 2}]

    parts = [part async for part in csv_stream(("b", "a"), pages())]

    assert parts == [b"b,a\r\n", b"x,1\r\n", b",2\r\n"]
