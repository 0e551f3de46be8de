"""A loop whose clock jumps to the next timer: days pass in seconds, and a real deadlock raises at once."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any


class VirtualClock:
    """Seconds since the story began, and the wall clock that goes with them."""

    def __init__(self, start: datetime) -> None:
        self.seconds = 0.0
        self._start = start

    def now(self) -> datetime:
        """The story's wall clock (UTC)."""
        return self._start + timedelta(seconds=self.seconds)


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: when nothing is ready the clock jumps to the next timer."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: no timer is set and nothing is ready")
        if not ready and timeout is not None:
            self._clock.seconds += timeout
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._virtual = clock

    def time(self) -> float:
        return self._virtual.seconds


def run_story(story: Coroutine[Any, Any, None], clock: VirtualClock) -> None:
    """Run `story` to its end in virtual time."""
    loop = _VirtualLoop(clock)
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


def clock_at(text: str = "2026-01-05T00:00:00+08:00") -> VirtualClock:
    """A clock that starts at `text`."""
    return VirtualClock(datetime.fromisoformat(text).astimezone(UTC))
