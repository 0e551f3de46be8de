"""Which CALLs of one connection were answered lately, and with what. No frame, no version.

A station that missed our answer may send the same CALL again under the same id; it must get the same
answer and cause one effect (1.6-J errata 2025-04 3.1, OCPP 2.1 part 4, 4.1.4). There are more than a
hundred thousand connections in one city, so what is kept must be small: per CALL 16 bytes (hash of the
id, hash of what was asked) in one ring and a reference to the answer, which mostly is the shared `{}`.
A dictionary of the ids themselves takes eight times as much.
"""

from struct import Struct

_ENTRY = Struct("=qq")
_ID = Struct("=q")
_EMPTY = b"{}"


class RecentAnswers:
    """The last `most` answers, oldest forgotten first."""

    __slots__ = ("_answers", "_most", "_next", "_ring")

    def __init__(self, most: int) -> None:
        self._most = most
        self._next = 0
        self._ring = bytearray()
        self._answers: list[bytes] = []

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, message_id: str) -> int:
        """The place of that id, or -1."""
        wanted = _ID.pack(hash(message_id))
        at = self._ring.find(wanted)
        # A hit across two entries or in the second half of one is a coincidence.
        while at > 0 and at % _ENTRY.size:
            at = self._ring.find(wanted, at + 1)
        return at // _ENTRY.size if at >= 0 else -1

    def answer(self, place: int, asked: int) -> bytes | None:
        """The answer kept at that place; None if something else was asked then."""
        _, asked_then = _ENTRY.unpack_from(self._ring, place * _ENTRY.size)
        return self._answers[place] if asked == asked_then else None

    def keep(self, message_id: str, asked: int, answer: bytes) -> None:
        """Remember `answer` to what was `asked` (a hash) under that id."""
        entry = _ENTRY.pack(hash(message_id), asked)
        answer = _EMPTY if answer == _EMPTY else answer
        if len(self._answers) < self._most:
            self._ring += entry
            self._answers.append(answer)
            return
        place = self._next
        self._next = (place + 1) % self._most
        self._ring[place * _ENTRY.size : (place + 1) * _ENTRY.size] = entry
        self._answers[place] = answer
