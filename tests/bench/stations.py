"""One charging station of the load: a raw socket that sends what is encoded already and counts the answers.

Knows just enough of RFC 6455 and OCPP-J to tell an answer from a call, a ping
and a close. Which frame goes out when is its `Pace`'s business.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol, cast

from tests.bench.frames import (
    LIFE_LENGTH,
    MASK,
    MOST_LIVES,
    Script,
    mask,
    mask_number,
    mask_token,
    text_frame,
)

CALL, RESULT, ERROR = (ord(digit) for digit in "234")
TEXT, CLOSE, PING = 1, 8, 9
TRANSACTION = re.compile(rb'"transactionId"\s*:\s*(\d+)')
MESSAGE_ID = re.compile(rb'\[\s*2\s*,\s*"([^"]*)"')

clock = time.perf_counter


@dataclass(slots=True)
class Tally:
    """What one measured stretch has seen. Latencies in seconds."""

    answered: int = 0
    errors: int = 0
    calls_received: int = 0
    latencies: list[float] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)  # the first few errors, as received

    def note_trouble(self, what: str) -> None:
        self.errors += 1
        if len(self.trouble) < 5:
            self.trouble.append(what)


class Pace(Protocol):
    """Decides what a station does after an answer."""

    def answered(self, station: Station, now: float) -> None: ...


class Station(asyncio.Protocol):
    """One connection. `connected` resolves after the handshake; one call is outstanding at a time."""

    def __init__(self, request: bytes, script: Script | None, token: str, phase: int) -> None:
        """Without a `script` it sends one 250-byte frame over and over (the echo floor)."""
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.tally = Tally()
        self.pace: Pace | None = None
        self.is_busy = False
        self.due: deque[float] = deque()  # scheduled times that wait for the outstanding answer
        self._request = request
        self._script = script
        self._life = script.life(0) if script else []
        self._life_number, self._position = 0, 0
        self._start_at = phase % LIFE_LENGTH
        self._token, self._number = mask_token(token), mask_number(b"0")
        self._opening_transaction = False
        self._since = 0.0
        self._rest = b""

    @property
    def has_more(self) -> bool:
        """False once all lives are told."""
        return self._script is None or self._life_number < MOST_LIVES

    @property
    def is_in_place(self) -> bool:
        """True once the first life is told up to where this station starts: all places are taken evenly."""
        return self._script is None or self._position >= self._start_at

    def send(self, since: float) -> None:
        """Send the next frame; its latency counts from `since`."""
        self._since, self.is_busy = since, True
        if self._script is None:
            self._transport.write(ECHO)
            return
        frame = self._life[self._position]
        self._opening_transaction = frame.opens_transaction
        if frame.rest:
            fill = self._token if frame.opens_transaction else self._number
            self._transport.write(frame.head + fill + frame.rest)
        else:
            self._transport.write(frame.head)
        self._position += 1
        if self._position == LIFE_LENGTH:
            self._position = 0
            self._life_number += 1
            if self.has_more:
                self._life = self._script.life(self._life_number)

    def close(self) -> None:
        """Drop the connection without ceremony."""
        self.pace = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        if not self.connected.done():
            at = self._read_handshake(data)
        while size - at >= 2:
            length, body = data[at + 1], at + 2
            if length == 126:
                length, body = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, body = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if body + length > size:
                break
            self._take(data[at] & 15, data[body : body + length])
            at = body + length
        self._rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError(f"closed in the handshake: {self._rest[:200]!r}"))
        elif self.pace is not None:
            self.tally.note_trouble(f"connection lost: {exc}")

    def _read_handshake(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return 0
        if data.startswith(b"HTTP/1.1 101"):
            self.connected.set_result(None)
        else:
            self.connected.set_exception(ConnectionError(f"refused: {data[:200]!r}"))
        return end

    def _take(self, opcode: int, payload: bytes) -> None:
        # Most common first: nearly everything that comes is an answer.
        if opcode == TEXT and (self._script is None or payload[1] == RESULT):
            self._answered(payload)
        elif opcode == TEXT and payload[1] == ERROR:
            self.tally.note_trouble(payload[:300].decode(errors="replace"))
            self._answered(payload)
        elif opcode == TEXT and payload[1] == CALL:
            self._refuse_call(payload)
        elif opcode == PING:
            self._transport.write(bytes((0x8A, 0x80 | len(payload))) + MASK + mask(payload))
        elif opcode == CLOSE:
            self.tally.note_trouble(f"closed by the server: {payload!r}")

    def _answered(self, payload: bytes) -> None:
        now = clock()
        self.is_busy = False
        tally = self.tally
        tally.answered += 1
        tally.latencies.append(now - self._since)
        if self._opening_transaction and (found := TRANSACTION.search(payload)):
            self._number = mask_number(found[1])
        if self.pace is not None:
            self.pace.answered(self, now)

    def _refuse_call(self, payload: bytes) -> None:
        self.tally.calls_received += 1
        if found := MESSAGE_ID.match(payload):
            self._transport.write(text_frame(b'[4,"%s","NotImplemented","",{}]' % found[1]))


def handshake(port: int, path: str, subprotocol: str, credentials: str) -> bytes:
    """The upgrade request of a station with Basic auth; offers no compression."""
    secret = base64.b64encode(credentials.encode()).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {subprotocol}\r\nAuthorization: Basic {secret}\r\n\r\n"
    ).encode()


ECHO = text_frame(b'[2,"1","Echo",{"filling":"' + b"x" * 221 + b'"}]')  # a payload of 250 bytes
