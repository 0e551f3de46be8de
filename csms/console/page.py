"""The status page itself: NiceGUI elements, a timer, language and theme. Knows no SQL and no API key.

Every part of the page is one HTML block that is sent again only when it changed; the snapshot behind it is
shared by all who look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog
from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from csms.console import blocks
from csms.console.markup import Html, tag
from csms.console.texts import TEXTS, Language, preferred
from csms.console.visits import COOKIE, LANGUAGE_COOKIE, Visits
from csms.store.status import Status

REFRESH_S = 2.0
# Looking may take a tenth of the database's time at most, however large the network is.
SHARE = 0.1
THEME_COOKIE = "csms_theme"
THEMES = {"light": False, "dark": True}
STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

Read = Callable[[str | None], Awaitable[Status]]
BLOCKS: dict[str, Callable[[Status, dict[str, str]], Html]] = {
    "numbers": blocks.numbers,
    "grid": blocks.grid,
    "live": blocks.live_table,
    "ended": blocks.ended_table,
    "orders": blocks.orders_table,
}

log = structlog.get_logger()


class Seen(NamedTuple):
    """The last status that could be read, and whether the latest attempt failed."""

    status: Status | None
    is_stale: bool


class Snapshots:
    """One status for all who look at the same scope, read at most every `REFRESH_S` seconds."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._seen: dict[str | None, Seen] = {}
        self._next: dict[str | None, float] = {}
        self._locks: dict[str | None, asyncio.Lock] = {}

    async def latest(self, operator: str | None) -> Seen:
        """The status now, give or take the time between two reads."""
        clock = asyncio.get_running_loop().time
        async with self._locks.setdefault(operator, asyncio.Lock()):
            begun = clock()
            if begun >= self._next.get(operator, 0.0):
                self._seen[operator] = await self._attempt(operator)
                took = clock() - begun
                self._next[operator] = begun + max(REFRESH_S * 0.9, took / SHARE)
            return self._seen[operator]

    async def _attempt(self, operator: str | None) -> Seen:
        before = self._seen.get(operator, Seen(None, False))
        try:
            status = await self._read(operator)
        except Exception as exc:  # whatever the database says, the page shows the last it knew
            if not before.is_stale:
                log.warning("status_not_read", operator=operator, error=repr(exc))
            return Seen(before.status, True)
        if before.is_stale:
            log.info("status_read_again", operator=operator)
        return Seen(status, False)


class View:
    """One open browser window."""

    def __init__(self, request: Request, snapshots: Snapshots, visits: Visits | None) -> None:
        self._snapshots, self._visits = snapshots, visits
        self._cookie = request.cookies.get(COOKIE)
        self._language: Language = preferred(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        )
        self._dark = ui.dark_mode(THEMES.get(request.cookies.get(THEME_COOKIE, "")))
        self._parts: dict[str, ui.html] = {}

    def build(self, seen: Seen) -> None:
        """Lay the page out, already filled."""
        ui.add_css(STYLE)
        with ui.element("main").classes("desk"):
            with ui.element("header").classes("bar"):
                self._title = ui.html("", sanitize=False, tag="h1")
                self._updated = ui.html("", sanitize=False, tag="span")
                self._switch = ui.element("button").on("click", self._other_language)
                self._theme = ui.element("button").on("click", self._other_theme)
                if self._visits is not None:
                    with ui.element("form").props('method="post" action="/sign-out"'):
                        self._leave = ui.element("button").props('type="submit"')
            self._parts["numbers"] = self._block()
            with ui.element("section").classes("sites-panel"):
                self._grid_title = ui.html("", sanitize=False, tag="h2")
                self._parts["grid"] = self._block()
            with ui.element("div").classes("tables"):
                for name in ("live", "ended", "orders"):
                    self._parts[name] = self._block()
        self._say()
        self._fill(seen)
        ui.timer(REFRESH_S, self.refresh, immediate=False)

    async def refresh(self) -> None:
        """Show what is so now; whoever is no longer signed in goes to the door."""
        operator = None
        if self._visits is not None:
            signed_in, operator = await self._visits.find(self._cookie)
            if not signed_in:
                ui.navigate.to("/sign-in")
                return
        self._fill(await self._snapshots.latest(operator))

    def _fill(self, seen: Seen) -> None:
        words = TEXTS[self._language]
        self._seen = seen
        self._updated.classes(replace="updated stale" if seen.is_stale else "updated")
        if seen.is_stale:
            self._updated.content = tag("span", words["stale"])
        if seen.status is None:
            return
        if not seen.is_stale:
            local = seen.status.at.astimezone(ZoneInfo(seen.status.zone))
            self._updated.content = tag("span", words["updated"].format(t=f"{local:%Y-%m-%d %H:%M:%S}"))
        for name, part in self._parts.items():
            part.content = BLOCKS[name](seen.status, words)

    def _say(self) -> None:
        words = TEXTS[self._language]
        ui.page_title(words["title"])
        ui.run_javascript(f"document.documentElement.lang = '{self._language}'")
        self._title.content = tag("span", words["title"])
        self._grid_title.content = tag("span", words["stations_by_site"])
        for button, name in ((self._switch, "other_language"), (self._theme, "theme")):
            button.clear()
            with button:
                ui.html(tag("span", words[name]), sanitize=False, tag="span")
        if self._visits is not None:
            self._leave.clear()
            with self._leave:
                ui.html(tag("span", words["sign_out"]), sanitize=False, tag="span")

    def _other_language(self) -> None:
        self._language = "en" if self._language == "zh-CN" else "zh-CN"
        _remember(LANGUAGE_COOKIE, self._language)
        self._say()
        self._fill(self._seen)

    async def _other_theme(self) -> None:
        is_dark = self._dark.value
        if is_dark is None:
            is_dark = await ui.run_javascript("document.body.classList.contains('body--dark')")
        self._dark.value = not is_dark
        _remember(THEME_COOKIE, "light" if is_dark else "dark")

    @staticmethod
    def _block() -> ui.html:
        # Everything in it comes from `blocks`, which escapes whatever is not markup of its own.
        return ui.html("", sanitize=False)


def _remember(cookie: str, value: str) -> None:
    ui.run_javascript(f"document.cookie = '{cookie}={value}; path=/; max-age=31536000; samesite=strict'")


def install(snapshots: Snapshots, visits: Visits | None) -> None:
    """Register the page at `/`. `visits` None shows it to everyone."""

    @ui.page("/", title="CSMS", dark=None)
    async def status(request: Request) -> Response | None:
        operator = None
        if visits is not None:
            signed_in, operator = await visits.find(request.cookies.get(COOKIE))
            if not signed_in:  # ended between the door and here
                return RedirectResponse("/sign-in", 303)
        View(request, snapshots, visits).build(await snapshots.latest(operator))
        return None
