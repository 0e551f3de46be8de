"""Looks after idle connections: pings the silent, parts with the dead, notes who was heard. One task for all.

Each connection has a slot on a wheel and is visited once per turn, so the work is spread evenly however the
stations came; a timer per connection would cost seven times as much.
"""

import asyncio
from datetime import timedelta

import structlog

from csms.errors import StoreError
from csms.gateway.desk import Parts
from csms.gateway.roster import Line, Roster

log = structlog.get_logger()

SLOTS = 20
SEEN_EVERY_S = 10.0
GONE = 1001


class Sweeper:
    """The wheel."""

    def __init__(self, parts: Parts, roster: Roster, seen_every_s: float = SEEN_EVERY_S) -> None:
        """Times come from the settings: `ping_interval_s`, `idle_timeout_s`."""
        self._parts = parts
        self._roster = roster
        self._seen_every_s = seen_every_s
        self._slots: list[set[Line]] = [set() for _ in range(SLOTS)]
        self._next_slot = 0
        # Three visits between two pings, so that the dead are found close to the idle time.
        self._turn_s = parts.settings.ping_interval_s / 3
        self._clock = asyncio.get_running_loop().time  # what sockets tell their times by
        self._seen_until = self._clock()
        self._seen_fails = False

    def add(self, line: Line) -> None:
        """Begin to look after a connection."""
        line.slot = self._next_slot
        self._next_slot = (self._next_slot + 1) % SLOTS
        self._slots[line.slot].add(line)

    def remove(self, line: Line) -> None:
        """The connection is gone."""
        self._slots[line.slot].discard(line)

    async def run(self) -> None:
        """Turn the wheel until cancelled."""
        tick, seen_at = 0, self._clock()
        while True:
            await asyncio.sleep(self._turn_s / SLOTS)
            now = self._clock()
            for line in list(self._slots[tick]):
                try:
                    self.visit(line, now)
                except Exception:
                    log.exception("visit_failed", station=line.connection.identity)
            tick = (tick + 1) % SLOTS
            if now - seen_at >= self._seen_every_s:
                seen_at = now
                await self.note_seen()

    def visit(self, line: Line, now: float) -> None:
        """Look at one connection. Any byte is a sign of life; a pong is not asked for (some send none)."""
        settings, socket = self._parts.settings, line.socket
        if line.connection.give_up_overdue(now) or socket.is_paused:
            return
        silent_s = now - socket.heard_at
        # The next visit would come too late.
        if silent_s > settings.idle_timeout_s - self._turn_s:
            log.info("station_fell_silent", station=line.connection.identity, seconds=round(silent_s, 1))
            line.connection.end(GONE, "nothing heard")
            socket.abort()
        elif silent_s >= settings.ping_interval_s and now - socket.pinged_at >= settings.ping_interval_s:
            socket.ping()

    async def note_seen(self) -> None:
        """Write down when each station was last heard, for all that spoke since the last time."""
        desk, now, since = self._parts.desk, self._clock(), self._seen_until
        wall = desk.now()
        heard = [
            (line.connection.state.station.station_id, wall - timedelta(seconds=now - line.socket.heard_at))
            for line in self._roster.lines()
            if line.socket.heard_at > since
        ]
        if not heard:
            return
        try:
            await desk.seen(heard)
        except StoreError as exc:
            # Tried again with the next batch; the connections go on.
            if not self._seen_fails:
                log.warning("seen_not_noted", stations=len(heard), error=str(exc))
            self._seen_fails = True
        else:
            self._seen_until = now
            self._seen_fails = False
