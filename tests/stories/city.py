"""A city platform in memory with a ledger of its own: takes, delays, loses answers, is away for hours."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from csms.reporting.tcec.outcomes import Delivered, Outcome, Retry
from csms.reporting.tcec.profile import load_profile

HANGS_S = 120.0
Fact = tuple[str, str, int]
"""Kind, what it is about, revision."""


class LedgerCity:
    """Fulfils `csms.reporting.outbox.Platform`. `faults` is the share of pushes that go wrong."""

    def __init__(
        self,
        seed: str,
        time: Callable[[], float],
        is_down: Callable[[], bool],
        was_noted: Callable[[float], bool],
    ) -> None:
        """`was_noted` says whether an answer given at that time can have been written down."""
        self.profile = load_profile("simulated")
        self.faults = 0.0
        self.ledger: dict[Fact, dict[str, Any]] = {}
        self.latest: dict[tuple[str, str], dict[str, Any]] = {}
        self.wrongs: list[str] = []
        self.refused = 0
        self._seed, self._time, self._is_down, self._was_noted = seed, time, is_down, was_noted
        self._told_at: dict[Fact, float] = {}
        self._pushed: Counter[Fact] = Counter()

    async def push(self, kind: str, payload: Mapping[str, object]) -> Outcome:
        """Take a record, or say that it could not be."""
        about = _fact(kind, payload)
        self._pushed[about] += 1
        return await self._answer(about, dict(payload))

    async def _answer(self, about: Fact, payload: dict[str, Any]) -> Outcome:
        # Chance of its own for each push: what happens must not depend on which of many is first.
        chance = Random(f"{self._seed}/{about}/{self._pushed[about]}")
        await asyncio.sleep(chance.uniform(0.02, 1.5))
        drawn = chance.random()
        if self._is_down() or drawn < self.faults:
            self.refused += 1
            return Retry("the city is away")
        self._take(about, payload)
        if drawn < 2 * self.faults:
            if drawn < 1.2 * self.faults:
                await asyncio.sleep(HANGS_S)
            return Retry("the answer was lost")
        self._told_at[about] = self._time()
        return Delivered({})

    def _take(self, about: Fact, payload: dict[str, Any]) -> None:
        kind, key, revision = about
        known = self.ledger.get(about)
        if known is not None:
            if about in self._told_at and self._was_noted(self._told_at[about]):
                self.wrongs.append(f"{about} was told again although it had been acknowledged")
            if known != payload:
                self.wrongs.append(f"{about} was told in two ways: {known} and {payload}")
            return
        self.ledger[about] = payload
        before = self.latest.get((kind, key))
        if before is not None and before.get("revision", 0) > revision:
            self.wrongs.append(f"{about} came after revision {before['revision']}")
            return
        self.latest[kind, key] = payload


def _fact(kind: str, payload: Mapping[str, Any]) -> Fact:
    match kind:
        case "charge-order":
            return kind, str(payload["start_charge_seq"]), int(payload["revision"])
        case "hour-total":
            return kind, f"{payload['site_code']}/{payload['hour']}", int(payload["revision"])
    place = f"{payload['identity']}/{payload['evse']}/{payload['connector']}"
    return kind, f"{place}/{payload['at']}/{payload['status']}", 0
