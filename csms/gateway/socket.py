"""One charging station's WebSocket: bytes to messages and back, limits, closing. Knows no OCPP.

The library's sans-IO protocol does the handshake and everything unusual; `fastpath` takes whole text
frames past it. Callbacks only: an idle connection has no task, no queue and no timer of its own.
"""

import asyncio
from collections.abc import Callable
from enum import IntFlag
from typing import Protocol, cast

from websockets.frames import DATA_OPCODES, CloseCode, Frame
from websockets.http11 import Request, Response
from websockets.protocol import CONNECTING, OPEN

from csms.gateway.assembly import Assembly, Unusable
from csms.gateway.fastpath import is_between_frames, text_frame, whole_texts
from csms.gateway.library import SocketLimits, StationProtocol


class Pause(IntFlag):
    """Why a socket is not read: its owner has enough to do, or the peer does not read."""

    OWNER = 1
    WRITE = 2


class Listener(Protocol):
    """Who hears what happens to sockets. None of these may block or raise."""

    def opened(self, socket: "StationSocket") -> bool:
        """A TCP connection was made; False refuses it at once."""

    def requested(self, socket: "StationSocket", request: Request) -> None:
        """A handshake request is complete: answer it with `respond`."""

    def send_timed_out(self, socket: "StationSocket") -> None:
        """The peer did not read in time; the connection is being cut."""

    def closed(self, socket: "StationSocket") -> None:
        """The TCP connection is gone. Comes once, and last; also for a refused one."""


def _drop(text: bytes) -> None:
    """Nobody is there yet, or any more."""


class StationSocket(asyncio.Protocol):
    """The callbacks of one TCP connection."""

    __slots__ = (
        "__weakref__",
        "_assembly",
        "_closing",
        "_fast",
        "_limits",
        "_listener",
        "_loop",
        "_pauses",
        "_requested",
        "_timer",
        "_transport",
        "_write_timer",
        "deliver",
        "heard_at",
        "line",
        "peer",
        "pinged_at",
        "protocol",
    )

    def __init__(
        self,
        protocol: StationProtocol,
        listener: Listener,
        limits: SocketLimits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.protocol = protocol
        """The library's side: makes the responses of the handshake."""
        self._listener = listener
        self._limits = limits
        self._loop = loop
        self._closing = False
        self._fast = False
        self._requested = False
        self._assembly = Assembly()
        self._pauses = Pause(0)
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self.peer = ""
        self.heard_at = loop.time()
        """When the last byte came (the loop's clock)."""
        self.pinged_at = 0.0
        self.deliver: Callable[[bytes], None] = _drop
        """Takes each whole text message; set by the owner before it answers 101."""
        self.line: object | None = None
        """Whatever the owner keeps with an open socket."""

    @property
    def is_open(self) -> bool:
        """Whether messages may still be sent and are still handed over."""
        return self.protocol.state is OPEN and not self._closing

    @property
    def is_gone(self) -> bool:
        """Whether the connection is closing or closed, from whichever side."""
        return self._closing

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read; a station cannot be heard then, however alive it is."""
        return bool(self._pauses)

    @property
    def ending(self) -> tuple[int, str]:
        """Code and reason of the end: the peer's, else ours, else 1006."""
        close = self.protocol.close_rcvd or self.protocol.close_sent
        return (int(close.code), close.reason) if close else (int(CloseCode.ABNORMAL_CLOSURE), "")

    # What the owner of the socket may do.

    def respond(self, response: Response) -> None:
        """Answer the handshake; 101 opens the connection, anything else ends it."""
        if self._closing or self.protocol.state is not CONNECTING:
            return
        self._stop_timer()
        self.protocol.send_response(response)
        self._flush()
        if self.protocol.state is OPEN:
            self._mark_boundary()
        else:
            self._closing = True
            self._timer = self._loop.call_later(self._limits.close_s, self._transport.abort)

    def send(self, text: bytes) -> None:
        """Send a text message; nothing happens once the connection is closing."""
        if self._closing or self.protocol.state is not OPEN:
            return
        if self.protocol.extensions:
            self.protocol.send_text(text)
            self._flush()
            return
        self._transport.write(text_frame(text))

    def ping(self) -> None:
        """Ask for a sign of life; any byte that comes is one."""
        if self.is_open:
            self.pinged_at = self._loop.time()
            self.protocol.send_ping(b"")
            self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; what still comes is not handed over. Safe to call again."""
        if self._closing:
            return
        self._closing = True
        self._fast = False
        if self.protocol.state is OPEN:
            self.protocol.send_close(code, reason)
            self._flush()
        # The peer's close and its end of stream have to be read.
        if self._pauses:
            self._pauses = Pause(0)
            self._transport.resume_reading()
        self._expect_close()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._closing = True
        self._transport.abort()

    def pause(self, why: Pause) -> None:
        """Stop reading for this reason."""
        if self._closing:
            return
        if not self._pauses:
            self._transport.pause_reading()
        self._pauses |= why

    def resume(self, why: Pause) -> None:
        """This reason is over; reading goes on when there is no other."""
        if self._pauses & why:
            self._pauses &= ~why
            if not self._pauses and not self._transport.is_closing():
                self._transport.resume_reading()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""
        self._transport.set_write_buffer_limits(self._limits.write_buffer)
        if self._listener.opened(self):
            self._timer = self._loop.call_later(self._limits.open_s, self.abort)
        else:
            self.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        # Most common first: a whole text frame or several.
        if self._fast:
            texts = whole_texts(data, self._limits.message)
            if texts is not None:
                for text in texts:
                    if self._closing:
                        break
                    self.deliver(text)
                return
        self._receive(data)

    def eof_received(self) -> None:
        self._closing = True
        self.protocol.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._fast = False
        self.protocol.receive_eof()
        self._stop_timer()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        self._listener.closed(self)
        self.deliver = _drop
        self.line = None

    def pause_writing(self) -> None:
        # While the peer does not read, no more answers are made for it.
        self.pause(Pause.WRITE)
        self._write_timer = self._loop.call_later(self._limits.send_s, self._send_timed_out)

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        self.resume(Pause.WRITE)

    # The way through the library.

    def _receive(self, data: bytes) -> None:
        if self.protocol.state is CONNECTING:
            self._receive_request(data)
            return
        self.protocol.receive_data(data)
        events = self.protocol.events_received()
        self._flush()
        for event in events:
            if self._closing:
                break
            self._take(cast(Frame, event))
        if self.protocol.close_expected():
            self._expect_close()
        self._mark_boundary()

    def _receive_request(self, data: bytes) -> None:
        # RFC 6455, 4.1: nothing may follow the request before it is answered.
        if self._closing:
            return
        if self._requested:
            self.abort()
            return
        self.protocol.receive_data(data)
        events = self.protocol.events_received()
        if len(events) > 1 or (events and self.protocol.reader.buffer):
            self.abort()
        elif events:
            self._requested = True
            self._listener.requested(self, cast(Request, events[0]))
        elif self.protocol.close_expected():
            # The library has answered something that is no request.
            self._flush()
            self._closing = True

    def _take(self, frame: Frame) -> None:
        if frame.opcode not in DATA_OPCODES:
            return
        try:
            text = self._assembly.add(frame)
        except Unusable as exc:
            self._fail(exc.code, exc.reason)
            return
        if text is not None:
            self.deliver(text)

    def _fail(self, code: CloseCode, reason: str) -> None:
        if self.protocol.state is OPEN:
            self.protocol.fail(code, reason)
            self._flush()
        self._closing = True
        self._expect_close()

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                try:
                    self._transport.write_eof()
                except (OSError, RuntimeError):
                    # The peer was faster: the connection is gone, and `connection_lost` is on its way.
                    self._transport.abort()
            else:
                self._transport.close()

    def _mark_boundary(self) -> None:
        self._fast = not self._closing and self._limits.fast_path and is_between_frames(self.protocol)

    def _expect_close(self) -> None:
        self._closing = True
        self._fast = False
        if self._timer is None and not self._transport.is_closing():
            self._timer = self._loop.call_later(self._limits.close_s, self._transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_timed_out(self) -> None:
        self._write_timer = None
        self._listener.send_timed_out(self)
        self.abort()
