"""The city server as a part of the program: made from the settings, its watch inside the context."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from csms.config import ReportingSettings, Settings
from csms.domain.assets import ConnectorStatus
from csms.errors import ConfigError
from csms.reporting.tcec.server.service import CityServer
from csms.store.database import Database
from csms.store.live_states import SessionNow
from tests.reporting.tcec.server.kit import settings_of
from tests.reporting.tcec.server.test_starting import ASKED
from tests.reporting.tcec.server.world import Courier, a_world, online
from tests.store.given import T0, a_session


def made(database: Database, *platforms: object) -> CityServer:
    """The server for these settings."""
    settings = Settings(reporting=ReportingSettings(platforms=list(platforms)))  # type: ignore[arg-type]
    return CityServer.of(settings, database, Courier(), lambda: T0)


async def test_a_platform_without_inbound_asks_nothing(inline_database: Database) -> None:
    """No route and no watch."""
    quiet = settings_of().model_copy(update={"inbound": None})
    async with made(inline_database, quiet) as server:
        assert (server.routes, server.platforms, dict(server.queries)) == ([], {}, {})
        assert not server._tasks


async def test_two_platforms_that_cannot_be_told_apart(inline_database: Database) -> None:
    """Refused at start."""
    with pytest.raises(ConfigError, match=r"give one of them another inbound\.prefix"):
        made(inline_database, settings_of(), settings_of().model_copy(update={"name": "two"}))


async def test_the_watch_runs_inside_the_context(inline_database: Database) -> None:
    """A session that begins is found without anybody looking; outside, nothing goes on."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.city.told("query_start_charge", ASKED)
        (start,) = world.courier.starts()
        await world.begin(station, token=start.id_token)
        async with world.server as server:
            await world.until_owed("start-result")
            watch = list(server._tasks)

        assert all(task.done() for task in watch)
        assert server.queries["city", "start-charge", "0"] == 1


async def test_a_task_that_fails_is_told(inline_database: Database) -> None:
    """What goes on behind an answer must not fail in silence."""

    async def fails() -> None:
        raise ZeroDivisionError("a fault")

    async with made(inline_database, settings_of()) as server:
        with capture_logs() as logs:
            task = asyncio.create_task(fails(), name="start for city")
            server._keep(task)
            await asyncio.wait([task])
            await asyncio.sleep(0)

        assert [line["event"] for line in logs] == ["city_command_failed"]


async def test_what_a_session_costs_without_a_tariff(database: Database) -> None:
    """Nothing is told."""
    (station,) = await online(database)
    async with made(database, settings_of()) as server:
        assert await server.cost_so_far(SessionNow(a_session(station, energy_wh=5))) == {}
