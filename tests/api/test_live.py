"""Streams over real sockets: what comes, to whom, from where on, and what becomes of who does not read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from csms.api import entry
from csms.api.entry import COOKIE
from csms.config import LiveSettings
from csms.domain.scope import WHOLE, Scope
from csms.live.tail import Tail
from csms.store.change_rows import Kind
from csms.store.registry import SiteForm
from csms.store.users import UserForm
from tests.api.conftest import MINE, NOW, OTHER, Desk
from tests.api.test_entry import PASSWORD, person
from tests.live.kit import Stream, listening, news, served, until, write_of


@asynccontextmanager
async def running(desk: Desk, settings: LiveSettings | None = None) -> AsyncIterator[str]:
    """The desk's application on a real port with its tail; its URL."""
    live: Any = desk.parts.live
    tail: Tail = live.tail
    if settings is not None:
        tail._settings = settings
        object.__setattr__(desk.parts, "settings", desk.parts.settings.model_copy(update={"live": settings}))
    following = asyncio.create_task(tail.run())
    try:
        async with served(desk.app) as url:
            yield url
            tail.close()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def put(desk: Desk, identity: str, *numbers: int, kind: Kind = Kind.CONNECTOR_STATUS) -> None:
    """Rows of the feed about a station."""
    station = await desk.parts.registry.station(identity)
    assert station is not None
    await desk.writer.write(write_of(station, *(news(station, n, NOW, kind) for n in numbers)))


async def is_let_go(desk: Desk, stream: Stream) -> bool:
    """Whether the stream ends while events come."""
    try:
        for number in range(30):
            await put(desk, "CS-0001", number)
            await stream.event()
    except EOFError:
        return True
    return False


async def test_an_event_comes_as_it_happens(desk_on_each: Desk) -> None:
    """With its number as id, its kind as event, and everything in data."""
    desk = desk_on_each
    async with running(desk) as url, listening(url, await desk.key("viewer")) as stream:
        await put(desk, "CS-0001", 1)

        event = await stream.event()

    assert event["event"] == "connector_status"
    assert event["data"] == {
        "id": event["id"], "kind": "connector_status", "at": "2026-01-01T12:00:00.000Z", "operator": MINE,
        "site": "S01", "charging_station": "CS-0001", "session_id": None, "data": {"n": 1},
    }  # fmt: skip


async def test_a_reader_goes_on_where_it_was(desk_on_each: Desk) -> None:
    """By Last-Event-ID or `after`: what was missed first, then what comes, nothing twice."""
    desk = desk_on_each
    async with running(desk) as url:
        key = await desk.key("viewer")
        async with listening(url, key) as stream:
            await put(desk, "CS-0001", 1)
            last = (await stream.event())["id"]
        await put(desk, "CS-0001", 2, 3)
        async with (
            listening(url, key, {"Last-Event-ID": last}) as again,
            listening(url, key, after=int(last)) as other,
            listening(url, key) as fresh,
        ):
            await put(desk, "CS-0001", 4)
            found = [[one["data"]["data"]["n"] for one in await s.events(3)] for s in (again, other)]
            assert found == [[2, 3, 4], [2, 3, 4]]
            assert (await fresh.event())["data"]["data"] == {"n": 4}


async def test_each_sees_its_own_operator_and_what_it_asks_for(desk: Desk) -> None:
    """The key's operator, and kinds, site, station, operator as asked; another's is 404, a bad kind 422."""
    async with running(desk) as url:
        mine, boss = await desk.key("viewer", MINE), await desk.key("viewer")
        async with (
            listening(url, mine) as own,
            listening(url, boss, operator=OTHER) as asked,
            listening(url, boss, kinds="session_ended,alarm_raised", station="CS-0001") as ends,
        ):
            await put(desk, "CS-0009", 1)
            await desk.parts.registry.put_in_quarantine("X", "192.0.2.1", "not registered", NOW)
            await put(desk, "CS-0001", 2)
            await put(desk, "CS-0001", 3, kind=Kind.SESSION_ENDED)

            assert (await own.event())["data"]["data"] == {"n": 2}
            assert (await asked.event())["data"]["data"] == {"n": 1}
            assert (await ends.event())["data"]["data"] == {"n": 3}
        async with await desk.client("viewer", MINE) as client:
            foreign = await client.get("/api/v1/live", params={"operator": OTHER})
            unknown = await client.get("/api/v1/live", params={"kinds": "session_ended,nonsense"})
        assert (foreign.status_code, unknown.status_code) == (404, 422)


async def test_a_quiet_stream_says_that_it_is_there(desk: Desk) -> None:
    """Comments, so that no proxy cuts it."""
    async with (
        running(desk, LiveSettings(heartbeat_s=0.05)) as url,
        listening(url, await desk.key("viewer")) as stream,
    ):
        waiting = asyncio.create_task(stream.event())
        await until(lambda: len(stream.comments) > 2)
        await put(desk, "CS-0001", 1)
        await waiting


async def test_who_may_not_listen_any_more_is_let_go(desk: Desk) -> None:
    """A revoked key and a narrowed person hear nothing more, though events come all the time."""
    await person(desk, scope=WHOLE)
    user = await desk.parts.users.named("li")
    assert user is not None
    async with running(desk, LiveSettings(heartbeat_s=0.2)) as url:
        key = await desk.key("viewer")
        cookie = (await entry.enter(desk.parts, "li", PASSWORD, "", "192.0.2.1")).cookie
        async with (
            listening(url, key) as by_key,
            listening(url, "", {"Authorization": "", "Cookie": f"{COOKIE}={cookie}"}) as by_cookie,
            listening(url, await desk.key("operator")) as other,
        ):
            keys = await desk.parts.registry.api_keys()
            (made,) = (one["key_id"] for one in keys if one["role"] == "viewer")
            await desk.parts.registry.revoke_api_key(made, desk.clock[0])
            await desk.parts.users.change(user.user_id, UserForm("li", "admin", Scope(MINE)))
            for stream in (by_key, by_cookie):
                assert await is_let_go(desk, stream)
            assert await other.event()


async def test_a_slow_reader_is_cut_off(desk: Desk) -> None:
    """It holds no memory and no place; what it did not get is there for it afterwards."""
    async with running(desk, LiveSettings(max_waiting=100)) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((host, int(port)))
            slow.sendall(
                b"GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                + (await desk.key("viewer")).encode()
                + b"\r\n\r\n"
            )
            tail = desk.parts.live.tail
            await until(lambda: tail.readers == 1)
            reader = next(iter(tail._readers))
            for n in range(400):
                if reader.is_over:
                    break
                await put(desk, "CS-0001", *range(n * 90, n * 90 + 90))
                await asyncio.sleep(0.02)
            await until(lambda: reader.is_over)
        await until(lambda: tail.readers == 0)
    async with await desk.client("viewer") as client:
        page = (await client.get("/api/v1/changes", params={"limit": 1000})).json()
    assert len(page["items"]) > 100


async def test_too_many_streams_are_refused(desk: Desk) -> None:
    """429; whoever leaves makes room."""
    async with running(desk, LiveSettings(max_readers=1)) as url:
        key = await desk.key("viewer")
        async with listening(url, key), httpx.AsyncClient() as client:
            answer = await client.get(f"{url}/api/v1/live", headers={"Authorization": f"Bearer {key}"})
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        await until(lambda: desk.parts.live.tail.readers == 0)
        async with listening(url, key):
            pass


async def test_the_same_by_pages(desk_on_each: Desk) -> None:
    """`next` is always there; filters make pages short, never wrong."""
    desk = desk_on_each
    for n in range(5):
        await put(desk, "CS-0001" if n % 2 else "CS-0009", n)
    async with await desk.client("viewer", MINE) as client:
        start = (await client.get("/api/v1/changes", params={"kinds": "connector_status"})).json()
        first = (await client.get("/api/v1/changes", params={"limit": 1, "kinds": "connector_status"})).json()
        rest = (
            await client.get("/api/v1/changes", params={"after": first["next"], "kinds": "connector_status"})
        ).json()
        bad = await client.get("/api/v1/changes", params={"after": "x"})

    assert [item["data"] for item in start["items"]] == [{"n": 1}, {"n": 3}]
    assert [item["data"] for item in first["items"]] == [{"n": 1}]
    assert [item["data"] for item in rest["items"]] == [{"n": 3}]
    assert rest["next"] == start["next"]
    await desk.parts.registry.put_site(SiteForm("S02", MINE, "Second", None, None), NOW)
    async with await desk.client("viewer", MINE, "S02") as client:
        elsewhere = (await client.get("/api/v1/changes")).json()
    async with await desk.client("viewer", MINE, "S01") as client:
        there = (await client.get("/api/v1/changes", params={"kinds": "connector_status"})).json()
    assert (elsewhere["items"], len(there["items"])) == ([], 2)
    assert bad.status_code == 422


async def test_what_is_gone_is_told(desk_on_each: Desk) -> None:
    """By pages and streams: whoever was away for too long knows that something is missing."""
    desk = desk_on_each
    await put(desk, "CS-0001", 1, 2, 3)
    feed = desk.parts.live.tail.feed
    await feed.prune(NOW + timedelta(days=99))
    oldest = await feed.oldest()
    async with await desk.client("viewer") as client:
        pages = [
            (await client.get("/api/v1/changes", params={"after": after})).json()
            for after in (oldest - 2, oldest - 1)
        ]
    async with running(desk) as url, listening(url, await desk.key("viewer"), after=1) as stream:
        gap = await stream.event()

    assert [(page["is_gap"], page["oldest"]) for page in pages] == [(True, str(oldest)), (False, str(oldest))]
    assert (gap["event"], gap["data"]) == ("gap", {"oldest": str(oldest)})
