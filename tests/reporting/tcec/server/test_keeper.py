"""The watch over orders: late starts, several watchers, outages, and what it forgets."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from csms.domain.assets import ConnectorStatus
from csms.errors import StoreUnavailable
from csms.reporting.tcec.server import keeper
from csms.reporting.tcec.server.keeper import LATE_STARTS, Keeper
from csms.store.database import Database
from csms.store.platform_orders import Step
from csms.store.registry import Registry
from tests.reporting.tcec.server.test_starting import ASKED, SEQ
from tests.reporting.tcec.server.test_stopping import STOPPING, charging, stops
from tests.reporting.tcec.server.world import World, a_world, online
from tests.store.given import count


async def started(world: World) -> str:
    """A start that the station has accepted; its token."""
    await world.city.told("query_start_charge", ASKED)
    (start,) = world.courier.starts()
    return start.id_token


async def test_a_start_that_was_called_failed_begins_after_all(database: Database) -> None:
    """It is stopped; the platform hears no other result, and the order has its name."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        token = await started(world)
        world.pass_(timedelta(seconds=46))
        await world.look()
        await world.begin(station, token=token)
        changed = [await world.look() for _ in range(2)]
        await world.end(1)
        await world.look()

        assert changed == [1, 0]
        assert stops(world) == ["1001"]
        assert [one["state"] for one in await world.owed("start-result")] == ["start-failed"]
        assert await world.owed("stop-result") == []
        assert await world.server._orders.seq_of("city", 1) == SEQ


async def test_a_session_that_ends_by_itself(database: Database) -> None:
    """Its end is told, though no stop was asked for."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        await world.end(1, stop_reason="ev-disconnected")
        await world.look()

        assert [one["state"] for one in await world.owed("stop-result")] == ["finished"]


async def test_a_stop_is_asked_for_while_the_session_is_bound(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch has read the order before and binds it after: it stops the session."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.begin(station, token=await started(world))
        orders = world.server._keeper._orders
        take, asked = orders.take, list[object]()

        async def after_an_ask(step: Step, now: datetime) -> bool:
            if not asked:
                asked.append(await world.city.told("query_stop_charge", ASKED))
            return await take(step, now)

        monkeypatch.setattr(orders, "take", after_an_ask)
        await world.look()

        assert asked == [STOPPING]
        assert stops(world) == ["1001"]


async def test_several_watchers_tell_once(database: Database) -> None:
    """Nodes that look at the same moment agree; none leads."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.begin(station, token=await started(world))
        changed = await asyncio.gather(*(world.look() for _ in range(4)))
        await world.city.told("query_stop_charge", ASKED)
        await world.end(1)
        changed += await asyncio.gather(*(world.look() for _ in range(4)))

        assert sum(changed) == 2
        assert await count(database, "outbox") == 2


async def test_what_it_forgets(database: Database) -> None:
    """Tokens of charges that are over, and envelopes too old to come again; not those of today's."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        (start,) = world.courier.starts()
        envelopes = await count(database, "platform_envelopes")
        await world.look()
        assert await count(database, "platform_envelopes") == envelopes
        await world.end(1)
        await world.look()
        assert await Registry(database).token(start.id_token) is not None
        world.pass_(LATE_STARTS + timedelta(minutes=11))
        await world.look()

        assert await Registry(database).token(start.id_token) is None
        assert await count(database, "platform_envelopes") == 0


async def test_an_outage_is_waited_out(inline_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: the next look finds what was due."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.begin(station, token=await started(world))
        watch: Keeper = world.server._keeper
        due, fails = watch._orders.due, [StoreUnavailable("away"), ZeroDivisionError("a fault")]

        async def failing(*asked: object) -> object:
            if fails:
                raise fails.pop(0)
            return await due(*asked)  # type: ignore[arg-type]

        monkeypatch.setattr(watch._orders, "due", failing)
        monkeypatch.setattr(keeper, "LOOK_S", 0.01)
        with capture_logs() as logs:
            task = asyncio.create_task(watch.run())
            await world.until_owed("start-result")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        told = [line["event"] for line in logs]
        assert told == ["platform_orders_unavailable", "platform_orders_failed", "platform_order_changed"]
