"""The first hour of somebody new, in a real browser over a real demo; every page on a desk and on a phone."""

from __future__ import annotations

import glob
from pathlib import Path

import openpyxl
import pytest

pytest.importorskip("nicegui")

from tests.console.kit import Browser, browsing, needs_browser
from tests.console.newcomer import (
    CHARGER,
    CHARGERS_PASSWORD,
    CHARTS_DRAWN,
    OWN_PASSWORD,
    PICTURES,
    Camera,
    Demo,
    cameras,
    demo,
)
from tests.serverkit import polls

pytestmark = [pytest.mark.slow, needs_browser]

SITE = "BJ-GUOMAO"
TOUR = (
    "/map", "/stations", "/stations/GUOMAO-01", "/stations/GUOMAO-03?tab=commands&command=Reset", "/sessions",
    "/queues", "/tokens", "/tariffs/BEIJING-PUBLIC?operator=MA1JXN9C2", "/city", "/reports", "/audit",
    "/settings", "/",
)  # fmt: skip
ENERGY = "Number(document.querySelector('[data-live=energy] b')?.textContent)"

NUMBER = "Number(document.querySelector('.figure .number').textContent)"


async def test_the_first_hour(tmp_path: Path) -> None:
    """From the printed password to an order that the city was told, by clicking alone."""
    async with demo(tmp_path) as running, cameras(running, tmp_path) as camera:
        charger = running.charger()
        try:
            charger.spawn()
            await sign_in(camera, running)
            await let_in(camera)
            session = await watch(camera)
            await stop(camera, session)
            await read_the_cost(camera, session)
            await export_the_day(camera, session, tmp_path / "downloads")
            await read_the_city(camera, session)
        finally:
            charger.kill()
            print(charger.log_tail())

    assert camera.light.complaints == []


async def sign_in(camera: Camera, running: Demo) -> None:
    """The one-time password opens the door only to a password of one's own."""
    page = camera.light
    await page.do("Page.navigate", url=running.base)
    await page.until("location.pathname === '/sign-in' && !!document.querySelector('form')")
    await camera.take("sign-in")
    await page.fill(name="admin", password=running.password)
    await page.click("button[type=submit]")

    await page.until("location.pathname === '/password'")
    await camera.take("own-password")
    await page.fill(old=running.password, new=OWN_PASSWORD, again=OWN_PASSWORD)
    await page.click("button[type=submit]")

    await alive(page, "/")
    await page.until(f"document.querySelectorAll('.cell .charging').length && {CHARTS_DRAWN}", 90)
    await camera.take("overview")


async def let_in(camera: Camera) -> None:
    """The new charger waits in quarantine; with a site and its password it is one of ours."""
    page = camera.light
    await page.click("a[href='/quarantine']")
    await alive(page, "/quarantine")
    await camera.take("quarantine")
    await page.click(f"a[href='/quarantine?identity={CHARGER}']")
    await alive(page, "/quarantine")
    await page.until("!!document.querySelector('form[data-act=approve]')")
    await page.fill(site=SITE, password=CHARGERS_PASSWORD, max_power_w="60000")
    await camera.take("let-in")
    await page.click("form[data-act=approve] button[type=submit]")
    await alive(page, f"/stations/{CHARGER}")


async def watch(camera: Camera) -> str:
    """A car charges: what it has drawn grows while one looks, here and there. The number of its session."""
    page = camera.light
    await page.until(f"{ENERGY} > 0", 90)
    seen = await page.js(ENERGY)
    await page.until(f"{ENERGY} > {seen}", 60)
    await page.until(f"document.querySelector('.chart') && {CHARTS_DRAWN}")
    await camera.take("charging")
    session = str(await page.js("document.querySelector('button[data-act=stop]').dataset.session"))
    await page.click(f"a[href='/sessions/{session}']")
    await alive(page, f"/sessions/{session}")
    seen = await page.js(NUMBER)
    await page.until(f"{NUMBER} > {seen}", 60)
    await camera.take("its-session")
    await page.js("history.back()")
    await alive(page, f"/stations/{CHARGER}")
    return session


async def stop(camera: Camera, session: str) -> None:
    """The button asks, then the station is told, and the session is over."""
    page = camera.light
    await page.click(f"button[data-act=stop][data-session='{session}']")
    await page.until("document.querySelector('#confirm').open")
    await page.picture(PICTURES / "light" / "stop-is-asked.png")
    await page.click("#confirm button[value=yes]")
    await page.until("document.querySelector('.banner.done')?.innerText.includes('accepted')")
    await page.until(f"!document.querySelector('[data-session=\"{session}\"]')")
    await camera.take("stopped")


async def read_the_cost(camera: Camera, session: str) -> None:
    """Its session among all others; its cost line by line; its receipt, which says the same."""
    page = camera.light
    await page.click("a[href='/sessions']")
    await alive(page, "/sessions")
    await page.fill(station=CHARGER)
    await page.click("form[role=search] button[type=submit]")
    await page.until(f"location.search.includes('{CHARGER}')")
    await alive(page, "/sessions")
    await page.until(f"!!document.querySelector('[data-href=\"/sessions/{session}\"]')")
    await camera.take("sessions")
    await page.click(f"a[href='/sessions/{session}']")
    await alive(page, f"/sessions/{session}")
    await page.until("!!document.querySelector('[data-total]')", 60)
    total = await page.js("document.querySelector('[data-total]').textContent")
    assert await page.js(
        "document.querySelector('[data-total]').closest('.panel').querySelectorAll('tbody tr').length"
    )
    await camera.take("session")

    receipt = await page.js("document.querySelector('a[href*=receipt]').href")
    await page.do("Page.navigate", url=receipt)
    await page.until("location.pathname.endsWith('/receipt') && !!document.querySelector('h1')")
    shown = await page.js("document.body.innerText")
    await camera.take("receipt")

    assert session in shown
    assert total.removesuffix(" CNY") in shown


async def export_the_day(camera: Camera, session: str, folder: Path) -> None:
    """One click for the day, one for the file; the session is in it."""
    page = camera.light
    await page.do("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    await page.open(camera.seat, "/sessions")
    await page.click("nav.filters a.button")
    await page.until("location.search.includes('from=')")
    await alive(page, "/sessions")
    await camera.take("today")
    await page.click("a[download][href*='format=xlsx']")

    book = openpyxl.load_workbook(await downloaded(folder), read_only=True)
    sheet = book.worksheets[0]
    assert any(session in map(str, row) for row in sheet.iter_rows(values_only=True))


async def downloaded(folder: Path) -> Path:
    """The workbook that a browser saves here, once it is whole."""
    async for _ in polls(60):
        if files := glob.glob(f"{folder}/*.xlsx"):
            return Path(files[0])
    raise TimeoutError(f"no file in {folder}")


async def read_the_city(camera: Camera, session: str) -> None:
    """In Chinese from here on. The city was told the order."""
    page = camera.light
    await page.click("[data-language]")
    await page.until("document.documentElement.lang === 'zh-CN'")
    await alive(page, "/sessions")
    await page.click("a[href='/city']")
    await alive(page, "/city")
    await camera.take("cities")
    await page.click("a[href='/city/city-ma1jxn9c2']")
    await alive(page, "/city/city-ma1jxn9c2")
    await page.click("a[href*='tab=outbox']")
    await page.until("location.search.includes('tab=outbox')")
    await alive(page, "/city/city-ma1jxn9c2")
    await page.click("a[href*='kind=charge-order']")
    await page.until("location.search.includes('kind=charge-order')")
    await alive(page, "/city/city-ma1jxn9c2")
    row = f"[...document.querySelectorAll('tbody tr')].find((one) => one.innerText.includes('{session}'))"
    await page.until(f"{row}?.innerText.includes('已上报')", 60)
    await camera.take("order-told")


async def alive(page: Browser, path: str) -> None:
    """Wait until the page at this path is there and listens."""
    await page.until(
        f"location.pathname === '{path}' && window.consoleReady && !!document.querySelector('main h1')"
    )


async def test_a_look_round(tmp_path: Path) -> None:
    """Every page over data of a day, light, dark and on a phone; nothing is wider than its screen."""
    async with demo(tmp_path) as running, browsing(tmp_path / "chromium") as page:
        seat = await running.seat()
        await page.open(seat, "/")
        await page.until("document.querySelectorAll('.cell .charging').length > 2", 90)
        for path in TOUR:
            name = path.partition("?")[0].strip("/").replace("/", "-") or "overview"
            for theme, width, height in (("light", 1440, 900), ("dark", 1440, 900), ("dark", 390, 844)):
                await page.screen(width, height)
                await page.open(seat, path, "zh-CN" if theme == "dark" else "en", theme)
                await page.until(CHARTS_DRAWN)
                kind = "phone" if width < height else theme
                await page.picture(PICTURES / kind / f"tour-{name}.png", width, height)
                wide = await page.js("Math.max(innerWidth, document.documentElement.scrollWidth)")
                assert wide <= width + 1, (path, width)
        await seat.client.aclose()

    assert page.complaints == []
