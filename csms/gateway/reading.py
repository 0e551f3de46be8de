"""How fast one station is read: its message rate and its reasons to pause. Nothing is ever dropped."""

import asyncio
from typing import Final, Protocol


class Readable(Protocol):
    """What can be read or left alone for a while."""

    def pause(self) -> None:
        """Stop reading."""

    def resume(self) -> None:
        """Read again."""


# Why a station is not read; plain numbers, because they are looked at for every message.
TOO_MUCH_WAITS: Final = 1
TOO_FAST: Final = 2


class Reading:
    """Pauses and resumes one wire."""

    __slots__ = ("_ahead_of", "_loop", "_reasons", "_step", "_timer", "_window", "_wire")

    def __init__(self, wire: Readable, per_s: float, burst: int, loop: asyncio.AbstractEventLoop) -> None:
        """`per_s` messages a second, after `burst` at once."""
        self._wire = wire
        self._loop = loop
        self._step = 1.0 / per_s
        self._window = burst * self._step
        # A token bucket in one number: the time at which it will be full again.
        self._ahead_of = loop.time()
        self._reasons = 0
        self._timer: asyncio.TimerHandle | None = None

    def count(self, now: float, messages: float = 1.0) -> bool:
        """Count a message, or work that costs as much as several; True when it began a pause."""
        since = self._ahead_of
        self._ahead_of = (since if since > now else now) + self._step * messages
        ahead = self._ahead_of - now - self._window
        if ahead <= 0.0 or self._timer is not None:
            return False
        self._timer = self._loop.call_later(ahead, self._rate_is_kept)
        self.pause(TOO_FAST)
        return True

    def pause(self, why: int) -> None:
        """Stop reading for this reason."""
        if not self._reasons:
            self._wire.pause()
        self._reasons |= why

    def resume(self, why: int) -> None:
        """This reason is over; reading goes on when it was the last."""
        if self._reasons & why:
            self._reasons &= ~why
            if not self._reasons:
                self._wire.resume()

    def stop(self) -> None:
        """The wire is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _rate_is_kept(self) -> None:
        self._timer = None
        self.resume(TOO_FAST)
