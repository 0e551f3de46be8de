"""How a city platform misbehaves: named faults, each for so many pushes, by chance or until told otherwise.

A fault is written NAME, NAME=COUNT, NAME~CHANCE, delay=SECONDS, poison=SEQ, down=SECONDS (from now on) or
down=START+SECONDS (from so long after now on), by the city's clock. Counted faults come one after the other,
in the order given; without a count a fault stays. Where none of them strikes, those by chance are drawn from
the seed. `delay` and `poison` are there all the time. The name of a mode stands for its faults.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
    "already": "recorded, then Ret 4015, as Zhejiang says that it has it already",
    "duplicate-keys": "recorded, then an answer whose Ret stands twice",
    "error500": "recorded, then HTTP 500",
}
# In the answer's own words.
STATUS = ("status", "hour", "station", "bms", "alarm", "event", "power")
WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "dispute": ("recorded, ConfirmResult 1", ("order",)),
    "ignore": ("not recorded, Status 1", STATUS),
    "fail": ("recorded, SuccStat 1", ("start-result", "stop-result", "charge-status")),
}
EVERY = {**BEFORE, **AFTER, **{name: text for name, (text, _) in WORDS.items()}}

MODES = {
    "lost-answers": ("lose~0.2",),
    "errors": ("http500~0.1", "error500~0.1", "refuse~0.1", "busy~0.1"),
    "short-tokens": ("token-expired~0.1",),
    "wrong-mac": ("bad-mac~0.2",),
    "sluggish": ("delay=0.2",),
    "html-pages": ("html~0.2",),
    "ignores": ("ignore~0.2",),
    "disputes": ("dispute~0.1",),
    "ret-as-text": ("text-ret",),
    "has-it-already": ("already~0.2",),
    "twice-keys": ("duplicate-keys~0.2",),
    "away-an-hour": ("down=600+3600",),
    "away-two-days": ("down=600+172800",),
    "rough": (
        *("lose~0.05", "drop~0.03", "http500~0.03", "error500~0.03", "http503~0.02", "refuse~0.02"),
        *("busy~0.02", "token-expired~0.03", "bad-mac~0.03", "html~0.03", "duplicate-keys~0.02"),
        *("empty~0.02", "text-ret~0.1"),
    ),
}


class BadFault(ValueError):
    """This is no fault the city knows."""


@dataclass
class _Counted:
    name: str
    left: int | None  # None: until told otherwise
    chance: float | None = None


@dataclass(frozen=True)
class _Away:
    start: datetime
    end: datetime
    text: str


class Faults:
    """The faults in force; `now` is the city's clock."""

    def __init__(
        self,
        texts: list[str] | None = None,
        *,
        seed: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.delay_s = 0.0
        self.poisoned: set[str] = set()
        self._now = now
        self._chance = random.Random(seed)
        self._counted: list[_Counted] = []
        self._drawn: list[_Counted] = []
        self._away: list[_Away] = []
        for text in texts or []:
            for one in MODES.get(text, (text,)):
                self._add(one)

    def next(self, interface: str) -> str | None:
        """The fault that this push meets; counts it. `interface` is what the push is kept as."""
        for fault in self._counted:
            if fault.left != 0 and _concerns(fault.name, interface):
                if fault.left is not None:
                    fault.left -= 1
                return fault.name
        # One draw a push, so that the same seed and pushes meet the same faults.
        drawn = self._chance.random() if self._drawn else 1.0
        for fault in self._drawn:
            assert fault.chance is not None
            drawn -= fault.chance
            if drawn < 0:
                return fault.name if _concerns(fault.name, interface) else None
        return None

    def away(self) -> bool:
        """Whether nobody is there at the moment."""
        now = self._now()
        return any(one.start <= now < one.end for one in self._away)

    def told(self) -> list[str]:
        """The faults as they stand, in the form they are given in."""
        counted = [f.name if f.left is None else f"{f.name}={f.left}" for f in self._counted if f.left != 0]
        drawn = [f"{f.name}~{f.chance:g}" for f in self._drawn]
        away = [one.text for one in self._away if self._now() < one.end]
        delay = [f"delay={self.delay_s:g}"] if self.delay_s else []
        return [*counted, *drawn, *away, *delay, *(f"poison={seq}" for seq in sorted(self.poisoned))]

    def _add(self, text: str) -> None:
        found = re.fullmatch(r"([a-z0-9-]+)(?:([=~])(.*))?", text)
        name, sign, value = found.groups() if found else ("", None, "")
        try:
            if sign == "=" and name == "delay":
                self.delay_s = float(value)
            elif sign == "=" and name == "poison" and value:
                self.poisoned.add(value)
            elif sign == "=" and name == "down":
                start, _, length = value.rpartition("+")
                begins = self._now() + timedelta(seconds=float(start or 0))
                self._away.append(_Away(begins, begins + timedelta(seconds=float(length)), text))
            elif sign == "~" and name in EVERY:
                self._draw(name, float(value))
            elif name in EVERY:
                self._counted.append(_Counted(name, int(value) if value else None))
            else:
                known = ["delay=SECONDS", "poison=SEQ", "down=SECONDS", *EVERY]
                raise BadFault(f"{text}: known are {', '.join(known)}; modes are {', '.join(MODES)}")
        except (ValueError, OverflowError) as exc:
            raise exc if isinstance(exc, BadFault) else BadFault(f"{text}: {value} is not a number") from exc

    def _draw(self, name: str, chance: float) -> None:
        if not 0 <= chance <= 1 - sum(fault.chance or 0 for fault in self._drawn) + 1e-9:
            raise BadFault(f"{name}~{chance:g}: chances are from 0 to 1, all together too")
        self._drawn.append(_Counted(name, None, chance))


def _concerns(name: str, interface: str) -> bool:
    return name not in WORDS or interface in WORDS[name][1]
