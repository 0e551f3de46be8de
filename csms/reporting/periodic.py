"""What platforms are told without cause, again and again: every status, sessions under way, power, sites.

Leader-free: whoever inserts a tick of a task owes its rows, in the same transaction. Work is cut into pieces
of some hundred stations, each a task of its own, so that no transaction keeps stations' messages waiting. Of
values that are only worth something while they are new, one row of a thing is owed at a time: a platform
that was away for a day does not find a day of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from csms.reporting.places import Known
from csms.reporting.present import Stations, power_row, session_row, site_rows, status_rows
from csms.reporting.routes import Route, frequency_of, look_for_ever, tick_of
from csms.reporting.tcec.pushes import ChargeStatusPush, PowerPush, Push, StationInfoPush
from csms.reporting.tcec.schema import Repeat
from csms.store.live_states import LiveStates, SessionNow
from csms.store.platforms import How, PlatformStore
from csms.store.records import OutboxRow

LOOK_S = 1.0
PIECE = 200  # stations or sites
HOW: dict[str, How] = {
    "connector-status": "fill",
    "charge-status": "renew",
    "power": "renew",
    "station-info": "add",
}

CostSoFar = Callable[[SessionNow], Awaitable[Mapping[str, Any]]]
"""Money and details of a session under way, by names of ChargeStatus; empty where no tariff is known."""

T = TypeVar("T")


class Periodic:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(
        self,
        routes: Iterable[Route],
        live: LiveStates,
        platforms: PlatformStore,
        cost_so_far: CostSoFar | None = None,
    ) -> None:
        self._routes, self._live, self._platforms = tuple(routes), live, platforms
        self._cost_so_far = cost_so_far

    async def run(self) -> None:
        """Look for what is due, for ever; at once where there is no platform."""
        await look_for_ever("periodic", self._routes, self.look, LOOK_S)

    async def look(self, route: Route) -> int:
        """Owe what is due now; how many rows. Raises StoreUnavailable."""
        now, done = route.now(), 0
        for kind, push in route.profile.sent().items():
            repeat = await self._asked_for(route, kind, _repeat_of(push))
            if repeat is not None and kind in HOW:
                done += await self._turn(route, kind, push, tick_of(now, repeat), now)
        return done

    async def _asked_for(self, route: Route, kind: str, repeat: Repeat | None) -> Repeat | None:
        """The platform may have asked for another frequency of statuses."""
        if kind != "connector-status" or repeat is None or route.profile.pull("frequency") is None:
            return repeat
        seconds = await self._platforms.position(frequency_of(route.name))
        return repeat if seconds is None else Repeat(every_s=seconds)

    async def _turn(self, route: Route, kind: str, push: Push, tick: int, now: datetime) -> int:
        """A kind as a whole, unless it is done for this turn."""
        task, done, n = f"{route.name}/{kind}", 0, 0
        if await self._platforms.has_ticked(task, tick):
            return 0
        known = await route.places.known()
        async for rows in self._pieces(route, push, known, tick, now):
            if await self._platforms.run_once(f"{task}/{n}", tick, rows, now, HOW[kind]):
                done += len(rows)
            n += 1
        # Last: what a process that dies before leaves undone, the next one does.
        await self._platforms.run_once(task, tick, (), now)
        return done

    async def _pieces(
        self, route: Route, push: Push, known: Known, tick: int, now: datetime
    ) -> AsyncIterator[list[OutboxRow]]:
        if isinstance(push, StationInfoPush):
            for sites in _cut(known.sites, PIECE):
                yield site_rows(route, sites, now)
        elif isinstance(push, PowerPush):
            since = now - timedelta(seconds=push.fresh_s)
            for n, sites in enumerate(_cut(known.sites, push.sites_max)):
                names = [one.identity for site in sites for one in site.info.equipment if one.identity]
                yield [power_row(route, n, sites, await self._live.stations(names, since), since, now)]
        elif isinstance(push, ChargeStatusPush):
            since = now - timedelta(seconds=push.fresh_s)
            for piece in _cut(sorted(known.site_codes), PIECE):
                stations = await self._live.stations(piece, since)
                yield await self._sessions(route, push, known, stations, since, now)
        else:
            for piece in _cut(sorted(known.site_codes), PIECE):
                yield status_rows(route, await self._live.stations(piece), tick, now)

    async def _sessions(
        self,
        route: Route,
        push: ChargeStatusPush,
        known: Known,
        stations: Stations,
        since: datetime,
        now: datetime,
    ) -> list[OutboxRow]:
        rows = []
        for identity, station in stations.items():
            for one in station.sessions:
                cost = await self._cost_so_far(one) if self._cost_so_far else {}
                skip, site = push.stale == "skip", known.site_codes[identity]
                rows.append(session_row(route, site, station, one, since, now, cost, skip_stale=skip))
        return [row for row in rows if row is not None]


def _repeat_of(push: Push) -> Repeat | None:
    return Repeat(every_s=push.look_s) if isinstance(push, StationInfoPush) else push.repeat


def _cut(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[n : n + size] for n in range(0, len(items), size))
