"""Frames to messages."""

import pytest
from websockets.frames import BINARY, CONT, TEXT, Frame

from csms.gateway.assembly import MOST_FRAGMENTS, Assembly, Unusable, checked


def test_a_final_text_frame_is_a_message() -> None:
    """The common case."""
    assert Assembly().add(Frame(TEXT, b"abc")) == b"abc"


def test_fragments_are_joined() -> None:
    """Also where a fragment ends within a character."""
    text = "密码".encode()
    assembly = Assembly()

    assert assembly.add(Frame(TEXT, text[:1], fin=False)) is None
    assert assembly.add(Frame(CONT, text[1:4], fin=False)) is None
    assert assembly.add(Frame(CONT, text[4:])) == text
    assert assembly.add(Frame(TEXT, b"next")) == b"next"


def test_w05_binary_is_refused_with_1003() -> None:
    """W05: OCPP is text."""
    with pytest.raises(Unusable) as refused:
        Assembly().add(Frame(BINARY, b"abc"))

    assert refused.value.code == 1003


def test_w07_bad_utf8_is_refused_with_1007() -> None:
    """W07: in one frame or over several."""
    with pytest.raises(Unusable) as refused:
        checked(b"abc\xff")
    assert refused.value.code == 1007

    assembly = Assembly()
    assembly.add(Frame(TEXT, b"\xe5", fin=False))
    with pytest.raises(Unusable):
        assembly.add(Frame(CONT, b"abc"))


def test_w03_fragments_are_counted() -> None:
    """W03: empty fragments cost memory too."""
    assembly = Assembly()
    assembly.add(Frame(TEXT, b"", fin=False))
    for _ in range(MOST_FRAGMENTS - 1):
        assert assembly.add(Frame(CONT, b"", fin=False)) is None

    with pytest.raises(Unusable) as refused:
        assembly.add(Frame(CONT, b"", fin=False))

    assert refused.value.code == 1009
