"""The feed is read by number, and nothing that commits late is skipped."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from csms.domain.assets import ChargingStation
from csms.store.change_rows import ChangeRow, Kind, announce, of_station
from csms.store.changes import COUNTED, ChangeFeed
from csms.store.database import Database
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.given import MINUTE, T0, count, stations, write_of


def row(station: ChargingStation, n: int) -> ChangeRow:
    return of_station(Kind.CONNECTOR_STATUS, station, micros(T0 + n * MINUTE), {"n": n})


async def emptied(database: Database) -> ChargingStation:
    """A station, and nothing in the feed but its registration."""
    (station,) = await stations(database)
    return station


async def test_events_come_with_names_in_order(database: Database) -> None:
    """Behind a number, up to the horizon, so many at a time."""
    station, feed = await emptied(database), ChangeFeed(database)
    before = await feed.settled()
    async with Writer(database) as writer:
        for n in range(5):
            await writer.write(write_of(station, row(station, n)))

    certain = await feed.settled()
    events = await feed.read(before, certain)

    assert [event.body for event in events] == [f'{{"n":{n}}}' for n in range(5)]
    assert events[0][2:7] == ("connector_status", "123456789", "S01", "CS-0001", None)
    assert events[-1].number == certain
    assert await feed.read(before, certain, 2) == events[:2]
    assert await feed.read(events[3].number, certain) == events[4:]


async def test_a_row_that_commits_late_is_waited_for(postgres_url: str) -> None:
    """PostgreSQL: a lower number that becomes visible after a higher one."""
    database = await Database.open(postgres_url)
    try:
        station, feed = await emptied(database), ChangeFeed(database)
        before = await feed.settled()
        engine = database._engine  # type: ignore[attr-defined]  # two transactions at once
        async with engine.connect() as late:
            slow = await late.begin()
            await late.execute(text("UPDATE sites SET name = 'x'"))
            await late.run_sync(lambda connection: announce([row(station, 1)], connection))
            await database.run(lambda connection: announce([row(station, 2)], connection))

            assert await feed.settled(within_s=0.2) == before
            assert feed.is_waiting

            await slow.commit()
        certain = await feed.settled()
        assert [event.body for event in await feed.read(before, certain)] == ['{"n":1}', '{"n":2}']
    finally:
        await database.close()


async def test_a_number_that_was_rolled_back_is_not_waited_for_for_ever(postgres_url: str) -> None:
    """PostgreSQL: the gap stays, and the events behind it come."""
    database = await Database.open(postgres_url)
    try:
        station, feed = await emptied(database), ChangeFeed(database)
        before = await feed.settled()
        engine = database._engine  # type: ignore[attr-defined]  # a transaction that is undone
        async with engine.connect() as lost:
            undone = await lost.begin()
            await lost.run_sync(lambda connection: announce([row(station, 1)], connection))
            await undone.rollback()
        await database.run(lambda connection: announce([row(station, 2)], connection))

        certain = await feed.settled()

        assert [event.body for event in await feed.read(before, certain)] == ['{"n":2}']
    finally:
        await database.close()


async def test_many_writers_at_once_are_all_read(postgres_url: str) -> None:
    """Eight writers of transactions of different lengths, some of which fail; a reader on its way along."""
    database, other = await Database.open(postgres_url, 8), await Database.open(postgres_url)
    station, feed = await emptied(database), ChangeFeed(other)
    at = await feed.settled()
    written: set[int] = set()

    async def write(who: int) -> None:
        engine = database._engine  # type: ignore[attr-defined]  # transactions of our own
        for n in range(who * 100, who * 100 + 30):
            async with engine.connect() as connection:
                transaction = await connection.begin()
                await connection.execute(text("SELECT pg_current_xact_id()"))
                await connection.run_sync(lambda plain, n=n: announce([row(station, n)], plain))
                await asyncio.sleep((n * 7 % 11) / 1000)
                if n % 9:
                    await transaction.commit()
                    written.add(n)
                else:
                    await transaction.rollback()

    writing = asyncio.gather(*(write(who) for who in range(4)))
    read: list[int] = []
    while not writing.done():
        certain = await feed.horizon()
        read += [int(event.body[5:-1]) for event in await feed.read(at, certain)]
        at = certain
        await asyncio.sleep(0.003)
    await writing
    certain = await feed.settled()
    read += [int(event.body[5:-1]) for event in await feed.read(at, certain)]
    await database.close()
    await other.close()

    assert len(read) == len(set(read))
    assert set(read) == written


async def test_a_feed_that_was_not_read_for_long_is_caught_up_with(database: Database) -> None:
    """More than is looked through for gaps at once."""
    station, feed = await emptied(database), ChangeFeed(database)
    before = await feed.settled()
    rows = [row(station, n) for n in range(COUNTED + 5)]
    await database.run(lambda connection: announce(rows, connection))

    assert await feed.settled() - before >= COUNTED + 5


async def test_what_is_old_is_forgotten_but_the_newest(database: Database) -> None:
    """In the order of numbers; the newest stays, so that numbers never begin again."""
    station, feed = await emptied(database), ChangeFeed(database)
    await feed.prune(T0 + timedelta(days=9))
    await database.run(lambda connection: announce([row(station, n) for n in range(4)], connection))

    assert await feed.prune(T0 + 2 * MINUTE) == 3
    assert await count(database, "changes") == 2
    assert await feed.prune(T0 + timedelta(days=9)) == 1
    assert await count(database, "changes") == 1
    assert await feed.oldest() == await feed.settled()


async def test_stations_are_known_by_their_names(database: Database) -> None:
    """For what is told and not kept."""
    station = await emptied(database)

    assert (await ChangeFeed(database).places())[station.station_id] == ("CS-0001", "123456789", "S01")
