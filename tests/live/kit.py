"""What tests of the live parts share: an application with its followers on a real port, a receiver, rows."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import uvicorn

from csms.domain.assets import ChargingStation
from csms.live.tail import Tail
from csms.store.change_rows import ChangeRow, Kind, of_station
from csms.store.changes import ChangeFeed
from csms.store.database import Database
from csms.store.times import micros
from csms.store.writer import Write
from tests.serverkit import free_port

MOMENT_S = 10.0


async def until(holds: Callable[[], Any], within_s: float = MOMENT_S) -> Any:
    """Wait for something to become true; what it is then."""
    async with asyncio.timeout(within_s):
        while not (found := holds()):  # noqa: ASYNC110 - it is the other side that makes it true
            await asyncio.sleep(0.01)
    return found


def news(station: ChargingStation, n: int, at: datetime, kind: Kind = Kind.CONNECTOR_STATUS) -> ChangeRow:
    """A row of the feed, another for each number."""
    return of_station(kind, station, micros(at), {"n": n})


def write_of(station: ChargingStation, *rows: Any) -> Write:
    """What a message of the station puts down."""
    return Write(station.station_id, 0, list(rows))


@dataclass
class Source:
    """A writer that tells nothing by itself."""

    announce: Callable[[], None] | None = None
    show: Callable[[Any], None] | None = None


@asynccontextmanager
async def followed(database: Database, source: Any, settings: Any) -> AsyncIterator[Tail]:
    """A tail that runs."""
    tail = Tail(ChangeFeed(database), source, settings)
    task = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        tail.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """An ASGI application on a real port; its URL."""
    port = free_port()
    config = uvicorn.Config(
        app, "127.0.0.1", port, interface="asgi3", log_config=None, access_log=False, lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


class Stream:
    """A reader of server-sent events over a real socket."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.comments: list[str] = []

    async def event(self) -> dict[str, Any]:
        """The next event: id, event, data."""
        found: dict[str, Any] = {}
        async with asyncio.timeout(MOMENT_S):
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments.append(line)
                elif line:
                    name, _, value = line.partition(": ")
                    found[name] = json.loads(value) if name == "data" else value
                elif "data" in found:
                    return found
                else:
                    found = {}
        raise EOFError

    async def events(self, count: int) -> list[dict[str, Any]]:
        """So many."""
        return [await self.event() for _ in range(count)]


@asynccontextmanager
async def listening(
    url: str, key: str, headers: dict[str, str] | None = None, **query: Any
) -> AsyncIterator[Stream]:
    """An open stream."""
    sent = {"Authorization": f"Bearer {key}", **(headers or {})}
    async with (
        httpx.AsyncClient(timeout=MOMENT_S) as client,
        client.stream("GET", f"{url}/api/v1/live", params=query, headers=sent) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield Stream(answer.aiter_lines().__aiter__())


@dataclass
class Receiver:
    """A real HTTP server that takes webhooks. `answers`: statuses to give, then 204 for ever."""

    answers: list[int] = field(default_factory=list)
    delay_s: float = 0.0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that came, in the order in which it came."""
        return [event for _, body in self.got for event in json.loads(body)["events"]]

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.got.append((headers, body))
        await asyncio.sleep(self.delay_s)
        status = self.answers.pop(0) if self.answers else 204
        where = [(b"location", b"http://127.0.0.1:1/elsewhere")] if 300 <= status < 400 else []
        await send({"type": "http.response.start", "status": status, "headers": where})
        await send({"type": "http.response.body", "body": b"x" * 100_000 if status == 500 else b""})


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    """A receiver on a real port."""
    receiver = Receiver(**how)
    async with served(receiver.app) as url:
        receiver.url = f"{url}/hook?key=of-the-receiver"
        yield receiver
