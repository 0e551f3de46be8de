"""The console on a real server over the real API, and a real browser driven through its own protocol."""

import asyncio
import base64
import html
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import websockets
from starlette.requests import Request

from csms.api.page_door import PageDoor
from csms.console.desk import Catalogue
from csms.console.desk import Desk as Counter
from csms.console.person import Person
from csms.console.snapshots import Snapshots
from csms.console.status import ConsoleParts, mount
from csms.console.tiles import Tiles
from csms.console.visit import Visit
from csms.domain.assets import IdToken
from csms.store.registry import SiteForm, StationForm
from csms.store.status import StatusReader
from tests.api.conftest import MINE, NOW, Desk, opened
from tests.api.test_entry import PASSWORD, person
from tests.serverkit import polls

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NARROW, TALLEST = 820, 3000
HOSTILE = "<img src=x onerror=document.title='pwned'>{{7*7}}"

DOCUMENT: dict[str, Any] = {}

needs_browser = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium here")


@dataclass
class Seat:
    """A console at an address, and a client that has signed in."""

    client: httpx.AsyncClient
    base: str


@dataclass
class Kit(Seat):
    """A console that runs, with what is behind it."""

    desk: Desk

    async def page(self, path: str, language: str = "en") -> str:
        """What a page is laid out with, as text: a page that failed fails the test."""
        answer = await self.client.get(path, headers={"Cookie": f"{self.cookie}; csms_language={language}"})
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("location"))
        return html.unescape(answer.text).replace('\\"', '"')

    @property
    def cookie(self) -> str:
        """The session's cookie as a header has it."""
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())


async def fill(desk: Desk) -> int:
    """A hostile site and token, a session that ended and one that runs. The number of the ended one."""
    await desk.parts.registry.put_site(SiteForm("S02", MINE, HOSTILE))
    await desk.parts.registry.put_station(StationForm("CS-0002", "S02"), NOW)
    await desk.parts.registry.put_token(IdToken(HOSTILE), NOW)
    ended = await desk.add_session(0)
    await desk.add_session(
        1, station="CS-0001", token=HOSTILE, token_folded=HOSTILE.casefold(), stop_reason=HOSTILE
    )
    return ended


@asynccontextmanager
async def running(url: str, access: Any = "people", tiles: Tiles | None = None) -> AsyncIterator[Kit]:
    """The console on a free port over the database at `url`; Li, an administrator, has signed in."""
    async with opened(url) as desk:
        await person(desk)
        # The same for every application; making it takes longest.
        desk.app.openapi_schema = DOCUMENT or None
        mount(
            desk.app,
            ConsoleParts(
                access, StatusReader(desk.database, (("beijing", MINE),)), PageDoor(desk.parts), tiles
            ),
        )
        config = uvicorn.Config(desk.app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, timeout=20) as client:
            await client.post("/sign-in", data={"name": "li", "password": PASSWORD})
            DOCUMENT.update(desk.app.openapi())
            yield Kit(client, base, desk)
        server.should_exit = True
        await task


async def visit_of(desk: Desk, *, language: str = "en", role: str = "admin", query: str = "") -> Visit:
    """A window of somebody with this role, without NiceGUI behind it."""
    headers = {"Authorization": f"Bearer {await desk.key(role)}"}
    scope = {
        "type": "http", "method": "GET", "path": "/here", "query_string": query.encode(), "path_params": {},
        "headers": [(b"cookie", f"csms_language={language}".encode())],
    }  # fmt: skip
    reader = StatusReader(desk.database, ())
    snapshots = Snapshots(lambda operator: reader.read(operator, desk.clock[0]))
    who = Person("li", role, None, None, "", headers)
    visit = Visit(Request(scope), Counter(Catalogue(desk.app), headers), who, snapshots)
    await visit.begin()
    return visit


class Browser:
    """A Chromium without a window. `complaints`: errors of scripts and of what was loaded."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []

    async def do(self, method: str, **params: Any) -> Mapping[str, Any]:
        """One request of the DevTools protocol."""
        self._number += 1
        await self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            told = json.loads(await self._socket.recv())
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]
            if told.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(told["params"])[:500])

    async def js(self, expression: str) -> Any:
        """The value of a script."""
        done = await self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def until(self, expression: str, within_s: float = 20.0) -> None:
        """Wait until a script's value is true; fail when it is not in time."""
        async for _ in polls(within_s):
            # While a page is left there is no document; then it is not true yet.
            if await self.js(f"(() => {{ try {{ return {expression} }} catch {{ return false }} }})()"):
                return
        pytest.fail(f"never: {expression}\n{await self.js('document.body.innerText')}")

    async def take_seat(self, kit: Seat, **more: str) -> None:
        """Be who has signed in there, with these cookies beside."""
        for name, value in {**dict(kit.client.cookies), **more}.items():
            await self.do("Network.setCookie", name=name, value=value, url=kit.base)

    async def open(self, kit: Seat, path: str, language: str = "en", theme: str = "light") -> None:
        """Go to a page as the person who has signed in, and wait until it lives."""
        await self.take_seat(kit, csms_language=language, csms_theme=theme)
        await self.do("Page.navigate", url=kit.base + path)
        await self.until("window.consoleReady && !!document.querySelector('main h1')")

    async def screen(self, width: int, height: int) -> None:
        """The size of the window, in CSS pixels; narrow ones are phones."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < NARROW}
        await self.do("Emulation.setDeviceMetricsOverride", **size)

    async def picture(self, file: Path, width: int = 1440, height: int = 900) -> None:
        """Save the whole page as PNG, as tall as it is, but not endless."""
        await self.screen(width, height)
        tall = (await self.do("Page.getLayoutMetrics"))["cssContentSize"]["height"]
        await self.screen(width, max(height, min(round(tall), TALLEST)))
        shot = await self.do("Page.captureScreenshot", format="png")
        _keep(file, base64.b64decode(shot["data"]))
        await self.screen(width, height)

    async def click(self, selector: str) -> None:
        """Wait for an element and click it."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"!!{found}")
        await self.js(f"{found}.click()")

    async def fill(self, **fields: str) -> None:
        """Set fields of a form by their names."""
        for name, value in fields.items():
            field = f"document.querySelector({json.dumps(f'[name={name}]')})"
            await self.js(f"{field}.value = {json.dumps(value)}")

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.do("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press and release a key."""
        more = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        await self.do("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        await self.do("Input.dispatchKeyEvent", type="keyUp", key=key)


def _keep(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Browser]:
    """A browser with a profile of its own in `folder`."""
    assert CHROMIUM is not None
    flags = "headless no-sandbox disable-gpu remote-debugging-port=0 no-first-run disable-sync"
    more = "disable-background-networking disable-component-update"
    options = [f"--{flag}" for flag in f"{flags} {more}".split()] + [f"--user-data-dir={folder}"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *options, "about:blank", stdout=quiet, stderr=quiet
    )
    try:
        port_file = folder / "DevToolsActivePort"
        while not (port_file.exists() and port_file.read_text().strip()):  # noqa: ASYNC110 - a file of another program
            await asyncio.sleep(0.02)
        async with httpx.AsyncClient() as client:
            targets = (await client.get(f"http://127.0.0.1:{port_file.read_text().split()[0]}/json")).json()
        address = next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page")
        async with websockets.connect(address, max_size=None) as socket:
            browser = Browser(socket)
            for domain in ("Page", "Runtime", "Log", "Network"):
                await browser.do(f"{domain}.enable")
            yield browser
    finally:
        process.terminate()
        await process.wait()
