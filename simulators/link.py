"""One station's connection: connects, talks, loses things on purpose, comes back. Knows sockets; no OCPP.

Losses are drawn from the scenario's weather with the station's own random
generator, and only for transaction messages of the present, at most twice for one.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from simulators.clock import StationClock
from simulators.facts import Stop
from simulators.journal import Journal
from simulators.outbox import Letter
from simulators.scenario import CALM, Span, Weather
from simulators.station import Answered, Asked, Station
from simulators.traits import SUBPROTOCOLS

OFFLINE_STEP_S = 0.05
"""Real pause between the events of a compressed clock while there is no connection."""
LONGEST_WAIT_S = 0.5
"""A waiting link looks this often whether it is to stop or its clock has something due."""
LONGEST_RETRY_AFTER_S = 10.0


UNSENT = ("drop", "power")
"""Faults that come before the message left."""


class Torn(Exception):
    """The connection was torn on purpose."""


class Script(Protocol):
    """What a station lives through."""

    def more(self, station: Station, clock: StationClock) -> bool:
        """Called whenever nothing waits to be said: add visits if wanted; False when the story is over."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where and how to connect. `gate` limits how many connect at the same time."""

    url: str
    password: str | None
    gate: asyncio.Semaphore
    backoff_s: Span = (0.2, 2.0)
    call_timeout_s: float = 30.0
    compression: bool = False
    weather: Weather = CALM


class Link:
    """Carries one station through its script; `run` returns when the story is over or `stop` was asked."""

    def __init__(
        self,
        *,
        station: Station,
        clock: StationClock,
        script: Script,
        route: Route,
        journal: Journal,
        rng: Random,
        say: Callable[[str, str], None] = lambda what, detail: None,
    ) -> None:
        self.station, self.clock, self.script, self.route = station, clock, script, route
        self._journal, self._rng, self._say = journal, rng, say
        self._fault = ""
        self._failures = 0
        self._stopping = self._over = False
        self._spoke_at = 0.0
        self._extra_wait_s = 0.0
        journal.station(station.traits.identity, station.version, station.quirks.judged)

    @property
    def over(self) -> bool:
        """Whether the script ended and everything was acknowledged."""
        return self._over

    def stop(self) -> None:
        """End sessions, say what is left and close."""
        self._stopping = True
        for evse in self.station.evses.values():
            evse.expect_nobody()
        self.station.end_sessions(Stop.POWER_LOSS, self.clock.now())

    async def run(self) -> None:
        """Connect again and again until the story is over."""
        while not self._over:
            try:
                async with await self._connect() as socket:
                    self._say("connected", socket.subprotocol or "no subprotocol")
                    await self._converse(socket)
            except InvalidStatus as exc:
                self._refused(exc)
            except (OSError, TimeoutError, WebSocketException, Torn) as exc:
                self._say("connection lost", f"{type(exc).__name__} {exc}")
            self._failures += 1
            self._disconnected()
            self._over = self._over or self._stopping
            if not self._over:
                await self._stay_offline()

    async def _connect(self) -> ClientConnection:
        station = self.station
        headers = {}
        if self.route.password is not None:
            pair = f"{station.traits.identity}:{self.route.password}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        protocols = [Subprotocol(SUBPROTOCOLS[station.version])] if station.quirks.subprotocol else None
        async with self.route.gate:
            return await connect(
                f"{self.route.url}/{quote(station.traits.identity, safe='')}",
                subprotocols=protocols,
                additional_headers=headers,
                compression="deflate" if self.route.compression else None,
                ping_interval=None,
                close_timeout=2,
                open_timeout=20,
                proxy=None,
            )

    async def _converse(self, socket: ClientConnection) -> None:
        station, self._fault = self.station, ""
        station.connected(self.clock.now())
        self._spoke_at = self._time()
        while not self._over:
            if station.restart:
                station.reboot(self.clock.now())
                return
            outgoing = station.outgoing()
            if outgoing is not None:
                await self._send(socket, *outgoing)
            elif station.outbox.pending is not None:
                await self._await_answer(socket)
            elif station.pause_s > 0:
                await self._pause(socket)
            else:
                await self._rest(socket)

    async def _send(self, socket: ClientConnection, letter: Letter, text: str) -> None:
        self._fault = self._draw_fault(letter)
        if self._fault == "power":
            self.station.lose_power(self.clock.now())
        if self._fault in UNSENT:
            raise Torn
        self._journal.sent(self.station.traits.identity, letter)
        self._say(f"> {letter.told.action}", text)
        self._spoke_at = self._time()
        await socket.send(text)
        if self._fault == "tear":
            self._tear(socket)

    def _draw_fault(self, letter: Letter) -> str:
        weather = self.route.weather
        if not letter.kept or letter.attempts > 2 or self._stopping or self.station.past:
            return ""
        drawn = self._rng.random()
        for fault in ("tear", "swallow", "deaf", "drop", "power"):
            drawn -= getattr(weather, fault)
            if drawn < 0:
                return fault
        return ""

    def _tear(self, socket: ClientConnection) -> None:
        socket.transport.abort()
        raise Torn

    async def _await_answer(self, socket: ClientConnection) -> None:
        if not await self._hear(socket, self.route.call_timeout_s):
            self._give_up_waiting()

    def _give_up_waiting(self) -> None:
        pending = self.station.outbox.pending
        if pending is not None:
            self._journal.lost(self.station.traits.identity, pending.message_id)
            self.station.timed_out(self.clock.now())

    async def _pause(self, socket: ClientConnection) -> None:
        until = self._time() + self.station.pause_s
        while not self._over and (left := until - self._time()) > 0:
            await self._hear(socket, min(left, LONGEST_WAIT_S))
        self.station.pause_s = 0.0

    async def _rest(self, socket: ClientConnection) -> None:
        """Nothing waits to be said: let the next thing happen."""
        station = self.station
        if (self._stopping or not self.script.more(station, self.clock)) and not station.outbox:
            self._over = station.idle or self._stopping
        due = station.next_due
        if self._over or (self.clock.live and await self._wait_live(socket)) or due is None:
            return
        if not self.clock.live:
            self.clock.jump(due)
        station.tick(self.clock.now())

    async def _wait_live(self, socket: ClientConnection) -> bool:
        """Wait for the next moment or frame; True when a frame or a heartbeat makes more to say."""
        silence = self._time() - self._spoke_at
        beat_in = self.station.settings.heartbeat_s - silence if self.station.settings.heartbeat_s else 3600.0
        due = self.station.next_due
        wait = min(self.clock.real_s(due) if due else LONGEST_WAIT_S, max(beat_in, 0.0), LONGEST_WAIT_S)
        if await self._hear(socket, wait):
            return True
        if beat_in <= wait:
            self.station.beat()
            return True
        return False

    async def _hear(self, socket: ClientConnection, seconds: float) -> bool:
        """Take one frame if it comes in time."""
        try:
            async with asyncio.timeout(seconds):
                text = await socket.recv(decode=True)
        except TimeoutError:
            return False
        await self._take(socket, str(text))
        return True

    async def _take(self, socket: ClientConnection, text: str) -> None:
        pending = self.station.outbox.pending
        if pending is not None and self._fault and text.startswith("[3") and pending.message_id in text[:64]:
            await self._lose_answer(socket)
            return
        identity = self.station.traits.identity
        match self.station.receive(text, self.clock.now()):
            case Answered(letter=letter, ok=ok, payload=payload, message_id=message_id):
                if letter.kept:
                    self._failures = 0
                self._say(f"< {letter.told.action}", text)
                if ok:
                    self._journal.acknowledged(identity, message_id, payload, letter.kept)
                else:
                    self._journal.refused(identity, message_id, str(payload["code"]))
            case Asked(action=action, reply=reply):
                self._say(f"< {action}", text)
                if reply is not None:
                    self._say(f"> {action}", reply)
                    await socket.send(reply)
            case _:
                self._say("stray", text)

    async def _lose_answer(self, socket: ClientConnection) -> None:
        fault, self._fault = self._fault, ""
        if fault == "swallow":
            self._tear(socket)
        await asyncio.sleep(self._rng.uniform(0.05, 0.3))
        self._give_up_waiting()

    def _refused(self, exc: InvalidStatus) -> None:
        headers, status = exc.response.headers, exc.response.status_code
        self._say("handshake refused", str(status))
        after = headers.get("Retry-After", "")
        self._extra_wait_s = min(float(after), LONGEST_RETRY_AFTER_S) if after.isdigit() else 0.0

    def _disconnected(self) -> None:
        pending = self.station.outbox.pending
        if pending is not None and pending.attempts and self._fault not in UNSENT:
            self._journal.lost(self.station.traits.identity, pending.message_id)
        self.station.disconnected(self.clock.now())

    async def _stay_offline(self) -> None:
        """Wait before the next attempt; the cars go on meanwhile."""
        low, high = self.route.backoff_s
        backoff = min(high, low * 2 ** min(self._failures - 1, 10)) * self._rng.uniform(0.5, 1.0)
        if self._fault:
            backoff = self._rng.uniform(*self.route.weather.offline_s)
        until = self._time() + backoff + self._extra_wait_s
        self._fault, self._extra_wait_s = "", 0.0
        while (left := until - self._time()) > 0 and not self._stopping:
            await asyncio.sleep(min(left, LONGEST_WAIT_S if self.clock.live else OFFLINE_STEP_S))
            due = self.station.next_due
            if due is not None and (not self.clock.live or due <= self.clock.now()):
                if not self.clock.live:
                    self.clock.jump(due)
                self.station.tick(self.clock.now())

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()
