"""Values as CSV text (RFC 4180) that a spreadsheet cannot be made to execute, and back."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

# A field that starts so is a formula to some spreadsheet; NFKC folds the full-width forms to the same.
FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")


def cell(value: Any) -> str:
    """One value as text. Text that would be taken for a formula gets a quote in front of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return cell(" ".join(map(str, value)))
    if not isinstance(value, str):
        return str(value)
    return "'" + value if is_formula(value) else value


def is_formula(text: str) -> bool:
    """Whether some spreadsheet would take this for a formula."""
    # Spreadsheets drop leading spaces before they look for one.
    return text.lstrip(" ").startswith(FORMULA_STARTS)


def unquoted(text: str) -> str:
    """The text that `cell` wrote down: without the quote it put in front."""
    return text[1:] if text.startswith("'") and is_formula(text[1:]) else text


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV lines ending in CRLF."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
