"""What the promises of the store rest on: pragmas, settings, transactions."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from csms.errors import ConfigError, StoreUnavailable
from csms.store import engines
from csms.store.database import Database
from csms.store.engines import SQLITE_PRAGMAS
from csms.store.tables import counters


@pytest.mark.parametrize(("name", "value"), SQLITE_PRAGMAS.items())
async def test_every_sqlite_connection_is_safe(sqlite_url: str, name: str, value: object) -> None:
    """F03: FULL and WAL on the connection that writes and on those that read."""
    database = await Database.open(sqlite_url)

    ((reading,),) = await database.read(text(f"PRAGMA {name}"))
    writing = await database.run(lambda c: c.execute(text(f"PRAGMA {name}")).scalar())

    assert reading == writing == value
    await database.close()


async def test_a_pragma_that_does_not_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asserted at open, not believed."""
    monkeypatch.setitem(SQLITE_PRAGMAS, "synchronous", 7)

    with pytest.raises(StoreUnavailable, match="synchronous"):
        await Database.open(f"sqlite:///{tmp_path / 'x.db'}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous_commit", "on"),
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("TimeZone", "UTC"),
    ],
)
async def test_every_postgres_connection_has_its_limits(postgres_url: str, name: str, value: str) -> None:
    """Statement 5 s, lock 2 s, idle in transaction 10 s."""
    database = await Database.open(postgres_url)

    ((found,),) = await database.read(text(f"SHOW {name}"))

    assert found == value
    await database.close()


async def test_a_job_that_raises_leaves_nothing(database: Database) -> None:
    """A transaction is whole or not at all."""

    def job(connection: Connection) -> None:
        connection.execute(counters.insert(), {"name": "x", "next": 1})
        raise LookupError("half done")

    with pytest.raises(LookupError, match="half done"):
        await database.run(job)

    assert await database.read(counters.select()) == []


async def test_readers_cannot_write(database: Database) -> None:
    """`look` is for looking."""
    for door in (database.look, database.browse):
        with pytest.raises(Exception, match=r"read-?only"):
            await door(lambda c: c.execute(counters.insert(), {"name": "x", "next": 1}))
    assert await database.put(lambda c: c.execute(counters.insert(), {"name": "x", "next": 1}).rowcount) == 1


@pytest.mark.parametrize("door", ["look", "browse"])
async def test_a_look_sees_one_state(database: Database, door: str) -> None:
    """What is committed between two of its statements is not in the second."""
    loop = asyncio.get_running_loop()
    done = threading.Event()

    async def write() -> None:
        await database.run(lambda c: c.execute(counters.insert(), {"name": "x", "next": 1}))
        done.set()

    def job(connection: Connection) -> list[int]:
        before = len(connection.execute(counters.select()).all())
        asyncio.run_coroutine_threadsafe(write(), loop)
        if connection.dialect.is_async:
            await_only(asyncio.to_thread(done.wait, 5))
        else:
            done.wait(5)
        return [before, len(connection.execute(counters.select()).all())]

    assert await getattr(database, door)(job) == [0, 0]
    assert len(await database.read(counters.select())) == 1


async def test_jobs_at_once_are_each_whole(database: Database) -> None:
    """Fifty increments by read and write are fifty."""

    def job(connection: Connection) -> None:
        value = connection.execute(counters.select().with_for_update()).one().next
        connection.execute(counters.update().values(next=value + 1))

    await database.run(lambda c: c.execute(counters.insert(), {"name": "x", "next": 0}))
    await asyncio.gather(*(database.run(job) for _ in range(50)))

    assert [row.next for row in await database.read(counters.select())] == [50]


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:"])
async def test_other_databases_are_refused(url: str) -> None:
    """Neither another kind nor one that forgets."""
    with pytest.raises(ConfigError):
        await Database.open(url)


async def test_a_database_that_is_not_there_is_an_outage() -> None:
    """Nobody listens on that port."""
    with pytest.raises(StoreUnavailable):
        await Database.open("postgresql://postgres@127.0.0.1:1/postgres")


async def test_the_inline_database_needs_no_thread(inline_database: Database) -> None:
    """Its coroutines never wait: a loop in virtual time can run them."""
    running = inline_database.read(counters.select())

    with pytest.raises(StopIteration) as ended:
        running.send(None)
    assert ended.value.value == []


def counting(connection: Connection) -> None:
    """Puts down one row."""
    connection.execute(counters.insert(), {"name": "x", "next": 1})


@contextmanager
def locked_by_another(url: str) -> Iterator[None]:
    """Another process has begun to write, and commits at the end."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("COMMIT")
        other.close()


async def test_what_is_put_is_committed(database: Database) -> None:
    """The job's result comes back after it."""

    def job(connection: Connection) -> str:
        counting(connection)
        return "done"

    assert await database.put(job) == "done"
    assert [row.next for row in await database.read(counters.select())] == [1]


async def test_a_put_that_raises_leaves_nothing(database: Database) -> None:
    """And the next one finds a connection as good as new."""

    def job(connection: Connection) -> None:
        counting(connection)
        raise LookupError("half done")

    for _ in range(2):
        with pytest.raises(LookupError, match="half done"):
            await database.put(job)
    assert await database.read(counters.select()) == []

    await database.put(counting)
    assert len(await database.read(counters.select())) == 1


async def test_a_put_that_the_database_refuses_leaves_nothing(database: Database) -> None:
    """Its own error comes through; it is no outage."""

    def job(connection: Connection) -> None:
        counting(connection)
        counting(connection)

    with pytest.raises(Exception, match=r"(?i)unique"):
        await database.put(job)
    assert await database.read(counters.select()) == []
    await database.put(counting)


async def test_puts_and_runs_at_once_are_each_whole(database: Database) -> None:
    """One after the other, whichever way they go."""

    def job(connection: Connection) -> None:
        value = connection.execute(counters.select().with_for_update()).one().next
        connection.execute(counters.update().values(next=value + 1))

    await database.run(lambda c: c.execute(counters.insert(), {"name": "x", "next": 0}))
    await asyncio.gather(*((database.put if n % 2 else database.run)(job) for n in range(50)))

    assert [row.next for row in await database.read(counters.select())] == [50]


async def test_a_put_waits_for_another_process_off_the_loop(sqlite_url: str) -> None:
    """The loop goes on; what is put is there when the other has committed."""
    database = await Database.open(sqlite_url)
    ticks = 0

    with locked_by_another(sqlite_url):
        putting = asyncio.create_task(database.put(counting))
        started = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - started < 0.2:
            await asyncio.sleep(0.005)
            ticks += 1
        assert not putting.done()
        assert await database.read(counters.select()) == []
    await putting

    assert ticks > 5
    assert len(await database.read(counters.select())) == 1
    await database.put(lambda c: c.execute(counters.update().values(next=2)))
    assert [row.next for row in await database.read(counters.select())] == [2]
    await database.close()


async def test_a_glance_waits_for_no_writer(sqlite_url: str) -> None:
    """It sees what was committed, while another process writes."""
    database = await Database.open(sqlite_url)
    await database.put(counting)

    with locked_by_another(sqlite_url):
        assert list(await database.glance("SELECT next FROM counters WHERE name = ?", ("x",))) == [(1,)]
    await database.close()


class Broken:
    """A connection that cannot answer now."""

    def execute(self, *_: object) -> object:
        raise sqlite3.OperationalError("database is locked")

    def close(self) -> None:
        """Like a real one."""


async def test_a_glance_that_cannot_be_had_is_a_look(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread waits for it instead, with the same answer."""
    database = await Database.open(sqlite_url)
    await database.put(counting)
    kept = database._glancing  # type: ignore[attr-defined]  # SQLite has it
    monkeypatch.setattr(database, "_glancing", Broken())

    found = await database.glance("SELECT next FROM counters WHERE name = ?", ("x",))

    assert [tuple(row) for row in found] == [(1,)]
    kept.close()
    await database.close()


async def test_a_glance_at_what_is_not_there_is_an_error(sqlite_url: str) -> None:
    """Of the statement, not of the database."""
    database = await Database.open(sqlite_url)

    with pytest.raises(Exception, match="no such table"):
        await database.glance("SELECT 1 FROM nowhere", ())
    await database.close()


async def test_an_update_takes_its_time(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given up in daily work is waited for at an update; and giving up is said in words."""
    monkeypatch.setattr(engines, "LIMIT_S", 0.2)
    database = await Database.open(postgres_url)

    def slow(connection: Connection) -> int:
        return int(connection.scalar(text("SELECT 7 FROM pg_sleep(0.6)")) or 0)

    with pytest.raises(StoreUnavailable, match="TimeoutError"):
        await database.run(slow)
    assert await database.rebuild(slow) == 7
    await database.close()
