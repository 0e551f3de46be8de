"""The statement of an operator's month."""

from pathlib import Path

import pytest

from tests.api.conftest import MINE, OTHER
from tests.api.test_documents import priced
from tests.console.kit import browsing, fill, needs_browser, running

JANUARY = f"/reports?tab=statement&operator={MINE}&month=2026-01"


async def test_the_page(sqlite_url: str) -> None:
    """Sums, by site and by day; whether it is closed; a month that is none is told beside the form."""
    async with running(sqlite_url) as kit:
        await priced(kit.desk, 2)
        page, chinese = await kit.page(JANUARY), await kit.page(JANUARY, "zh-CN")
        odd = await kit.page(f"/reports?tab=statement&operator={MINE}&month=2026-13")
        first = await kit.page("/reports?tab=statement")

    for part in (
        "· 2026-01",
        "45.00 kWh",
        "Site ",
        "2026-01-01",
        "By time-of-use period",
    ):
        assert part in page
    assert "The month is not closed" in page
    assert "对账单" in chinese
    assert 'role="alert"' in odd
    assert 'name="month"' in odd
    assert f'value="{OTHER}"' in first
    assert "<img src=x" not in page


async def test_its_files(sqlite_url: str) -> None:
    """The links give a workbook and a page to print, to the person who is signed in, in their language."""
    async with running(sqlite_url) as kit:
        await fill(kit.desk)
        page = await kit.page(JANUARY, "zh-CN")
        links = [
            part.split('"')[0]
            for part in page.split('href="')
            if part.startswith("/api/v1/reports/statement")
        ]
        book, sheet = [await kit.client.get(link.replace("&amp;", "&")) for link in links]

    assert book.content[:2] == b"PK"
    assert "spreadsheet" in book.headers["content-type"]
    assert sheet.headers["content-type"].startswith("text/html")
    assert 'lang="zh' in sheet.text


@pytest.mark.slow
@needs_browser
async def test_in_a_real_browser(sqlite_url: str, tmp_path: Path) -> None:
    """From the reports to the statement of another operator's month, and to a regime of availability."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await fill(kit.desk)
        await browser.open(kit, "/reports")
        await browser.js("document.querySelector('a[href*=\"tab=statement\"]').click()")
        await browser.until("!!document.querySelector('#f-month')")
        await browser.js(f"document.querySelector('#f-operator').value = '{OTHER}'")
        await browser.js("document.querySelector('#f-month').value = '2026-01'")
        await browser.js("document.querySelector('#f-month').form.requestSubmit()")
        await browser.until(f"document.body.innerText.includes('Operator {OTHER} · 2026-01')")

        await browser.open(kit, "/reports?tab=uptime&month=2026-01&regime=nevi")
        regime = await browser.js("document.querySelector('#f-regime').value")
        await browser.open(kit, "/reports?tab=yearbook&as_of=2025-12-31")
        yearbook = await browser.js("document.querySelector('#f-as_of').value")

    assert regime == "nevi"
    assert yearbook == "2025-12-31"
    assert browser.complaints == []
