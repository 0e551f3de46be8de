"""Frames to messages: joins fragments, refuses what is no text. Knows no socket."""

from websockets.frames import BINARY, TEXT, CloseCode, Frame

MOST_FRAGMENTS = 4096


class Unusable(Exception):
    """The connection has to be failed with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Assembly:
    """The data frames of one connection, in the order in which the library lets them through.

    The library has checked lengths and that fragments follow each other; the sum of a message's
    fragments stays below its size limit.
    """

    __slots__ = ("_fragments",)

    def __init__(self) -> None:
        self._fragments: list[bytes] | None = None

    def add(self, frame: Frame) -> bytes | None:
        """The message that this frame completes, if it does. Raises Unusable."""
        if frame.opcode is BINARY:
            raise Unusable(CloseCode.UNSUPPORTED_DATA, "OCPP is text")
        data = bytes(frame.data)
        if frame.opcode is TEXT and frame.fin:
            return checked(data)
        if frame.opcode is TEXT:
            self._fragments = [data]
            return None
        assert self._fragments is not None, "the library refuses a continuation of nothing"
        self._fragments.append(data)
        if len(self._fragments) > MOST_FRAGMENTS:
            raise Unusable(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        if not frame.fin:
            return None
        text = b"".join(self._fragments)
        self._fragments = None
        return checked(text)


def checked(text: bytes) -> bytes:
    """The same, when it is UTF-8. Raises Unusable."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as exc:
            raise Unusable(CloseCode.INVALID_DATA, f"{exc.reason} at position {exc.start}") from exc
    return text
