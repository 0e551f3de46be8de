"""One open browser window: who looks, in which language, at which address; what it may ask and do.

Pages get a `Visit` and nothing else. What they show is markup made by `markup`, charts apart.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from fastapi import Request
from nicegui import ui

from csms.console.desk import Desk, Refused, SignedOut
from csms.console.markup import Content, Html, escaped, tag
from csms.console.notices import done_banner, problem_banner
from csms.console.person import Person, language_of
from csms.console.snapshots import Seen, Snapshots, of_sites
from csms.console.texts import DASH, TEXTS
from csms.console.tiles import Tiles
from csms.console.visits import THEME_COOKIE

SCHEME_COOKIE = "csms_scheme"
SIGN_IN = "/sign-in"
ASKED_EVERY_S = 15.0

# What an action is given (the fields of its form, data of its button), and what it answers: a text to show
# as done, markup to show, or None.
Action = Callable[[dict[str, Any]], Awaitable[Content]]

log = structlog.get_logger()


def on_clock(text: str, zone: ZoneInfo) -> str:
    """A time of a field, on this clock, as the API has it; what is none stays as it is, for its refusal."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (local if local.tzinfo else local.replace(tzinfo=zone)).isoformat()


class Visit:
    """One open browser window."""

    def __init__(
        self,
        request: Request,
        desk: Desk,
        person: Person,
        snapshots: Snapshots,
        tiles: Tiles | None = None,
    ) -> None:
        self.desk, self.person, self.snapshots, self.tiles = desk, person, snapshots, tiles
        self.language = language_of(request, person)
        self.words = TEXTS[self.language]
        self.path: dict[str, str] = dict(request.path_params)
        self.query: dict[str, str] = dict(request.query_params)
        self.address = request.url.path
        # What was chosen; else what the browser said when it was here last.
        self.is_dark = (request.cookies.get(THEME_COOKIE) or request.cookies.get(SCHEME_COOKIE)) == "dark"
        self.zone = ZoneInfo("UTC")
        self.operators: list[Mapping[str, Any]] = []
        self.notices: ui.html | None = None
        self._actions: dict[str, Action] = {}
        self._coloured: dict[Any, Callable[[], None]] = {}
        self._ask_at = time.monotonic() + ASKED_EVERY_S

    async def begin(self) -> None:
        """Learn the operators in scope, and with them the time zone. Raises what `Desk` raises."""
        if self.person.is_signed_in:
            self.operators = (await self.desk.get("/operators"))["items"]
            if self.operators:
                self.zone = ZoneInfo(self.operators[0]["time_zone"])

    def html(self, content: Content, kind: str = "div", cls: str = "") -> ui.html:
        """A block of the page, sent again when its `content` is set to something else."""
        # Everything on a page comes from `markup`, which escapes whatever is not markup of its own.
        return ui.html(escaped(content), sanitize=False, tag=kind).classes(cls)

    def local(self, at: str | datetime | None) -> datetime | None:
        """An instant of the API, on the clock of the place."""
        if not at:
            return None
        instant = datetime.fromisoformat(at) if isinstance(at, str) else at
        return instant.astimezone(self.zone)

    def time(self, at: str | datetime | None) -> Content:
        """Date and time, for people and for programs."""
        local = self.local(at)
        if local is None:
            return DASH
        return tag("time", f"{local:%Y-%m-%d %H:%M:%S}", datetime=local.isoformat(), cls="nowrap")

    def now(self) -> datetime:
        """The time of the place."""
        return datetime.now(UTC).astimezone(self.zone)

    def link(self, path: str | None = None, **changes: Any) -> str:
        """This address with other parameters; None takes one away."""
        merged = {**(self.query if path is None else {}), **changes}
        written = urlencode({key: value for key, value in merged.items() if value not in (None, "")})
        return (path or self.address) + (f"?{written}" if written else "")

    def go(self, path: str) -> None:
        """Lead the window to another page."""
        ui.navigate.to(path)

    def on_scheme(self, drawn: Any, draw: Callable[[], None]) -> None:
        """What draws `drawn` again, whose colours are made here, when the window's scheme is another."""
        self._coloured[drawn] = draw

    def wears(self, scheme: str) -> None:
        """What the window really looks like: `dark` or `light`. At a first visit only the browser knows."""
        if (scheme == "dark") != self.is_dark:
            self.is_dark = scheme == "dark"
            for draw in self._coloured.values():
                draw()

    def on_act(self, name: str, action: Action) -> None:
        """What a button or form with `data-act=name` does."""
        self._actions[name] = action

    async def act(self, fields: dict[str, Any]) -> None:
        """Do what a button or form of the page asks; say what came of it."""
        action = self._actions.get(str(fields.get("act")))
        if action is not None:
            said = await self.attempt(action, fields)
            if said is not None:
                self.say(said if isinstance(said, Html) else done_banner(str(said), self.words))
        ui.run_javascript("consoleDone()")

    async def attempt(self, action: Action, fields: dict[str, Any]) -> Content:
        """What an action answers; its refusal as a banner."""
        try:
            return await action(fields)
        except Refused as refusal:
            return problem_banner(refusal, self.words)
        except SignedOut:
            ui.navigate.to(SIGN_IN)
            return None
        except Exception as exc:  # the last net, as for a page
            return problem_banner(self.failure(exc), self.words)

    def failure(self, exc: Exception) -> Refused:
        """What a person is told of a failure of ours: a number under which the log has the cause."""
        number = uuid.uuid4().hex
        log.error("page_failed", request=number, path=self.address, exc_info=exc)
        return Refused(500, {"instance": f"urn:csms:request:{number}"})

    async def status(self) -> Seen:
        """The network now, or what of it the person sees. Raises SignedOut."""
        await self._ask_again()
        seen = await self.snapshots.latest(self.person.operator)
        sites = self.person.sites
        if seen.status is None or sites is None:
            return seen
        key = ("sites", self.person.operator, sites)
        return seen._replace(status=self.snapshots.made(seen.status, key, lambda one: of_sites(one, sites)))

    async def _ask_again(self) -> None:
        """A status is not read through the API: now and then ask it whether the person may go on looking."""
        if not self.person.is_signed_in or time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + ASKED_EVERY_S
        try:
            me = await self.desk.get("/me")
        except Refused:
            return
        sites = None if me["sites"] is None else tuple(me["sites"])
        if (me["operator"], sites) != (self.person.operator, self.person.sites):
            raise SignedOut

    def say(self, banner: Html) -> None:
        """Show a notice above the page; assistive technology reads it out."""
        if self.notices is not None:
            self.notices.content = banner

    async def several(self, *asked: Awaitable[Any]) -> list[Any]:
        """Several answers at once. A refusal stands in its place: one part does not take a page away."""
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Refused):
                raise answer
        return answers

    def every(self, seconds: float, refresh: Callable[[], Awaitable[None]]) -> None:
        """Call `refresh` again and again while the window is open. What fails is tried again next time."""

        async def again() -> None:
            try:
                await refresh()
            except SignedOut:
                ui.navigate.to(SIGN_IN)
            except Refused as refusal:
                log.info("page_part_refused", page=self.address, status=refusal.status)

        ui.timer(seconds, again, immediate=False)
