"""The frame of every page: navigation, search, person, language, theme; and how a page becomes an address."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from nicegui import context, ui
from nicegui.events import GenericEventArguments
from starlette.responses import RedirectResponse, Response

from csms.console import frame
from csms.console.desk import Catalogue, Desk, Refused, SignedOut
from csms.console.frame import Entry, page_head
from csms.console.notices import problem_banner
from csms.console.person import Door
from csms.console.search import found
from csms.console.snapshots import Snapshots
from csms.console.tiles import Tiles
from csms.console.visit import SIGN_IN, Visit

HERE = Path(__file__).parent
FILES = {"console.css": "text/css", "console.js": "text/javascript", "head.js": "text/javascript"}
CONTENTS = {name: (HERE / name).read_text(encoding="utf-8") for name in FILES}
# Part of the address of our files, so that browsers keep each version for ever.
VERSION = hashlib.sha256("".join(CONTENTS.values()).encode()).hexdigest()[:12]
RESPONSE_TIMEOUT_S = 30.0

Build = Callable[[Visit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `name` is the key of its title; `group` its place in the navigation, "" for none;
    `parent` the page that is current in the navigation while this one is shown."""

    path: str
    name: str
    build: Build
    group: str = ""
    parent: str = ""
    for_everyone: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """What every page is made with."""

    door: Door
    snapshots: Snapshots
    catalogue: Catalogue
    tiles: Tiles | None = None


def install(app: FastAPI, pages: Sequence[Page], house: House) -> None:
    """Register every page with NiceGUI, and their files with `app`."""
    for name, kind in FILES.items():
        app.add_api_route(
            f"/console/{VERSION}/{name}", _file(name, kind), methods=["GET"], include_in_schema=False
        )
    entries = [Entry(page.path, page.name, page.group) for page in pages if page.group]
    for page in pages:
        ui.page(page.path, title="CSMS", dark=None, response_timeout=RESPONSE_TIMEOUT_S)(
            _handler(page, entries, house)
        )


def _file(name: str, kind: str) -> Callable[[], Awaitable[Response]]:
    async def file() -> Response:
        return Response(
            CONTENTS[name], media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    return file


def _handler(
    page: Page, entries: Sequence[Entry], house: House
) -> Callable[[Request], Awaitable[Response | None]]:
    async def show(request: Request) -> Response | None:
        person = await house.door.who(request)
        if person is None or not (person.is_signed_in or page.for_everyone):
            return RedirectResponse(SIGN_IN, 303)
        desk = Desk(house.catalogue, person.headers, person.address)
        visit = Visit(request, desk, person, house.snapshots, house.tiles)
        try:
            await visit.begin()
            await _build(page, entries, visit)
        except SignedOut:
            return RedirectResponse(SIGN_IN, 303)
        return None

    return show


async def _build(page: Page, entries: Sequence[Entry], visit: Visit) -> None:
    words = visit.words
    ui.page_title(f"{words[page.name]} · {words['title']}")
    ui.add_head_html(frame.head(f"/console/{VERSION}", visit.language))
    current = page.parent or page.path
    with context.client.layout:
        for place, block in enumerate(frame.around(visit.person, visit.operators, entries, current, words)):
            visit.html(block.content, block.kind, block.cls).move(target_index=place)
        visit.html(frame.confirm(words))
        with ui.element("dialog").classes("search").props(f'aria-label="{words["search"]}"'):
            visit.html(frame.search_field(words))
            results = visit.html(frame.search_results([], words))
    with ui.element("div").classes("desk"):
        visit.notices = visit.html("", "div", "notices")
        try:
            await page.build(visit)
        except Refused as refusal:
            visit.html(page_head(words[page.name]))
            visit.html(problem_banner(refusal, words))
        except SignedOut:
            raise
        except Exception as exc:  # the last net: the person gets a number, the log gets the cause
            visit.html(page_head(words[page.name]))
            visit.html(problem_banner(visit.failure(exc), words))

    async def look(event: GenericEventArguments) -> None:
        results.content = frame.search_results(await found(visit, entries, str(event.args or "")), words)

    async def act(event: GenericEventArguments) -> None:
        await visit.act(dict(event.args))

    async def scheme(event: GenericEventArguments) -> None:
        visit.wears(str(event.args or ""))

    ui.on("search", look)
    ui.on("scheme", scheme)
    ui.on("act", act)
    ui.run_javascript(f"consoleReady({'true' if visit.is_dark else 'false'})")
