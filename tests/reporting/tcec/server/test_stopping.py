"""query_stop_charge: one effect, one answer; a stop that failed may be asked for again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.commands import Outcome, Result, StopSession
from csms.domain.orders import start_charge_seq
from csms.store.database import Database
from csms.store.platform_orders import PlatformOrders
from tests.reporting.tcec.server.kit import OURS
from tests.reporting.tcec.server.test_starting import ASKED, SEQ
from tests.reporting.tcec.server.world import World, a_world, online

STOPPING = {"StartChargeSeq": SEQ, "StartChargeSeqStat": 3, "SuccStat": 0, "FailReason": 0}


def answer(state: int, reason: int, seq: str = SEQ) -> dict[str, Any]:
    """A stop that came to nothing."""
    return {"StartChargeSeq": seq, "StartChargeSeqStat": state, "SuccStat": 1, "FailReason": reason}


def stops(world: World) -> list[str]:
    """The transactions that were stopped."""
    return [command.transaction_id for _, command in world.courier.sent if isinstance(command, StopSession)]


async def charging(world: World, station: ChargingStation) -> None:
    """A charge that the city started and that has begun."""
    await world.status(station, ConnectorStatus.PREPARING)
    await world.city.told("query_start_charge", ASKED)
    (start,) = world.courier.starts()
    await world.begin(station, token=start.id_token)
    assert await world.look() == 1


async def test_a_stop_reaches_the_station_and_its_end_is_told(database: Database) -> None:
    """By the session's transaction; asked for again, before and after the end, it is the same answer."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        told = await asyncio.gather(*(world.city.told("query_stop_charge", ASKED) for _ in range(4)))
        before = await world.owed("stop-result")
        await world.end(1)
        changed = [await world.look() for _ in range(2)]
        told.append(await world.city.told("query_stop_charge", ASKED))

        assert told == [STOPPING] * 5
        assert stops(world) == ["1001"]
        assert (before, changed) == ([], [1, 0])
        (result,) = await world.owed("stop-result")
        assert (result["start_charge_seq"], result["state"], result["fail_reason"]) == (SEQ, "finished", "")


@pytest.mark.parametrize(
    ("outcome", "reason"), [(Result.NOT_CONNECTED, 2), (Result.REJECTED, 4), (Result.FAILED, 4)]
)
async def test_a_stop_that_failed_may_be_asked_for_again(
    database: Database, outcome: Result, reason: int
) -> None:
    """The charge goes on; the next stop is sent anew."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        world.courier.outcome = Outcome(outcome)
        first = await world.city.told("query_stop_charge", ASKED)
        world.courier.outcome = Outcome(Result.ACCEPTED)
        world.pass_(timedelta(seconds=1))
        second = await world.city.told("query_stop_charge", ASKED)

        assert (first, second) == (answer(2, reason), STOPPING)
        assert len(stops(world)) == 2
        assert await world.owed("stop-result") == []


async def test_a_refusal_that_comes_late_is_the_result(database: Database) -> None:
    """The platform was told that it stops; it hears otherwise, and may try again."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        world.courier.takes_s, world.courier.outcome = 1.2, Outcome(Result.REJECTED)
        told = await world.city.told("query_stop_charge", ASKED)
        results = await world.until_owed("stop-result")
        world.courier.takes_s, world.courier.outcome = 0, Outcome(Result.ACCEPTED)
        world.pass_(timedelta(seconds=3))
        again = await world.city.told("query_stop_charge", ASKED)

        assert (told, again) == (STOPPING, STOPPING)
        assert [(one["state"], one["fail_reason"]) for one in results] == [("charging", "rejected")]
        assert len(stops(world)) == 2


async def test_a_stop_that_works_no_effect_in_time(database: Database) -> None:
    """The session goes on: told as failed before the limit; a later end is told as well."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        await world.city.told("query_stop_charge", ASKED)
        world.pass_(timedelta(seconds=44))
        early = await world.look()
        world.pass_(timedelta(seconds=1))
        late = [await world.look() for _ in range(2)]
        await world.city.told("query_stop_charge", ASKED)
        await world.end(1)
        await world.look()

        assert (early, late) == (0, [1, 0])
        results = await world.owed("stop-result")
        assert [(one["state"], one["fail_reason"]) for one in results] == [
            ("charging", "silent"),
            ("finished", ""),
        ]
        assert len(stops(world)) == 2


async def test_a_stop_before_the_charge_has_begun(database: Database) -> None:
    """It is carried out as soon as there is something to stop."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.city.told("query_start_charge", ASKED)
        told = await world.city.told("query_stop_charge", ASKED)
        before = stops(world)
        (start,) = world.courier.starts()
        await world.begin(station, token=start.id_token)
        await world.look()

        assert (told, before, stops(world)) == (STOPPING, [], ["1001"])


async def test_a_charge_that_begins_while_its_stop_is_asked_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch has bound its session before the stop was noted: it is stopped, once."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.city.told("query_start_charge", ASKED)
        (start,) = world.courier.starts()
        orders = world.server._keeper._orders
        ask_stop = PlatformOrders.ask_stop

        async def after_a_look(self: PlatformOrders, *asked: Any) -> bool:
            await world.begin(station, token=start.id_token)
            await world.look()
            return await ask_stop(self, *asked)

        monkeypatch.setattr(PlatformOrders, "ask_stop", after_a_look)
        told = await world.city.told("query_stop_charge", ASKED)
        await world.look()

        assert (told, stops(world)) == (STOPPING, ["1001"])
        order = await orders.by_seq("city", SEQ)
        assert order is not None
        assert order.stop_asked_at is not None


async def test_a_charge_that_is_over(database: Database) -> None:
    """FailReason 3, whether the watch has seen its end or not; its end is told once."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        await world.end(1)
        unseen = await world.city.told("query_stop_charge", ASKED)
        await world.look()
        seen = await world.city.told("query_stop_charge", ASKED)

        assert unseen == seen == answer(4, 3)
        assert stops(world) == []
        assert len(await world.owed("stop-result")) == 1


async def test_what_nobody_knows(inline_database: Database) -> None:
    """FailReason 1: another name, another connector, another operator's or no session."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await charging(world, station)
        other = await world.city.told("query_stop_charge", ASKED | {"ConnectorID": "CS-00010201"})
        unknown = [
            await world.city.told("query_stop_charge", ASKED | {"StartChargeSeq": seq})
            for seq in ("x" * 27, start_charge_seq(OURS, 77))
        ]

        assert other == answer(5, 1)
        assert [one["FailReason"] for one in unknown] == [1, 1]
        assert stops(world) == []


async def test_a_charge_that_a_card_started(database: Database) -> None:
    """Known to the platform by the name we told: stopped, and its end is told under that name."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.CHARGING)
        await world.begin(station, number=5, token="CARD")
        asked = ASKED | {"StartChargeSeq": start_charge_seq(OURS, 5)}
        elsewhere = await world.city.told("query_stop_charge", asked | {"ConnectorID": "CS-00010201"})
        told = await world.city.told("query_stop_charge", asked)
        again = await world.city.told("query_stop_charge", asked)
        await world.end(5)
        await world.look()
        over = await world.city.told("query_stop_charge", asked)

        assert elsewhere["FailReason"] == 1
        assert told == again == over == STOPPING | {"StartChargeSeq": asked["StartChargeSeq"]}
        assert stops(world) == ["1005"]
        (result,) = await world.owed("stop-result")
        assert result["start_charge_seq"] == asked["StartChargeSeq"]
