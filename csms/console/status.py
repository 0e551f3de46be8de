"""Hangs the status page into the HTTP application. Knows what the page needs, not how it looks.

NiceGUI is an optional dependency; without it `/` says in plain HTML how to get the page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fastapi import FastAPI, Request
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from csms.console import visits as door
from csms.console.markup import tag
from csms.console.visits import SignIn, Visits
from csms.store.status import StatusReader

# All that NiceGUI serves for one page; for any other path it would build a page that says 404.
ASSETS, SOCKET, ICON = "/_nicegui/", "/_nicegui_ws/", "/favicon.ico"


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What the page is made from. `sign_in` gives who an API key belongs to, None for a bad one."""

    access: Literal["key", "public"]
    reader: StatusReader
    sign_in: SignIn
    now: Callable[[], datetime]


def mount(app: FastAPI, parts: ConsoleParts) -> None:
    """Serve the status page at `/` of `app`. Call it last: its mount takes every path that is left.

    One application of a process has the page: NiceGUI keeps its own in a module. The last one mounted wins.
    """
    try:
        from nicegui import core, ui  # noqa: PLC0415 - the optional extra `console`

        from csms.console import page  # noqa: PLC0415 - imports nicegui
    except ImportError:
        _mount_notice(app)
        return
    visits = None if parts.access == "public" else Visits(parts.sign_in, parts.now)
    if visits is not None:
        door.install(app, visits)
    page.install(page.Snapshots(lambda operator: parts.reader.read(operator, parts.now())), visits)
    # What an earlier application of this process (tests) has left: it would be added twice.
    core.app.middleware_stack = None
    core.app.user_middleware.clear()
    ui.run_with(app, tailwind=False, show_welcome_message=False, binding_refresh_interval=None)
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount)
    mounted.app = _Threshold(mounted.app, visits)


class _Threshold:
    """Lets through what belongs to the page, and to the page itself only who may see it.

    It stands before NiceGUI, which would keep something in memory for every visitor.
    """

    def __init__(self, app: ASGIApp, visits: Visits | None) -> None:
        self._app = app
        self._visits = visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        if scope["type"] == "lifespan" or path.startswith(ASSETS) or path == ICON:
            return None
        if path != "/" and not path.startswith(SOCKET):
            return PlainTextResponse("Not found\n", 404)
        asked = HTTPConnection(scope)
        if not door.same_origin(asked.headers.get("origin"), asked.headers.get("host")):
            return PlainTextResponse("Not from elsewhere\n", 403)
        if self._visits is None or (await self._visits.find(asked.cookies.get(door.COOKIE)))[0]:
            return None
        return RedirectResponse("/sign-in", 303) if path == "/" else PlainTextResponse("Sign in\n", 401)


def _mount_notice(app: FastAPI) -> None:
    async def notice(request: Request) -> Response:
        text = "The status page is an extra that is not installed."
        main = tag(
            "main",
            tag("h1", "CSMS"),
            tag("p", text),
            tag("code", "pip install 'csms[console]'"),
            tag("p", "API: /api/v1/openapi.json · Metrics: /metrics · Health: /healthz, /readyz"),
        )
        return HTMLResponse(door.document("CSMS", main, "en"))

    app.add_api_route("/", notice, methods=["GET"], include_in_schema=False)
