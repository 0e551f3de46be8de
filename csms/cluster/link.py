"""A process and the worker processes it has started, over a socket pair each. No stations, no commands.

The process has the bus; a worker has a `LinkBus`, and what it serves and listens to is served and listened to
on that bus on its behalf (`WorkerEnd`). The kernel closes the pair with either process, so each knows at once
that the other one has ended: then nothing of a worker is served any more, and a worker has nothing to do.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable
from enum import IntEnum
from functools import partial

import msgspec
import structlog

from csms.cluster.bus import (
    Bus,
    BusAway,
    BusError,
    BusLost,
    Handler,
    HandlerFailed,
    Listener,
    MessageTooLarge,
    NoResponders,
    Subscription,
    attend,
)

log = structlog.get_logger()

MOST_BYTES = 1 << 20  # of one message, as NATS has it
MOST_UNSENT = 16 << 20  # bytes for an end that does not read; then published messages are dropped
SETTLE_S = 2.0
_HEAD = struct.Struct("!I")
_REFUSALS: dict[str, type[BusError]] = {
    kind.__name__: kind for kind in (NoResponders, BusAway, BusLost, MessageTooLarge, HandlerFailed)
}


class Kind(IntEnum):
    """What a frame is for. `number` is the subscription's or the request's."""

    SERVE = 1
    LISTEN = 2
    CANCEL = 3
    REQUEST = 4
    ANSWER = 5
    REFUSAL = 6
    PUBLISH = 7
    TOLD = 8


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message between the two ends. `served`: the subscription a request is for."""

    kind: int
    number: int = 0
    subject: str = ""
    payload: bytes = b""
    rank: int = 0
    served: int = 0
    within_s: float = 0.0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


class Link:
    """One end of a pair: frames, and the requests that wait for an answer from the other end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = 0
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_lost = False

    @classmethod
    async def over(cls, end: socket.socket) -> "Link":
        """Take over the socket; `close` closes it."""
        end.setblocking(False)
        return cls(*await asyncio.open_connection(sock=end))

    def next_number(self) -> int:
        """One that this end has not used yet."""
        self._numbers += 1
        return self._numbers

    @property
    def is_full(self) -> bool:
        """Whether the other end leaves too much unread."""
        return self._writer.transport.get_write_buffer_size() > MOST_UNSENT

    def send(self, frame: Frame) -> None:
        """Send, now or as soon as the other end reads. Nothing happens when it is gone."""
        if self.is_lost:
            return
        data = _encode(frame)
        self._writer.write(_HEAD.pack(len(data)) + data)

    async def ask(self, frame: Frame) -> bytes:
        """The answer to a request. Raises BusAway, BusLost, and what the other end refuses with."""
        if len(frame.payload) > MOST_BYTES:
            raise MessageTooLarge(len(frame.payload))
        if self.is_lost or self.is_full:
            raise BusAway
        asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[frame.number] = asked
        self.send(frame)
        try:
            return await asked
        finally:
            del self._asked[frame.number]

    def answer(self, number: int, work: Awaitable[bytes]) -> None:
        """Answer the other end's request with what comes of `work`."""
        task = asyncio.ensure_future(self._answer(number, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, work: Awaitable[bytes]) -> None:
        try:
            answer = await work
        except (BusError, TimeoutError) as exc:
            said = str(exc.args[0]) if exc.args else ""
            self.send(Frame(Kind.REFUSAL, number, type(exc).__name__, said.encode()))
        else:
            self.send(Frame(Kind.ANSWER, number, payload=answer))

    def settle(self, frame: Frame) -> None:
        """The other end has answered, or refused."""
        asked = self._asked.get(frame.number)
        if asked is None or asked.done():
            return  # its asker has given up
        if frame.kind == Kind.ANSWER:
            asked.set_result(frame.payload)
        elif frame.subject in _REFUSALS:
            asked.set_exception(_REFUSALS[frame.subject](frame.payload.decode()))
        else:
            asked.set_exception(TimeoutError())

    async def frames(self) -> AsyncIterator[Frame]:
        """What the other end sends, until it is gone."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                (size,) = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
                yield _decode(await self._reader.readexactly(size))

    async def close(self) -> None:
        """Whoever still waits hears BusLost."""
        self.is_lost = True
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(BusLost())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class WorkerEnd:
    """A worker's place on the bus of the process that started it."""

    def __init__(self, bus: Bus, link: Link) -> None:
        self._bus = bus
        self._link = link
        self._subscriptions: dict[int, Subscription] = {}

    async def run(self) -> None:
        """Do what the worker wants of the bus until it is gone; then nothing of it is left there."""
        try:
            async for frame in self._link.frames():
                await self._take(frame)
        finally:
            for subscription in self._subscriptions.values():
                await subscription.cancel()
            await self._link.close()

    async def _take(self, frame: Frame) -> None:
        if frame.kind == Kind.SERVE:
            asked = partial(self._ask, frame.number)
            self._subscriptions[frame.number] = await self._bus.serve(frame.subject, asked, frame.rank)
        elif frame.kind == Kind.LISTEN:
            told = partial(self._tell, frame.number)
            self._subscriptions[frame.number] = await self._bus.listen(frame.subject, told)
        elif frame.kind == Kind.CANCEL:
            await self._subscriptions.pop(frame.number).cancel()
        elif frame.kind == Kind.REQUEST:
            self._link.answer(frame.number, self._bus.request(frame.subject, frame.payload, frame.within_s))
        elif frame.kind == Kind.PUBLISH:
            try:
                await self._bus.publish(frame.subject, frame.payload)
            except BusError as exc:
                log.warning("message_not_published", error=str(exc))
        else:
            self._link.settle(frame)

    async def _ask(self, served: int, payload: bytes) -> bytes:
        number = self._link.next_number()
        return await self._link.ask(Frame(Kind.REQUEST, number, payload=payload, served=served))

    def _tell(self, listening: int, payload: bytes) -> None:
        if not self._link.is_full:
            self._link.send(Frame(Kind.TOLD, listening, payload=payload))


class LinkBus:
    """The bus of a worker process. `run` it; it ends with the process that started the worker."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._handlers: dict[int, Handler] = {}
        self._listeners: dict[int, Listener] = {}

    async def run(self) -> None:
        """Do what comes over the link; returns when the other process is gone."""
        async for frame in self._link.frames():
            if frame.kind == Kind.REQUEST:
                handler = self._handlers.get(frame.served, _given_up)
                self._link.answer(frame.number, attend(handler, frame.payload))
            elif frame.kind == Kind.TOLD:
                listener = self._listeners.get(frame.number)
                if listener is not None:
                    listener(frame.payload)
            else:
                self._link.settle(frame)

    async def serve(self, subject: str, handler: Handler, rank: int = 0) -> Subscription:
        """See Bus."""
        number = self._link.next_number()
        self._handlers[number] = handler
        self._link.send(Frame(Kind.SERVE, number, subject, rank=rank))
        return _Wish(self._link, self._handlers, number)

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        """See Bus. Always by way of the other process: it alone knows who is the newest."""
        number = self._link.next_number()
        async with asyncio.timeout(within_s):
            return await self._link.ask(Frame(Kind.REQUEST, number, subject, payload, within_s=within_s))

    async def publish(self, subject: str, payload: bytes) -> None:
        """See Bus. Raises MessageTooLarge."""
        if len(payload) > MOST_BYTES:
            raise MessageTooLarge(len(payload))
        if not self._link.is_full:
            self._link.send(Frame(Kind.PUBLISH, 0, subject, payload))

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """See Bus."""
        number = self._link.next_number()
        self._listeners[number] = listener
        self._link.send(Frame(Kind.LISTEN, number, subject))
        return _Wish(self._link, self._listeners, number)

    async def settled(self) -> None:
        """Return once the other process knows what is served and listened to here. Raises BusAway."""
        # What was sent before it is done before it is answered; nobody serves it.
        with contextlib.suppress(NoResponders):
            await self.request("", b"", SETTLE_S)

    async def close(self) -> None:
        """See Bus."""
        for table in (self._handlers, self._listeners):
            for number in table:
                self._link.send(Frame(Kind.CANCEL, number))
            table.clear()
        with contextlib.suppress(BusError, TimeoutError):
            await self.settled()
        await self._link.close()


class _Wish:
    """What a worker wants of the bus, until it is cancelled."""

    __slots__ = ("_link", "_number", "_table")

    def __init__(self, link: Link, table: dict[int, Handler] | dict[int, Listener], number: int) -> None:
        self._link, self._table, self._number = link, table, number

    async def cancel(self) -> None:
        if self._table.pop(self._number, None) is not None:
            self._link.send(Frame(Kind.CANCEL, self._number))


async def _given_up(_: bytes) -> bytes:
    """While the request was on its way."""
    raise NoResponders("it has just been given up")
