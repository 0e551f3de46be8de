"""Alarms are raised after a while, cleared after a while, once for all nodes, and told in the feed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from csms.domain.scope import WHOLE, Scope
from csms.errors import Conflict, NotFound
from csms.store.alarms import AlarmFilter, AlarmStore, Condition, Look
from csms.store.change_tables import changes
from csms.store.database import Database
from csms.store.times import micros
from tests.store.given import MINUTE, T0, stations

SECOND = timedelta(seconds=1)
AFTER, GONE = 20 * SECOND, 60 * SECOND


def fault(n: int = 1, since: Any = T0, **over: Any) -> Condition:
    return Condition(f"CS-0001/{n}/1", "major", micros(since), {"n": n}, **over)


def look(*conditions: Condition, **over: Any) -> Look:
    return Look("connector-fault", conditions, AFTER, GONE, **over)


async def told(database: Database) -> list[str]:
    return [row.kind for row in await database.read(changes.select()) if row.kind.startswith("alarm")]


async def test_raised_and_cleared_with_patience(database: Database) -> None:
    """What is over soon is none; what comes back soon is the same."""
    alarms = AlarmStore(database)

    async def settle(at: timedelta, *conditions: Condition) -> tuple[int, int]:
        return await alarms.settle(look(*conditions), T0 + at)

    assert await settle(10 * SECOND, fault()) == (0, 0)
    assert await settle(20 * SECOND, fault()) == (1, 0)
    assert await settle(30 * SECOND, fault(), fault(2, T0 + 25 * SECOND)) == (0, 0)
    assert await settle(40 * SECOND) == (0, 0)
    assert await settle(90 * SECOND, fault()) == (0, 0)
    assert await settle(200 * SECOND) == (0, 0)
    assert await settle(259 * SECOND) == (0, 0)
    assert await settle(260 * SECOND) == (0, 1)
    assert await settle(300 * SECOND) == (0, 0)
    assert await settle(400 * SECOND, fault()) == (1, 0)

    page = await alarms.find(AlarmFilter())
    assert [one["cleared_at"] for one in page.items] == [None, "2026-01-05T10:04:20.000Z"]
    assert page.items[0]["raised_at"] == "2026-01-05T10:00:00.000Z"
    assert await told(database) == ["alarm_raised", "alarm_cleared", "alarm_raised"]


async def test_nodes_that_look_at_once_raise_one(database: Database) -> None:
    """The open alarm of a kind and subject is unique."""
    alarms = AlarmStore(database)

    done = await asyncio.gather(*(alarms.settle(look(fault()), T0 + MINUTE) for _ in range(4)))
    assert sum(raised for raised, _ in done) == 1
    await alarms.settle(look(), T0 + MINUTE)
    over = await asyncio.gather(*(alarms.settle(look(), T0 + 3 * MINUTE) for _ in range(4)))

    assert sum(cleared for _, cleared in over) == 1
    assert await told(database) == ["alarm_raised", "alarm_cleared"]


async def test_what_was_not_looked_at_is_not_over(database: Database) -> None:
    """Another node's subjects, and more than was read."""
    alarms = AlarmStore(database)
    here = Condition("CS-1@a", "major", micros(T0), {})
    await alarms.settle(look(here, ending="@a"), T0 + MINUTE)

    await alarms.settle(look(ending="@b"), T0 + MINUTE)
    await alarms.settle(look(is_whole=False), T0 + 2 * MINUTE)

    assert await alarms.settle(look(ending="@b"), T0 + 9 * MINUTE) == (0, 0)
    assert await alarms.settle(look(is_whole=False), T0 + 9 * MINUTE) == (0, 0)
    assert await alarms.counts() == {("connector-fault", "major"): 1}


async def test_alarms_are_found(database: Database) -> None:
    """By everything they can be asked by, in pages; an operator's alone for its own key."""
    first, _ = await stations(database, 2)
    alarms = AlarmStore(database)
    mine = {"operator_id": first.operator_id, "site_id": first.site_id, "station_id": first.station_id}
    await alarms.settle(look(fault(1, **mine), fault(2)), T0 + MINUTE)
    await alarms.settle(look(fault(1, **mine)), T0 + MINUTE)
    await alarms.settle(look(fault(1, **mine)), T0 + 3 * MINUTE)

    async def subjects(**wanted: Any) -> list[str]:
        return [one["subject"] for one in (await alarms.find(AlarmFilter(**wanted))).items]

    assert await subjects(is_open=True) == ["CS-0001/1/1"]
    assert await subjects(is_open=False) == ["CS-0001/2/1"]
    assert await subjects(operator="123456789", site="S01", station="CS-0001") == ["CS-0001/1/1"]
    assert await subjects(operator="987654321") == []
    assert await subjects(kind="station-silent") == await subjects(severity="minor") == []
    page = await alarms.find(AlarmFilter(), None, 1)
    rest = await alarms.find(AlarmFilter(), page.next, 1)
    assert [page.items[0]["id"], rest.items[0]["id"], rest.next] == ["2", "1", None]
    with pytest.raises(NotFound):
        await alarms.one(2, Scope("123456789"))
    with pytest.raises(NotFound):
        await alarms.one(1, Scope("123456789", frozenset({"S02"})))
    assert await subjects(scope=Scope("123456789", frozenset({"S01"}))) == ["CS-0001/1/1"]
    assert await subjects(scope=Scope("123456789", frozenset({"S02"}))) == []


async def test_somebody_knows(database: Database) -> None:
    """Once, with a note; it stays open."""
    alarms = AlarmStore(database)
    await alarms.settle(look(fault()), T0 + MINUTE)

    await alarms.acknowledge(1, "key:1:x", "on my way", T0 + MINUTE)

    shown = await alarms.one(1, WHOLE)
    assert (shown["acknowledged_by"], shown["note"], shown["cleared_at"]) == ("key:1:x", "on my way", None)
    with pytest.raises(Conflict):
        await alarms.acknowledge(1, "key:2:y", "me too", T0 + MINUTE)
    assert (await told(database))[-1] == "alarm_acknowledged"


async def test_old_ones_are_forgotten(database: Database) -> None:
    """Those that are over; an open one never."""
    alarms = AlarmStore(database)
    await alarms.settle(look(fault(), fault(2)), T0 + MINUTE)
    for at in (1, 3):
        await alarms.settle(look(fault()), T0 + at * MINUTE)

    assert await alarms.prune(T0 + 2 * MINUTE) == 0
    assert await alarms.prune(T0 + timedelta(days=900)) == 1
    assert len((await alarms.find(AlarmFilter())).items) == 1
