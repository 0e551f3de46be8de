"""The door of the pages: signing in, a first password, signing out. Plain HTML, no script.

Who may enter is the API's to say (`Door`); the browser holds only a random cookie.
"""

from typing import NamedTuple, Protocol
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from csms.console.door_texts import DOOR
from csms.console.markup import Html, tag
from csms.console.texts import TEXTS, preferred

COOKIE = "csms_visit"
LANGUAGE_COOKIE, THEME_COOKIE = "csms_language", "csms_theme"
MOST_BYTES = 8_192  # of a form: three fields, each letter of which may be sent as twelve bytes
STATUS = {"wrong": 401, "too_many": 429, "weak": 422, "not_the_same": 422, "elsewhere": 403}


class Visitor(Protocol):
    """Who is signed in, as far as a page cares."""

    @property
    def name(self) -> str:
        """What they sign in with."""

    @property
    def operator(self) -> str | None:
        """The code of the only operator whose records may be seen; None for all."""

    @property
    def must_change(self) -> bool:
        """Whether a password of their own comes first."""


class Door(Protocol):
    """Who may enter."""

    async def enter(self, name: str, password: str, code: str, address: str) -> tuple[str | None, str]:
        """A cookie, or None and `wrong` or `too_many`."""

    async def visitor(self, cookie: str | None) -> Visitor | None:
        """Who is signed in with this cookie."""

    async def leave(self, cookie: str | None) -> None:
        """Sign out."""

    async def change_password(self, cookie: str | None, old: str, new: str, address: str) -> str:
        """'' when it is changed; else `wrong`, `too_many` or `weak`."""


class Field(NamedTuple):
    """An input of a form: its name, its kind, what browsers fill in."""

    name: str
    kind: str
    autocomplete: str
    required: bool = True


SIGN_IN = (
    Field("name", "text", "username"),
    Field("password", "password", "current-password"),
    Field("code", "text", "one-time-code", required=False),
)
PASSWORD = (
    Field("old", "password", "current-password"),
    Field("new", "password", "new-password"),
    Field("again", "password", "new-password"),
)


class Visits:
    """Signed-in browsers, as pages see them."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def find(self, cookie: str | None) -> tuple[bool, str | None]:
        """Whether this cookie may see pages, and the operator it is limited to."""
        visitor = await self.door.visitor(cookie)
        if visitor is None or visitor.must_change:
            return False, None
        return True, visitor.operator

    async def threshold(self, cookie: str | None) -> str:
        """Where whoever may not see pages goes first."""
        return "/sign-in" if await self.door.visitor(cookie) is None else "/password"


def install(app: FastAPI, visits: Visits) -> None:
    """Add /sign-in, /password and /sign-out to `app`."""
    door = visits.door

    async def show_sign_in(request: Request) -> Response:
        return _form(request, "sign_in", SIGN_IN, None)

    async def sign_in(request: Request) -> Response:
        if not same_origin(request.headers.get("origin"), request.headers.get("host")):
            return _form(request, "sign_in", SIGN_IN, "elsewhere")
        told = await _fields(request)
        cookie, complaint = await door.enter(told("name"), told("password"), told("code"), _address(request))
        if cookie is None:
            return _form(request, "sign_in", SIGN_IN, complaint)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=secure)
        return answer

    async def show_password(request: Request) -> Response:
        visitor = await door.visitor(request.cookies.get(COOKIE))
        if visitor is None:
            return RedirectResponse("/sign-in", 303)
        return _form(request, "password", PASSWORD, None, visitor.name)

    async def password(request: Request) -> Response:
        if not same_origin(request.headers.get("origin"), request.headers.get("host")):
            return _form(request, "password", PASSWORD, "elsewhere")
        told = await _fields(request)
        if told("new") != told("again"):
            return _form(request, "password", PASSWORD, "not_the_same")
        cookie = request.cookies.get(COOKIE)
        complaint = await door.change_password(cookie, told("old"), told("new"), _address(request))
        if not complaint:
            return RedirectResponse("/", 303)
        visitor = await door.visitor(cookie)
        return _form(request, "password", PASSWORD, complaint, visitor.name if visitor else "")

    async def sign_out(request: Request) -> Response:
        if same_origin(request.headers.get("origin"), request.headers.get("host")):
            await door.leave(request.cookies.get(COOKIE))
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE)
        return answer

    app.add_api_route("/sign-in", show_sign_in, methods=["GET"], include_in_schema=False)
    app.add_api_route("/sign-in", sign_in, methods=["POST"], include_in_schema=False)
    app.add_api_route("/password", show_password, methods=["GET"], include_in_schema=False)
    app.add_api_route("/password", password, methods=["POST"], include_in_schema=False)
    app.add_api_route("/sign-out", sign_out, methods=["POST"], include_in_schema=False)


class _Told:
    """The fields of a form that was sent; '' for what is missing, and for all of what is no form of ours."""

    def __init__(self, body: bytes) -> None:
        try:
            self._fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=10)
        except ValueError:
            self._fields = {}

    def __call__(self, name: str) -> str:
        return self._fields.get(name, [""])[0]


async def _fields(request: Request) -> _Told:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return _Told(b"")
    return _Told(body)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a request comes from our own page. Programs that send no Origin hold no cookie either."""
    return origin is None or origin.partition("://")[2] == (host or "")


def _form(
    request: Request, name: str, fields: tuple[Field, ...], complaint: str | None, who: str = ""
) -> Response:
    language = preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
    words = TEXTS[language] | DOOR[language]
    form = tag(
        "form",
        tag("h1", words["title"]),
        tag("p", words[f"ask_{name}"]),
        # For the browser's own book of passwords.
        tag("input", type="text", name="name", value=who, autocomplete="username", hidden="") if who else "",
        *(part for field in fields for part in _input(field, words)),
        tag("p", words[f"door_{complaint}"], cls="alarm", role="alert") if complaint else "",
        tag("button", words[f"do_{name}"], type="submit"),
        method="post",
        action=f"/{name.replace('_', '-')}",
    )
    page = document(words["title"], form, language, request.cookies.get(THEME_COOKIE))
    status = STATUS[complaint] if complaint else 200
    return HTMLResponse(page, status, {"Cache-Control": "no-store"})


def _input(field: Field, words: dict[str, str]) -> tuple[Html, Html]:
    name = field.name
    more = {"required": ""} if field.required else {}
    box = tag("input", id=name, name=name, type=field.kind, autocomplete=field.autocomplete, **more)
    return tag("label", words[f"field_{name}"], **{"for": name}), box


STYLE = Html("""
:root { color-scheme: light dark; }
:root[data-theme=light] { color-scheme: light; } :root[data-theme=dark] { color-scheme: dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f3f5f7, #10151a); color: light-dark(#1d2730, #d9e0e7);
  font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
form, main { width: min(22rem, 88vw); padding: 1.5rem; border-radius: 8px; display: grid; gap: .6rem;
  background: light-dark(#fff, #171e25); border: 1px solid light-dark(#dfe4e9, #28323c); }
h1 { font-size: 18px; margin: 0; } p { margin: 0; color: light-dark(#5a6773, #93a1ae); }
input, button { font: inherit; padding: .45rem .6rem; border-radius: 6px; color: inherit;
  border: 1px solid light-dark(#8793a0, #76838f);
  background: light-dark(#fff, #10151a); }
button { background: #0b7a6f; border-color: #0b7a6f; color: #fff; cursor: pointer; margin-top: .4rem; }
.alarm { font-weight: 600; color: light-dark(#c0392b, #f0776a); }
""")


def document(title: str, body: Html, language: str, theme: str | None = None) -> str:
    """A whole page without script. `theme`: light or dark as chosen; else as the browser prefers."""
    viewport = tag("meta", name="viewport", content="width=device-width, initial-scale=1")
    head = tag("head", tag("meta", charset="utf-8"), viewport, tag("title", title), tag("style", STYLE))
    return "<!doctype html>" + tag("html", head, tag("body", body), lang=language, data_theme=theme)
