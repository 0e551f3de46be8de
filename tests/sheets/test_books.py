"""XLSX and Parquet: values out as they went in, in bounded memory, and nothing left behind when abandoned."""

import io
import subprocess
import sys
import threading
import warnings
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from csms.errors import InvalidInput
from csms.sheets import books
from csms.sheets.books import BookWriter, ParquetWriter
from csms.sheets.columns import Column, Kind, row_of

COLUMNS = (
    Column("text", "text", "文本"),
    Column("whole", "whole", "Whole", Kind.WHOLE),
    Column("energy_kwh", "energy_wh", "电量 (kWh)", Kind.DECIMAL, 3),
    Column("money", "money", "Money (CNY)", Kind.DECIMAL, 2),
    Column("at", "at", "At (Asia/Shanghai)", Kind.INSTANT),
    Column("day", "day", "Day", Kind.DAY),
    Column("yes", "yes", "Yes", Kind.YES_NO),
)
SHANGHAI = ZoneInfo("Asia/Shanghai")
RECORDS = [
    {
        "text": "=1+1",
        "whole": -7,
        "energy_wh": 22_501,
        "money": "44.79",
        "at": "2026-01-01T10:00:00.250Z",
        "day": "2026-01-31",
        "yes": True,
    },
    {"text": ["gap", "clock"], "money": "-0.05", "yes": False},
]
ROWS = [row_of(COLUMNS, record, SHANGHAI) for record in RECORDS]


def test_a_workbook_holds_what_was_written() -> None:
    """Numbers are numbers and times are times, shown with their digits; text is never a formula."""
    out = io.BytesIO()
    book = BookWriter(out)
    book.sheet("一", COLUMNS).write(ROWS)
    book.close()

    page = openpyxl.load_workbook(out)["一"]
    first = page[2]
    assert [cell.value for cell in page[1]] == [column.title for column in COLUMNS]
    assert page.freeze_panes == "A2"
    assert [cell.value for cell in first] == [
        "=1+1",
        -7,
        22.501,
        44.79,
        datetime(2026, 1, 1, 18, 0, 0, 250_000),
        datetime(2026, 1, 31),
        True,
    ]
    assert [cell.data_type for cell in first] == ["s", "n", "n", "n", "d", "d", "b"]
    formats = ["General", "0", "0.000", "0.00", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd", "General"]
    assert [cell.number_format for cell in first] == formats
    assert [cell.value for cell in page[3]] == ["gap clock", None, None, -0.05, None, None, False]
    assert page.column_dimensions["E"].width > 18


def test_more_rows_than_a_sheet_holds_go_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the header again."""
    monkeypatch.setattr(books, "SHEET_ROWS", 2)
    out = io.BytesIO()
    book = BookWriter(out)
    book.sheet("S", COLUMNS[:1]).write([[str(n)] for n in range(5)])
    book.close()

    pages = {page.title: [row[0].value for row in page] for page in openpyxl.load_workbook(out)}
    assert pages == {"S": ["文本", "0", "1"], "S 2": ["文本", "2", "3"], "S 3": ["文本", "4"]}


def test_text_longer_than_a_cell_is_cut() -> None:
    """No warning and no broken file; control characters survive as text."""
    out = io.BytesIO()
    book = BookWriter(out)
    book.sheet("S", COLUMNS[:1]).write([["x" * 40_000], ["a\x00b\x07"]])
    book.close()

    page = openpyxl.load_workbook(out)["S"]
    assert len(page["A2"].value) == 32_767
    assert page["A3"].value.startswith("a")


def parquet(out: io.BytesIO) -> Any:
    from arro3.io import read_parquet

    return read_parquet(io.BytesIO(out.getvalue())).read_all()


def test_parquet_holds_what_was_written() -> None:
    """Exact decimals, instants, days; names for programs and titles beside them."""
    out = io.BytesIO()
    writer = ParquetWriter(out, COLUMNS)
    writer.write(ROWS)
    writer.write([])
    writer.write(ROWS[:1])
    writer.close()

    table = parquet(out)
    first = {name: table.column(name).to_pylist()[0] for name in table.column_names}
    assert table.num_rows == 3
    assert first == {
        "text": "=1+1",
        "whole": -7,
        "energy_kwh": Decimal("22.501"),
        "money": Decimal("44.79"),
        "at": datetime(2026, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC),
        "day": date(2026, 1, 31),
        "yes": True,
    }
    assert table.column("energy_kwh").to_pylist() == [Decimal("22.501"), None, Decimal("22.501")]
    assert table.schema.field("energy_kwh").metadata[b"title"].decode() == "电量 (kWh)"


def test_an_empty_parquet_file_has_its_columns() -> None:
    """A reader sees the schema."""
    out = io.BytesIO()
    ParquetWriter(out, COLUMNS).close()

    assert parquet(out).column_names == [column.name for column in COLUMNS]


@pytest.mark.parametrize("pages", [0, 1, 20])
def test_what_is_abandoned_leaves_nothing(pages: int) -> None:
    """No thread, no open file."""
    before = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writer = ParquetWriter(io.BytesIO(), COLUMNS)
        book = BookWriter(io.BytesIO())
        sheet = book.sheet("S", COLUMNS)
        for _ in range(pages):
            writer.write(ROWS)
            sheet.write(ROWS)
        writer.abandon()
        book.abandon()
        del book, sheet

    assert threading.active_count() == before


def test_a_value_that_does_not_fit_is_told() -> None:
    """The failure of the writing thread is the caller's, and nobody waits for ever."""
    writer = ParquetWriter(io.BytesIO(), COLUMNS[1:2])

    with pytest.raises(Exception, match=r"."):  # noqa: PT012 - the page after the bad one tells
        for _ in range(5):
            writer.write([["no number"]])
        writer.close()
    writer.abandon()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said how to get it."""
    monkeypatch.setitem(sys.modules, "arro3", None)

    with pytest.raises(InvalidInput, match=r"csms\[parquet\]"):
        ParquetWriter(io.BytesIO(), COLUMNS)


MEASURE = """
import asyncio, resource, sys
from csms.books.exporting import Export, Look, stream
from csms.store.paging import Page

form, most = sys.argv[1], int(sys.argv[2])
record = {"session_id": "1767261600000001", "operator": "123456789", "site": "S01", "energy_wh": 22500,
    "charging_station": "CS-0001", "evse": 1, "connector": 1, "started_at": "2026-01-01T10:00:00.000Z",
    "ended_at": "2026-01-01T10:45:00.000Z", "cost": "44.79", "quality": ["gap"], "revision": 1}

async def find(after, page):
    first = int(after or 0)
    items = [record | {"session_id": str(n), "start_charge_seq": f"{n:027d}"}
        for n in range(first, first + page)]
    return Page(items, str(first + page) if first + page < most else None)

async def main():
    size = 0
    async for part in stream(Export("sessions", find), Look(form, "en", "Asia/Shanghai")):
        size += len(part)
    print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

asyncio.run(main())
"""


def measured(form: str, rows: int) -> tuple[int, int]:
    """Bytes of a file, and most kB of memory of a process that makes nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, form, str(rows)], capture_output=True, text=True, check=True
    )
    size, memory = done.stdout.split()
    return int(size), int(memory)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_memory_does_not_grow_with_the_rows(form: str) -> None:
    """Row A15: five times the rows, the same memory (Parquet keeps one row group of packed columns)."""
    few, many = measured(form, 20_000), measured(form, 100_000)

    assert many[0] > 2 * few[0]
    assert many[1] < few[1] + 12_000, (few, many)
