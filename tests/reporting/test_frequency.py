"""A platform that asks for another frequency of statuses gets it, from every node."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from csms.domain.assets import ConnectorStatus
from csms.reporting.periodic import Periodic
from csms.reporting.places import Places
from csms.reporting.routes import Route
from csms.reporting.tcec.profile import Profile, load_profile
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.live_states import LiveStates
from csms.store.platforms import PlatformStore
from csms.store.tables import outbox
from tests.reporting.tcec.server.kit import OURS
from tests.reporting.tcec.server.test_sites import SHENZHEN
from tests.reporting.tcec.server.world import World, a_world, online
from tests.store.given import HOUR


def a_route(world: World, profile: Profile) -> Route:
    """The platform as its producers see it."""

    def now() -> datetime:
        return world.at

    places = Places(AssetStore(world.database), OURS, profile, (), now)
    return Route("city", OURS, profile, places, now)


async def rounds(world: World, profile: Profile) -> int:
    """How often every status is told within an hour that begins with a turn."""
    periodic = Periodic((), LiveStates(world.database), PlatformStore(world.database))
    route, told = a_route(world, profile), 0
    for _ in range(60):
        await periodic.look(route)
        told += len(await world.owed("connector-status"))
        # What waits is told: another turn is not left out for it.
        await world.database.execute(outbox.delete())
        world.pass_(timedelta(minutes=1))
    return told


@pytest.mark.parametrize(("asked", "times"), [(None, 6), (1800, 2), (60, 60)])
async def test_as_often_as_asked(database: Database, asked: int | None, times: int) -> None:
    """Every ten minutes by Shenzhen's profile, unless the city said otherwise."""
    (station,) = await online(database)
    async with a_world(database, **SHENZHEN) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        if asked is not None:
            await world.city.told("query_frequency", {"ParaFrequency": asked})
        world.pass_(2 * HOUR)

        assert await rounds(world, load_profile("shenzhen")) == times


async def test_a_profile_without_that_query(inline_database: Database) -> None:
    """What stands in the cursor of another time does not count."""
    (station,) = await online(inline_database)
    async with a_world(inline_database, **SHENZHEN) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        await world.city.told("query_frequency", {"ParaFrequency": 60})
        world.pass_(2 * HOUR)

        assert await rounds(world, load_profile("beijing")) <= 1
