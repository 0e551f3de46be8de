"""Cells that no spreadsheet executes, and that come back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from csms.sheets.cells import cell, csv_lines, is_formula, unquoted


@given(st.text())
def test_texts_come_back(text: str) -> None:
    """Unless they had a quote before a formula themselves, which spreadsheets cannot tell apart."""
    written = cell(text)

    assert not is_formula(written)
    assert unquoted(written) == text or (text.startswith("'") and is_formula(text[1:]))


def test_lines() -> None:
    """CRLF, and quotes where needed."""
    assert csv_lines([["a,b", None, 1], [True, "=1", ["x", "y"]]]) == '"a,b",,1\r\ntrue,\'=1,x y\r\n'
