"""The whole city server over a real database and real HTTP, with a clock to turn and a courier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.charging_session import ChargingSession
from csms.domain.commands import Command, Outcome, Result, StartSession
from csms.domain.events import ConnectorStatusChanged
from csms.reporting.tcec.server.keeper import Keeper
from csms.reporting.tcec.server.service import CityServer, Means
from csms.store.database import Database
from csms.store.jsontext import value_of
from csms.store.records import ConnectorStateRow
from csms.store.registry import Registry
from csms.store.tables import outbox, sessions
from csms.store.times import micros
from csms.store.writer import Writer
from tests.reporting.tcec.server.kit import City, listening, settings_of
from tests.store.given import T0, a_session, start_of, stations, write_of


@dataclass
class Courier:
    """Says what the test wants, and keeps what it was given. `does` is told of each command first."""

    outcome: Outcome = field(default_factory=lambda: Outcome(Result.ACCEPTED, {"status": "Accepted"}))
    takes_s: float = 0.0
    sent: list[tuple[str, Command]] = field(default_factory=list)
    does: Callable[[Command], Any] | None = None

    async def send(self, identity: str, command: Command, within_s: float) -> Outcome:
        self.sent.append((identity, command))
        if self.does is not None:
            await self.does(command)
        await asyncio.sleep(self.takes_s)
        return self.outcome

    def starts(self) -> list[StartSession]:
        """The starts among what was sent."""
        return [command for _, command in self.sent if isinstance(command, StartSession)]


@dataclass
class World:
    """One test's city, server and database. `at` is everybody's clock."""

    city: City
    database: Database
    courier: Courier
    server: CityServer
    at: datetime = T0

    def pass_(self, time: timedelta) -> None:
        """Turn the clock."""
        self.at += time
        self.city.at = self.at

    async def look(self) -> int:
        """What the watch over orders does, once; how many orders changed."""
        keeper: Keeper = self.server._keeper
        return await keeper.tend()

    async def owed(self, kind: str) -> list[dict[str, Any]]:
        """Payloads of a kind in the outbox."""
        wanted = outbox.select().where(outbox.c.kind == kind).order_by(outbox.c.outbox_id)
        return [value_of(row.payload) for row in await self.database.read(wanted)]

    async def until_owed(self, kind: str) -> list[dict[str, Any]]:
        """The same once there is something; what goes on behind an answer is waited for."""
        async with asyncio.timeout(10):
            while not (found := await self.owed(kind)):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.02)
        return found

    async def status(
        self, station: ChargingStation, status: ConnectorStatus, evse: int = 1, **more: Any
    ) -> None:
        """The station tells a connector's status."""
        event = ConnectorStatusChanged(evse, 1, status, self.at, **more)
        async with Writer(self.database, fence=False) as writer:
            row = ConnectorStateRow.of(station.station_id, event, self.at)
            await writer.write(write_of(station, row))

    async def begin(self, station: ChargingStation, number: int = 1, **changes: Any) -> ChargingSession:
        """The station begins a session."""
        times = {"started_at": self.at, "received_at": self.at}
        session = a_session(station, number, **(times | changes))
        async with Writer(self.database, fence=False) as writer:
            await writer.write(start_of(station, session))
        return session

    async def end(self, number: int, **changes: Any) -> None:
        """The session is over."""
        values = {"state": "ended", "ended_at": micros(self.at)} | changes
        await self.database.execute(sessions.update().where(sessions.c.session_id == number).values(values))


@asynccontextmanager
async def a_world(
    database: Database, profile: str = "tcec102-2016", base: str = "/evcs/v1", **inbound: Any
) -> AsyncIterator[World]:
    """A city with a token, and a server that no watch runs in: tests look when they want to."""
    courier = Courier()
    world: World

    def now() -> datetime:
        return world.at

    world = World(City(None, base, at=T0), database, courier, None)  # type: ignore[arg-type]
    means = Means(database, courier, now, lambda: asyncio.get_running_loop().time() * 1e6, 5)
    world.server = CityServer([settings_of(profile, **inbound)], means)
    try:
        async with listening(world.server.routes) as http:
            world.city.http = http
            await world.city.log_in()
            yield world
    finally:
        await world.server.__aexit__()


async def online(database: Database, count: int = 1) -> list[ChargingStation]:
    """Registered stations that are connected."""
    made = await stations(database, count)
    for station in made:
        await Registry(database).raise_epoch(station.station_id, now=T0)
    return made
