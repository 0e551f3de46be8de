"""Whole text frames from bytes, against the library's own parser."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import BINARY, CONT, PING, TEXT, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from csms.gateway.fastpath import is_between_frames, is_supported, text_frame, whole_texts

LIMIT = 1_048_576


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A client's frame, written by the library."""
    return Frame(opcode, data, fin).serialize(mask=True)


def test_the_pinned_library_is_the_one_it_was_written_for() -> None:
    """Another version would switch the fast path off."""
    assert is_supported()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535])
def test_one_text_frame_of_every_length_form(size: int) -> None:
    """Both short forms of the length are read."""
    text = b"x" * size

    assert whole_texts(frame(TEXT, text), LIMIT) == [text]


def test_several_frames_in_one_chunk() -> None:
    """Pipelined messages come out in order."""
    texts = [b'[2,"1","Heartbeat",{}]', '["密码"]'.encode(), b"", b"y" * 300]

    assert whole_texts(b"".join(frame(TEXT, t) for t in texts), LIMIT) == texts


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"x" * 65_536),  # 64-bit length
        frame(TEXT, b"abc")[:-1],
        frame(TEXT, b"abc")[:1],
        frame(TEXT, b"x" * 200)[:7],
        frame(TEXT, b"abc") + b"\x81",
        frame(TEXT, b"abc", fin=False),
        frame(CONT, b"abc"),
        frame(BINARY, b"abc"),
        frame(PING, b""),
        frame(TEXT, b"abc") + frame(PING, b""),
        Frame(TEXT, b"abc").serialize(mask=False),
        bytes((0xC1,)) + frame(TEXT, b"abc")[1:],  # compressed
        frame(TEXT, b"\xff\xfe"),
        b"\x81\xff" + struct.pack("!Q", 1 << 40),  # W01: 1 TiB announced
    ],
    ids=range(14),
)
def test_everything_else_is_left_to_the_library(data: bytes) -> None:
    """Partial, fragmented, compressed, unmasked, control, binary, long, not UTF-8: all or nothing."""
    assert whole_texts(data, LIMIT) is None


def test_w04_a_frame_beyond_the_limit_is_left_to_the_library() -> None:
    """W04: the limit is the same on both paths."""
    assert whole_texts(frame(TEXT, b"x" * 100), 100) is not None
    assert whole_texts(frame(TEXT, b"x" * 101), 100) is None


@given(st.binary(max_size=400), st.integers(0, 40))
def test_any_bytes_are_survived(data: bytes, cut: int) -> None:
    """Whatever comes, the answer is a list of texts or None."""
    for chunk in (data, b"\x81" + data, frame(TEXT, data)[cut:], frame(TEXT, b"ok") + data):
        found = whole_texts(chunk, LIMIT)
        assert found is None or all(isinstance(text, bytes) for text in found)


@given(st.lists(st.binary(max_size=300), max_size=4), st.data())
def test_the_boundary_is_where_the_library_stands(payloads: list[bytes], data: st.DataObject) -> None:
    """Between two frames, and only there: also when a frame's head was taken and the buffer is empty."""
    stream = b"".join(frame(TEXT, payload) for payload in payloads)
    cut = data.draw(st.integers(0, len(stream)))
    protocol = ServerProtocol(state=OPEN)

    if cut:
        protocol.receive_data(stream[:cut])

    ends = {sum(len(frame(TEXT, p)) for p in payloads[:n]) for n in range(len(payloads) + 1)}
    assert is_between_frames(protocol) is (cut in ends)


def test_a_begun_message_is_no_boundary() -> None:
    """After a first fragment a text frame would be an error, which the library has to see."""
    protocol = ServerProtocol(state=OPEN)
    protocol.receive_data(frame(TEXT, b"abc", fin=False))

    assert not is_between_frames(protocol)

    protocol.receive_data(frame(PING, b"") + frame(CONT, b"def"))
    assert is_between_frames(protocol)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 70_000])
def test_frames_to_send_are_what_the_library_would_send(size: int) -> None:
    """The same bytes, for every length form."""
    text = b"x" * size

    assert text_frame(text) == Frame(TEXT, text).serialize(mask=False)
