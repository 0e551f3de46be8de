"""The console in the application: from its own assets, for whom it is meant, and without its extra."""

import sys
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from csms.console.status import ConsoleParts, mount
from tests.console.kit import fill, running
from tests.console.test_visits import OneDoor

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"


def addresses(page: str) -> list[str]:
    """What a page loads and links."""
    sources = [part.split('"')[0] for part in page.replace("'", '"').split('src="')[1:]]
    return sources + [part.split('"')[0] for part in page.split('<link href="')[1:]]


async def test_everything_it_needs_comes_from_here(sqlite_url: str) -> None:
    """No address of another host in the page or its style: it works without the Internet."""
    async with running(sqlite_url, "public") as kit:
        found = addresses((await kit.client.get("/")).text)
        answers = [await kit.client.get(address) for address in found if address.startswith("/")]

    assert "://" not in "".join(found)
    assert answers
    assert {answer.status_code for answer in answers} == {200}


async def test_what_stations_say_is_text(sqlite_url: str) -> None:
    """The name of a site arrives escaped, whatever is in it; the overview may be for everyone."""
    async with running(sqlite_url, "public") as kit:
        await fill(kit.desk)
        kit.client.cookies.clear()
        overview = await kit.client.get("/")
        others = await kit.client.get("/stations")

    assert overview.status_code == 200
    assert "<img src=x" not in overview.text
    assert "CS-0002" in overview.text
    assert (others.status_code, others.headers["location"]) == (303, "/sign-in")


async def test_a_page_for_people(sqlite_url: str) -> None:
    """Without a sign-in neither the page nor its socket; with one both."""
    async with running(sqlite_url) as kit:
        opened = await kit.client.get("/")
        socket_opened = await kit.client.get(SOCKET)
        from_elsewhere = await kit.client.get(SOCKET, headers={"Origin": "http://evil.test"})
        kit.client.cookies.clear()
        shut = await kit.client.get("/")
        socket_shut = await kit.client.get(SOCKET)

    assert (shut.status_code, shut.headers["location"]) == (303, "/sign-in")
    assert (opened.status_code, "CS-0001" in opened.text) == (200, True)
    assert (socket_shut.status_code, socket_opened.status_code, from_elsewhere.status_code) == (401, 200, 403)


async def test_other_paths_are_not_found(sqlite_url: str) -> None:
    """A short answer, not a page that costs memory."""
    async with running(sqlite_url, "public") as kit:
        answer = await kit.client.get("/wp-admin")

    assert (answer.status_code, answer.text) == (404, "Not found\n")


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """`/` says how to get the console."""
    monkeypatch.setitem(sys.modules, "nicegui", None)
    monkeypatch.delitem(sys.modules, "csms.console.shell", raising=False)
    app = FastAPI()
    parts: Any = ConsoleParts("public", None, OneDoor())  # type: ignore[arg-type]  # not used

    mount(app, parts)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://csms.test") as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert "csms[console]" in answer.text
