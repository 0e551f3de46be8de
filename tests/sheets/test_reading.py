"""Tables out of files that strangers made."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from csms.errors import InvalidInput
from csms.sheets import reading
from csms.sheets.reading import Line, Table, tables_of


def test_csv() -> None:
    """A byte-order mark, odd titles, short and empty rows."""
    content = '\ufeffOperator , Name,\r\nA1,"x\ny",ignored\r\n,,\r\nA2\r\n'.encode()

    assert tables_of(content) == [
        Table(
            "",
            ("operator", "name"),
            [Line(2, {"operator": "A1", "name": "x\ny"}), Line(4, {"operator": "A2"})],
        )
    ]


def test_xlsx() -> None:
    """Every kind of cell becomes text; sheets keep their names."""
    book = openpyxl.Workbook()
    book.active.title = "sites"
    book.active.append(["a", "b", "c", "d", "e", "f"])
    book.active.append([7000.0, 39.9, True, date(2016, 5, 1), datetime(2016, 5, 1, 8, 30), None])
    out = io.BytesIO()
    book.save(out)

    (table,) = tables_of(out.getvalue())

    assert table.name == "sites"
    (line,) = table.lines
    assert list(line.cells.values()) == ["7000", "39.9", "true", "2016-05-01", "2016-05-01T08:30:00", ""]


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is known before."""
    monkeypatch.setattr(reading, "MOST_UNPACKED", 1000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 2000)

    with pytest.raises(InvalidInput, match="too large when unpacked"):
        tables_of(out.getvalue())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("MOST_ROWS", b"a\n1\n2\n3\n", "rows"),
        ("MOST_COLUMNS", b"a,b,c\n", "columns"),
        ("LONGEST_CELL", b"a\n123\n", "row 2"),
    ],
)
def test_limits(name: str, content: bytes, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, columns, letters."""
    monkeypatch.setattr(reading, name, 2)

    with pytest.raises(InvalidInput, match=told):
        tables_of(content)
