"""A phone's screen: whole rows without scrolling sideways, figures that stay in their cards."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("nicegui")

from csms.console import blocks
from csms.console.texts import TEXTS
from csms.domain.assets import IdToken
from tests.api.test_work_queues import filled
from tests.console.kit import HOSTILE, browsing, needs_browser, running
from tests.console.test_blocks import FULL

# With how many columns.
LISTS = {
    "/sessions": 9,
    "/stations": 10,
    "/tokens": 8,
    "/audit": 6,
    "/city": 9,
    "/city/beijing?tab=outbox": 8,
    "/quarantine": 8,
    "/queues?queue=gaps": 5,
    "/queues?queue=unsent-records": 5,
}
# How many cells of the first row say which column's they are, whether the list fits, what stands out of it.
SEEN = """(() => {
    const list = document.querySelector('.stacks'), right = list.getBoundingClientRect().right;
    const head = (cell) => cell.dataset.head && JSON.stringify(cell.dataset.head);
    const named = [...list.querySelector('tbody tr').children]
        .filter((cell) => getComputedStyle(cell, '::before').content === head(cell));
    const out = [...list.querySelectorAll('tbody *')]
        .filter((one) => one.getBoundingClientRect().right > right + 1);
    return [named.length, list.scrollWidth <= list.clientWidth, out.map((one) => one.innerText)];
})()"""
OVERHANGING = """[...document.querySelectorAll('.figure *')].filter((one) => {
    const card = one.closest('.figure'), edge = card.getBoundingClientRect().right;
    return one.getBoundingClientRect().right > edge - parseFloat(getComputedStyle(card).paddingRight) + 1;
}).map((one) => one.innerText)"""


@pytest.mark.slow
@needs_browser
async def test_lists(sqlite_url: str, tmp_path: Path) -> None:
    """Every cell of a row is there with its column's head, and nothing stands out of its list."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await filled(kit.desk)
        registry, now = kit.desk.parts.registry, kit.desk.clock[0]
        await registry.put_token(IdToken(HOSTILE), now)
        await registry.put_in_quarantine(HOSTILE, "2001:db8::1", "not registered", now)
        await kit.desk.add_session(2, token="0123456789ABCDEF0123", flags=",gap,", energy_wh=99_999_990)
        for path, columns in LISTS.items():
            for width in (390, 360):
                await browser.screen(width, 844)
                await browser.open(kit, path)
                assert await browser.js(SEEN) == [columns, True, []], (path, width)


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_figures(sqlite_url: str, tmp_path: Path, language: str) -> None:
    """The largest before the unit changes: number and unit are within their card."""
    status = replace(FULL, energy_today_wh=99_999_990, power_w=99_999_900)
    figures = json.dumps(blocks.numbers(status, TEXTS[language]))  # type: ignore[index]  # one of the languages
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await browser.open(kit, "/", language)
        await browser.until("document.querySelectorAll('.figures').length > 1")
        # Those of the page's top and those of a panel, which are narrower.
        await browser.js(f"document.querySelectorAll('.figures').forEach((one) => one.outerHTML = {figures})")
        for width in (1440, 820, 390, 360, 320):
            await browser.screen(width, 844)
            assert await browser.js(OVERHANGING) == [], width
