"""Sessions: rows, totals and days."""

from html import unescape
from pathlib import Path

import pytest

from csms.console.listing import Listing, listing
from csms.console.notices import empty
from csms.console.pages.sessions import columns, periods, totals_line
from tests.api.conftest import Desk
from tests.console.kit import browsing, fill, needs_browser, running, visit_of


async def test_rows(desk: Desk) -> None:
    """kWh to the watt-hour, local times, hostile tokens as text."""
    visit = await visit_of(desk)
    items = (await visit.desk.get("/sessions"))["items"]

    made = listing(columns(visit), items, Listing("x", empty("x")))

    assert "22.500" in made
    assert "2026-01-01 18:00:00" in made
    assert "0:45:00" in made
    assert "<img" not in made


async def test_totals(desk: Desk) -> None:
    """With money by currency; what is not exact says so."""
    money = [{"currency": "CNY", "total": "81.36"}]
    totals = {"sessions": 1200, "energy_wh": 45_000, "minutes": 90, "money": money, "exact": False}

    made = totals_line(await visit_of(desk), totals)

    for part in ("1,200", "45.00 kWh", "1:30 h", "81.36 CNY", "not exact"):
        assert part in made


async def test_periods(desk: Desk) -> None:
    """Days begin at midnight of the place; the chosen one is marked, other filters stay."""
    visit = await visit_of(desk, query="site=S01")
    today = f"{visit.now():%Y-%m-%d}T00%3A00"
    first = unescape(periods(visit)).split('href="/here?')[1].split('"')[0]
    chosen = await visit_of(desk, query=first)

    made = periods(visit)

    assert f"from={today}" in made
    assert made.count("site=S01") == 3
    assert "aria-current" not in made
    assert periods(chosen).count("aria-current") == 1


@pytest.mark.slow
@needs_browser
async def test_a_saved_view(sqlite_url: str, tmp_path: Path) -> None:
    """A filter kept under a name is there later, shows its own totals, and can be dropped."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await fill(kit.desk)
        await browser.open(kit, "/sessions?token=A1")
        totals = await browser.js("document.querySelector('p.below').innerText")
        await browser.js("document.querySelector('#view-name').value = '<b>mine</b>'")
        await browser.js("document.querySelector('[data-save-view]').click()")
        await browser.open(kit, "/sessions")
        every = await browser.js("document.querySelector('p.below').innerText")
        await browser.until("document.querySelector('[data-views] a')?.textContent === '<b>mine</b>'")
        await browser.js("document.querySelector('[data-views] a').click()")
        await browser.until("location.search === '?token=A1' && !!window.consoleReady")
        await browser.until("!!document.querySelector('[data-drop-view]')")
        await browser.js("document.querySelector('[data-drop-view]').click()")
        await browser.until("!document.querySelector('[data-views] a')")

    assert "Sessions 1" in totals
    assert "22.50 kWh" in totals
    assert "Sessions 2" in every
    assert browser.complaints == []
