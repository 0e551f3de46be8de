"""What carries frames between an actor and its station: a socket, or memory in tests and replays."""

from typing import Protocol

from csms.gateway.reading import Readable


class Wire(Readable, Protocol):
    """What carries frames to and from one station. None of these blocks."""

    def send(self, frame: bytes) -> None:
        """Send a text frame; does nothing once closed."""

    def close(self, code: int, reason: str) -> None:
        """Close for this reason; nothing is heard or sent from now on."""
