"""The page on a real server: from its own assets, for whom it is meant, and in a real browser."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from csms.console.status import ConsoleParts, mount
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.status import StatusReader

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=document.title='pwned'>"


class Holder:
    """Who the good key belongs to."""

    operator = None


async def sign_in(key: str) -> Holder | None:
    """One key is good."""
    return Holder() if key == "good" else None


@asynccontextmanager
async def served(url: str, access: Literal["key", "public"]) -> AsyncIterator[httpx.AsyncClient]:
    """The page on a free port of this machine, over the database at `url`."""
    database = await Database.open(url)
    registry, now = Registry(database), datetime.now(UTC)
    await registry.put_operator(OperatorForm("123456789", "Operator", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S01", "123456789", HOSTILE))
    await registry.put_station(StationForm("CS-0001", "S01"), now)
    app = FastAPI()
    mount(app, ConsoleParts(access, StatusReader(database, ()), sign_in, lambda: datetime.now(UTC)))
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    server.should_exit = True
    await task
    await database.close()


async def test_everything_it_needs_comes_from_here(sqlite_url: str) -> None:
    """No address of another host in the page or its style: it works without the Internet."""
    async with served(sqlite_url, "public") as client:
        page = await client.get("/")
        sources = [part.split('"')[0] for part in page.text.replace("'", '"').split('src="')[1:]]
        links = [part.split('"')[0] for part in page.text.split('href="')[1:]]
        answers = [await client.get(link) for link in [*sources, *links] if link.startswith("/")]

    assert page.status_code == 200
    assert "://" not in "".join(sources + links)
    assert answers
    assert {answer.status_code for answer in answers} == {200}


async def test_what_stations_say_is_text(sqlite_url: str) -> None:
    """The name of a site arrives escaped, whatever is in it."""
    async with served(sqlite_url, "public") as client:
        page = (await client.get("/")).text

    assert "<img src=x" not in page
    assert "CS-0001" in page


async def test_a_page_for_key_holders(sqlite_url: str) -> None:
    """Without a sign-in neither the page nor its socket; with one both."""
    socket = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    async with served(sqlite_url, "key") as client:
        shut = await client.get("/")
        socket_shut = await client.get(socket)
        await client.post("/sign-in", data={"key": "good"})
        opened = await client.get("/")
        socket_opened = await client.get(socket)
        from_elsewhere = await client.get(socket, headers={"Origin": "http://evil.test"})

    assert (shut.status_code, shut.headers["location"]) == (303, "/sign-in")
    assert (opened.status_code, "CS-0001" in opened.text) == (200, True)
    assert (socket_shut.status_code, socket_opened.status_code, from_elsewhere.status_code) == (401, 200, 403)


async def test_other_paths_are_not_found(sqlite_url: str) -> None:
    """A short answer, not a page that costs memory."""
    async with served(sqlite_url, "public") as client:
        answer = await client.get("/wp-admin")

    assert (answer.status_code, answer.text) == (404, "Not found\n")


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """`/` says how to get the page."""
    monkeypatch.setitem(sys.modules, "nicegui", None)
    app = FastAPI()
    parts: Any = ConsoleParts("public", None, sign_in, lambda: datetime.now(UTC))  # type: ignore[arg-type]  # not used

    mount(app, parts)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://csms.test") as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert "csms[console]" in answer.text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine")
async def test_in_a_real_browser(sqlite_url: str, tmp_path: Path) -> None:
    """It comes to life over its socket, shows the station, and runs nothing that a station wrote."""
    async with served(sqlite_url, "public") as client:
        dom = await browse(str(client.base_url), tmp_path)

    assert "Charging network" in dom
    assert "CS-0001" in dom
    assert "&lt;img src=x" in dom
    assert "pwned" not in dom.split("</title>")[0]
    assert 'class="cell never-seen"' in dom


async def browse(url: str, profile: Path) -> str:
    """The document as Chromium has it after some seconds of its own time."""
    assert CHROMIUM is not None
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile / 'chromium'}",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *options, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return out.decode()
