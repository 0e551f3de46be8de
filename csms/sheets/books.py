"""Long tables as XLSX and Parquet, written row by row into an open file. Memory does not grow with the rows.

`BookWriter` has one or more sheets, `ParquetWriter` has one. `close` finishes the file; `abandon` lets go of
everything and leaves it unfinished. Neither may be called from the event loop: they write files.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from typing import IO, Any

from csms.errors import InvalidInput
from csms.sheets.columns import Column, Kind

SHEET_ROWS = 1_000_000  # a sheet has 1,048,576
LONGEST = 32_767  # characters of a cell
WIDTHS = {Kind.INSTANT: 20, Kind.DAY: 12, Kind.WHOLE: 12, Kind.DECIMAL: 14, Kind.YES_NO: 8, Kind.TEXT: 16}
WIDEST = 48
ROW_GROUP = 50_000  # rows that Parquet keeps in memory until they are packed
WAITING = 2  # pages


class BookWriter:
    """An XLSX workbook: text, numbers and times in cells, never a formula or a link."""

    def __init__(self, out: IO[bytes]) -> None:
        import xlsxwriter  # noqa: PLC0415 - only those who export need it in memory

        options = {"constant_memory": True, "remove_timezone": True, "strings_to_formulas": False}
        self._book = xlsxwriter.Workbook(out, options | {"strings_to_urls": False})
        # The same file for the same records: no time of writing in it.
        self._book.set_properties({"created": datetime(2000, 1, 1)})
        self._bold = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._formats: dict[str, Any] = {}

    def sheet(self, name: str, columns: Sequence[Column]) -> "SheetWriter":
        """Another sheet, with its header. Sheets may be filled in any order."""
        return SheetWriter(self, name, columns)

    def close(self) -> None:
        """Pack the file."""
        self._book.close()

    def abandon(self) -> None:
        """Let go of the rows written so far."""
        for page in self._book.worksheets():
            for name in ("row_data_fh", "filehandle"):
                file = getattr(page, name, None)
                if file is not None:
                    file.close()

    def page(self, name: str, columns: Sequence[Column]) -> Any:
        """A sheet of the library with header, widths and formats."""
        page = self._book.add_worksheet(name[:31])
        page.freeze_panes(1, 0)
        for n, column in enumerate(columns):
            width = min(max(WIDTHS[column.kind], (_width(column.title) + 1) // 2 + 1), WIDEST)
            page.set_column(n, n, width, self.format_of(column))
        for n, column in enumerate(columns):
            page.write_string(0, n, column.title, self._bold)
        return page

    def format_of(self, column: Column) -> Any:
        """How the column's numbers and times are shown; None for text."""
        shown = {
            Kind.INSTANT: "yyyy-mm-dd hh:mm:ss",
            Kind.DAY: "yyyy-mm-dd",
            Kind.WHOLE: "0",
            Kind.DECIMAL: _digits(column.places),
        }.get(column.kind)
        return None if shown is None else self._format(shown)

    def format_of_number(self, value: int | Decimal) -> Any:
        """How a number among text is shown: with the digits it has."""
        exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
        return self._format(_digits(-exponent if isinstance(exponent, int) else 0))

    def _format(self, shown: str) -> Any:
        if shown not in self._formats:
            self._formats[shown] = self._book.add_format({"num_format": shown})
        return self._formats[shown]


class SheetWriter:
    """One sheet of a workbook; more rows than it can hold go on in another one."""

    def __init__(self, book: BookWriter, name: str, columns: Sequence[Column]) -> None:
        self._book, self._name, self._columns = book, name, tuple(columns)
        self._formats = [book.format_of(column) for column in columns]
        self._page = book.page(name, columns)
        self._row, self._number = 1, 1

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """More rows, of values as `row_of` makes them."""
        for row in rows:
            if self._row > SHEET_ROWS:
                self._number += 1
                self._page, self._row = self._book.page(f"{self._name} {self._number}", self._columns), 1
            for n, value in enumerate(row):
                self._cell(n, value)
            self._row += 1

    def _cell(self, n: int, value: Any) -> None:
        page, row = self._page, self._row
        if value is None or value == "":
            return
        if isinstance(value, bool):
            page.write_boolean(row, n, value)
        elif isinstance(value, int | Decimal):
            page.write_number(row, n, value, self._formats[n] or self._book.format_of_number(value))
        elif isinstance(value, date):
            at = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
            page.write_datetime(row, n, at, self._formats[n])
        else:
            page.write_string(row, n, str(value)[:LONGEST])


def _digits(places: int) -> str:
    return f"0.{'0' * places}" if places > 0 else "0"


def _width(title: str) -> int:
    """How many narrow letters wide a title is; it may take two lines."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in title)


def has_parquet() -> bool:
    """Whether the packages for Parquet are installed."""
    return find_spec("arro3") is not None and find_spec("arro3.io") is not None


class _Abandoned(Exception):
    """The file is not wanted any more."""


class ParquetWriter:
    """A Parquet file (zstd). Columns have their names; titles are in their metadata under `title`.

    Raises InvalidInput where the optional packages are not installed.
    """

    def __init__(self, out: IO[bytes], columns: Sequence[Column]) -> None:
        try:
            from arro3 import core, io  # noqa: PLC0415 - an extra
        except ImportError as exc:
            raise InvalidInput("format: Parquet needs one more package: pip install 'csms[parquet]'") from exc
        self._core, self._columns = core, tuple(columns)
        fields = [
            core.Field(column.name, self._type(column), nullable=True, metadata={"title": column.title})
            for column in columns
        ]
        self._schema = core.Schema(fields)
        self._pages: queue.Queue[Any] = queue.Queue(WAITING)
        self._failure: Exception | None = None
        reader = core.RecordBatchReader.from_batches(self._schema, self._batches())
        options = {"compression": "zstd(3)", "max_row_group_size": ROW_GROUP}
        self._thread = threading.Thread(target=self._run, args=(io.write_parquet, reader, out, options))
        self._thread.start()

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """More rows, of values as `row_of` makes them."""
        if rows:
            self._put(rows)

    def close(self) -> None:
        """Finish the file."""
        self._put(None)
        self._thread.join()
        self._check()

    def abandon(self) -> None:
        """Leave the file unfinished."""
        while self._thread.is_alive():
            # What waits is not wanted; who waits for a page must not wait for ever.
            with suppress(queue.Empty):
                while True:
                    self._pages.get_nowait()
            with suppress(queue.Full):
                self._pages.put(_Abandoned(), timeout=0.1)
                self._thread.join(timeout=5)

    def _put(self, page: Any) -> None:
        while True:
            self._check()
            with suppress(queue.Full):
                self._pages.put(page, timeout=1)
                return

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self, write: Any, reader: Any, out: IO[bytes], options: dict[str, Any]) -> None:
        try:
            write(reader, out, **options)
        except Exception as exc:
            self._failure = exc

    def _batches(self) -> Iterator[Any]:
        while (page := self._pages.get()) is not None:
            if isinstance(page, _Abandoned):
                raise page
            arrays = [self._array(column, [row[n] for row in page]) for n, column in enumerate(self._columns)]
            yield self._core.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _type(self, column: Column) -> Any:
        kinds = self._core.DataType
        match column.kind:
            case Kind.WHOLE:
                return kinds.int64()
            case Kind.DECIMAL:
                return kinds.decimal128(18, column.places)
            case Kind.INSTANT:
                return kinds.timestamp("us", tz="UTC")
            case Kind.DAY:
                return kinds.date32()
            case Kind.YES_NO:
                return kinds.bool()
        return kinds.utf8()

    def _array(self, column: Column, values: list[Any]) -> Any:
        """The column's values; kinds the library makes of no Python value are cast from what it does make."""
        kinds = self._core.DataType
        match column.kind:
            case Kind.INSTANT:
                numbers = [None if at is None else _micros(at) for at in values]
                return self._core.Array(numbers, kinds.int64()).cast(self._type(column))
            case Kind.DAY:
                numbers = [None if day is None else (day - _EPOCH_DAY).days for day in values]
                return self._core.Array(numbers, kinds.int32()).cast(self._type(column))
            case Kind.DECIMAL:
                texts = [None if value is None else format(value, "f") for value in values]
                return self._core.Array(texts, kinds.utf8()).cast(self._type(column))
        return self._core.Array(values, self._type(column))


_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _micros(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
