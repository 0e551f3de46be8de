"""How often one platform may ask: so many a second, and a burst. Knows no platform and no clock."""


class Rate:
    """A bucket that fills with `per_second` and holds `burst`."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._left, self._at = burst, float("-inf")

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed at `now_s` (seconds of a clock that never steps back)."""
        filled = self._left + (now_s - self._at) * self._per_second
        self._left, self._at = min(self._burst, filled), now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
