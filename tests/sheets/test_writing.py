"""Workbooks: numbers are numbers, everything else is text."""

import io
from datetime import date

import openpyxl

from csms.sheets.writing import Sheet, xlsx


def test_cells_keep_their_kinds() -> None:
    """A text that looks like a formula, a number or a link stays a text."""
    row = ("=1+1", 7, 39.9, True, None, date(2016, 5, 1), "https://x.example", "007")
    content = xlsx([Sheet("a" * 40, [f"c{n}" for n in range(8)], [row], ["note"])])

    book = openpyxl.load_workbook(io.BytesIO(content))
    page = book.worksheets[0]
    cells = next(iter(page.iter_rows(min_row=2)))
    assert [cell.value for cell in cells] == [
        "=1+1",
        7,
        39.9,
        True,
        None,
        "2016-05-01",
        "https://x.example",
        "007",
    ]
    assert page.title == "a" * 31
    assert all(cell.hyperlink is None for cell in cells)
    assert page["A1"].comment is not None
    with_formulas = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
    assert with_formulas["A2"].value == "=1+1"
