"""/reports/statement and /sessions/{id}/receipt: figures, forms, hostile names, and how they look."""

import asyncio
import io
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from csms.store.billing import BillStore
from csms.store.delivery_rows import Told
from csms.store.outbox import Hold
from csms.store.records import OutboxRow, SessionDue
from csms.store.reports import ReportStore
from csms.store.times import micros

MINE, OTHER = "123456789", "987654321"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}'
BANDS = [
    {"start": "00:00", "period": "valley", "elec_price": "0.4139", "service_price": "0.6000"},
    {"start": "07:00", "period": "flat", "elec_price": "0.8173", "service_price": "0.8000"},
    {"start": "18:30", "period": "peak", "elec_price": "1.1907", "service_price": "0.8000"},
]
TARIFF = {
    "operator": MINE, "code": "T1", "name": "T", "valid_from": "2026-01-01T00:00:00Z", "bands": BANDS,
    "idle_fee": None, "parking_fee": {"per_minute": "0.0100", "free_minutes": 0, "cap": None},
}  # fmt: skip
URL = "/api/v1/reports/statement"
JANUARY = {"operator": MINE, "month": "2026-01"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


async def settle(desk: Any) -> None:
    """What the totaller does."""
    reports = ReportStore(desk.database)
    while await reports.recompute(desk.clock[0], grace=timedelta(minutes=2)):
        pass


async def due(desk: Any, *numbers: int) -> None:
    for number in numbers:
        await desk.write(SessionDue(number, micros(desk.clock[0])))
    await settle(desk)


async def priced(desk: Any, count: int = 3) -> list[int]:
    """An operator's data, a tariff, and sessions a minute apart from 18:00 in Beijing on."""
    async with await desk.client() as client:
        person = {"name": f"Operator {HOSTILE}", "uscid": "91110000802100433B", "tel": "010-12345678"}
        put = await client.put(f"/api/v1/assets/operators/{MINE}", json=person)
        assert put.status_code < 300, put.text
        site = {"name": f"Site {HOSTILE}", "station_id": "S01", "address": "Chang'an Avenue 1"}
        put = await client.put(f"/api/v1/assets/sites/{MINE}/S01", json=site)
        assert put.status_code < 300, put.text
        made = await client.post("/api/v1/tariffs", json=TARIFF)
        assert made.status_code == 201, made.text
        at = {"valid_from": "2026-01-01T00:00:00Z"}
        assert (await client.post("/api/v1/tariffs/T1/assignments", json=at)).status_code == 201
    numbers = [await desk.add_session(n, token=HOSTILE if n == 0 else "A1") for n in range(count)]
    await due(desk, *numbers)
    return numbers


async def statement(desk: Any, **query: str) -> dict[str, Any]:
    async with await desk.client() as client:
        answer = await client.get(URL, params=JANUARY | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def receipt(desk: Any, number: int) -> dict[str, Any]:
    async with await desk.client() as client:
        found: dict[str, Any] = (await client.get(f"/api/v1/sessions/{number}/receipt")).json()
    return found


async def test_a_statement_adds_up(desk_on_each: Any) -> None:
    """Sums of receipts; the same before and after the roll-up was made; by site, day and period."""
    desk = desk_on_each
    numbers = await priced(desk)
    unpriced = await desk.add_session(
        9, energy_wh=700, started_at=micros(datetime(2025, 12, 31, 17, tzinfo=UTC))
    )
    await due(desk, unpriced)
    await desk.add_session(10, started_at=micros(datetime(2025, 12, 31, 15, tzinfo=UTC)))
    await desk.add_session(11, state="active", ended_at=None)

    marked = await statement(desk)
    assert await BillStore(desk.database).settle(desk.clock[0] + timedelta(minutes=1)) == 1
    kept = await statement(desk)
    receipts = [await receipt(desk, number) for number in numbers]

    assert marked == kept
    total = sum(int(one["total"].replace(".", "")) for one in receipts)
    assert kept["totals"]["sessions"] == 4
    assert (kept["totals"]["unpriced"], kept["totals"]["energy_wh"]) == (1, 3 * 22_500 + 700)
    assert kept["totals"]["total"] == kept["total_when_closed"] == f"{total / 100:.2f}"
    assert kept["totals"]["parking_money"] == "1.35"
    assert [(one["site"], one["sessions"]) for one in kept["by_site"]] == [("S01", 4)]
    assert [(one["day"], one["sessions"]) for one in kept["by_day"]] == [("2026-01-01", 4)]
    flowed = {one["period"]: one["energy_wh"] for one in kept["by_period"]}
    assert flowed["flat"] + flowed["peak"] == 67_500
    assert flowed["valley"] == flowed["sharp"] == 0
    assert (kept["from"], kept["to"]) == ("2025-12-31T16:00:00.000Z", "2026-01-31T16:00:00.000Z")
    assert (kept["is_closed"], kept["closes_at"]) == (False, "2026-02-03T16:00:00.000Z")


async def test_what_was_priced_late_is_a_correction(desk_on_each: Any) -> None:
    """With the difference; disputes of the month's orders are listed."""
    desk = desk_on_each
    numbers = await priced(desk, 2)
    closed = await statement(desk)
    desk.clock[0] = datetime(2026, 2, 10, tzinfo=UTC)
    async with await desk.client() as client:
        dearer = [{**BANDS[0], "elec_price": "2.0000"}]
        await client.put("/api/v1/tariffs/T1", json={"valid_from": TARIFF["valid_from"], "bands": dearer})
        await client.post(f"/api/v1/sessions/{numbers[0]}/reprice")
    await settle(desk)
    await desk.write(OutboxRow.of("beijing", "charge-order", "k", f"{numbers[1]}/1", {}, desk.clock[0]))
    disputed = {"start_charge_seq": f"{MINE}{numbers[1]:018d}", "our_money": "1.00"}
    await desk.parts.outbox.sent(Hold(1), desk.clock[0], {}, Told(disputed=1, order=disputed))

    now = await statement(desk)

    (correction,) = now["corrections"]
    (dispute,) = now["disputes"]
    assert now["is_closed"] is True
    assert correction["session_id"] == str(numbers[0])
    assert correction["total_before"] is not None
    assert correction["total"] == (await receipt(desk, numbers[0]))["total"]
    assert now["total_when_closed"] == closed["totals"]["total"] != now["totals"]["total"]
    assert correction["difference"] == now["corrected"]
    assert (dispute["session_id"], dispute["platform"]) == (str(numbers[1]), "beijing")


async def test_the_workbook_holds_every_session(desk_on_each: Any) -> None:
    """Its sums are those of its lines and of the JSON; text is text."""
    desk = desk_on_each
    await priced(desk, 5)
    object.__setattr__(desk.parts.books, "_page", 2)
    shown = await statement(desk)

    async with await desk.client() as client:
        answer = await client.get(URL, params=JANUARY | {"format": "xlsx", "lang": "en"})

    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == [
        "Summary", "By site", "By day", "By time-of-use period", "Corrections after closing",
        "Disputes of platforms", "Sessions",
    ]  # fmt: skip
    titles, *rows = book["Sessions"].iter_rows(values_only=True)
    lines = [dict(zip(titles, row, strict=True)) for row in rows]
    summary = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True)}
    assert len(lines) == 5
    total = round(sum(line["Total (CNY)"] for line in lines), 2)
    assert summary["Total (CNY)"] == total == float(shown["totals"]["total"])
    assert summary["Sessions"] == 5
    assert lines[0]["Started (Asia/Shanghai)"] == datetime(2026, 1, 1, 18, 0)
    assert lines[0]["Id token"] == HOSTILE
    periods = round(sum(line[f"{name} money (CNY)"] for line in lines for name in ("Peak", "Flat")), 2)
    assert periods == round(total - 5 * 0.45, 2)
    sites = list(book["By site"].iter_rows(values_only=True))
    assert sites[1][0] == "S01"
    assert sites[1][-1] == total
    assert "statement-123456789-2026-01-" in answer.headers["content-disposition"]


async def test_a_receipt_line_by_line(desk_on_each: Any) -> None:
    """A dearer price from 18:30 on; meter readings, whose, where; corrected once it was revised."""
    desk = desk_on_each
    (number,) = await priced(desk, 1)
    first = await receipt(desk, number)
    async with await desk.client() as client:
        await client.put("/api/v1/tariffs/T1", json={"valid_from": TARIFF["valid_from"], "bands": BANDS[:1]})
        await client.post(f"/api/v1/sessions/{number}/reprice")
    await settle(desk)
    second = await receipt(desk, number)

    lines = [(line["period"], line["energy_wh"], line["elec_money"]) for line in first["lines"]]
    assert lines == [("flat", 15_000, "12.26"), ("peak", 7_500, "8.93")]
    assert (first["elec_money"], first["service_money"]) == ("21.19", "18.00")
    assert (first["parking_minutes"], first["parking_money"], first["total"]) == (45, "0.45", "39.64")
    assert (first["meter_start_wh"], first["meter_stop_wh"]) == (1000, 23_500)
    assert (first["operator"]["tel"], first["operator"]["uscid"]) == ("010-12345678", "91110000802100433B")
    assert first["site"]["address"] == "Chang'an Avenue 1"
    assert (first["is_corrected"], first["revision"]) == (False, 1)
    assert (second["is_corrected"], second["revision"], second["price_revision"]) == (True, 2, 2)


async def test_pages_run_nothing_that_anybody_wrote(desk: Any) -> None:
    """Row A01: hostile names are text; the policy lets one style sheet apply and nothing load."""
    (number,) = await priced(desk, 1)
    async with await desk.client() as client:
        pages = [
            await client.get(f"/api/v1/sessions/{number}/receipt", params={"format": "html", "lang": "en"}),
            await client.get(URL, params=JANUARY | {"format": "html", "lang": "zh-CN"}),
        ]

    for answer in pages:
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert answer.headers["content-disposition"].startswith("inline; filename=")
    assert '<html lang="zh-CN">' in pages[1].text
    assert "充电对账单 2026-01" in pages[1].text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"month": "2026-13"}, 422),
        ({"month": "1999-01"}, 422),
        ({"month": "january"}, 422),
        ({"operator": "999999999"}, 404),
        ({"format": "pdf"}, 422),
    ],
)
async def test_a_statement_that_there_is_not(desk: Any, query: dict[str, str], status: int) -> None:
    """422 or 404, as a problem."""
    async with await desk.client() as client:
        answer = await client.get(URL, params=JANUARY | query)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_others_documents_do_not_exist(desk: Any) -> None:
    """Row A04: 404 for a statement and a receipt of another operator."""
    (number,) = await priced(desk, 1)

    async with await desk.client("viewer", OTHER) as client:
        answers = [
            await client.get(URL, params=JANUARY),
            await client.get(URL, params=JANUARY | {"format": "xlsx"}),
            await client.get(f"/api/v1/sessions/{number}/receipt"),
            await client.get(f"/api/v1/sessions/{number}/receipt", params={"format": "html"}),
        ]

    assert [answer.status_code for answer in answers] == [404] * 4


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine")
async def test_in_a_real_browser(desk: Any, tmp_path: Path) -> None:
    """The pages are laid out by their style sheet and print to A4; nothing runs."""
    number, *_ = await priced(desk, 12)
    async with await desk.client() as client:
        query = {"format": "html", "lang": "zh-CN"}
        receipt_html = await client.get(f"/api/v1/sessions/{number}/receipt", params=query)
        statement_html = await client.get(URL, params=JANUARY | query)

    folder = Path(os.environ.get("CSMS_TEST_SCREENSHOTS", tmp_path))
    for name, answer in (("receipt", receipt_html), ("statement", statement_html)):
        (tmp_path / f"{name}.html").write_bytes(answer.content)
        await _chromium(tmp_path, f"--screenshot={folder / name}.png", f"{name}.html")
        await _chromium(
            tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={folder / name}.pdf", f"{name}.html"
        )
        dom = await _chromium(tmp_path, "--dump-dom", f"{name}.html")
        assert (folder / f"{name}.png").stat().st_size > 20_000
        assert (folder / f"{name}.pdf").read_bytes()[:5] == b"%PDF-"
        assert b"<script" not in dom
        assert b"&lt;script&gt;" in dom


async def _chromium(folder: Path, *options: str) -> bytes:
    assert CHROMIUM is not None
    *flags, page = options
    usual = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=900,1400")
    profile = f"--user-data-dir={folder / 'chromium'}"
    url = (folder / page).as_uri()
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *usual, profile, *flags, url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return out
