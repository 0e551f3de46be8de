"""Files as answers: their number at once, their record, and who asks for one and does not read it."""

import asyncio
from typing import Any

import pytest

from csms.api import attachments
from csms.books.exporting import Export
from csms.errors import NotFound
from csms.store.paging import Page
from csms.store.tables import audit_log

CSV = {"Accept": "text/csv"}
FILES = [
    ("/api/v1/exports/sessions", {}, "sessions"),
    ("/api/v1/sessions", {}, "sessions"),
    ("/api/v1/platform/totals", {"by": "day", "of": "site"}, "platform-totals"),
    ("/api/v1/reports/uptime", {"month": "2026-01"}, "uptime"),
    ("/api/v1/reports/nevi-sessions", {"quarter": "2026Q1"}, "nevi-sessions"),
    ("/api/v1/reports/nevi-outages", {"quarter": "2026Q1"}, "nevi-outages"),
]
STATEMENTS = [
    ("/api/v1/reports/statement", {"operator": "123456789", "month": "2026-01", "format": form}, "statement")
    for form in ("json", "html", "xlsx")
]


@pytest.mark.parametrize(("path", "query", "name"), FILES)
async def test_every_file_is_on_record(desk: Any, path: str, query: dict[str, str], name: str) -> None:
    """With what was asked for."""
    async with await desk.client() as client:
        answer = await client.get(path, params=query, headers=CSV)

    assert answer.status_code == 200, answer.text
    (row,) = await desk.rows(audit_log)
    assert (row["action"], row["subject"]) == ("export", name)
    assert desk.parts.books.running == 0


@pytest.mark.parametrize(("path", "query", "name"), FILES + STATEMENTS)
async def test_no_room(desk: Any, path: str, query: dict[str, str], name: str) -> None:
    """503 with Retry-After; nothing is started, and nothing on record."""
    books = desk.parts.books
    with books.turn(), books.turn(), books.turn(), books.turn():
        async with await desk.client() as client:
            answer = await client.get(path, params=query, headers=CSV)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert await desk.rows(audit_log) == []


async def test_twenty_at_once(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many run as may, whatever each waits for before its first byte; all places are free at the end."""
    most = 0

    async def slow(after: str | None, count: int) -> Page:
        nonlocal most
        most = max(most, desk.parts.books.running)
        await asyncio.sleep(0.05)
        return Page([], None)

    monkeypatch.setattr(desk.parts.books, "sessions", lambda wanted: Export("sessions", slow))
    async with await desk.client() as client:
        answers = await asyncio.gather(*(client.get("/api/v1/exports/sessions") for _ in range(20)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] * 4 + [503] * 16
    assert (most, desk.parts.books.running) == (4, 0)


async def test_a_file_that_cannot_be_begun(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free again."""

    async def missing(after: str | None, count: int) -> Page:
        raise NotFound("operator 000000000")

    monkeypatch.setattr(desk.parts.books, "sessions", lambda wanted: Export("sessions", missing))
    async with await desk.client() as client:
        answer = await client.get("/api/v1/exports/sessions")

    assert (answer.status_code, desk.parts.books.running) == (404, 0)


async def test_who_does_not_read_makes_room(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off in the middle: the query is closed, the place is free."""
    monkeypatch.setattr(attachments, "READS_WITHIN_S", 0.05)
    closed = asyncio.Event()

    async def endless() -> Any:
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    with attachments.place(desk.parts) as held:
        answer = attachments.attachment(endless(), "csv", "x.csv", held)
    running = desk.parts.books.running

    await answer({"type": "http", "path": "/x"}, receive, send)

    assert (running, desk.parts.books.running) == (1, 0)
    await asyncio.wait_for(closed.wait(), 5)
