"""As much of an HTTP/1.1 server as a badly behaving platform needs: whole answers, slow ones and none."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

MAX_HEAD = 16_384
MAX_BODY = 1_048_576


@dataclass(frozen=True)
class HttpRequest:
    """One request, whole. `headers` by lower-case name; `peer` is the caller's address."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str


@dataclass(frozen=True)
class HttpAnswer:
    """One answer. `byte_s` > 0 sends its body one byte at a time; `hang_up` sends nothing at all."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=utf-8"
    byte_s: float = 0
    hang_up: bool = False

    def head(self) -> bytes:
        """Status line and headers."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class BadRequest(Exception):
    """What came is not a request this server can read."""


class HttpServer:
    """Listens on one port and hands whole requests to `handle`. `port` 0 takes a free one and keeps it."""

    def __init__(
        self,
        host: str,
        port: int,
        handle: Callable[[HttpRequest], Awaitable[HttpAnswer]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host, self.port = host, port
        self._handle, self._tls = handle, tls
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(
            self._connected, self.host, self.port, limit=MAX_HEAD, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername")[0])
        try:
            while (request := await _read(reader, peer)) is not None:
                answer = await self._handle(request)
                if answer.hang_up:
                    return
                await _write(writer, answer)
        except BadRequest:
            await _write(writer, HttpAnswer(400, headers={"Connection": "close"}))
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader, peer: str) -> HttpRequest | None:
    """The next request; None when the caller has hung up. Raises BadRequest."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as exc:
        raise BadRequest from exc
    first, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    words, length = first.split(" "), headers.get("content-length", "0")
    if len(words) != 3 or not length.isdigit() or int(length) > MAX_BODY or "transfer-encoding" in headers:
        raise BadRequest
    try:
        body = await reader.readexactly(int(length))
    except asyncio.IncompleteReadError:
        return None
    return HttpRequest(words[0], words[1].partition("?")[0], headers, body, peer)


async def _write(writer: asyncio.StreamWriter, answer: HttpAnswer) -> None:
    writer.write(answer.head())
    if not answer.byte_s:
        writer.write(answer.body)
        await writer.drain()
        return
    for byte in answer.body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(answer.byte_s)
