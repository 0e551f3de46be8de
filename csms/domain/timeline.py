"""A connector's state over time, as a step function of what was told and of its station's connection. Pure.

* A station without a connection is off-line, whatever it said before: nobody can see or start it.
* A fault of the whole station (EVSE 0) is a fault of each of its connectors.
* A 2.x station says `occupied` and not whether the vehicle charges: while a session runs there, it charges.
* Before anything was told or connected nothing is known; a status that came without a known connection
  came over one that nobody noted.

Times of stations are taken with care. What lies after its own arrival counts from the arrival. What lies
before something told earlier is late only if the station was away between then and its arrival, so that it
had to keep it back; otherwise its clock was set back, and the arrival counts.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from csms.domain.assets import ConnectorStatus

ZERO = timedelta(0)


class Use(StrEnum):
    """What a connector does, in the words of every availability regime."""

    CHARGING = "charging"
    OCCUPIED = "occupied"  # plugged in, not charging
    FREE = "free"
    RESERVED = "reserved"
    OFFLINE = "offline"
    FAULT = "fault"  # faulted, or taken out of use
    UNKNOWN = "unknown"  # before anything was told


USE_OF: dict[ConnectorStatus, Use] = {
    ConnectorStatus.AVAILABLE: Use.FREE,
    ConnectorStatus.OCCUPIED: Use.OCCUPIED,
    ConnectorStatus.PREPARING: Use.OCCUPIED,
    ConnectorStatus.CHARGING: Use.CHARGING,
    ConnectorStatus.SUSPENDED_EV: Use.OCCUPIED,
    ConnectorStatus.SUSPENDED_EVSE: Use.OCCUPIED,
    ConnectorStatus.FINISHING: Use.OCCUPIED,
    ConnectorStatus.RESERVED: Use.RESERVED,
    ConnectorStatus.UNAVAILABLE: Use.FAULT,
    ConnectorStatus.FAULTED: Use.FAULT,
    ConnectorStatus.OFFLINE: Use.OFFLINE,
    ConnectorStatus.UNKNOWN: Use.UNKNOWN,
}


class Told(NamedTuple):
    """A status: since when by the station's clock, and when we heard of it."""

    at: datetime
    status: ConnectorStatus
    arrived: datetime


class Link(NamedTuple):
    """The station's connection was made or lost."""

    at: datetime
    is_up: bool


class Span(NamedTuple):
    """From `start` (included) to `end` (excluded)."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Never negative."""
        return max(self.end - self.start, ZERO)

    def within(self, other: "Span") -> "Span":
        """What both have in common; of no length when nothing."""
        start = max(self.start, other.start)
        return Span(start, max(start, min(self.end, other.end)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a connector. `told` and `whole` (the station's EVSE 0) in the order of arrival.

    `sessions` are the times in which a session ran on it; one that still runs ends in the far future.
    """

    told: Sequence[Told] = ()
    whole: Sequence[Told] = ()
    links: Sequence[Link] = ()
    sessions: Sequence[Span] = ()


class Step(NamedTuple):
    """From `at` on, until the next step."""

    at: datetime
    use: Use


Timeline = Sequence[Step]
"""By time; two steps in a row differ. Before the first nothing is known."""


class Usage(NamedTuple):
    """How long connectors were in each state."""

    charging: timedelta = ZERO
    occupied: timedelta = ZERO
    free: timedelta = ZERO
    reserved: timedelta = ZERO
    offline: timedelta = ZERO
    fault: timedelta = ZERO
    unknown: timedelta = ZERO

    @property
    def total(self) -> timedelta:
        """All states together."""
        return sum(self, ZERO)

    def plus(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(*(one + more for one, more in zip(self, other, strict=True)))


class _Now:
    """Everything that holds at one moment of the walk through the evidence."""

    def __init__(self) -> None:
        self.is_up: bool | None = None
        self.status: ConnectorStatus | None = None
        self.is_blocked = False
        self.has_session = False

    def use(self) -> Use:
        if self.is_up is False:
            return Use.OFFLINE
        if self.is_blocked:
            return Use.FAULT
        if self.status is None:
            return Use.UNKNOWN
        if self.status is ConnectorStatus.OCCUPIED and self.has_session:
            return Use.CHARGING
        return USE_OF[self.status]


BLOCKING = (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE)


def timeline(evidence: Evidence) -> list[Step]:
    """The connector's states over all the time of the evidence; the last one holds for ever."""
    links = sorted(evidence.links, key=lambda link: link.at)
    changes: list[tuple[datetime, str, object]] = [(link.at, "is_up", link.is_up) for link in links]
    changes += [(at, "status", status) for at, status in settled(evidence.told, links)]
    changes += [(at, "is_blocked", status in BLOCKING) for at, status in settled(evidence.whole, links)]
    for span in union(evidence.sessions):
        changes += [(span.start, "has_session", True), (span.end, "has_session", False)]
    now, steps = _Now(), list[Step]()
    # Sorting is stable: of changes at one moment the later one told holds.
    for at, name, value in sorted(changes, key=lambda change: change[0]):
        setattr(now, name, value)
        _note(steps, at, now.use())
    return steps


def _note(steps: list[Step], at: datetime, use: Use) -> None:
    """What happened at one moment is one step, and a step that changes nothing is none."""
    if steps and steps[-1].at == at:
        steps.pop()
    if (steps[-1].use if steps else Use.UNKNOWN) is not use:
        steps.append(Step(at, use))


def settled(told: Iterable[Told], links: Sequence[Link]) -> list[tuple[datetime, ConnectorStatus]]:
    """Statuses by the times that can be believed. `told` in the order of arrival, `links` by time."""
    moments = [link.at for link in links]
    found: list[tuple[datetime, ConnectorStatus]] = []
    newest: datetime | None = None
    for at, status, arrived in told:
        when = min(at, arrived)
        if newest is not None and when < newest and not _was_away(links, moments, when, arrived):
            when = arrived
        newest = when if newest is None else max(newest, when)
        found.append((when, status))
    return sorted(found, key=lambda one: one[0])


def _was_away(links: Sequence[Link], moments: Sequence[datetime], start: datetime, end: datetime) -> bool:
    """Whether the station had no connection at some time from `start` to `end`."""
    first, last = bisect_right(moments, start), bisect_right(moments, end)
    return any(not link.is_up for link in links[max(first - 1, 0) : last])


def usage(steps: Timeline, window: Span) -> Usage:
    """How long each state lasted in the window; together as long as the window."""
    lengths = dict.fromkeys(Use, ZERO)
    for use, span in pieces(steps, window):
        lengths[use] += span.length
    return Usage(*(lengths[use] for use in Use))


def pieces(steps: Timeline, window: Span) -> list[tuple[Use, Span]]:
    """The window cut where the state changes."""
    if window.start >= window.end:
        return []
    place = bisect_right(steps, window.start, key=lambda step: step.at)
    use = steps[place - 1].use if place else Use.UNKNOWN
    found, start = list[tuple[Use, Span]](), window.start
    while place < len(steps) and steps[place].at < window.end:
        found.append((use, Span(start, steps[place].at)))
        start, use = steps[place]
        place += 1
    found.append((use, Span(start, window.end)))
    return found


def spells(steps: Timeline, window: Span, uses: Iterable[Use]) -> list[Span]:
    """When in the window the connector was in one of these states; spells that touch are one."""
    wanted, found = frozenset(uses), list[Span]()
    for use, span in pieces(steps, window):
        if use not in wanted:
            continue
        touches = bool(found) and found[-1].end == span.start
        found.append(Span(found.pop().start, span.end) if touches else span)
    return found


def union(spans: Iterable[Span]) -> list[Span]:
    """The same times without overlaps, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if found and span.start <= found[-1].end:
            before = found.pop()
            found.append(Span(before.start, max(before.end, span.end)))
        else:
            found.append(span)
    return found


def common(some: Iterable[Span], others: Iterable[Span]) -> timedelta:
    """How long both hold together."""
    apart = union(others)
    return sum((one.within(other).length for one in union(some) for other in apart), ZERO)


def service(evidence: Evidence, window: Span, joined: datetime | None, retired: datetime | None) -> Span:
    """The part of the window in which the connector was in service; of no length when it never was.

    One whose joining nobody dated is in service since it first told a status.
    """
    if joined is None:
        first = min((min(told.at, told.arrived) for told in evidence.told), default=window.end)
        joined = min(first, window.end)
    return Span(joined, window.end if retired is None else retired).within(window)


def records(evidence: Evidence, steps: Timeline) -> list[tuple[datetime, bool]]:
    """Statuses as a platform is sent them, by time, and whether each says fault.

    One whenever the station tells one, and one whenever its connection comes or goes.
    """
    links = sorted(evidence.links, key=lambda link: link.at)
    found = [(at, status in BLOCKING) for at, status in settled(evidence.told, links)]
    moments = [step.at for step in steps]
    for link in links:
        place = bisect_right(moments, link.at)
        found.append((link.at, place > 0 and steps[place - 1].use is Use.FAULT))
    return sorted(found, key=lambda one: one[0])
