"""Files out of pages: whole, stopped half-way, and under names that tell."""

import asyncio
import threading
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.books.exporting import Export, Look, file_name, stream
from csms.errors import StoreUnavailable
from csms.store.paging import Page

LOOK = Look("csv", "en", "UTC")


def finding(pages: int, fails: bool = False) -> Any:
    """A query of so many pages of two entries of the audit log, which may fail at its end."""

    async def find(after: str | None, most: int) -> Page:
        n = int(after or 0)
        if fails and n == pages - 1:
            raise StoreUnavailable("gone")
        items = [{"audit_id": str(2 * n + k), "actor": "a"} for k in (0, 1)]
        return Page(items, str(n + 1) if n + 1 < pages else None)

    return find


async def test_csv_goes_out_page_by_page() -> None:
    """The header first, then each page; a mark only where it is wanted."""
    parts = [part async for part in stream(Export("audit", finding(3)), LOOK)]

    assert parts[0] == b"Entry,Time (UTC),Who,Action,Subject,Address,Before,Details\r\n"
    assert parts[1:] == [f"{n},,a,,,,,\r\n{n + 1},,a,,,,,\r\n".encode() for n in (0, 2, 4)]
    marked = [part async for part in stream(Export("audit", finding(1)), LOOK._replace(mark=True))]
    assert marked[0].startswith(b"\xef\xbb\xbfEntry")


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
async def test_a_failure_ends_the_file(form: Any) -> None:
    """The reader hears of it; no thread is left."""
    before = threading.active_count()

    with pytest.raises(StoreUnavailable):
        async for _ in stream(Export("audit", finding(5, fails=True)), LOOK._replace(form=form)):
            pass

    await asyncio.get_running_loop().shutdown_default_executor()
    assert threading.active_count() <= before


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
async def test_who_stops_reading_stops_it(form: Any) -> None:
    """Closed after its first part, or cancelled before it."""
    async with aclosing(stream(Export("audit", finding(50)), LOOK._replace(form=form))) as parts:
        assert await anext(parts)
    task = asyncio.create_task(_whole(form))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _whole(form: Any) -> None:
    async for _ in stream(Export("audit", finding(1_000_000)), LOOK._replace(form=form)):
        pass


def test_names_of_files() -> None:
    """ASCII letters, digits and dashes, and the local time."""
    now = datetime(2026, 1, 1, 18, 5, tzinfo=UTC)

    name = file_name("sessions", "csv", now, "Asia/Shanghai", "123456789", None, '../a"\r\n充电')

    assert name == "sessions-123456789----a------20260102-0205.csv"
