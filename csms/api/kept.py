"""What was found out a moment ago, for whoever asks next: many may ask, and the database is asked seldom."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

LASTS = timedelta(seconds=5)


class Kept(Generic[T]):
    """The answer of one question, up to LASTS old. It is asked by one at a time; the others wait for it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._found: tuple[datetime, T] | None = None

    async def of(self, ask: Callable[[], Awaitable[T]], now: Callable[[], datetime]) -> T:
        """What `ask` found; what it raises is not kept."""
        async with self._turn:
            # A clock that was put back must not keep an answer for hours.
            if self._found is None or not timedelta(0) <= now() - self._found[0] < LASTS:
                self._found = now(), await ask()
            return self._found[1]
