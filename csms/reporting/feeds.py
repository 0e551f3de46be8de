"""Alarms and events for the platforms that want them, from what stations have told: read behind their back.

A cursor in the database says how far each platform's feed got. It stays a minute behind, and what lies
between is read again: a node that commits late is not missed, and what is owed already is not owed twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from csms.errors import StoreUnavailable
from csms.protocol.words import dashed
from csms.reporting.routes import Route
from csms.reporting.tcec.alarms import Alarm, Event
from csms.reporting.tcec.profile import Profile
from csms.store.feeds import MOST, EventRow, FeedStore, StateRow
from csms.store.platforms import PlatformStore
from csms.store.records import OutboxRow
from csms.store.times import instant

LOOK_S = 5.0
BEHIND = timedelta(seconds=60)

log = structlog.get_logger()


class _Fault(NamedTuple):
    word: str
    is_raised: bool


class _Feed(NamedTuple):
    """A history that is followed: its newest row before a time, its rows after one, what is owed for one."""

    name: str
    newest: Callable[[datetime], Awaitable[int]]
    rows: Callable[[str, int], Awaitable[Sequence[Any]]]
    owed: Callable[[Route, Any, datetime], list[OutboxRow]]


class Feeds:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, routes: Iterable[Route], feeds: FeedStore, platforms: PlatformStore) -> None:
        self._routes = [one for one in routes if one.profile.push("alarm") or one.profile.push("event")]
        self._feeds, self._platforms = feeds, platforms

    async def run(self) -> None:
        """Look for ever; at once where nobody wants it."""
        while self._routes:
            for route in self._routes:
                try:
                    await self.look(route, route.now())
                except StoreUnavailable as exc:
                    log.debug("feed_unavailable", platform=route.name, error=str(exc))
                except Exception:
                    log.exception("feed_failed", platform=route.name)
            await asyncio.sleep(LOOK_S)

    async def look(self, route: Route, now: datetime) -> int:
        """Owe a platform what is new; how many rows were read. Raises StoreUnavailable."""
        return await self._states(route, now) + await self._events(route, now)

    async def _states(self, route: Route, now: datetime) -> int:
        if route.profile.push("alarm") is None:
            return 0
        feed = _Feed("connector-states", self._feeds.last_state, self._feeds.states, _alarms)
        return await self._follow(feed, route, now)

    async def _events(self, route: Route, now: datetime) -> int:
        feed = _Feed("station-events", self._feeds.last_event, self._feeds.events, _told)
        return await self._follow(feed, route, now)

    async def _follow(self, feed: _Feed, route: Route, now: datetime) -> int:
        """Page by page to the end; the cursor stays behind what may still be committed late."""
        name = f"{route.name}/{feed.name}"
        at = await self._platforms.position(name)
        if at is None:  # a platform is not told what was before it
            await self._platforms.advance(name, None, await feed.newest(now + BEHIND), (), now)
            return 0
        # Asked first, and of all operators: a page holds everything of ours that is older.
        safe = max(at, await feed.newest(now - BEHIND))
        after, count, rows = at, 0, await feed.rows(route.operator_code, at)
        while True:
            is_last = len(rows) < MOST
            owed = [row for one in rows for row in feed.owed(route, one, now)]
            to = safe if is_last else min(safe, rows[-1][0])
            if not await self._platforms.advance(name, at, max(at, to), owed, now) or is_last:
                return count + len(rows)
            at, after, count = max(at, to), rows[-1][0], count + len(rows)
            rows = await feed.rows(route.operator_code, after)


def faults(row: StateRow) -> list[_Fault]:
    """What a change of a connector's state means: the fault before is over, another has begun."""
    now, was = _fault(row.status, row.error_code), _fault(row.status_before, row.error_before)
    if now == was:
        return []
    return [_Fault(word, is_raised) for word, is_raised in ((was, False), (now, True)) if word]


def _fault(status: str, error_code: str) -> str:
    """Our word for a fault, '' where there is none."""
    if error_code:
        return dashed(error_code)
    return "faulted" if status == "faulted" else ""


def _alarms(route: Route, row: StateRow, now: datetime) -> list[OutboxRow]:
    key = f"{row.identity}/{row.evse}/{row.connector}"
    owed = []
    for fault in faults(row):
        alarm = Alarm(
            route.operator_code, row.site_code, row.identity, row.evse, row.connector, fault.word,
            fault.is_raised, instant(row.at), row.note,
        )  # fmt: skip
        about = f"state/{row.state_id}/{'raised' if fault.is_raised else 'cleared'}"
        owed.append(OutboxRow.of(route.name, "alarm", key, about, alarm.to_payload(), now))
    return owed


def _told(route: Route, row: EventRow, now: datetime) -> list[OutboxRow]:
    """A security event that has a code among the profile's alarms, its events, or both."""
    word, note = dashed(str(row.details.get("type", ""))), str(row.details.get("info") or "")
    where, about, profile = (
        (route.operator_code, row.site_code, row.identity),
        f"event/{row.event_id}",
        route.profile,
    )
    owed = []
    if profile.push("alarm") and word in profile.alarms:
        alarm = Alarm(*where, 0, 0, word, True, instant(row.at), note)
        owed.append(OutboxRow.of(route.name, "alarm", row.identity, about, alarm.to_payload(), now))
    if _has_event(profile, word):
        event = Event(*where, word, instant(row.at), note)
        owed.append(OutboxRow.of(route.name, "event", about, about, event.to_payload(), now))
    return owed


def _has_event(profile: Profile, word: str) -> bool:
    return profile.push("event") is not None and word in profile.events
