"""Records as CSV (RFC 4180) that a spreadsheet cannot be made to execute. Knows no resource."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

# A field that starts so is a formula to some spreadsheet; NFKC folds the full-width forms to the same.
FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")
MEDIA_TYPE = "text/csv; charset=utf-8"


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
    # Spreadsheets drop leading spaces before they look for a formula.
    return "'" + value if value.lstrip(" ").startswith(FORMULA_STARTS) else value


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV lines ending in CRLF."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


async def csv_stream(
    columns: Sequence[str], pages: AsyncIterator[Sequence[dict[str, Any]]]
) -> AsyncIterator[bytes]:
    """A header line, then every page as it is read: memory holds one page, whatever is exported."""
    yield csv_lines([columns]).encode()
    async for page in pages:
        yield csv_lines([[record.get(name) for name in columns] for record in page]).encode()
