"""Whole text frames straight from bytes, and back. Knows RFC 6455's frame layout and nothing above it.

The library reads a frame through a chain of generators. Stations almost always send one whole, final,
masked, uncompressed text frame per segment; for that case the frames are cut out here, and unmasked by
the library's own C function. Everything else is the library's: `whole_texts` says None and the same bytes
go there, so what is not understood here is never lost.

This needs to know two things of the library's inside: that its parser stands between two frames, and that
no fragmented message has begun. They are read in one place, `is_between_frames`, and only for the version
that this was written for.
"""

from typing import Any, Final

from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.version import version

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

KNOWN_VERSION: Final = "17.4"

FIN_TEXT: Final = 0x81  # FIN, no reserved bit, opcode 1
MASKED: Final = 0x80
LENGTH_16: Final = 126
SHORT_HEAD: Final = 6  # two bytes and the mask
LONG_HEAD: Final = 8  # two bytes, 16 bits of length, the mask
LENGTH_64: Final = 65536

_HEADS = tuple(bytes((FIN_TEXT, length)) for length in range(LENGTH_16))


def is_supported() -> bool:
    """Whether the installed library is the one whose inside is known here."""
    return version == KNOWN_VERSION


def is_between_frames(protocol: ServerProtocol) -> bool:
    """Whether the next byte of an open, uncompressed connection begins a new message."""
    if protocol.state is not OPEN or protocol.extensions or protocol.current_size is not None:
        return False
    # An empty buffer does not tell: the parser may have taken a frame's head and wait for the rest.
    waits_in: Any = protocol.parser
    while waits_in.gi_yieldfrom is not None:
        waits_in = waits_in.gi_yieldfrom
    return bool(waits_in.gi_code.co_name == "at_eof" and not protocol.reader.buffer)


def whole_texts(data: bytes, longest: int) -> list[bytes] | None:
    """The payloads when `data` is nothing but whole text frames of at most `longest` bytes, else None.

    None also for text that is not UTF-8, so that there is one place that closes for it.
    """
    texts = []
    at, size = 0, len(data)
    while at < size:
        if size - at < SHORT_HEAD or data[at] != FIN_TEXT:
            return None
        length = data[at + 1] - MASKED
        start = at + SHORT_HEAD
        if length == LENGTH_16:
            length = data[at + 2] << 8 | data[at + 3]
            start = at + LONG_HEAD
        elif not 0 <= length < LENGTH_16:
            return None  # not masked, or beyond 64 KiB
        end = start + length
        if end > size or length > longest:
            return None
        text = apply_mask(data[start:end], data[start - 4 : start])
        if not text.isascii() and not _is_utf8(text):
            return None
        texts.append(text)
        at = end
    return texts


def text_frame(text: bytes) -> bytes:
    """A message as one frame of a server: not masked, not compressed."""
    size = len(text)
    if size < LENGTH_16:
        return _HEADS[size] + text
    if size < LENGTH_64:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
