"""What stations live through: a fixed number of past sessions, or days of history and then the present.

Pure but for the station it fills with visits. Knows from the central system's own
history where each meter and each clock stood, so that a later run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from simulators.battery import some_car
from simulators.clock import StationClock
from simulators.evse import Evse, Step, Visit
from simulators.facts import Cause, Stop, moment
from simulators.scenario import Backfill, Sessions
from simulators.station import Station

UNENDED_WH = 250_000
"""What a session without an end can have added to a register at most."""
UNENDED = timedelta(hours=2)
SHORTEST_SESSION = timedelta(seconds=100)
FIRST_REGISTER_WH = (20_000, 9_000_000)
# Shares of a day's arrivals by hour of local time: commuters at noon and in the evening.
ARRIVALS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 8, 6, 7, 9, 8, 6, 5, 6, 8, 10, 11, 10, 8, 6, 4)
FROM_UTC = timedelta(hours=8)


class NoRoom(Exception):
    """The fleet ran so often that its clocks reached the present: wait, or use another --prefix."""

    def __str__(self) -> str:
        return " ".join([str(type(self).__doc__), *map(str, self.args)])


@dataclass(slots=True)
class Past:
    """Where one EVSE stood at the end of its history."""

    until: datetime
    register_wh: int


def pasts(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], Past]:
    """The end of each EVSE's history, from sessions as the API tells them."""
    found: dict[tuple[str, int], Past] = {}
    for row in rows:
        began = moment(row["started_at"])
        until = moment(row["ended_at"]) if row["ended_at"] else began + UNENDED
        start = row["meter_start_wh"] or 0
        register = start + UNENDED_WH if row["meter_stop_wh"] is None else max(start, row["meter_stop_wh"])
        past = found.setdefault((row["charging_station"], row["evse"] or 1), Past(until, register))
        past.until, past.register_wh = max(past.until, until), max(past.register_wh, register)
    return found


def some_stop(sessions: Sessions, rng: Random) -> Stop:
    """How a session will end, by the scenario's shares."""
    drawn = rng.random()
    if drawn < sessions.fault_share:
        return Stop.FAULT
    if drawn < sessions.fault_share + sessions.ev_disconnect_share:
        return Stop.EV_DISCONNECTED
    return Stop.SOC_REACHED if drawn > 0.95 else Stop.LOCAL


def some_visit(plug_at: datetime, token: str, charge_s: float, sessions: Sessions, rng: Random) -> Visit:
    """A car as they come."""
    return Visit(
        plug_at=plug_at,
        token=token,
        car=some_car(rng),
        soc=rng.uniform(0.1, 0.6),
        charge_s=charge_s,
        stop=some_stop(sessions, rng),
        hesitate_s=rng.uniform(1, 8),
        linger_s=rng.uniform(2, 25),
        cause=rng.choice((Cause.AUTHORIZED, Cause.AUTHORIZED, Cause.PLUGGED_IN)),
    )


class Fixed:
    """A number of sessions, all planned before the run; the story is over when they are told."""

    def __init__(self, sessions: Sessions, rng: Random) -> None:
        self._sessions, self._rng = sessions, rng

    def plan(self, evse: Evse, token: str, count: int, start: datetime, until: datetime) -> None:
        """Put `count` sessions between two moments. Raises NoRoom when they cannot be."""
        spans = [self._rng.uniform(*self._sessions.minutes) * 60 for _ in range(count)]
        gaps = [self._rng.uniform(*self._sessions.gap_minutes) * 60 + 40 for _ in range(count)]
        room = (until - start).total_seconds()
        shrink = min(1.0, room / (sum(spans) + sum(gaps))) if count else 1.0
        if count and shrink * min(spans) < SHORTEST_SESSION.total_seconds():
            raise NoRoom
        at = start
        for span, gap in zip(spans, gaps, strict=True):
            at += timedelta(seconds=gap * shrink)
            evse.expect(some_visit(at, token, span * shrink, self._sessions, self._rng))
            at += timedelta(seconds=span * shrink)

    def more(self, station: Station, clock: StationClock) -> bool:
        """Nothing is added."""
        return not station.idle


@dataclass
class Drivers:
    """Those who charge at one EVSE, taking turns."""

    free: list[str]
    rng: Random

    def take(self) -> str:
        """One who has not charged lately; they go back to the end of the queue."""
        index = self.rng.randrange(max(len(self.free) // 2, 1))
        token = self.free.pop(index)
        self.free.append(token)
        return token


@dataclass
class Living:
    """Tells past days first, then lives in the present for ever."""

    sessions: Sessions
    drivers: Mapping[int, Drivers]
    """Who charges at each EVSE: as people do, near where they live, and never at two places at once."""
    rng: Random
    now: Callable[[], datetime]
    speed: float = 1.0
    skew_s: float = 0.0
    backfill: Backfill = field(default_factory=Backfill)
    _seen: set[int] = field(default_factory=set)

    def tell_past(self, station: Station, since: Mapping[int, datetime], until: datetime) -> None:
        """Fill the days between with visits; `since` is each EVSE's own beginning."""
        station.past = True
        station.settings.sample_every(self.backfill.sample_s)
        for number, evse in station.evses.items():
            self._fill(evse, since[number], until - timedelta(minutes=2))

    def more(self, station: Station, clock: StationClock) -> bool:
        """Go live when the past is told; then see that each EVSE awaits a car."""
        if not clock.live:
            if not station.idle:
                return True
            self._go_live(station, clock)
        for evse in station.evses.values():
            if not evse.visits and evse.step is Step.IDLE and evse.operative:
                evse.expect(self._next_visit(evse, clock.now()))
        return True

    def _go_live(self, station: Station, clock: StationClock) -> None:
        clock.go_live(self.now() + timedelta(seconds=self.skew_s), self.speed)
        station.past = False
        station.settings.sample_every(self.sessions.sample_s)
        station.tell_statuses(clock.now())

    def _next_visit(self, evse: Evse, now: datetime) -> Visit:
        # The first car of the present comes soon, so that there is something to see.
        first = evse.number not in self._seen
        gap_s = self.rng.uniform(2, 45) if first else self.rng.uniform(*self.sessions.gap_minutes) * 60
        self._seen.add(evse.number)
        charge_s = self.rng.uniform(*self.sessions.minutes) * 60
        return some_visit(
            now + timedelta(seconds=gap_s),
            self.drivers[evse.number].take(),
            charge_s,
            self.sessions,
            self.rng,
        )

    def _fill(self, evse: Evse, since: datetime, until: datetime) -> None:
        free_at = since
        for wanted in self._arrivals(since, until):
            charge_s = self.rng.uniform(*self.backfill.minutes) * 60
            plug_at = max(wanted, free_at)
            free_at = plug_at + timedelta(seconds=charge_s + 60)
            if free_at < until:
                token = self.drivers[evse.number].take()
                evse.expect(some_visit(plug_at, token, charge_s, self.sessions, self.rng))

    def _arrivals(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Random moments, more of them in busy hours: drawn at the busiest hour's rate, then thinned out."""
        peak, mean = max(ARRIVALS), sum(ARRIVALS) / len(ARRIVALS)
        daily = self.rng.uniform(*self.backfill.daily)
        at = since
        while (at := at + timedelta(days=self.rng.expovariate(daily * peak / mean))) < until:
            if self.rng.random() < ARRIVALS[(at + FROM_UTC).hour] / peak:
                yield at
