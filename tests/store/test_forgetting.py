"""A node that died holds no station, and the stations' histories say so."""

import pytest
from sqlalchemy import select

from csms.store import forgetting
from csms.store.change_tables import changes
from csms.store.database import Database
from csms.store.device_tables import station_events
from csms.store.jsontext import value_of
from csms.store.registry import Registry
from csms.store.times import micros
from tests.store.given import MINUTE, T0, stations


async def test_a_node_that_died_holds_nothing(database: Database) -> None:
    """At its next start its stations are offline since they were last heard."""
    one, other = await stations(database, 2)
    registry = Registry(database)
    await registry.raise_epoch(one.station_id, now=T0, node="a")
    await registry.raise_epoch(other.station_id, now=T0, node="b")
    await registry.seen([(one.station_id, T0 + MINUTE)])

    assert await registry.forget_connections("a") == 1
    assert await registry.forget_connections("a") == 0
    (event,) = await database.read(select(station_events))
    assert (event.station_id, event.kind, event.at) == (one.station_id, "disconnected", micros(T0 + MINUTE))
    assert value_of(event.details) == {"code": 1006, "reason": "the node ended"}
    told = [row for row in await database.read(select(changes)) if row.kind == "station_disconnected"]
    assert [(row.station_id, row.at) for row in told] == [(one.station_id, micros(T0 + MINUTE))]


async def test_piece_by_piece(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many it held, each is told once."""
    monkeypatch.setattr(forgetting, "HELD", forgetting.HELD.limit(2))
    there = await stations(database, 5)
    registry = Registry(database)
    for station in there:
        await registry.raise_epoch(station.station_id, now=T0, node="a")

    assert await registry.forget_connections("a") == 5

    noted = [row.station_id for row in await database.read(select(station_events))]
    told = [
        row.station_id for row in await database.read(select(changes)) if row.kind.endswith("_disconnected")
    ]
    assert sorted(noted) == sorted(told) == [station.station_id for station in there]
