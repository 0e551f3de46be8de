"""A station's clock. Compressed, it jumps from event to event; live, it runs at a speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class StationClock:
    """Starts compressed at a moment; `go_live` lets it run. Readings never go back."""

    def __init__(self, at: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._at = at
        self._monotonic = monotonic
        self._since: float | None = None
        self._speed = 1.0

    @property
    def live(self) -> bool:
        """Whether it runs by itself."""
        return self._since is not None

    def now(self) -> datetime:
        """What it shows."""
        if self._since is None:
            return self._at
        return self._at + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def jump(self, to: datetime) -> None:
        """Compressed only: show a later moment."""
        assert self._since is None
        self._at = max(self._at, to)

    def go_live(self, at: datetime, speed: float = 1.0) -> None:
        """Run from a moment on, `speed` seconds a real second."""
        self._at, self._since, self._speed = max(at, self.now()), self._monotonic(), speed

    def real_s(self, until: datetime) -> float:
        """Real seconds until it shows a moment; 0 when compressed or past."""
        if self._since is None:
            return 0.0
        return max((until - self.now()).total_seconds() / self._speed, 0.0)
