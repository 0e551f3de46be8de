"""Every page in both languages, on a real server and in a real browser; what stations wrote stays text."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("nicegui")

from csms.console.pages import PAGES
from csms.console.texts import TEXTS
from tests.console.kit import Kit, browsing, fill, needs_browser, running

MADE_LATER = ("tariff", "batch")  # nothing of them is there from the beginning: their own tests make one


@pytest.fixture
async def kit(sqlite_url: str) -> AsyncIterator[Kit]:
    """A console with something to show."""
    async with running(sqlite_url) as kit:
        kit.number = await fill(kit.desk)  # type: ignore[attr-defined]  # of these tests alone
        yield kit


def paths(kit: Kit) -> dict[str, str]:
    """An address of every page, by the key of its title."""
    given = {"identity": "CS-0001", "session_id": str(kit.number), "tariff": "T", "name": "beijing"}  # type: ignore[attr-defined]  # as above
    return {page.name: page.path.format(**given) for page in PAGES if page.name not in MADE_LATER}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_page(kit: Kit, language: str) -> None:
    """It is laid out, says what it is, shows no hostile markup, and every link of the navigation is there."""
    words = TEXTS[language]  # type: ignore[index]  # one of the languages
    for name, path in paths(kit).items():
        page = await kit.page(path, language)

        assert words[name] in page, path
        assert words["problem_500"] not in page, path
        assert "<img src=x" not in page, path
        for one in PAGES:
            assert not one.group or f'href="{one.path}"' in page


async def test_nobody_gets_in(kit: Kit) -> None:
    """Without a sign-in every page leads to it; what is no page is not found."""
    kit.client.cookies.clear()
    for path in paths(kit).values():
        answer = await kit.client.get(path)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in"), path
    assert (await kit.client.get("/wp-admin")).status_code == 404


async def test_its_files_are_kept_for_ever(kit: Kit) -> None:
    """Under an address that changes with them."""
    page = await kit.page("/")
    sheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = await kit.client.get(sheet)

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "--ground" in answer.text


@pytest.mark.slow
@needs_browser
async def test_pages_in_a_real_browser(kit: Kit, tmp_path: Path) -> None:
    """Each comes to life without a complaint and in its language, and runs nothing that anybody wrote."""
    async with browsing(tmp_path / "chromium") as browser:
        for number, (name, path) in enumerate(paths(kit).items()):
            language = ("en", "zh-CN")[number % 2]
            await browser.open(kit, path, language)

            assert await browser.js("document.documentElement.lang") == language
            assert TEXTS[language][name] in await browser.js("document.title")
            assert "pwned" not in await browser.js("document.title")
            assert await browser.js("document.querySelectorAll('img[src=x]').length") == 0
            assert await browser.js("document.querySelectorAll('main').length") == 1
        shown = await browser.js("document.body.innerText")
        await browser.open(kit, "/stations")
        listed = await browser.js("document.body.innerText")

    assert shown
    assert "<img src=x onerror=" in listed
    assert "{{7*7}}" in listed
    assert browser.complaints == []


@pytest.mark.slow
@needs_browser
async def test_keyboard_and_commands(kit: Kit, tmp_path: Path) -> None:
    """`/` finds a station, Enter opens it; a command is given once, confirmed, and its result is shown."""
    async with browsing(tmp_path / "chromium") as browser:
        await browser.open(kit, "/tokens")
        await browser.press("/")
        await browser.until("document.querySelector('dialog.search').open")
        await browser.type("CS-0001")
        await browser.until("document.querySelector('#search-found')?.innerText.includes('CS-0001')")
        await browser.press("Enter")
        await browser.until("location.pathname === '/stations/CS-0001'")

        await browser.open(kit, "/stations/CS-0001?tab=commands&command=Reset")
        await browser.until("!!document.querySelector('form[data-act=command]')")
        send = "document.querySelector('form[data-act=command] button[type=submit]').click()"
        await browser.js(send)
        await browser.until("document.querySelector('#confirm').open")
        await browser.js("document.querySelector('#confirm button[value=yes]').click()")
        await browser.js(send)  # a double click is one command
        await browser.until("document.body.innerText.includes('The station accepted.')")

        await browser.js("document.querySelector('[data-language]').click()")
        await browser.until("document.documentElement.lang === 'zh-CN'")
        await browser.until("!!document.querySelector('[data-theme-switch]')")
        await browser.js("document.querySelector('[data-theme-switch]').click()")
        await browser.until("document.documentElement.dataset.theme === 'dark'")

    assert [identity for identity, _ in kit.desk.courier.sent] == ["CS-0001"]


# Lists of many columns, and figures with their units, that need more room than they have.
WIDER = """[...document.querySelectorAll('.stacks, .figure')].filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => (e.getAttribute('aria-label') || e.innerText) + ' ' + e.scrollWidth + ' > ' + e.clientWidth)"""


@pytest.mark.slow
@needs_browser
async def test_a_phone(kit: Kit, tmp_path: Path) -> None:
    """Nothing is wider than the screen; the navigation is behind a button and closes with Escape."""
    async with browsing(tmp_path / "chromium") as browser:
        await browser.screen(390, 844)
        for path in paths(kit).values():
            await browser.open(kit, path, theme="dark")
            assert await browser.js("Math.max(innerWidth, document.documentElement.scrollWidth) <= 391"), path
            assert not await browser.js(WIDER), path
        await browser.js("document.querySelector('[data-drawer]').click()")
        await browser.until("document.activeElement.matches('.side a')")
        await browser.press("Escape")
        await browser.until("!document.body.classList.contains('drawer-open')")
