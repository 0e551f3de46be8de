"""Who may look at the page: sign-in with an API key, remembered on the server. Plain HTML, no script.

The browser holds only a random cookie. The key stays in this process's memory and is checked again while
the page is open, so that revoking it closes the page.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from csms.console.markup import Html, tag
from csms.console.texts import TEXTS, preferred

COOKIE = "csms_visit"
LANGUAGE_COOKIE = "csms_language"
LASTS = timedelta(hours=12)
CHECKED_EVERY = timedelta(seconds=30)
MOST_VISITS = 1_000
ATTEMPTS_PER_MINUTE = 10


class Visitor(Protocol):
    """Who an API key belongs to, as far as the page cares."""

    @property
    def operator(self) -> str | None:
        """The code of the only operator whose records may be seen; None for all."""


SignIn = Callable[[str], Awaitable[Visitor | None]]


class _Visit(NamedTuple):
    key: str
    operator: str | None
    until: datetime
    checked: datetime


class Visits:
    """Signed-in browsers of this process. Forgotten at a restart: people sign in again."""

    def __init__(self, sign_in: SignIn, now: Callable[[], datetime]) -> None:
        self._sign_in = sign_in
        self._now = now
        self._visits: dict[bytes, _Visit] = {}
        self._attempts: dict[str, list[datetime]] = {}

    async def begin(self, key: str) -> str | None:
        """A new cookie value for the holder of `key`; None when the key may not see the page."""
        visitor = await self._sign_in(key)
        if visitor is None:
            return None
        cookie, now = secrets.token_urlsafe(32), self._now()
        if len(self._visits) >= MOST_VISITS:
            self._visits.pop(next(iter(self._visits)))
        self._visits[_digest(cookie)] = _Visit(key, visitor.operator, now + LASTS, now)
        return cookie

    async def find(self, cookie: str | None) -> tuple[bool, str | None]:
        """Whether this cookie is signed in, and the operator it is limited to."""
        place = _digest(cookie or "")
        visit, now = self._visits.get(place), self._now()
        if visit is None:
            return False, None
        if now >= visit.until:
            del self._visits[place]
            return False, None
        if now - visit.checked >= CHECKED_EVERY:
            visitor = await self._sign_in(visit.key)
            if visitor is None:
                self._visits.pop(place, None)
                return False, None
            visit = visit._replace(operator=visitor.operator, checked=now)
            self._visits[place] = visit
        return True, visit.operator

    def end(self, cookie: str | None) -> None:
        """Sign out."""
        self._visits.pop(_digest(cookie or ""), None)

    def may_try(self, address: str) -> bool:
        """Count an attempt; False when there were too many from this address within a minute."""
        now = self._now()
        recent = [at for at in self._attempts.get(address, ()) if now - at < timedelta(minutes=1)]
        if len(self._attempts) > MOST_VISITS:
            self._attempts.clear()
        self._attempts[address] = [*recent, now][-ATTEMPTS_PER_MINUTE - 1 :]
        return len(recent) < ATTEMPTS_PER_MINUTE


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def install(app: FastAPI, visits: Visits) -> None:
    """Add /sign-in and /sign-out to `app`."""

    async def show(request: Request) -> Response:
        return _form(request, None)

    async def sign_in(request: Request) -> Response:
        if not same_origin(request.headers.get("origin"), request.headers.get("host")):
            return _form(request, "wrong_key", 403)
        if not visits.may_try(request.client.host if request.client else ""):
            return _form(request, "too_many", 429)
        fields = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=5)
        cookie = await visits.begin(fields.get("key", [""])[0].strip())
        if cookie is None:
            return _form(request, "wrong_key", 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def sign_out(request: Request) -> Response:
        visits.end(request.cookies.get(COOKIE))
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE)
        return answer

    app.add_api_route("/sign-in", show, methods=["GET"], include_in_schema=False)
    app.add_api_route("/sign-in", sign_in, methods=["POST"], include_in_schema=False)
    app.add_api_route("/sign-out", sign_out, methods=["POST"], include_in_schema=False)


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a request comes from our own page. Programs that send no Origin hold no cookie either."""
    return origin is None or origin.partition("://")[2] == (host or "")


def _form(request: Request, complaint: str | None, status: int = 200) -> Response:
    language = preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
    words = TEXTS[language]
    field = tag(
        "input",
        id="key",
        name="key",
        type="password",
        autocomplete="current-password",
        required="",
        autofocus="",
    )
    form = tag(
        "form",
        tag("h1", words["title"]),
        tag("p", words["ask_key"]),
        tag("label", words["api_key"], **{"for": "key"}),
        field,
        tag("p", words[complaint], cls="alarm", role="alert") if complaint else "",
        tag("button", words["sign_in"], type="submit"),
        method="post",
        action="/sign-in",
    )
    page = document(words["title"], form, language)
    return HTMLResponse(page, status, {"Cache-Control": "no-store"})


STYLE = Html("""
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f3f5f7, #10151a); color: light-dark(#1d2730, #d9e0e7);
  font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
form, main { width: min(22rem, 88vw); padding: 1.5rem; border-radius: 8px; display: grid; gap: .6rem;
  background: light-dark(#fff, #171e25); border: 1px solid light-dark(#dfe4e9, #28323c); }
h1 { font-size: 18px; margin: 0; } p { margin: 0; color: light-dark(#5a6773, #93a1ae); }
input, button { font: inherit; padding: .45rem .6rem; border-radius: 6px; color: inherit;
  border: 1px solid light-dark(#aab4be, #3d4a57);
  background: light-dark(#fff, #10151a); }
button { background: #0b7a6f; border-color: #0b7a6f; color: #fff; cursor: pointer; margin-top: .4rem; }
.alarm { color: light-dark(#c0392b, #f0776a); }
""")


def document(title: str, body: Html, language: str) -> str:
    """A whole page without script."""
    viewport = tag("meta", name="viewport", content="width=device-width, initial-scale=1")
    head = tag("head", tag("meta", charset="utf-8"), viewport, tag("title", title), tag("style", STYLE))
    return "<!doctype html>" + tag("html", head, tag("body", body), lang=language)
