"""Tariffs made, given a new version and assigned in the console."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.conftest import MINE
from tests.console.kit import Browser, Kit, browsing, needs_browser, running

SET = """(name, value, n) => {
  const one = document.querySelectorAll(`[name='${name}']`)[n];
  one.value = value;
  one.dispatchEvent(new Event('change', {bubbles: true}));
}"""


@pytest.fixture
async def kit(sqlite_url: str) -> AsyncIterator[Kit]:
    """A console without a tariff."""
    async with running(sqlite_url) as kit:
        yield kit


async def fill_in(browser: Browser, **values: str) -> None:
    """Write into fields; `_1` behind a name is the second of that name."""
    for name, value in values.items():
        field, _, n = name.partition("__")
        await browser.js(f"({SET})({field.replace('_of_', '-')!r}, {value!r}, {n or 0})")


async def send(browser: Browser, act: str, said: str) -> None:
    """Send a form, say yes, wait for what is said."""
    await browser.js(f"document.querySelector('form[data-act={act}]').requestSubmit()")
    await browser.until("document.querySelector('#confirm').open")
    await browser.js("document.querySelector('#confirm button[value=yes]').click()")
    await browser.until(said)


async def test_who_is_offered_what(kit: Kit) -> None:
    """An administrator makes tariffs, in either language; times are on the operator's clock."""
    page = await kit.page("/tariffs")

    assert "New tariff" in page
    assert "新建电价" in await kit.page("/tariffs", "zh-CN")
    assert "Times are on the clock of Asia/Shanghai." in page
    assert "POST /api" not in page


@pytest.mark.slow
@needs_browser
async def test_in_a_real_browser(kit: Kit, tmp_path: Path) -> None:
    """What is wrong stands beside its field; a version is drawn while it is written and once it is saved."""
    async with browsing(tmp_path / "chromium") as browser:
        await browser.open(kit, "/tariffs")
        await browser.js("document.querySelector('details.panel').open = true")
        await fill_in(browser, code="T1", name="Public <b>", valid_from="2026-01-01T00:00")
        await fill_in(browser, d0_of_elec_price="1,2", d0_of_service_price="0.5")
        await send(
            browser,
            "tariff",
            "document.querySelector('.wrong')?.closest('td').querySelector('input').name == 'd0-elec_price'",
        )
        await fill_in(browser, d0_of_elec_price="1.2")
        await browser.js("document.querySelector('[data-act=band-add]').click()")
        await browser.until("document.querySelectorAll('[name=d0-start]').length == 2")
        await fill_in(
            browser, d0_of_start__1="18:00", d0_of_elec_price__1="2.5", d0_of_service_price__1="0.5"
        )
        await fill_in(browser, d0_of_period__1="peak")
        await browser.until("!!document.querySelector('.band.peak')")
        await send(browser, "tariff", "location.pathname == '/tariffs/T1'")

        await browser.until("!!document.querySelector('form[data-act=assign]')")
        await browser.js("document.querySelectorAll('details.panel').forEach((one) => (one.open = true))")
        await fill_in(browser, d0_of_elec_price__1="3.75", idle_fee_of_per_minute="0.5")
        await send(browser, "tariff", "document.body.innerText.includes('The new version is saved.')")
        await browser.until("document.querySelector('.stack > .panel').textContent.includes('3.75')")
        shown = await browser.js("document.body.innerText")
        await fill_in(browser, site="S01", station="CS-0001")
        await send(
            browser,
            "assign",
            "document.querySelector('form[data-act=assign] .wrong')?.innerText.includes('not both')",
        )
        await fill_in(browser, station="")
        await send(browser, "assign", "document.body.innerText.includes('The tariff applies there.')")

    assert "Public <b>" in shown
    assert "Version 2" in shown
    assert "0.5000 CNY a minute" in shown
    assert browser.complaints == []
    async with await kit.desk.client() as client:
        tariff = (await client.get(f"/api/v1/tariffs/T1?operator={MINE}")).json()
    assert tariff["versions"][0]["valid_from"] == "2025-12-31T16:00:00.000Z"
    assert [one["start"] for one in tariff["versions"][1]["bands"]] == ["00:00", "18:00"]
    assert [one["level"] for one in tariff["assignments"]] == ["site"]
