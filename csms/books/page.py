"""Printable pages: self-contained HTML for A4, without script. Every value is escaped; knows no document.

Chromium and others print `page X of Y` from the margin boxes of `@page`.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from csms.books.fields import Language

CSS = """
@page { size: A4; margin: 16mm 14mm 18mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555 } }
* { box-sizing: border-box }
html { background: #eceff1 }
body { max-width: 210mm; margin: 6mm auto; padding: 14mm; background: #fff; color: #16212b;
  font: 10pt/1.45 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif }
h1 { font-size: 17pt; margin: 0 0 1mm } h2 { font-size: 12pt; margin: 7mm 0 2mm; break-after: avoid }
p { margin: 0 0 2mm } .about { color: #51606d } .mark { display: inline-block; padding: .5mm 2.5mm;
  border: .4mm solid #b3541e; color: #b3541e; border-radius: 1mm; font-weight: 600 }
dl { display: grid; grid-template-columns: repeat(2, max-content 1fr); gap: 1mm 5mm; margin: 3mm 0 }
dt { color: #51606d } dd { margin: 0; overflow-wrap: anywhere }
table { width: 100%; font-size: 9pt; border-collapse: collapse; margin: 0 0 3mm;
  font-variant-numeric: tabular-nums }
thead { display: table-header-group } tr { break-inside: avoid }
th, td { text-align: left; padding: 1.1mm 1.6mm; border-bottom: .2mm solid #cfd8dc; vertical-align: top;
  overflow-wrap: break-word }
th { font-weight: 600; background: #f3f6f7; border-bottom-color: #78909c }
td.n { white-space: nowrap } .n { text-align: right }
.sum td { font-weight: 700; border-top: .4mm solid #37474f }
footer { margin-top: 8mm; color: #51606d; font-size: 8.5pt }
@media print { html { background: none } body { margin: 0; padding: 0; max-width: none } }
"""
# Only this style sheet may apply, nothing may be loaded, and nothing runs.
_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Cell(NamedTuple):
    """A value as text. Numbers stand at the right."""

    text: str
    is_number: bool = False


def number(text: str | int | None) -> Cell:
    """A number, or nothing."""
    return Cell("" if text is None else str(text), True)


def text(value: object) -> Cell:
    """Words, or nothing."""
    return Cell("" if value is None else str(value))


def document(language: Language, title: str, parts: Iterable[str]) -> bytes:
    """The page."""
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{CSS}</style></head><body>\n{body}\n</body></html>\n"
    ).encode()


def heading(words: str, level: int = 2) -> str:
    """A title of a part; level 1 is the page's own."""
    return f"<h{level}>{escape(words)}</h{level}>"


def paragraph(words: str, kind: str = "about") -> str:
    """A line of text. `kind`: about, mark, or a footer."""
    if kind == "footer":
        return f"<footer>{escape(words)}</footer>"
    return f'<p><span class="{kind}">{escape(words)}</span></p>'


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values; those without a value are left out."""
    shown = [(name, value) for name, value in pairs if value not in (None, "")]
    inner = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in shown)
    return f"<dl>{inner}</dl>"


def table(titles: Sequence[Cell], rows: Iterable[Sequence[Cell]], total: Sequence[Cell] = ()) -> str:
    """A table, its header on every page; `total` is its last line."""
    head = "".join(_cell("th", cell) for cell in titles)
    body = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in rows)
    last = f'<tr class="sum">{"".join(_cell("td", cell) for cell in total)}</tr>' if total else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}{last}</tbody></table>"


def _cell(tag: str, cell: Cell) -> str:
    kind = ' class="n"' if cell.is_number else ""
    return f"<{tag}{kind}>{escape(cell.text)}</{tag}>"
