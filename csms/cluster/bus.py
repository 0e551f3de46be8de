"""The contract between nodes, and its in-process form. No OCPP, no sessions.

Request/reply goes to whoever serves a subject; when nobody does, the asker knows at once. Published
messages go to every subscriber and may be lost: nothing durable depends on them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from csms.errors import CsmsError

Handler = Callable[[bytes], Awaitable[bytes]]
Listener = Callable[[bytes], None]


class NoResponders(CsmsError):
    """Nobody serves this subject:"""


class Subscription(Protocol):
    """What ends a subscription."""

    async def cancel(self) -> None:
        """Stop; requests already being served are finished."""


class Bus(Protocol):
    """What the courier needs of a message bus."""

    async def serve(self, subject: str, handler: Handler) -> Subscription:
        """Answer requests on `subject`. Serving again takes over: the newest is asked."""

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        """Ask, and wait for the answer.

        Raises NoResponders at once when nobody serves the subject, TimeoutError after `within_s` seconds.
        """

    async def publish(self, subject: str, payload: bytes) -> None:
        """Tell everyone who listens; nobody may."""

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """Hear what is published."""

    async def close(self) -> None:
        """Give up every subscription."""


class _Entry:
    def __init__(self, table: dict[str, list["_Entry"]], subject: str, take: Handler | Listener) -> None:
        self._table, self._subject, self.take = table, subject, take
        table.setdefault(subject, []).append(self)

    async def cancel(self) -> None:
        entries = self._table.get(self._subject, [])
        if self in entries:
            entries.remove(self)
        if not entries:
            self._table.pop(self._subject, None)


class LocalBus:
    """The bus of a single process."""

    def __init__(self) -> None:
        self._servers: dict[str, list[_Entry]] = {}
        self._listeners: dict[str, list[_Entry]] = {}

    async def serve(self, subject: str, handler: Handler) -> Subscription:
        return _Entry(self._servers, subject, handler)

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        entries = self._servers.get(subject)
        if not entries:
            raise NoResponders(subject)
        handler: Handler = entries[-1].take  # type: ignore[assignment]  # this table holds handlers only
        async with asyncio.timeout(within_s):
            return await handler(payload)

    async def publish(self, subject: str, payload: bytes) -> None:
        for entry in list(self._listeners.get(subject, ())):
            entry.take(payload)

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        return _Entry(self._listeners, subject, listener)

    async def close(self) -> None:
        self._servers.clear()
        self._listeners.clear()
