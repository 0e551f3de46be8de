"""Hangs the status page into the HTTP application. Knows what the page needs, not how it looks.

NiceGUI is an optional dependency; without it `/` says in plain HTML how to get the page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from csms.console import visits as door
from csms.console.markup import tag
from csms.console.visits import SignIn, Visits
from csms.store.status import StatusReader

# All that NiceGUI serves for one page; for any other path it would build a page that says 404.
PATHS = ("/_nicegui/", "/_nicegui_ws/")
SINGLE_PATHS = ("/", "/favicon.ico")


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What the page is made from. `sign_in` gives who an API key belongs to, None for a bad one."""

    access: Literal["key", "public"]
    reader: StatusReader
    sign_in: SignIn
    now: Callable[[], datetime]


def mount(app: FastAPI, parts: ConsoleParts) -> None:
    """Serve the status page at `/` of `app`. Call it last: its mount takes every path that is left.

    Once a process: NiceGUI keeps its own application in a module.
    """
    try:
        from nicegui import ui  # noqa: PLC0415 - the optional extra `console`

        from csms.console import page  # noqa: PLC0415 - imports nicegui
    except ImportError:
        _mount_notice(app)
        return
    visits = None if parts.access == "public" else Visits(parts.sign_in, parts.now)
    if visits is not None:
        door.install(app, visits)
    page.install(page.Snapshots(lambda operator: parts.reader.read(operator, parts.now())), visits, parts.now)
    ui.run_with(app, tailwind=False, show_welcome_message=False, binding_refresh_interval=None)
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount)
    mounted.app = _Threshold(mounted.app)


class _Threshold:
    """Lets through what belongs to the page, and its socket only from the page itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if scope["type"] == "lifespan" or path in SINGLE_PATHS or path.startswith(PATHS[0]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if path.startswith(PATHS[1]) and door.same_origin(headers.get("origin"), headers.get("host")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await PlainTextResponse("Not found\n", 404)(scope, receive, send)


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
