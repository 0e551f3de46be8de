"""Records as CSV, streamed: memory holds one page, whatever is exported. Knows no resource."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from csms.sheets.cells import FORMULA_STARTS, cell, csv_lines

__all__ = ["FORMULA_STARTS", "MEDIA_TYPE", "cell", "csv_lines", "csv_stream"]

MEDIA_TYPE = "text/csv; charset=utf-8"


async def csv_stream(
    columns: Sequence[str], pages: AsyncIterator[Sequence[dict[str, Any]]]
) -> AsyncGenerator[bytes, None]:
    """A header line, then every page as it is read: memory holds one page, whatever is exported."""
    yield csv_lines([columns]).encode()
    async for page in pages:
        yield csv_lines([[record.get(name) for name in columns] for record in page]).encode()
