"""/live and /changes: what happens, as it happens or by pages. Knows HTTP; the feed is followed elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from csms.api.auth import READERS, AskedOperator, Own, Who, operation, still_holds
from csms.api.forms import LAST_INT64, Code, Identity, View, with_examples
from csms.api.paging import Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.errors import StoreUnavailable
from csms.live.events import Wanted, frame_of
from csms.live.tail import Reader, TooManyReaders
from csms.store.change_rows import Kind
from csms.store.changes import MOST, Event
from csms.store.jsontext import value_of
from csms.store.times import text_of

router = APIRouter(tags=["Live"])
log = structlog.get_logger()

SEND_WITHIN_S = 20.0
TOGETHER_S = 0.05  # what comes within that time is sent at once
LOOKS = 20  # reads of one page: who wants little of much gets a short page and a cursor

AfterNumber = Annotated[
    int | None,
    Query(ge=0, le=LAST_INT64, description="Go on behind the event of this `id`.", examples=[4711]),
]


class Change(View):
    """One event. `data` depends on its kind; docs/live.md lists them."""

    id: str | None = Field(description="Its number, to go on from; null for what is not kept.")
    kind: Kind
    at: str | None = Field(description="When it happened or was heard of.")
    operator: str | None
    site: str | None
    charging_station: str | None
    session_id: str | None
    data: dict[str, Any]

    model_config = with_examples(
        {
            "id": "4711",
            "kind": "session_ended",
            "at": "2026-01-01T10:45:00.512Z",
            "operator": "123456789",
            "site": "S01",
            "charging_station": "CS-0001",
            "session_id": "1767261600000001",
            "data": {"evse": 1, "connector": 1, "state": "ended", "energy_wh": 22500, "quality": []},
        }
    )


class Changes(View):
    """Events in the order of their numbers."""

    items: list[Change]
    next: str = Field(description="Give this as `after` to read on, now or later.", examples=["4711"])
    oldest: str = Field(description="The first event that is kept; 0: there is none.", examples=["17"])
    is_gap: bool = Field(description="Whether events behind `after` are gone.", examples=[False])


def wanted(
    own: Own,
    operator: AskedOperator,
    kinds: Annotated[
        str | None,
        Query(
            max_length=1_000,
            description="Only these kinds, with commas between.",
            examples=["session_started,session_ended"],
        ),
    ] = None,
    site: Annotated[Code | None, Query(description="Only at this site (code).")] = None,
    station: Annotated[Identity | None, Query(description="Only of this charging station.")] = None,
) -> Wanted:
    """Which events are asked for. Raises Problem 422 for a kind that does not exist."""
    return Wanted(
        operator, None if kinds is None else kinds_of("query.kinds", kinds.split(",")), site, station, own
    )


def kinds_of(field: str, names: list[str]) -> frozenset[str]:
    """Names of kinds. Raises Problem 422."""
    for name in names:
        if name not in list(Kind):
            raise invalid(field, f"there is no kind {name[:40]!r}", f"Use some of: {', '.join(Kind)}.")
    return frozenset(names)


Asked = Annotated[Wanted, Depends(wanted)]


@router.get(
    "/changes",
    summary="What has happened",
    response_model=Changes,
    **operation(READERS, 404, by_site=True),
)
async def list_changes(parts: Parts, asked: Asked, limit: Limit, after: AfterNumber = 0) -> Any:
    """Events behind `after`, oldest first; kept for `live.retention_days`. `next` is always there: ask with
    it again later. A page may be short, or empty, with more behind it.
    """
    feed = parts.live.tail.feed
    certain = await feed.settled()
    found: list[Event] = []
    at = min(after or 0, certain)
    oldest = await feed.oldest()
    kept = {"oldest": str(oldest), "is_gap": at + 1 < oldest}
    for _ in range(LOOKS):
        events = await feed.read(at, certain)
        for event in events:
            if asked.takes(event):
                found.append(event)
                if len(found) == limit:
                    return _page(found, event.number) | kept
        at = events[-1].number if len(events) == MOST else certain
        if at == certain:
            break
    return _page(found, at) | kept


def _page(events: list[Event], at: int) -> dict[str, Any]:
    return {"items": [_shown(event) for event in events], "next": str(at)}


def _shown(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.number),
        "kind": event.kind,
        "at": text_of(event.at),
        "operator": event.operator,
        "site": event.site,
        "charging_station": event.station,
        "session_id": None if event.session_id is None else str(event.session_id),
        "data": value_of(event.body),
    }


STREAM = {
    200: {
        "description": "Server-sent events without an end; a comment every 15 s while nothing happens.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 4711\nevent: session_ended\ndata: {"id":"4711","kind":"session_ended"}\n\n',
            }
        },
    }
}


def _operation() -> dict[str, Any]:
    made = operation(READERS, 404, 429, by_site=True)
    made["responses"] |= STREAM
    return made


@router.get("/live", summary="What happens, as it happens", response_class=Response, **_operation())
async def live(
    request: Request,
    parts: Parts,
    who: Who,
    asked: Asked,
    after: AfterNumber = None,
    last_event_id: Annotated[
        str | None,
        Header(description="As browsers send it when they come back; wins over `after`.", examples=["4711"]),
    ] = None,
) -> Response:
    """Without `after` it begins now. With it, what has happened since comes first. A reader that is too slow
    is cut off and goes on from the last `id` it got. `session_progress` has no `id` and is told only while
    somebody listens.
    """
    if last_event_id is not None and last_event_id.isdecimal() and len(last_event_id) < 19:
        after = int(last_event_id)
    try:
        reader = await parts.live.tail.open(asked, who.actor)
    except TooManyReaders as exc:
        raise Problem(429, str(exc), headers={"Retry-After": "30"}) from exc
    return Stream(parts, reader, after, partial(still_holds, request, parts, who))


class Stream(Response):
    """Sends what the reader gets until either side ends it, or whoever asked may not listen any more."""

    media_type = "text/event-stream"

    def __init__(
        self, parts: ApiParts, reader: Reader, after: int | None, may_listen: Callable[[], Awaitable[bool]]
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._tail = parts.live.tail
        self._heartbeat_s = parts.settings.live.heartbeat_s
        self._reader = reader
        self._after = after
        self._may_listen = may_listen
        self._began_at = reader.began_at or 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.ensure_future(self._send(send))
            leaving = asyncio.ensure_future(_gone(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                leaving.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)
        finally:
            self._tail.leave(self._reader)

    async def _send(self, send: Send) -> None:
        try:
            async for part in self._parts():
                # Whoever takes nothing for so long holds a place that others may need.
                async with asyncio.timeout(SEND_WITHIN_S):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.warning("live_reader_dropped", waiting="its socket")

    async def _parts(self) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        if self._after is not None:
            async for part in self._missed(self._after):
                yield part
        reader, clock = self._reader, asyncio.get_running_loop().time
        asked_again_at = clock() + self._heartbeat_s
        while True:
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await reader.wake.wait()
            except TimeoutError:
                yield b": still here\n\n"
            else:
                await asyncio.sleep(TOGETHER_S)
            if clock() >= asked_again_at:
                if not await self._is_welcome():
                    return
                asked_again_at = clock() + self._heartbeat_s
            made = reader.take()
            if made:
                yield made
            if reader.is_over:
                return

    async def _is_welcome(self) -> bool:
        try:
            return await self._may_listen()
        except StoreUnavailable:
            return True  # nobody knows better; nothing happens either while the database is away

    async def _missed(self, after: int) -> AsyncIterator[bytes]:
        """What happened between `after` and when this reader began to listen."""
        at, oldest = after, await self._tail.feed.oldest()
        if at + 1 < oldest:
            yield b'event: gap\ndata: {"oldest":"%d"}\n\n' % oldest
        while at < self._began_at and not self._reader.is_over:
            events = await self._tail.feed.read(at, self._began_at)
            yield (
                b"".join(frame_of(event) for event in events if self._reader.wanted.takes(event)) or b":\n\n"
            )
            at = events[-1].number if len(events) == MOST else self._began_at


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
