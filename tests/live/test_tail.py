"""One tail for everybody: each event once to whoever wants it, slow readers dropped, nothing read in vain."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import event

from csms.config import LiveSettings
from csms.domain.charging_session import evolve
from csms.domain.registers import OUTLET, MeterState, Register
from csms.errors import StoreUnavailable
from csms.live.events import Wanted
from csms.live.tail import Reader, Tail, TooManyReaders
from csms.store.change_rows import Kind
from csms.store.changes import ChangeFeed
from csms.store.database import Database, InlineDatabase
from csms.store.writer import Writer
from tests.live.kit import MOMENT_S, Source, followed, news, until, write_of
from tests.store.given import MINUTE, T0, a_session, stations

SETTINGS = LiveSettings(max_readers=200, max_waiting=50, progress_s=1)


async def numbers(reader: Reader, count: int) -> list[int]:
    """`n` of the next events that a reader gets."""
    found: list[int] = []
    async with asyncio.timeout(MOMENT_S):
        while len(found) < count:
            await reader.wake.wait()
            found += [json.loads(line[6:])["data"]["n"] for line in lines(reader.take())]
    return found


def lines(frames: bytes) -> Iterator[bytes]:
    return (line for line in frames.splitlines() if line.startswith(b"data: "))


async def test_everybody_hears_what_they_want(database: Database) -> None:
    """By kind, operator, site and station; the writer's commits wake the tail at once."""
    first, second = await stations(database, 2)
    async with Writer(database) as writer, followed(database, writer, SETTINGS) as tail:
        everything = await tail.open(Wanted())
        ends = await tail.open(Wanted(kinds=frozenset({"session_ended"})))
        mine = await tail.open(Wanted(operator="123456789", site="S01", station="CS-0002"))
        others = await tail.open(Wanted(operator="987654321"))
        await writer.write(write_of(first, news(first, 1, T0), news(first, 2, T0, Kind.SESSION_ENDED)))
        await writer.write(write_of(second, news(second, 3, T0)))

        assert await numbers(everything, 3) == [1, 2, 3]
        assert await numbers(ends, 1) == [2]
        assert await numbers(mine, 1) == [3]
        assert others.take() == b""


async def test_what_others_write_is_found_by_looking(database: Database) -> None:
    """Another node, or a job that is not the writer's, wakes nobody."""
    (station,) = await stations(database)
    async with followed(database, Source(), SETTINGS) as tail, Writer(database) as elsewhere:
        reader = await tail.open(Wanted())
        await elsewhere.write(write_of(station, news(station, 1, T0)))

        assert await numbers(reader, 1) == [1]


async def test_a_hundred_readers_cost_as_many_queries_as_one(inline_database: InlineDatabase) -> None:
    """The feed is read once."""
    (station,) = await stations(inline_database)
    seen = 0

    def note(_: Any, __: Any, sql: str, *___: Any) -> None:
        nonlocal seen
        seen += "FROM changes LEFT" in sql

    async with Writer(inline_database) as writer, followed(inline_database, writer, SETTINGS) as tail:
        readers = [await tail.open(Wanted()) for _ in range(100)]
        event.listen(inline_database._engine, "before_cursor_execute", note)
        await writer.write(write_of(station, *(news(station, n, T0) for n in range(20))))

        assert [await numbers(reader, 20) for reader in readers] == [list(range(20))] * 100
        event.remove(inline_database._engine, "before_cursor_execute", note)
    assert seen == 1


async def test_a_slow_reader_is_dropped_and_the_others_are_not(database: Database) -> None:
    """It knows by the end of its stream; memory is bounded."""
    (station,) = await stations(database)
    async with Writer(database) as writer, followed(database, writer, SETTINGS) as tail:
        slow, quick = await tail.open(Wanted()), await tail.open(Wanted())
        for n in range(0, 80, 20):
            await writer.write(write_of(station, *(news(station, k, T0) for k in range(n, n + 20))))
            assert await numbers(quick, 20) == list(range(n, n + 20))

        assert slow.is_over
        assert slow.take() == b""
        assert not quick.is_over


async def test_readers_are_counted(database: Database) -> None:
    """One more than the limit is refused; one that leaves makes room."""
    async with followed(database, Source(), LiveSettings(max_readers=1)) as tail:
        reader = await tail.open(Wanted())
        with pytest.raises(TooManyReaders):
            await tail.open(Wanted())
        tail.leave(reader)

        again = await tail.open(Wanted())

        assert (again.began_at, tail.readers) == (tail.position, 1)


async def test_nothing_is_read_while_nobody_listens(inline_database: InlineDatabase) -> None:
    """And the writer has nobody to tell."""
    source = Source()
    async with followed(inline_database, source, SETTINGS) as tail:
        reader = await tail.open(Wanted())
        watcher = await tail.watch()
        assert source.announce is not None
        assert source.show is not None
        tail.leave(reader)
        assert source.show is None
        tail.unwatch(watcher)

        assert source.announce is None
        await asyncio.sleep(0.2)
        seen: list[str] = []
        event.listen(
            inline_database._engine, "before_cursor_execute", lambda _, __, sql, *___: seen.append(sql)
        )
        await asyncio.sleep(1.3)
        assert seen == []
        later = await tail.open(Wanted())
        assert later.began_at == tail.position


async def test_progress_is_told_every_few_seconds(database: Database) -> None:
    """Energy as it is, power from one figure to the next; only to who wants it, and never kept."""
    (station,) = await stations(database)
    source, clock = Source(), [0.0]

    def metered(n: int, mwh: int) -> Any:
        meter = MeterState(last_at=T0 + n * MINUTE, total=Register(OUTLET, "", 0, 0, mwh, n + 1))
        return evolve(a_session(station), meter=meter, energy_wh=mwh // 1000)

    async with followed(database, source, SETTINGS) as tail:
        tail._progress._clock = lambda: clock[0]
        reader = await tail.open(Wanted(kinds=frozenset({"session_progress"})))
        deaf = await tail.open(Wanted(kinds=frozenset({"session_ended"})))
        assert source.show is not None
        for at, n, mwh in ((0.0, 0, 0), (0.5, 1, 60_000), (1.5, 2, 240_000)):
            clock[0] = at
            source.show([metered(n, mwh)])

        told = [json.loads(line[6:]) for line in lines(reader.take())]
        assert [one["data"]["energy_wh"] for one in told] == [0, 240]
        assert [one["data"]["power_w"] for one in told] == [None, 7200]
        assert (told[1]["id"], told[1]["charging_station"]) == (None, "CS-0001")
        assert deaf.take() == b""
        tail.leave(reader)
        assert source.show is None


async def test_progress_drops_nobody(database: Database) -> None:
    """Who does not keep up misses some of it: the next figure says as much."""
    (station,) = await stations(database)
    source = Source()
    async with followed(database, source, SETTINGS) as tail:
        reader = await tail.open(Wanted())
        assert source.show is not None
        for n in range(0, 300, 3):
            source.show([a_session(station, n + k) for k in range(3)])

        assert not reader.is_over
        assert len(list(lines(reader.take()))) == 3 * SETTINGS.max_waiting


async def test_a_closing_program_sends_everybody_away(database: Database) -> None:
    """A server that waits for its streams would never stop."""
    async with followed(database, Source(), SETTINGS) as tail:
        reader = await tail.open(Wanted())
        tail.close()

        assert reader.is_over
        assert reader.wake.is_set()
        with pytest.raises(TooManyReaders):
            await tail.open(Wanted())


async def test_watchers_are_woken(database: Database) -> None:
    """Whoever reads the feed itself need only know that there is more."""
    (station,) = await stations(database)
    async with Writer(database) as writer, followed(database, writer, SETTINGS) as tail:
        watcher, before = await tail.watch(), tail.position
        await writer.write(write_of(station, news(station, 1, T0)))

        await until(watcher.is_set)
        assert tail.position == before + 1


async def test_nobody_takes_every_place(database: Database) -> None:
    """Each key or person has so many; another one still finds room."""
    async with followed(database, Source(), LiveSettings(max_readers_each=1)) as tail:
        await tail.open(Wanted(), "key:1")
        with pytest.raises(TooManyReaders):
            await tail.open(Wanted(), "key:1")

        await tail.open(Wanted(), "key:2")

        assert tail.readers == 2


async def test_whoever_cannot_watch_is_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come again with another event; this one is nobody's."""
    tail = Tail(ChangeFeed(database), Source(), SETTINGS)
    monkeypatch.setattr(tail, "_followed", AsyncMock(side_effect=StoreUnavailable("away")))

    with pytest.raises(StoreUnavailable):
        await tail.watch()

    assert tail._watchers == set()
