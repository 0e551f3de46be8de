"""What the promises of the store rest on: pragmas, settings, transactions."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from csms.errors import ConfigError, StoreUnavailable
from csms.store import database as database_module
from csms.store.database import Database
from csms.store.tables import counters


@pytest.mark.parametrize(("name", "value"), database_module.SQLITE_PRAGMAS.items())
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
    monkeypatch.setitem(database_module.SQLITE_PRAGMAS, "synchronous", 7)

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


async def test_readers_cannot_write(sqlite_url: str) -> None:
    """`look` is for looking."""
    database = await Database.open(sqlite_url)

    with pytest.raises(Exception, match="readonly"):
        await database.look(lambda c: c.execute(counters.insert(), {"name": "x", "next": 1}))

    await database.close()


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
