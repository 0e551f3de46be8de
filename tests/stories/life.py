"""A simulated station's day in virtual time: it connects, talks, loses what the seed says, comes back.

The counterpart of `simulators.link` without sockets: the same station, the same journal.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random

from simulators.journal import Journal
from simulators.outbox import Letter
from simulators.roster import Member
from simulators.station import Answered, Asked, Station
from tests.stories.node import Line, Node
from tests.stories.virtual import VirtualClock

PATIENCE_S = 30.0
FAULTS = ("tear", "late", "swallow", "deaf", "drop", "power")
UNSENT = ("drop", "power")
LONGEST_LATE_S = 90.0
NOTICED_AFTER_S = 90.0
"""A node finds out this late that a station is gone without a word."""

Door = Callable[[Station, Random], Awaitable[tuple[Node, Line] | None]]


class Torn(Exception):
    """The connection was torn on purpose."""


class Life:
    """Carries one station from `run`'s start until it has nothing more to do or to say."""

    def __init__(
        self, member: Member, station: Station, clock: VirtualClock, journal: Journal, rng: Random, door: Door
    ) -> None:
        self.station = station
        self.fault_share = 0.0
        """Of the messages of a transaction; set to 0 when faults are over."""
        self._member, self._clock, self._journal, self._rng, self._door = member, clock, journal, rng, door
        self._skew = timedelta(seconds=member.skew_s)
        self._loop = asyncio.get_running_loop()
        self._fault = ""
        journal.station(member.identity, station.version, station.quirks.judged)

    async def run(self) -> None:
        """Until everything was told and acknowledged."""
        await self._stay_away(self._rng.uniform(0, 60))
        while not self.station.idle:
            found = await self._door(self.station, self._rng)
            if found is not None:
                node, line = found
                with contextlib.suppress(Torn):
                    await self._converse(line)
                self._hang_up(node, line)
            await self._stay_away(self._absence_s(found is not None))

    def _now(self) -> datetime:
        return self._clock.now() + self._skew

    async def _converse(self, line: Line) -> None:
        station = self.station
        station.connected(self._now())
        breaks_at = self._loop.time() + self._rng.expovariate(1 / 36_000)
        while not station.idle:
            outgoing = station.outgoing()
            if outgoing is not None:
                self._say(line, *outgoing)
            elif station.outbox.pending is not None:
                if not await self._hear(line, PATIENCE_S):
                    self._give_up_waiting()
            elif station.pause_s > 0:
                await self._hear(line, station.pause_s)
                station.pause_s = 0.0
            elif self.fault_share and self._loop.time() > breaks_at:
                raise Torn
            else:
                await self._rest(line)

    def _say(self, line: Line, letter: Letter, text: str) -> None:
        self._fault = self._draw(letter)
        if self._fault == "power":
            self.station.lose_power(self._now())
        if self._fault in UNSENT:
            raise Torn
        self._journal.sent(self._member.identity, letter)
        line.say(text, self._rng.uniform(0, LONGEST_LATE_S) if self._fault == "late" else 0.0)
        if self._fault in ("tear", "late"):
            raise Torn

    def _draw(self, letter: Letter) -> str:
        if not letter.kept or letter.attempts > 3 or self._rng.random() >= self.fault_share:
            return ""
        return self._rng.choice(FAULTS)

    async def _rest(self, line: Line) -> None:
        """Nothing waits to be said: let the next thing happen."""
        due, beat_s = self.station.next_due, self.station.settings.heartbeat_s or 3_600.0
        wait_s = beat_s if due is None else min(beat_s, max((due - self._now()).total_seconds(), 0.0))
        if await self._hear(line, wait_s):
            return
        if due is not None and due <= self._now():
            self.station.tick(self._now())
        else:
            self.station.beat()

    async def _hear(self, line: Line, seconds: float) -> bool:
        """Take one frame if it comes in time. Raises Torn when the line is gone."""
        try:
            async with asyncio.timeout(seconds):
                text = await line.heard.get()
        except TimeoutError:
            return False
        if text is None:
            raise Torn
        self._take(line, text)
        return True

    def _take(self, line: Line, text: str) -> None:
        pending = self.station.outbox.pending
        if pending is not None and text.startswith("[3") and pending.message_id in text[:64]:
            fault, self._fault = self._fault, ""
            if fault == "swallow":
                raise Torn
            if fault == "deaf":
                self._give_up_waiting()
                return
        match self.station.receive(text, self._now()):
            case Answered(letter=letter, ok=True, payload=payload, message_id=message_id):
                self._journal.acknowledged(self._member.identity, message_id, payload, letter.kept)
            case Answered(payload=payload, message_id=message_id):
                self._journal.refused(self._member.identity, message_id, str(payload["code"]))
            case Asked(action="GetTransactionStatus", reply=str(reply)):
                line.say(reply)
            case Asked(action=action):
                raise AssertionError(f"nobody sends stations {action} in these stories")

    def _give_up_waiting(self) -> None:
        pending = self.station.outbox.pending
        if pending is not None:
            self._journal.lost(self._member.identity, pending.message_id)
            self.station.timed_out(self._now())

    def _hang_up(self, node: Node, line: Line) -> None:
        pending = self.station.outbox.pending
        if pending is not None and pending.attempts and self._fault not in UNSENT:
            self._journal.lost(self._member.identity, pending.message_id)
        self.station.disconnected(self._now())
        line.is_torn = True
        self._loop.call_later(self._rng.uniform(0, NOTICED_AFTER_S), node.left, line)

    def _absence_s(self, was_connected: bool) -> float:
        if was_connected and self.fault_share and self._rng.random() < 0.1:
            return self._rng.uniform(600, 6 * 3_600)
        return self._rng.uniform(1, 90)

    async def _stay_away(self, seconds: float) -> None:
        """The cars go on meanwhile."""
        until = self._loop.time() + seconds
        self._fault = ""
        while (left := until - self._loop.time()) > 0:
            due = self.station.next_due
            wait_s = left if due is None else min(left, max((due - self._now()).total_seconds(), 0.0))
            await asyncio.sleep(wait_s)
            if due is not None and due <= self._now():
                self.station.tick(self._now())
