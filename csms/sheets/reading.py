"""Tables out of CSV and XLSX files that strangers made: every cell as text, with its row number.

Bounded in every direction: a file that is small packed and huge unpacked is refused before it is opened.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from csms.errors import InvalidInput
from csms.sheets.cells import unquoted

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 300_000, 200, 4_000
MOST_UNPACKED = 256 * 1_048_576
ZIP_MARK = b"PK\x03\x04"


class Line(NamedTuple):
    """One row: its number in the file (the header is 1), and the text of each column that has a title."""

    number: int
    cells: dict[str, str]


class Table(NamedTuple):
    """A sheet (name empty for CSV): its titles and rows. Rows without any text are left out."""

    name: str
    titles: tuple[str, ...]
    lines: list[Line]


def tables_of(content: bytes) -> list[Table]:
    """The tables of a CSV or XLSX file, told apart by its first bytes. Raises InvalidInput."""
    if content.startswith(ZIP_MARK):
        return _from_xlsx(content)
    return [_table("", _from_csv(content))]


def _from_csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")  # what Chinese spreadsheets write
        except UnicodeDecodeError as exc:
            raise InvalidInput("file: it is neither UTF-8 nor GB 18030 text, nor XLSX") from exc
    if "\0" in text:
        raise InvalidInput("file: it is neither text nor XLSX")
    first = text.partition("\n")[0]
    separator = max((",", ";", "\t"), key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error as exc:
        raise InvalidInput(f"file: not CSV: {exc}") from exc


def _from_xlsx(content: bytes) -> list[Table]:
    import openpyxl  # noqa: PLC0415 - only those who import need it in memory

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise InvalidInput("file: it is too large when unpacked")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            pages = [(page.title, page.iter_rows(values_only=True)) for page in book.worksheets]
            return [_table(title, (list(map(_text, row)) for row in rows)) for title, rows in pages]
        finally:
            book.close()
    except InvalidInput:
        raise
    except Exception as exc:
        raise InvalidInput(f"file: not XLSX: {type(exc).__name__}") from exc


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _table(name: str, rows: Iterable[Sequence[str]]) -> Table:
    numbered = enumerate(rows, start=1)
    titles: tuple[str, ...] = ()
    for _, row in numbered:
        titles = tuple(cell.strip().lower() for cell in row)
        break
    while titles and not titles[-1]:
        titles = titles[:-1]
    if len(titles) > MOST_COLUMNS:
        raise InvalidInput(f"file: more than {MOST_COLUMNS} columns")
    lines = []
    for number, row in numbered:
        cells = {title: unquoted(cell) for title, cell in zip(titles, row, strict=False) if title}
        if any(len(cell) > LONGEST_CELL for cell in cells.values()):
            raise InvalidInput(f"file: row {number} has a cell of more than {LONGEST_CELL} characters")
        if any(cell.strip() for cell in cells.values()):
            lines.append(Line(number, cells))
        if len(lines) > MOST_ROWS:
            raise InvalidInput(f"file: more than {MOST_ROWS} rows")
    return Table(name, titles, lines)
