"""The contract between nodes, and its in-process form. No OCPP, no sessions.

Request/reply goes to whoever serves a subject; when nobody does, the asker knows at once. Published
messages go to every subscriber and may be lost: nothing durable depends on them.

BusError
├── NoResponders       nobody serves the subject
├── BusAway            other nodes cannot be asked; nothing was sent
├── BusLost            the bus broke off while an answer was awaited
├── MessageTooLarge    the bus does not carry so much
└── HandlerFailed      whoever serves the subject could not answer
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from csms.errors import CsmsError

log = structlog.get_logger()

Handler = Callable[[bytes], Awaitable[bytes]]
Listener = Callable[[bytes], None]


class BusError(CsmsError):
    """The message bus could not help."""


class NoResponders(BusError):
    """Nobody serves this subject:"""


class BusAway(BusError):
    """The message bus is away"""


class BusLost(BusError):
    """The message bus was lost before the answer came; it may still be carried out"""


class MessageTooLarge(BusError):
    """The message bus does not carry a message of this many bytes:"""


class HandlerFailed(BusError):
    """The node that was asked failed:"""


class Subscription(Protocol):
    """What ends a subscription."""

    async def cancel(self) -> None:
        """Stop; requests already being served are finished."""


class Bus(Protocol):
    """What the courier needs of a message bus."""

    async def serve(self, subject: str, handler: Handler, rank: int = 0) -> Subscription:
        """Answer requests on `subject`. Serving again, here or on another node, takes over.

        The highest `rank` is asked, among equal ones the newest.
        """

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        """Ask, and wait for the answer.

        Raises NoResponders at once when nobody serves the subject, TimeoutError after `within_s` seconds,
        and another BusError where the bus or the node that was asked fails.
        """

    async def publish(self, subject: str, payload: bytes) -> None:
        """Tell everyone who listens; nobody may."""

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """Hear what is published."""

    async def close(self) -> None:
        """Give up every subscription."""


async def attend(handler: Handler, payload: bytes) -> bytes:
    """The handler's answer. Raises HandlerFailed for whatever it raises, which is logged here.

    A handler that asks further on raises what the bus says there.
    """
    try:
        return await handler(payload)
    except BusError:
        raise
    except Exception as exc:
        log.exception("request_failed", error=repr(exc))
        raise HandlerFailed(f"{type(exc).__name__}: {exc}") from exc


class _Entry:
    __slots__ = ("_subject", "_table", "rank", "take")

    def __init__(
        self, table: dict[str, list["_Entry"]], subject: str, take: Handler | Listener, rank: int = 0
    ) -> None:
        self._table, self._subject, self.take, self.rank = table, subject, take, rank
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

    async def serve(self, subject: str, handler: Handler, rank: int = 0) -> Subscription:
        return _Entry(self._servers, subject, handler, rank)

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        entries = self._servers.get(subject)
        if not entries:
            raise NoResponders(subject)
        newest = max(reversed(entries), key=lambda entry: entry.rank)
        handler: Handler = newest.take  # type: ignore[assignment]  # this table holds handlers only
        async with asyncio.timeout(within_s):
            return await attend(handler, payload)

    async def publish(self, subject: str, payload: bytes) -> None:
        for entry in list(self._listeners.get(subject, ())):
            entry.take(payload)

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        return _Entry(self._listeners, subject, listener)

    async def close(self) -> None:
        self._servers.clear()
        self._listeners.clear()
