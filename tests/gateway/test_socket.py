"""One station's WebSocket: W rows over real sockets, and the fast path against the library's."""

import asyncio
import os
import struct
import zlib
from itertools import pairwise
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, Opcode
from websockets.http11 import Request

from csms.gateway.library import SocketLimits, StationProtocol
from csms.gateway.socket import Pause, StationSocket
from tests.gateway.kit import (
    VERSIONS,
    Door,
    authorization,
    call,
    close_code,
    read_answer,
    read_frame,
    request,
    until,
)

BOTH_PATHS = pytest.mark.parametrize("fast_path", [True, False], ids=["fast", "plain"])
LIMITS = SocketLimits(message=4096, write_buffer=1024, open_s=5, close_s=5, send_s=5, fast_path=True)


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A client's frame, written by the library."""
    return Frame(opcode, data, fin).serialize(mask=True)


# The same bytes in any chunking come out as the same messages on both paths.


class RecordingTransport:
    """What asyncio's transports do for one who writes, as lists."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closing = False

    def get_extra_info(self, name: str) -> Any:
        return ("192.0.2.1", 1)

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.written += b"<EOF>"

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        pass

    resume_reading = close = pause_reading


class Owner:
    """Takes every handshake, and notes what comes."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def opened(self, socket: StationSocket) -> bool:
        return True

    def requested(self, socket: StationSocket, request: Request) -> None:
        socket.deliver = self.heard.append
        socket.respond(socket.protocol.accept(request))

    def send_timed_out(self, socket: StationSocket) -> None:
        pass

    def closed(self, socket: StationSocket) -> None:
        pass


def conversation(stream: bytes, cuts: list[int], *, fast: bool, loop: Any) -> tuple[list[bytes], bytes]:
    """What one socket hears and sends when `stream` comes in these chunks."""
    owner, transport = Owner(), RecordingTransport()
    limits = SocketLimits(message=500, write_buffer=1024, open_s=5, close_s=5, send_s=5, fast_path=fast)
    socket = StationSocket(StationProtocol(500, False), owner, limits, loop)
    socket.connection_made(transport)
    socket.data_received(request("/CS-1"))
    transport.written.clear()
    edges = [0, *sorted(cuts), len(stream)]
    for start, end in pairwise(edges):
        if start < end:
            socket.data_received(stream[start:end])
    written = bytes(transport.written)
    socket.connection_lost(None)
    return owner.heard, written


texts = st.text(max_size=150).map(str.encode)
good = st.builds(lambda t: frame(TEXT, t), texts)
fragmented = st.lists(texts, min_size=2, max_size=4).map(
    lambda parts: b"".join(
        frame(TEXT if n == 0 else CONT, part, fin=n == len(parts) - 1) for n, part in enumerate(parts)
    )
)
odd = st.one_of(
    st.builds(lambda d: frame(PING, d), st.binary(max_size=20)),
    st.builds(lambda d: frame(PONG, d), st.binary(max_size=20)),
    st.builds(lambda d: frame(TEXT, d), st.binary(max_size=30)),  # mostly not UTF-8
    st.just(frame(BINARY, b"x")),
    st.just(frame(TEXT, b"x" * 501)),  # beyond the limit
    st.just(frame(CONT, b"x")),
    st.just(frame(TEXT, b"begun", fin=False)),
    st.just(frame(CLOSE, struct.pack("!H", 1000))),
    st.just(Frame(TEXT, b"unmasked").serialize(mask=False)),
    st.binary(min_size=1, max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(good, good, good, fragmented, odd), max_size=7), st.data())
def test_both_paths_hear_the_same(frames: list[bytes], data: st.DataObject) -> None:
    """Any frames, in any chunks: the same messages; in the same chunks, the same bytes back."""
    stream = b"".join(frames)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    whole = list(data.draw(st.permutations(range(len(frames)))))[:3]
    edges = [sum(map(len, frames[:n])) for n in whole]
    loop = asyncio.new_event_loop()
    try:
        plain = conversation(stream, [], fast=False, loop=loop)
        for chunks in (cuts, edges, sorted({*cuts, *edges}), []):
            by_library = conversation(stream, chunks, fast=False, loop=loop)
            assert conversation(stream, chunks, fast=True, loop=loop) == by_library
            # Where two things are wrong, the chunking decides which one the close frame names.
            assert by_library[0] == plain[0]
    finally:
        loop.close()


def test_the_fast_path_is_really_taken() -> None:
    """Whole frames never reach the library's parser; after a detour the fast path is found again."""
    loop = asyncio.new_event_loop()
    owner = Owner()
    socket = StationSocket(StationProtocol(500, False), owner, LIMITS, loop)
    socket.connection_made(RecordingTransport())
    socket.data_received(request("/CS-1"))
    taken: list[bytes] = []
    through_library = socket.protocol.receive_data
    socket.protocol.receive_data = lambda data: (taken.append(bytes(data)), through_library(data))[1]

    socket.data_received(frame(TEXT, b"one"))
    assert taken == []
    half = frame(TEXT, b"two")
    socket.data_received(half[:3])
    socket.data_received(half[3:])
    assert len(taken) == 2
    socket.data_received(frame(TEXT, b"three"))

    assert len(taken) == 2
    assert owner.heard == [b"one", b"two", b"three"]
    socket.connection_lost(None)
    loop.close()


# Over real sockets.


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("compression", [None, "deflate"])
@BOTH_PATHS
def test_messages_of_every_size_over_both_loops(run: Any, compression: str | None, fast_path: bool) -> None:
    """A real client, both event loops, with and without compression."""

    async def main() -> None:
        async with Door(fast_path=fast_path) as door:
            door.desk.register("CS-1")
            station = await door.connect("CS-1", compression=compression)
            assert bool(station.protocol.extensions) is (compression is not None)
            for n, size in enumerate((0, 100, 130, 1_000, 65_500, 70_000, 900_000)):
                await station.send(call(str(n), "MeterValues", {"x": "é" + "y" * size}))
                assert str(await station.recv()) == f'[3,"{n}",{{"n":{n + 1}}}]'
            assert [len(data["x"]) for _, _, data in door.desk.served] == [
                1,
                101,
                131,
                1_001,
                65_501,
                70_001,
                900_001,
            ]

    run(main())


@BOTH_PATHS
async def test_w01_a_terabyte_is_announced(fast_path: bool) -> None:
    """W01: 1009 at once."""
    async with Door(fast_path=fast_path) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1")

        writer.write(b"\x81\xff" + struct.pack("!Q", 1 << 40) + b"mask")

        assert await close_code(reader) == 1009


async def test_w02_a_deflate_bomb() -> None:
    """W02: what unpacks to a thousand times its size is 1009, and memory does not grow with it."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -12)
    packed = b"".join(bomb.compress(b"\0" * 1_000_000) for _ in range(60)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    async with Door() as door:
        door.desk.register("CS-1")
        reader, writer = await door.raw()
        headers = {
            "Authorization": authorization("CS-1"),
            "Sec-WebSocket-Protocol": "ocpp1.6",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=12",
        }
        writer.write(request("/CS-1", headers))
        answer = await read_answer(reader)
        assert "client_max_window_bits=12" in answer.headers["sec-websocket-extensions"]

        before = _resident_kib()
        writer.write(_compressed(packed[:-4]))

        assert await close_code(reader) == 1009
        assert _resident_kib() - before < 32_768


def _compressed(data: bytes) -> bytes:
    plain = frame(TEXT, data)
    return bytes((plain[0] | 0x40,)) + plain[1:]


def _resident_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.parametrize("payload", [b"", b"x"])
@BOTH_PATHS
async def test_w03_fragments_without_end(payload: bytes, fast_path: bool) -> None:
    """W03: one-byte or empty fragments are counted: 1009."""
    async with Door(fast_path=fast_path) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1")

        writer.write(frame(TEXT, payload, fin=False) + frame(CONT, payload, fin=False) * 6_000)

        assert await close_code(reader) == 1009


@BOTH_PATHS
async def test_w04_a_message_of_the_limit(fast_path: bool) -> None:
    """W04: the limit is fine, one byte more is 1009."""
    async with Door(fast_path=fast_path, max_message_bytes=1_000) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")
        fits = call("1", "MeterValues", {"x": ""})
        fits = fits.replace('""', '"' + "y" * (1_000 - len(fits)) + '"')
        assert len(fits) == 1_000

        await station.send(fits)
        assert str(await station.recv()) == '[3,"1",{"n":1}]'
        await station.send(fits.replace("yy", "yyy", 1))

        with pytest.raises(ConnectionClosed, match="1009"):
            await station.recv()


@BOTH_PATHS
async def test_w05_binary(fast_path: bool) -> None:
    """W05: 1003."""
    async with Door(fast_path=fast_path) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")

        await station.send(b"[2]")

        with pytest.raises(ConnectionClosed, match="1003"):
            await station.recv()


@pytest.mark.parametrize(
    "data",
    [
        Frame(TEXT, b"x").serialize(mask=False),
        bytes((0xC1,)) + frame(TEXT, b"x")[1:],
        bytes((0x83,)) + frame(TEXT, b"x")[1:],
        b"\x89" + frame(BINARY, b"p" * 126)[1:],
        frame(CONT, b"x"),
        frame(CLOSE, b"x"),
        frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
        b"\x09" + frame(PING, b"")[1:],
    ],
    ids=[
        "unmasked",
        "rsv",
        "opcode 3",
        "long ping",
        "cont first",
        "close of 1 byte",
        "no cont",
        "split ping",
    ],
)
@BOTH_PATHS
async def test_w06_what_rfc_6455_forbids(data: bytes, fast_path: bool) -> None:
    """W06: 1002."""
    async with Door(fast_path=fast_path) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1")

        writer.write(data)

        assert await close_code(reader) == 1002


@BOTH_PATHS
async def test_w07_bad_utf8(fast_path: bool) -> None:
    """W07: 1007, whole or in fragments; good frames before it are still heard."""
    async with Door(fast_path=fast_path) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1")
        writer.write(frame(TEXT, call("1", "Heartbeat").encode()) + frame(TEXT, b'[2,"\xff"]'))
        assert await close_code(reader) == 1007
        await until(lambda: len(door.desk.served) == 1)

        reader, writer = await door.upgraded("CS-1")
        writer.write(frame(TEXT, b"\xe5", fin=False) + frame(CONT, b"x"))
        assert await close_code(reader) == 1007


async def test_w08_a_ping_flood_leaves_others_alone() -> None:
    """W08: thousands of pings are answered, and another station's answer comes in time."""
    async with Door() as door:
        door.desk.register("CS-1")
        door.desk.register("CS-2")
        reader, writer = await door.upgraded("CS-1")
        other = await door.connect("CS-2")
        writer.write(frame(PING, b"x") * 5_000)

        started = asyncio.get_running_loop().time()
        await other.send(call("1", "Heartbeat"))
        await other.recv()

        # 0.2 s is the goal on a machine of its own; here other tests run beside.
        assert asyncio.get_running_loop().time() - started < 1.0
        assert await read_frame(reader) == (PONG, b"x")


async def test_w09_a_station_that_does_not_read() -> None:
    """W09: its reading is paused, nothing is piled up, and after the send timeout it is cut."""
    async with Door(send_timeout_s=0.2, messages_burst=100_000) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1")
        reader._transport.pause_reading()
        line = door.gateway.roster._lines["CS-1"]
        line.socket._transport.set_write_buffer_limits(1_000)

        big = "x" * 20_000
        door.desk.before = lambda info, data: None
        for n in range(400):
            line.send(call(str(n), "Reset", {"x": big}).encode())
            await asyncio.sleep(0)
        assert line.socket.is_paused

        await until(lambda: "CS-1" not in door.gateway.roster)
        assert door.parts.stats.send_timeouts == 1
        writer.close()


async def test_h25_a_handshake_held_open() -> None:
    """H25: closed at the open timeout."""
    async with Door(open_timeout_s=0.1) as door:
        reader, writer = await door.raw()
        writer.write(b"GET /CS-1 HTTP/1.1\r\nHost: x\r\n")

        assert await asyncio.wait_for(_rest(reader), 2) == b""


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /CS-1 HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 431),
        (b"GET /CS-1 HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n", 431),
    ],
)
async def test_h26_heads_too_large(head: bytes, status: int) -> None:
    """H26: 414 and 431."""
    async with Door() as door:
        reader, writer = await door.raw()
        writer.write(head)

        assert (await read_answer(reader)).status == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /CS-1 HTTP/1.1\r\nContent-Length: 0\r\n", 405),
        (b"GET /CS-1 HTTP/1.1\r\n", 426),
        (b"GET /CS-1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", 400),
    ],
)
async def test_requests_that_are_no_handshake(head: bytes, status: int) -> None:
    """An authenticated one gets the library's answer; the epoch of a live connection is untouched."""
    async with Door() as door:
        door.desk.register("CS-1")
        reader, writer = await door.raw()
        writer.write(head + f"Authorization: {authorization('CS-1')}\r\n\r\n".encode())

        assert (await read_answer(reader)).status == status
        assert door.desk.epoch == 0


async def test_garbage_instead_of_http() -> None:
    """Closed without a word; the door lives."""
    async with Door() as door:
        door.desk.register("CS-1")
        reader, writer = await door.raw()
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n\r\n")
        assert await asyncio.wait_for(_rest(reader), 2) == b""

        assert (await door.connect("CS-1")).subprotocol == "ocpp1.6"


async def test_bytes_before_the_answer_end_it() -> None:
    """RFC 6455 4.1: nothing may follow the request before its answer."""
    async with Door() as door:
        door.desk.register("CS-1")
        reader, writer = await door.raw()
        headers = {"Authorization": authorization("CS-1"), "Sec-WebSocket-Protocol": "ocpp1.6"}
        writer.write(request("/CS-1", headers) + frame(TEXT, call("1", "Heartbeat").encode()))

        assert await asyncio.wait_for(_rest(reader), 2) == b""
        assert door.desk.served == []


@pytest.mark.parametrize(
    ("offer", "accepted"),
    [
        ("permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        ),
        ("permessage-deflate; server_max_window_bits=7", None),
        ("permessage-deflate; client_max_window_bits=99", None),
        ("x-webkit-deflate-frame", None),
        (None, None),
    ],
)
async def test_h30_compression(offer: str | None, accepted: str | None) -> None:
    """H30: negotiated with a small window, declined when the offer is bad, and never forced."""
    async with Door() as door:
        door.desk.register("CS-1")
        headers = {"Authorization": authorization("CS-1"), "Sec-WebSocket-Protocol": "ocpp1.6"}
        headers |= {"Sec-WebSocket-Extensions": offer} if offer else {}

        answer = await door.knock("/CS-1", headers)

        assert answer.status == 101
        assert answer.headers.get("sec-websocket-extensions") == accepted


async def test_h30_compression_switched_off() -> None:
    """`deflate: false`."""
    async with Door(deflate=False) as door:
        door.desk.register("CS-1")

        assert (await door.connect("CS-1", compression="deflate")).protocol.extensions == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_station_closes(version: Any) -> None:
    """Its code is answered, and the roster forgets it."""
    async with Door() as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1", version.value)

        await station.close(1000, "bye")

        assert station.close_code == 1000
        await until(lambda: ("CS-1", "disconnected 1000") in door.desk.links)
        assert len(door.gateway.roster) == 0


async def test_reading_has_two_reasons_to_pause() -> None:
    """It goes on when the last one is over."""
    transport = RecordingTransport()
    log: list[str] = []
    transport.pause_reading = lambda: log.append("pause")
    transport.resume_reading = lambda: log.append("resume")
    loop = asyncio.get_running_loop()
    socket = StationSocket(StationProtocol(500, False), Owner(), LIMITS, loop)
    socket.connection_made(transport)

    socket.pause(Pause.OWNER)
    socket.pause(Pause.WRITE)
    socket.resume(Pause.OWNER)
    socket.resume(Pause.OWNER)
    assert log == ["pause"]
    assert socket.is_paused
    socket.resume(Pause.WRITE)

    assert log == ["pause", "resume"]
    socket.connection_lost(None)
