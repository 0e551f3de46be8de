"""Records as a file: CSV, XLSX or Parquet, read a page at a time. Memory holds a page, whatever is exported.

CSV goes out as it is read. The others are written into a nameless temporary file first, which is gone when it
is closed, also when the process is killed; their bytes follow. Whoever stops reading stops the queries.
Knows columns and pages; no record.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, tzinfo
from typing import IO, Any, Literal, NamedTuple

from csms.books.fields import EXPORTS, NAMES, Field, Language, columns_of
from csms.domain.local_time import zone
from csms.sheets.books import BookWriter, ParquetWriter
from csms.sheets.cells import csv_lines
from csms.sheets.columns import Column, plain, row_of
from csms.store.paging import Page

Form = Literal["csv", "xlsx", "parquet"]
MEDIA_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}
PAGE = 250
CHUNK = 262_144  # bytes
MARK = "\ufeff".encode()  # what makes Excel read UTF-8

Records = Sequence[Mapping[str, Any]]
Find = Callable[[str | None, int], Awaitable[Page]]
Rows = list[list[Any]]


class Look(NamedTuple):
    """How a file is written. `time_zone` is an IANA name; `mark`: CSV begins with a byte order mark."""

    form: Form
    language: Language
    time_zone: str
    mark: bool = False


class Export(NamedTuple):
    """What is exported: its name, its columns, and the query of its pages."""

    name: str
    find: Find
    page: int = PAGE

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its columns in every language."""
        return EXPORTS[self.name]


async def records_of(find: Find, page: int = PAGE) -> AsyncGenerator[Records, None]:
    """Every page of a query, until the last."""
    after: str | None = None
    while True:
        found = await find(after, page)
        yield found.items
        after = found.next
        if after is None:
            return


async def stream(export: Export, look: Look) -> AsyncGenerator[bytes, None]:
    """The file, in parts. Close it to stop. Raises InvalidInput where Parquet is not installed."""
    columns = columns_of(export.fields, look.language, look.time_zone)
    pages = rows_of(records_of(export.find, export.page), columns, look.time_zone)
    if look.form == "csv":
        yield (MARK if look.mark else b"") + csv_lines([[column.title for column in columns]]).encode()
        async for rows in pages:
            if rows:
                yield await asyncio.to_thread(_csv, rows)
        return
    async with temporary_file() as file:
        if look.form == "xlsx":
            await write_book(file, NAMES[export.name][look.language], columns, pages)
        else:
            await write_parquet(file, columns, pages)
        async for part in parts_of(file):
            yield part


async def rows_of(
    pages: AsyncIterator[Records], columns: Sequence[Column], time_zone: str
) -> AsyncGenerator[Rows, None]:
    """Pages of records as rows of values."""
    local = zone(time_zone)
    async for page in pages:
        # A thousand records are a hundredth of a second: not on the loop of the stations.
        yield await asyncio.to_thread(_rows, page, columns, local)


def _rows(page: Records, columns: Sequence[Column], local: tzinfo) -> Rows:
    return [row_of(columns, record, local) for record in page]


def _csv(rows: Rows) -> bytes:
    return csv_lines([[plain(value) for value in row] for row in rows]).encode()


async def write_book(
    file: IO[bytes], name: str, columns: Sequence[Column], pages: AsyncIterator[Rows]
) -> None:
    """An XLSX file of one sheet."""
    async with opened_book(file) as book:
        sheet = book.sheet(name, columns)
        async for rows in pages:
            await asyncio.to_thread(sheet.write, rows)


async def write_parquet(file: IO[bytes], columns: Sequence[Column], pages: AsyncIterator[Rows]) -> None:
    """A Parquet file. Raises InvalidInput where it is not installed."""
    writer = ParquetWriter(file, columns)
    try:
        async for rows in pages:
            await asyncio.to_thread(writer.write, rows)
        await asyncio.to_thread(writer.close)
    except BaseException:
        # Also when cancelled: the thread must not outlive who wanted the file.
        await asyncio.shield(asyncio.to_thread(writer.abandon))
        raise


@asynccontextmanager
async def opened_book(file: IO[bytes]) -> AsyncIterator[BookWriter]:
    """A workbook that is packed into `file` at the end, and let go of when that is not reached."""
    book = BookWriter(file)
    try:
        yield book
        await asyncio.to_thread(book.close)
    except BaseException:
        book.abandon()
        raise


@asynccontextmanager
async def temporary_file() -> AsyncIterator[IO[bytes]]:
    """A file without a name."""
    with tempfile.TemporaryFile(prefix="csms-") as file:
        yield file


async def parts_of(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    """The bytes of a file from its beginning."""
    file.seek(0)
    while part := await asyncio.to_thread(file.read, CHUNK):
        yield part


def file_name(name: str, form: str, now: datetime, time_zone: str, *more: str | None) -> str:
    """What a person can tell files apart by: `sessions-123456789-20260101-2000.xlsx`. ASCII, no path."""
    words = [name, *(word for word in more if word), now.astimezone(zone(time_zone)).strftime("%Y%m%d-%H%M")]
    safe = "-".join("".join(c if c.isascii() and c.isalnum() else "-" for c in word) for word in words)
    return f"{safe}.{form}"
