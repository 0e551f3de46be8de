"""How a city platform misbehaves: named faults, each for so many pushes or until told otherwise.

A fault is written NAME, NAME=COUNT, delay=SECONDS or poison=SEQ. Counted faults come one after the other,
in the order given; without a count a fault stays. `delay` and `poison` are there all the time.
"""

from dataclasses import dataclass
from typing import Literal

Interface = Literal["status", "order", "hour"]

# Before the push is looked at: nothing is recorded.
BEFORE = {
    "refuse": "Ret 500, system error",
    "busy": "Ret -1, busy",
    "bad-signature": "Ret 4001: says our signature is wrong",
    "token-expired": "Ret 4002, and every token is void",
    "http400": "HTTP 400",
    "http401": "HTTP 401",
    "http403": "HTTP 403",
    "http429": "HTTP 429 with Retry-After: 7",
    "http500": "HTTP 500",
    "http503": "HTTP 503 with Retry-After: 3",
    "redirect": "HTTP 302 to another address",
    "drop": "the connection is cut without an answer",
}
# After it was recorded: only the answer is bad.
AFTER = {
    "lose": "recorded, then the connection is cut",
    "html": "recorded, then a page of HTML with HTTP 200",
    "bad-mac": "recorded, then an answer with a wrong signature",
    "forged": "recorded, then a success that nobody signed",
    "slow": "recorded, then the answer one byte a second",
    "huge": "recorded, then an answer of 2 MiB",
    "empty": "recorded, then Ret 0 with empty Data",
    "other-order": "recorded, then the answer names another order",
    "text-ret": "recorded, then Ret as text, as Beijing sends it",
}
# In the answer's own words.
WORDS: dict[str, tuple[str, tuple[Interface, ...]]] = {
    "dispute": ("recorded, ConfirmResult 1", ("order",)),
    "ignore": ("not recorded, Status 1", ("status", "hour")),
}
EVERY = {**BEFORE, **AFTER, **{name: text for name, (text, _) in WORDS.items()}}


class BadFault(ValueError):
    """This is no fault the city knows."""


@dataclass
class _Counted:
    name: str
    left: int | None  # None: until told otherwise

    def concerns(self, interface: Interface) -> bool:
        return self.name not in WORDS or interface in WORDS[self.name][1]


class Faults:
    """The faults in force."""

    def __init__(self, texts: list[str] | None = None) -> None:
        self.delay_s = 0.0
        self.poisoned: set[str] = set()
        self._counted: list[_Counted] = []
        for text in texts or []:
            self._add(text)

    def next(self, interface: Interface) -> str | None:
        """The fault that this push meets; counts it."""
        for fault in self._counted:
            if fault.left != 0 and fault.concerns(interface):
                if fault.left is not None:
                    fault.left -= 1
                return fault.name
        return None

    def told(self) -> list[str]:
        """The faults as they stand, in the form they are given in."""
        counted = [f.name if f.left is None else f"{f.name}={f.left}" for f in self._counted if f.left != 0]
        delay = [f"delay={self.delay_s:g}"] if self.delay_s else []
        return [*counted, *delay, *(f"poison={seq}" for seq in sorted(self.poisoned))]

    def _add(self, text: str) -> None:
        name, _, value = text.partition("=")
        try:
            if name == "delay":
                self.delay_s = float(value)
            elif name == "poison" and value:
                self.poisoned.add(value)
            elif name in EVERY:
                self._counted.append(_Counted(name, int(value) if value else None))
            else:
                raise BadFault(f"{text}: known are delay=SECONDS, poison=SEQ, {', '.join(EVERY)}")
        except ValueError as exc:
            raise exc if isinstance(exc, BadFault) else BadFault(f"{text}: {value} is not a number") from exc
