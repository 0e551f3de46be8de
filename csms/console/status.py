"""Hangs the console into the HTTP application. Knows what it needs, not how it looks.

NiceGUI is an optional dependency; without it `/` says in plain HTML how to get the console.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from csms.console import visits as gate
from csms.console.desk import Catalogue
from csms.console.markup import tag
from csms.console.person import CookieDoor, Door
from csms.console.snapshots import Snapshots
from csms.console.tiles import Tiles
from csms.console.visits import Door as PageDoor
from csms.console.visits import Visits
from csms.store.status import StatusReader

# All that NiceGUI serves beside pages; for any path it does not know it would build a page that says 404.
ASSETS, SOCKET, ICON = "/_nicegui/", "/_nicegui_ws/", "/favicon.ico"
MAP = "/map"


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What the console is made from. `public` shows the overview to everyone; `tiles`: the map's ground."""

    access: Literal["people", "public"]
    reader: StatusReader
    door: PageDoor
    tiles: Tiles | None = None


def mount(app: FastAPI, parts: ConsoleParts) -> None:
    """Serve the console at `/` of `app`, whose API it reads. Call it last: its mount takes what is left.

    One application of a process has the console: NiceGUI keeps its own in a module. The last mounted wins.
    """
    try:
        from nicegui import core, ui  # noqa: PLC0415 - the optional extra `console`

        from csms.console import shell  # noqa: PLC0415 - imports nicegui
        from csms.console.pages import PAGES  # noqa: PLC0415 - imports nicegui
    except ImportError:
        _mount_notice(app)
        return
    visits, catalogue = Visits(parts.door), Catalogue(app)
    gate.install(app, visits)
    door = CookieDoor(visits, catalogue, is_public=parts.access == "public")
    snapshots = Snapshots(lambda operator: parts.reader.read(operator, datetime.now(UTC)))
    shell.install(app, PAGES, shell.House(door, snapshots, catalogue, parts.tiles))
    # What an earlier application of this process (tests) has left: it would be added twice.
    core.app.middleware_stack = None
    core.app.user_middleware.clear()
    ui.run_with(app, tailwind=False, show_welcome_message=False, binding_refresh_interval=None)
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount)
    inner = mounted.app if parts.tiles is None else _OwnPolicy(mounted.app, MAP, parts.tiles.policy)
    mounted.app = _Threshold(inner, door, [page.path for page in PAGES])


class _OwnPolicy:
    """Gives one page a Content-Security-Policy of its own."""

    def __init__(self, app: ASGIApp, path: str, policy: str) -> None:
        self._app, self._path, self._policy = app, path, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = self._policy
            await send(message)

        is_it = scope["type"] == "http" and scope["path"] == self._path
        await self._app(scope, receive, told if is_it else send)


class _Threshold:
    """Lets through what belongs to the console, and to its pages only who may see them.

    It stands before NiceGUI, which would keep something in memory for every visitor.
    """

    def __init__(self, app: ASGIApp, door: Door, paths: Sequence[str]) -> None:
        self._app = app
        self._door = door
        self._pages = [compile_path(path)[0] for path in paths]

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
        is_page = any(page.match(path) for page in self._pages)
        if not is_page and not path.startswith(SOCKET):
            return PlainTextResponse("Not found\n", 404)
        asked = HTTPConnection(scope)
        if not gate.same_origin(asked.headers.get("origin"), asked.headers.get("host")):
            return PlainTextResponse("Not from elsewhere\n", 403)
        if await self._door.lets_in(asked):
            return None
        if is_page:
            return RedirectResponse(await self._door.way_in(asked), 303)
        return PlainTextResponse("Sign in\n", 401)


def _mount_notice(app: FastAPI) -> None:
    async def notice(request: Request) -> Response:
        text = "The console is an extra that is not installed."
        main = tag(
            "main",
            tag("h1", "CSMS"),
            tag("p", text),
            tag("code", "pip install 'csms[console]'"),
            tag("p", "API: /api/v1/openapi.json · Metrics: /metrics · Health: /healthz, /readyz"),
        )
        return HTMLResponse(gate.document("CSMS", main, "en"))

    app.add_api_route("/", notice, methods=["GET"], include_in_schema=False)
