"""/exports: files of what lists show. Opened with readers of their formats."""

import asyncio
import csv
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import openpyxl
import pytest
import uvicorn

from csms.books.exporting import Export
from csms.store.outbox import Hold
from csms.store.records import OutboxRow, SessionDue
from csms.store.registry import SiteForm, StationForm
from csms.store.reports import ReportStore
from csms.store.tables import audit_log
from csms.store.times import micros

MINE, OTHER = "123456789", "987654321"
BANDS = [{"start": "00:00", "period": "flat", "elec_price": "1.0000", "service_price": "0.5000"}]
TARIFF = {
    "operator": MINE, "code": "T1", "name": "T", "valid_from": "2026-01-01T00:00:00Z", "bands": BANDS,
}  # fmt: skip


async def settle(desk: Any) -> None:
    """What the totaller does."""
    reports = ReportStore(desk.database)
    while await reports.recompute(desk.clock[0], grace=timedelta(minutes=2)):
        pass


async def billed(desk: Any, count: int = 1) -> None:
    """Sessions of the first operator, priced."""
    async with await desk.client() as client:
        assert (await client.post("/api/v1/tariffs", json=TARIFF)).status_code == 201
        at = {"valid_from": "2026-01-01T00:00:00Z"}
        assert (await client.post("/api/v1/tariffs/T1/assignments", json=at)).status_code == 201
    for n in range(count):
        await desk.write(SessionDue(await desk.add_session(n), micros(desk.clock[0])))
    await settle(desk)


async def exported(desk: Any, what: str, form: str, role: str = "admin", **query: str) -> httpx.Response:
    async with await desk.client(role) as client:
        answer = await client.get(f"/api/v1/exports/{what}", params={"format": form, **query})
    assert answer.status_code == 200, answer.text
    return answer


def csv_rows(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def book_rows(answer: httpx.Response) -> list[dict[str, Any]]:
    (page,) = openpyxl.load_workbook(io.BytesIO(answer.content))
    titles, *rows = page.iter_rows(values_only=True)
    return [dict(zip(titles, row, strict=True)) for row in rows]


def parquet_rows(answer: httpx.Response) -> list[dict[str, Any]]:
    from arro3.io import read_parquet

    table = read_parquet(io.BytesIO(answer.content)).read_all()
    columns = [table.column(name).to_pylist() for name in table.column_names]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


async def test_sessions_in_every_format(desk_on_each: Any) -> None:
    """The same numbers: kWh, CNY, local times; titles in the language, more than a page of them."""
    desk = desk_on_each
    await billed(desk, 7)
    object.__setattr__(desk.parts.books, "_page", 3)

    plain = await exported(desk, "sessions", "csv", tz="Asia/Shanghai", lang="zh-CN")
    book = await exported(desk, "sessions", "xlsx", tz="Asia/Shanghai", lang="en")
    packed = await exported(desk, "sessions", "parquet", site="S01")

    rows, cells, values = csv_rows(plain), book_rows(book), parquet_rows(packed)
    assert plain.content.startswith("\ufeff充电会话,充电订单号,运营商".encode())
    assert [len(each) for each in (rows, cells, values)] == [7, 7, 7]
    assert rows[6]["开始时间 (Asia/Shanghai)"] == "2026-01-01 18:00:00"
    assert (rows[6]["电量 (kWh)"], rows[6]["费用 (元)"]) == ("22.500", "33.75")
    assert cells[6]["Started (Asia/Shanghai)"] == datetime(2026, 1, 1, 18, 0)
    assert (cells[6]["Energy (kWh)"], cells[6]["Cost (CNY)"], cells[6]["EVSE"]) == (22.5, 33.75, 1)
    assert cells[6]["Session"] == "1767261600000001"
    assert values[6]["started_at"] == datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
    assert (values[6]["energy_kwh"], values[6]["cost"]) == (Decimal("22.500"), Decimal("33.75"))


async def test_file_names_tell(desk: Any) -> None:
    """What it is, whose, and when by the zone of the file."""
    answer = await exported(desk, "sessions", "xlsx", operator=MINE, tz="Asia/Shanghai")

    name = "sessions-123456789-20260101-2000.xlsx"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")


async def test_orders_say_what_was_billed_and_told(desk_on_each: Any) -> None:
    """Each revision, with its fate at the platform; the older one is not current."""
    desk = desk_on_each
    await billed(desk)
    number = await desk.add_session(1)
    await desk.write(SessionDue(number, micros(desk.clock[0])))
    await settle(desk)
    row = OutboxRow.of("beijing", "charge-order", str(number), f"{number}/1", {}, desk.clock[0])
    await desk.write(row)
    await desk.parts.outbox.sent(Hold(1), desk.clock[0] + timedelta(seconds=3), {})
    async with await desk.client() as client:
        dearer = [{**BANDS[0], "elec_price": "2.0000"}]
        await client.put("/api/v1/tariffs/T1", json={"valid_from": TARIFF["valid_from"], "bands": dearer})
        await client.post(f"/api/v1/sessions/{number}/reprice")
    await settle(desk)

    rows = parquet_rows(await exported(desk, "orders", "parquet"))

    told = [(r["session_id"], r["revision"], r["is_current"], r["total"], r["told"]) for r in rows]
    first = str(number - 1)
    assert told == [
        (str(number), 2, True, Decimal("56.25"), None),
        (str(number), 1, False, Decimal("33.75"), "sent"),
        (first, 1, True, Decimal("33.75"), None),
    ]
    assert rows[1]["platform"] == "beijing"
    assert rows[1]["told_at"] == desk.clock[0] + timedelta(seconds=3)
    assert (rows[0]["elec_money"], rows[0]["service_money"]) == (Decimal("45.00"), Decimal("11.25"))
    assert (rows[0]["tariff"], rows[0]["tariff_version"]) == ("T1", 2)


async def test_totals_and_the_audit_log(desk_on_each: Any) -> None:
    """With the filters of their lists; the export itself is on record."""
    desk = desk_on_each
    await billed(desk)

    totals = csv_rows(await exported(desk, "totals", "csv", by="day", of="site", lang="en"))
    audit = parquet_rows(await exported(desk, "audit", "parquet", action="export"))
    none = csv_rows(await exported(desk, "audit", "csv", to="2025-12-31T00:00:00Z"))

    assert [(t["Subject"], t["Energy (kWh)"], t["Sessions"]) for t in totals] == [("S01", "22.500", "1")]
    assert [(a["action"], a["subject"]) for a in audit] == [("export", "audit"), ("export", "totals")]
    assert '"format":"csv"' in audit[1]["details"].replace(" ", "")
    assert none == []


async def test_nothing_calculates(desk: Any) -> None:
    """Row A02: text that a station chose, in CSV with a quote, in XLSX as text."""
    starts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", "  =1"]
    for n, text in enumerate(starts):
        await desk.add_session(n, token=text)

    rows = csv_rows(await exported(desk, "sessions", "csv", lang="en"))
    book = await exported(desk, "sessions", "xlsx", lang="en")

    assert [row["Id token"] for row in reversed(rows)] == ["'" + text for text in starts]
    (page,) = openpyxl.load_workbook(io.BytesIO(book.content))
    column = [cell.value for cell in page[1]].index("Id token")
    assert {row[column].data_type for row in page.iter_rows(min_row=2)} == {"s"}
    assert [row["Energy (kWh)"] for row in rows] == ["22.500"] * len(starts)


@pytest.mark.parametrize(
    ("query", "header", "title"),
    [
        ({}, "", "充电会话"),
        ({}, "en-GB,en;q=0.9", "Session"),
        ({}, "fr, en;q=0.3, zh;q=0.8", "充电会话"),
        ({"lang": "en"}, "zh-CN", "Session"),
    ],
)
async def test_language(desk: Any, query: dict[str, str], header: str, title: str) -> None:
    """What the query says, else what the browser likes best, else the network's."""
    async with await desk.client() as client:
        answer = await client.get(
            "/api/v1/exports/sessions", params=query | {"bom": "false"}, headers={"Accept-Language": header}
        )

    assert answer.text.partition(",")[0] == title


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"tz": "Mars/Base"}, "query.tz"),
        ({"format": "pdf"}, "query.format"),
        ({"lang": "fr"}, "query.lang"),
        ({"limit": "10"}, "query.limit"),
        ({"site": "x" * 65}, "query.site"),
    ],
)
async def test_a_question_that_cannot_be_answered(desk: Any, query: dict[str, str], field: str) -> None:
    """422 names the parameter; nothing is on record as exported."""
    async with await desk.client() as client:
        answer = await client.get("/api/v1/exports/sessions", params=query)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert await desk.rows(audit_log) == []


async def test_parquet_that_is_not_installed(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """501 says how to get it."""
    monkeypatch.setattr("csms.api.downloads.has_parquet", lambda: False)

    async with await desk.client() as client:
        answer = await client.get("/api/v1/exports/sessions", params={"format": "parquet"})

    assert answer.status_code == 501
    assert "csms[parquet]" in answer.json()["detail"]


async def test_a_limited_key_exports_its_own(desk: Any) -> None:
    """Sessions of one operator, and 404 for another's; the audit log is nobody's own."""
    await desk.add_session(0)
    await desk.add_session(1, station="CS-0009")

    async with await desk.client("viewer", OTHER) as client:
        mine = await client.get("/api/v1/exports/sessions")
        orders = await client.get("/api/v1/exports/orders")
        theirs = await client.get("/api/v1/exports/sessions", params={"operator": MINE})
        audit = await client.get("/api/v1/exports/audit")

    assert [row["充电设备"] for row in csv_rows(mine)] == ["CS-0009"]
    assert csv_rows(orders) == []
    assert (theirs.status_code, audit.status_code) == (404, 403)


async def test_a_key_of_some_sites_exports_theirs(desk_on_each: Any) -> None:
    """Sessions, orders and totals of its sites; the statement is a whole operator's."""
    desk = desk_on_each
    await desk.parts.registry.put_site(SiteForm("S02", MINE, "Second", None, None), desk.clock[0])
    await desk.parts.registry.put_station(StationForm("CS-0002", "S02"), desk.clock[0])
    await desk.add_session(0)
    await desk.add_session(1, station="CS-0002")
    async with await desk.client("viewer", MINE, "S02") as client:
        own = await client.get("/api/v1/exports/sessions")
        other = await client.get("/api/v1/exports/sessions", params={"site": "S01"})
        orders = await client.get("/api/v1/exports/orders")
        totals = await client.get("/api/v1/exports/totals", params={"by": "day", "of": "site"})
        whole = await client.get("/api/v1/reports/statement", params={"operator": MINE, "month": "2026-01"})

    assert [row["充电设备"] for row in csv_rows(own)] == ["CS-0002"]
    assert csv_rows(other) == []
    assert (orders.status_code, totals.status_code, whole.status_code) == (200, 200, 403)


@asynccontextmanager
async def listening(desk: Any) -> AsyncIterator[int]:
    """The application on a real port."""
    server = uvicorn.Server(uvicorn.Config(desk.app, port=0, log_config=None, lifespan="off"))
    server.capture_signals = lambda: __import__("contextlib").nullcontext()  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


def open_exports() -> int:
    """Nameless files of ours that are open."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        found += "/csms-" in target or "deleted" in target
    return found


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
async def test_who_leaves_stops_the_export(desk: Any, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row A15: the queries end, the temporary file is gone, and there is room for another."""
    await desk.add_session(0)
    shown = (await desk.parts.sessions.find(desk.parts.books.sessions(None) and _all())).items[0]
    asked: list[str | None] = []

    async def endless(after: str | None, most: int) -> Any:
        asked.append(after)
        await asyncio.sleep(0.002)
        return type("P", (), {"items": [shown] * 50, "next": "more"})

    monkeypatch.setattr(desk.parts.books, "sessions", lambda wanted: Export("sessions", endless))
    before = open_exports()
    async with listening(desk) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = await desk.key()
        path = f"/api/v1/exports/sessions?format={form}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        assert b"200 OK" in await asyncio.wait_for(reader.readline(), 10)
        while len(asked) < 20:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.01)
        running = desk.parts.books.running
        writer.transport.abort()
        for _ in range(200):
            await asyncio.sleep(0.05)
            if desk.parts.books.running == 0:
                break
        count = len(asked)
        await asyncio.sleep(0.2)

        assert (running, desk.parts.books.running) == (1, 0)
        assert len(asked) == count
        assert open_exports() == before


def _all() -> Any:
    from csms.store.sessions import SessionFilter

    return SessionFilter()


async def test_too_many_at_once(desk: Any) -> None:
    """503 with Retry-After, and nothing was started."""
    with desk.parts.books.turn(), desk.parts.books.turn(), desk.parts.books.turn(), desk.parts.books.turn():
        async with await desk.client() as client:
            answer = await client.get("/api/v1/exports/sessions")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
