"""A yearbook as text, Markdown, CSV and XLSX. Knows words and layout; computes nothing."""

from collections.abc import Callable, Sequence
from typing import Any

from csms.reporting.yearbook import Yearbook
from csms.sheets.cells import csv_lines
from csms.sheets.writing import Sheet, xlsx

HEADER = ("figure", "value", "year before", "added", "growth %")
CLASS_HEADER = ("chargers by class", "number", "万")
NAMES = {
    "operators": "operators connected",
    "sites": "sites connected",
    "chargers": "chargers connected",
    "energy": "energy of the year, kWh",
    "sessions": "sessions of the year",
}


def figures(book: Yearbook) -> list[tuple[str, Any, Any, Any, str]]:
    """The first table's rows; energy in whole kWh, cut off."""
    rows = []
    for row in book.rows:
        unit = 1000 if row.name == "energy" else 1
        now, before = row.now // unit, row.before // unit
        rows.append((NAMES[row.name], now, before, now - before, row.growth_percent or ""))
    return rows


def classes(book: Yearbook) -> list[tuple[str, int, str]]:
    """The second table's rows; what is part of the row above is marked."""
    shown = {"workplace-internal": "  of which workplace-internal"}
    return [(shown.get(row.name, row.name), row.chargers, row.ten_thousands) for row in book.classes]


def remarks(book: Yearbook) -> list[tuple[str, str]]:
    """What stands below the tables."""
    found = []
    if book.utilisation_percent is not None:
        found.append(("utilisation of the year, %", book.utilisation_percent))
    if book.radius is not None:
        found += [
            ("area of the polygon, km2", f"{book.radius.area_km2:.3f}"),
            ("counted sites inside", str(book.radius.sites)),
            ("mean service radius, km (area / sites as a circle)", _km(book.radius.equal_share_m)),
            ("mean distance to the nearest site, km", _km(book.radius.mean_nearest_m)),
        ]
    if book.unclassified:
        found.append(("chargers whose class nobody entered", str(book.unclassified)))
    if book.unentered:
        found.append(("charging stations without dates, not counted", str(book.unentered)))
    return found


def _km(metres: float | None) -> str:
    return "-" if metres is None else f"{metres / 1000:.3f}"


def text(book: Yearbook) -> bytes:
    """For a terminal."""
    parts = [f"{_title(book)}\n"]
    parts.append(
        _columns([HEADER, *[(n, now, b, f"{a:+,}", g and f"{g} %") for n, now, b, a, g in figures(book)]])
    )
    parts.append(_columns([CLASS_HEADER, *classes(book)]))
    parts.append(_sum(book) + "\n")
    if remarks(book):
        parts.append(_columns(remarks(book)))
    return "\n".join(parts).encode()


def markdown(book: Yearbook) -> bytes:
    """For a document."""
    rows = [(n, f"{now:,}", f"{b:,}", f"{a:+,}", g and f"{g} %") for n, now, b, a, g in figures(book)]
    parts = [
        f"# {_title(book)}\n",
        _table(HEADER, rows),
        _table(CLASS_HEADER, classes(book)),
        _sum(book) + "\n",
    ]
    if remarks(book):
        parts.append(_table(("remark", "value"), remarks(book)))
    return "\n".join(parts).encode()


def csv(book: Yearbook) -> bytes:
    """For a spreadsheet: both tables under one another, with a byte-order mark so that 万 is read right."""
    rows = [("as of", book.as_of.isoformat()), HEADER, *figures(book), (), CLASS_HEADER, *classes(book), ()]
    return ("\ufeff" + csv_lines([*rows, *remarks(book)])).encode()


def workbook(book: Yearbook) -> bytes:
    """For a spreadsheet, a sheet for each table."""
    return xlsx(
        [
            Sheet(f"yearbook {book.as_of.isoformat()}", HEADER, figures(book)),
            Sheet("classes", CLASS_HEADER, classes(book)),
            Sheet("remarks", ("remark", "value"), remarks(book)),
        ]
    )


FORMATS: dict[str, Callable[[Yearbook], bytes]] = {
    "text": text,
    "md": markdown,
    "csv": csv,
    "xlsx": workbook,
}


def _title(book: Yearbook) -> str:
    whose = "" if book.operator is None else f" of operator {book.operator}"
    return f"Charging infrastructure{whose} as of {book.as_of.isoformat()}"


def _sum(book: Yearbook) -> str:
    """As cities print it: 11.51 = 8.33 + 1.30 + 1.88."""
    shown = {row.name: row.ten_thousands for row in book.classes}
    return (
        f"{shown['all']} = {shown['private']} + {shown['public-dedicated']} + {shown['social-public']} (万)"
    )


def _columns(rows: Sequence[Sequence[Any]]) -> str:
    cells = [[f"{value:,}" if isinstance(value, int) else str(value) for value in row] for row in rows]
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    lines = []
    for row in cells:
        first, *rest = row
        numbers = (value.rjust(width) for value, width in zip(rest, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
    return "\n".join(lines) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
