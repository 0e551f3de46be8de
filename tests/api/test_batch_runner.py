"""Batches are carried out at their rate, by all nodes together, once each, whatever dies when."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.api import batch_runner
from csms.api.batch_runner import LEASE_GRACE, BatchRunner
from csms.domain.commands import ClearCache, Outcome, Result
from csms.store.batches import BatchForm, BatchStore
from csms.store.database import Database
from csms.store.registry import Registry, StationForm
from tests.api.conftest import TellingCourier
from tests.serverkit import polls

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)


class World:
    """Stations, a clock that moves when told, and nodes over one database."""

    def __init__(self, database: Database) -> None:
        self.database, self.batches, self.now = database, BatchStore(database), T0

    async def register(self, number: int) -> None:
        """Stations CS-0, CS-1, ..."""
        for n in range(number):
            await Registry(self.database).put_station(StationForm(f"CS-{n}"), T0)

    def node(self, courier: TellingCourier) -> BatchRunner:
        """A process that carries batches out."""
        return BatchRunner(self.batches, courier, lambda: self.now, 5)

    async def begin(self, **more: Any) -> int:
        """A batch to all."""
        return await self.batches.put(BatchForm("key:1", None, {"command": "ClearCache"}, **more), T0)

    async def counts(self) -> dict[str, int]:
        """Of the first batch."""
        shown = await self.batches.shown(1, None)
        assert shown is not None
        return dict(shown["counts"])


async def test_the_rate_is_kept_over_all_nodes(database: Database) -> None:
    """Ten a second, whoever asks and however often."""
    world, courier = World(database), TellingCourier()
    await world.register(40)
    await world.begin(per_s=10)
    nodes = [world.node(courier) for _ in range(3)]

    for tick in range(8):
        world.now = T0 + timedelta(seconds=tick / 4)
        await asyncio.gather(*(node.turn() for node in nodes))
        await asyncio.gather(*(node.idle() for node in nodes))

    assert 15 <= len(courier.sent) <= 25
    assert len({identity for identity, _ in courier.sent}) == len(courier.sent)
    assert {type(command) for _, command in courier.sent} == {ClearCache}


async def test_concurrency_is_kept(database: Database) -> None:
    """No more than so many wait for their stations at a time."""
    world, courier = World(database), TellingCourier()
    courier.takes_s = 0.2
    await world.register(10)
    await world.begin(per_s=1_000, concurrency=3)
    node = world.node(courier)

    begun = [await node.turn()]
    world.now += timedelta(seconds=1)
    begun.append(await node.turn())
    await node.idle()

    assert begun == [3, 0]


async def test_a_batch_stops_after_failures(database: Database) -> None:
    """And nothing more fails than may."""
    world, courier = World(database), TellingCourier()
    courier.outcome = Outcome(Result.REJECTED)
    await world.register(10)
    await world.begin(per_s=1_000, stop_after=2)
    node = world.node(courier)

    for _ in range(4):
        await node.turn()
        await node.idle()
        world.now += timedelta(seconds=1)

    shown = await world.batches.shown(1, None)
    assert shown is not None
    assert (shown["state"], shown["counts"]) == ("stopped", {"rejected": 2, "cancelled": 8})
    assert len(courier.sent) == 2


async def test_what_a_dead_node_has_taken_is_not_sent_again(database: Database) -> None:
    """The node dies with items under way: after their lease they count as silent; the rest is carried out."""
    world, dying, living = World(database), TellingCourier(), TellingCourier()
    dying.takes_s = 60
    await world.register(6)
    await world.begin(per_s=4)
    first = world.node(dying)
    assert await first.turn() == 2
    await asyncio.sleep(0)
    for task in first._under_way:
        task.cancel()

    second = world.node(living)
    for _ in range(4):
        world.now += LEASE_GRACE / 2
        await second.turn()
        await second.idle()

    assert await world.counts() == {"silent": 2, "accepted": 4}
    told = [identity for identity, _ in dying.sent + living.sent]
    assert sorted(told) == [f"CS-{n}" for n in range(6)]
    shown = await world.batches.shown(1, None)
    assert shown is not None
    assert shown["state"] == "finished"
    assert (await world.batches.items(1, "silent", None, 10)).items[0]["detail"]["reason"]


async def test_a_runner_that_stops_waits_for_what_it_sent(database: Database) -> None:
    """A restart in order loses no answer."""
    world, courier = World(database), TellingCourier()
    courier.takes_s = 0.3
    await world.register(1)
    await world.begin()
    node = world.node(courier)
    task = asyncio.create_task(node.run())
    async for _ in polls(5):
        if courier.sent:
            break

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await world.counts() == {"accepted": 1}
    assert node.results == {"accepted": 1}


async def _carried_out(node: BatchRunner, is_done: Callable[[], bool]) -> None:
    """Run the node until it is done; then stop it, and let it finish."""
    task = asyncio.create_task(node.run())
    async for _ in polls(5):
        if is_done():
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_turn_that_fails_is_not_the_last(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody has thought of is logged, and the batch is carried out all the same."""
    monkeypatch.setattr(batch_runner, "TURN_S", 0.01)
    world, courier = World(database), TellingCourier()
    await world.register(1)
    await world.begin()
    node, take, failures = world.node(courier), world.batches.take, [ZeroDivisionError(), KeyError("x")]

    async def taking(*asked: Any) -> Any:
        if failures:
            raise failures.pop()
        return await take(*asked)

    monkeypatch.setattr(world.batches, "take", taking)
    with capture_logs() as logged:
        await _carried_out(node, lambda: bool(courier.sent))

    assert [line["event"] for line in logged] == ["batches_failed"] * 2
    assert await world.counts() == {"accepted": 1}


async def test_a_command_that_fails_stops_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its station counts as silent when the lease is over, the next one is told."""
    world, courier = World(database), TellingCourier()
    await world.register(2)
    await world.begin(per_s=1_000)
    node, send = world.node(courier), courier.send

    async def sending(identity: str, *told: Any) -> Outcome:
        if identity == "CS-0":
            raise ZeroDivisionError
        return await send(identity, *told)

    monkeypatch.setattr(courier, "send", sending)
    with capture_logs() as logged:
        await _carried_out(node, lambda: bool(courier.sent))

    assert [(line["event"], line["station"]) for line in logged] == [("batch_item_failed", "CS-0")]
    assert await world.counts() == {"accepted": 1, "sent": 1}
