"""XLSX files: text, numbers and dates in cells, never a formula or a link."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 48


class Sheet(NamedTuple):
    """One sheet: its name, a header, and rows. `notes` explain columns, in the header's comments."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()


def xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook as bytes."""
    import xlsxwriter  # noqa: PLC0415 - only those who export need it in memory

    out = io.BytesIO()
    # Text stays text: xlsxwriter would make formulas and links of some.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, {"in_memory": True, "remove_timezone": True, **plain}) as book:
        bold = book.add_format({"bold": True})
        for sheet in sheets:
            _fill(book.add_worksheet(sheet.name[:31]), sheet, bold)
    return out.getvalue()


def _fill(page: Any, sheet: Sheet, bold: Any) -> None:
    for column, title in enumerate(sheet.header):
        page.write_string(0, column, title, bold)
        if column < len(sheet.notes):
            page.write_comment(0, column, sheet.notes[column])
    for number, row in enumerate(sheet.rows, start=1):
        for column, value in enumerate(row):
            _write(page, number, column, value)
    widths = [
        max(len(str(row[column])) for row in (sheet.header, *sheet.rows[:200]))
        for column in range(len(sheet.header))
    ]
    for column, width in enumerate(widths):
        page.set_column(column, column, min(width + 2, WIDEST))
    page.freeze_panes(1, 0)


def _write(page: Any, row: int, column: int, value: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        page.write_number(row, column, value)
    else:
        text = value.isoformat() if isinstance(value, date | datetime) else str(value)
        page.write_string(row, column, text)
