"""Readings read back: by time, each once, however many rows they are in; on both databases."""

from datetime import timedelta
from itertools import islice

from csms.domain.meter import Reading
from csms.store import readings
from csms.store.database import Database
from csms.store.readings import Sample, samples
from csms.store.sessions import SessionStore
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.given import MINUTE, T0, a_reading, stations, told_row, write_of

POWER = Reading(T0, "power.active.import", 7_000_000, phase="l1", location="inlet")


async def told(database: Database, *messages: tuple[Reading, ...], evse: int = 1) -> None:
    """Each message's readings for session 9, one second after the other."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        for n, message in enumerate(messages):
            arrived = T0 + timedelta(seconds=n + 10 * evse)
            await writer.write(write_of(station, told_row(9, message, arrived, evse=evse)))


async def found(database: Database, since: int = readings.LONG_AGO) -> list[Sample]:
    """Session 9's."""
    return await database.look(lambda connection: list(samples(9, connection, since)))


async def test_they_come_back_as_they_were(database: Database) -> None:
    """All of a reading's words, and no reading of another owner."""
    odd = a_reading(T0 - MINUTE)._replace(value=None, raw="abc")
    await told(database, (a_reading(), POWER), (odd,))

    got = [sample.reading() for sample in await found(database)]

    assert got[0] == odd
    assert set(got[1:]) == {a_reading(), POWER}
    assert await database.look(lambda connection: list(samples(8, connection))) == []


async def test_what_is_said_twice_is_there_once(database: Database) -> None:
    """Another message with some of the same values adds what is new: the first counts."""
    await told(
        database,
        (a_reading(wh=1),),
        (a_reading(wh=2), POWER),
        (a_reading(wh=3)._replace(at=T0 + MINUTE),),
    )
    await told(database, (POWER,), evse=2)

    assert sorted((s.at - micros(T0), s.evse, s.value) for s in await found(database)) == [
        (0, 1, 1_000),
        (0, 1, 7_000_000),
        (0, 2, 7_000_000),
        (60_000_000, 1, 3_000),
    ]


async def test_many_of_one_instant_and_many_instants(database: Database) -> None:
    """Pages go on where they stopped: nothing is lost or doubled."""
    kinds = [f"kind.{n}" for n in range(8)]
    at_once = [(Reading(T0, kind, n),) for n, kind in enumerate(kinds)]
    await told(database, *at_once, *((a_reading(T0 + n * MINUTE, n),) for n in range(1, 8)))

    everything = await found(database)
    assert [s.key for s in everything] == sorted({s.key for s in everything})
    assert len(everything) == 15
    assert len(await found(database, micros(T0 + 3 * MINUTE))) == 5

    items, after = [], None
    while True:
        page = await SessionStore(database).readings(9, after, 4)
        items += page.items
        after = page.next
        if after is None:
            break
    assert len(items) == 15
    assert {item["measurand"] for item in islice(items, 8)} == set(kinds)
