"""What one commit puts down and whom it refuses, on a connection of each database."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.dialects import sqlite

from csms.domain.charging_session import Change
from csms.errors import StaleEpoch
from csms.store.commit import MOST_KINDS, AlreadyStored, Commit, RowRefused, Write
from csms.store.database import Database
from csms.store.records import ReadingRow, StationEventRow
from csms.store.registry import Registry
from csms.store.session_codec import records_of
from csms.store.tables import reading_kinds, session_revisions
from tests.store.given import (
    T0,
    a_message,
    a_reading,
    a_session,
    count,
    reading_write,
    start_of,
    stations,
    write_of,
)

BAD = StationEventRow(1, "bad", 2**70, 0, "{}")


def names(refusals: list[Any]) -> list[str]:
    """What each write heard."""
    return [type(refusal).__name__ for refusal in refusals]


async def test_all_at_once(database: Database) -> None:
    """Nobody is refused; the kinds that were new are told, and learnt only when they were committed."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)
    writes = [start_of(station, a_session(station)), *(reading_write(station, n) for n in range(3))]

    refusals, kinds = await database.put(partial(commits.all, writes))

    assert refusals == [None] * 4
    assert len(kinds) == 1
    assert commits.kinds == set()
    assert await count(database, "readings") == 3
    commits.learn(kinds)
    assert commits.kinds == kinds
    assert (await database.put(partial(commits.all, [reading_write(station, 7)])))[1] == set()


async def test_records_of_many_messages_are_put_down_in_the_order_that_they_need(database: Database) -> None:
    """A session before its messages, its revision before its update, whatever their order in the writes."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)
    session = a_session(station, energy_wh=10)
    revised = session._replace(energy_wh=20, revision=2)
    change = Change(
        revised, message=a_message("late"), readings=(a_reading(),), revised=True, cause="late-data"
    )
    late = Write(station.station_id, 0, list(reversed(records_of(change, station))))
    early = Write(station.station_id, 0, list(reversed(start_of(station, session).records)))

    assert (await database.put(partial(commits.all, [late, early])))[0] == [None, None]

    assert await count(database, "session_revisions") == 1
    (revision,) = await database.read(select(session_revisions))
    assert (revision.old_energy_wh, revision.new_energy_wh) == (10, 20)


async def test_one_that_is_bad_fails_all_at_once_and_is_refused_alone(database: Database) -> None:
    """The batch leaves nothing; one by one only the bad one is missing."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)
    writes = [reading_write(station, 1), Write(station.station_id, 0, [BAD]), reading_write(station, 2)]

    with pytest.raises(Exception):  # noqa: B017, PT011 - each driver has its own
        await database.put(partial(commits.all, writes))
    assert await count(database, "readings") == 0
    assert names(await database.run(partial(commits.each, writes))) == ["NoneType", "RowRefused", "NoneType"]

    assert await count(database, "readings") == 2
    assert await count(database, "reading_kinds") == 1


async def test_a_refused_row_says_why(database: Database) -> None:
    """One line, with the database's error behind it."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)

    (refusal,) = await database.run(partial(commits.each, [Write(station.station_id, 0, [BAD])]))

    assert isinstance(refusal, RowRefused)
    assert refusal.__cause__ is not None
    assert "\n" not in str(refusal)
    assert str(refusal).startswith("A row cannot be stored: ")


async def test_a_start_that_is_stored_is_told_from_a_bad_row(database: Database) -> None:
    """By the UNIQUE key of the session only."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)
    writes = [start_of(station, a_session(station, n, start_key="same")) for n in (1, 2)]
    bad = write_of(station, *start_of(station, a_session(station, 3)).records, BAD)

    refusals = await database.run(partial(commits.each, [*writes, bad]))

    assert names(refusals) == ["NoneType", "AlreadyStored", "RowRefused"]
    assert isinstance(refusals[1], AlreadyStored)
    assert await count(database, "sessions") == 1


@pytest.mark.parametrize("way", ["all", "each"])
async def test_with_the_fence_who_was_replaced_writes_nothing(database: Database, way: str) -> None:
    """Its neighbours do, and stations nobody has taken over, and writes of no station."""
    one, other = await stations(database, 2)
    registry = Registry(database)
    old = await registry.raise_epoch(one.station_id, now=T0)
    new = await registry.raise_epoch(one.station_id, now=T0)
    commits = Commit(database.dialect_of, fence=True)
    writes = [
        reading_write(one, 1)._replace(epoch=old),
        reading_write(one, 2)._replace(epoch=new),
        reading_write(other, 3),
        Write(0, 0, reading_write(other, 4).records),
    ]

    done: Any = await database.run(partial(getattr(commits, way), writes))
    refusals = done[0] if way == "all" else done

    assert names(refusals) == ["StaleEpoch", "NoneType", "NoneType", "NoneType"]
    assert isinstance(refusals[0], StaleEpoch)
    assert await count(database, "readings") == 3


async def test_without_the_fence_epochs_are_not_asked(database: Database) -> None:
    """One process: nobody else can have taken a station over."""
    (station,) = await stations(database)
    await Registry(database).raise_epoch(station.station_id, now=T0)
    commits = Commit(database.dialect_of, fence=False)

    assert (await database.put(partial(commits.all, [reading_write(station, 1)])))[0] == [None]


async def test_an_outage_is_nobodys_fault(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised, and no write is refused for it."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)

    def away(connection: Connection) -> None:
        monkeypatch.setattr(Commit, "_put_down", lambda *_: (_ for _ in ()).throw(OSError("gone")))
        commits.each([reading_write(station, 1)], connection)

    with pytest.raises(Exception, match="gone"):
        await database.run(away)
    monkeypatch.undo()
    assert await count(database, "readings") == 0


async def test_kinds_are_written_once(database: Database) -> None:
    """Of each kind one row, however many readings have it, and none for those that are known."""
    (station,) = await stations(database)
    commits = Commit(database.dialect_of, fence=False)
    readings = [a_reading()._replace(phase=phase) for phase in ("", "l1", "l2", "")]
    rows = [ReadingRow.of(station.station_id, 1, reading, T0) for reading in readings]

    _, kinds = await database.put(partial(commits.all, [write_of(station, *rows)]))
    commits.learn(kinds)
    await database.execute(reading_kinds.delete())
    _, again = await database.put(partial(commits.all, [write_of(station, *rows)]))

    assert (len(kinds), again) == (3, set())
    assert await count(database, "reading_kinds") == 0


def test_kinds_fill_no_memory() -> None:
    """Words of hostile stations are forgotten after some thousands; what was just written is known."""
    commits = Commit(sqlite.dialect(), fence=False)
    for n in range(0, 3 * MOST_KINDS, 16):
        commits.learn(set(range(n, n + 16)))
        assert {n, n + 15} <= commits.kinds
        assert len(commits.kinds) <= MOST_KINDS + 16
