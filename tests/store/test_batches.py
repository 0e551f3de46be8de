"""Batches are listed in pages, latest first, and their items in order; a batch that has ended may go on."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from csms.errors import InvalidInput
from csms.store import batch_statements as q
from csms.store import batches as batches_module
from csms.store.batches import LEFT, MOST_BATCHES, BatchForm, BatchStore, Item
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.station_filters import StationFilter
from tests.store import given
from tests.store.given import T0

CLEAR = {"command": "ClearCache"}
LEASE = timedelta(seconds=10)


async def test_pages(database: Database) -> None:
    """Each batch once, each item once."""
    batches, registry = BatchStore(database), Registry(database)
    for n in range(5):
        await registry.put_station(StationForm(f"CS-{n}"), T0)
    for _ in range(3):
        await batches.put(BatchForm("key:1", None, CLEAR), T0)

    first = await batches.find(None, None, 2)
    second = await batches.find(None, first.next, 2)
    items = await batches.items(3, None, None, 3)
    more = await batches.items(3, "waiting", items.next, 3)

    assert [one["batch_id"] for one in first.items + second.items] == ["3", "2", "1"]
    assert [one["charging_station"] for one in items.items + more.items] == [f"CS-{n}" for n in range(5)]


async def test_what_ended_may_be_sent_to_the_failed_again(database: Database) -> None:
    """Only to them, and only once they have ended; an answer that comes too late changes nothing."""
    batches = BatchStore(database)
    for n in range(3):
        await Registry(database).put_station(StationForm(f"CS-{n}"), T0)
    await batches.put(BatchForm("key:1", None, CLEAR, per_s=100), T0)
    taken = await batches.take(T0, timedelta(seconds=10), 10)
    for item, result in zip(taken, ("accepted", "silent", "not-supported"), strict=True):
        await batches.done(item.item_id, result, {}, T0)
        await batches.done(item.item_id, "failed", {}, T0)
    later = T0 + timedelta(seconds=1)
    assert await batches.take(later, timedelta(seconds=10), 10) == []

    again = await batches.retry_failed(1, later)
    taken = await batches.take(later, timedelta(seconds=10), 10)

    assert again == 1
    assert [item.identity for item in taken] == ["CS-1"]


async def test_a_selection_of_nobody(database: Database) -> None:
    """It is no batch."""
    with pytest.raises(InvalidInput, match="no stations"):
        await BatchStore(database).put(BatchForm("key:1", None, CLEAR, wanted=StationFilter(site="S")), T0)


async def test_a_station_that_left_its_operator(database: Database) -> None:
    """It is told nothing of that operator's batches any more, nor is what it answered shown to it."""
    batches = BatchStore(database)
    stations = [one.identity for one in await given.stations(database, 4)]
    other = OperatorForm("987654321", "Other", "Asia/Shanghai")
    await Registry(database).put_operator(other)
    await Registry(database).put_site(SiteForm("S99", other.code, "Other's"))
    await batches.put(BatchForm("key:1", given.OPERATOR, CLEAR, tuple(stations), per_s=2, concurrency=3), T0)
    first = await batches.take(T0, LEASE, 10)
    await batches.done(first[0].item_id, "rejected", {"answer": "secret"}, T0)
    for identity in (stations[0], stations[1]):
        await Registry(database).put_station(StationForm(identity, "S99"), T0)

    second = await take_until_none(batches, T0 + timedelta(seconds=1))
    again = await batches.retry_failed(1, T0)
    shown = {one["charging_station"]: one for one in (await batches.items(1, None, None, 10)).items}

    assert [item.identity for item in first + second] == [stations[0], stations[2], stations[3]]
    assert again == 0
    assert (await batches.shown(1, None) or {})["state"] == "finished"
    assert [shown[identity]["state"] for identity in stations] == ["done", "cancelled", "done", "done"]
    assert [shown[identity]["detail"] for identity in stations] == [LEFT, LEFT, {}, {}]


async def take_until_none(batches: BatchStore, now: datetime) -> list[Item]:
    """Everything that is left, each accepted."""
    taken: list[Item] = []
    for _ in range(6):
        now += timedelta(seconds=1)
        found = await batches.take(now, LEASE, 10)
        for item in found:
            await batches.done(item.item_id, "accepted", {}, now)
        taken += found
    return taken


async def test_batches_share(database: Database) -> None:
    """What may be sent at a time is divided; those that wait for answers are not in the way of others."""
    batches = BatchStore(database)
    await given.stations(database, 6)
    for _ in range(MOST_BATCHES):
        await batches.put(BatchForm("key:1", None, CLEAR, concurrency=1), T0)
    assert len(await batches.take(T0, LEASE, 100)) == MOST_BATCHES
    for _ in range(2):
        await batches.put(BatchForm("key:2", None, CLEAR, per_s=100), T0 + timedelta(seconds=1))

    turns = [await batches.take(T0 + timedelta(seconds=2 + n), LEASE, 44) for n in range(2)]

    assert [len(items) for items in turns] == [0, 4]
    counts = [(await batches.shown(MOST_BATCHES + n, None) or {})["counts"] for n in (1, 2)]
    assert counts == [{"sent": 2, "waiting": 4}] * 2


async def test_a_large_batch_is_put_down_in_pieces(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes of it before it is whole."""
    monkeypatch.setattr(batches_module, "PIECE", 2)
    batches = BatchStore(database)
    await given.stations(database, 5)
    execute, taken = database.execute, []

    async def execute_and_take(*asked: Any) -> int:
        taken.append(await batches.take(T0, LEASE, 10))
        return await execute(*asked)

    monkeypatch.setattr(database, "execute", execute_and_take)
    await batches.put(BatchForm("key:1", None, CLEAR), T0)

    assert taken == [[]] * 4
    assert len(await batches.take(T0, LEASE, 10)) == 5


async def test_failures_are_counted_where_they_matter(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that goes on whatever fails is not looked through in every turn."""
    batches = BatchStore(database)
    await given.stations(database, 2)
    await batches.put(BatchForm("key:1", None, CLEAR), T0)
    monkeypatch.setattr(q, "FAILURES", None)

    assert len(await batches.take(T0, LEASE, 10)) == 2
