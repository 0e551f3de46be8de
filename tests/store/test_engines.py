"""What our promises rest on in each kind of connection: pragmas, limits, who may write and who waits."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from csms.errors import StoreUnavailable
from csms.store import engines
from csms.store.database import Database
from csms.store.engines import (
    POSTGRES_SETTINGS,
    SQLITE_PRAGMAS,
    aiosqlite_engine,
    asyncpg_engine,
    sqlite_engine,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A file that has one table."""
    found = f"sqlite:///{tmp_path / 'x.db'}"
    engine = sqlite_engine(found, 1, writes=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    engine.dispose()
    return found


def pragma(engine: Engine, name: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar()


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize(("name", "value"), SQLITE_PRAGMAS.items())
def test_pragmas_of_every_connection(url: str, writes: bool, name: str, value: object) -> None:
    """F03: FULL and WAL, whoever opens it."""
    engine = sqlite_engine(url, 1, writes=writes)

    assert pragma(engine, name) == value
    engine.dispose()


@pytest.mark.parametrize(("name", "value"), [*SQLITE_PRAGMAS.items(), ("query_only", 1)])
async def test_pragmas_of_those_who_browse(url: str, name: str, value: object) -> None:
    """The same through aiosqlite, which only asks."""
    engine = aiosqlite_engine(url, 1)
    async with engine.connect() as connection:
        found = (await connection.execute(text(f"PRAGMA {name}"))).scalar()
    await engine.dispose()

    assert found == value


def test_a_connection_that_reads_cannot_write(url: str) -> None:
    """query_only is on for it, and off for the one that writes."""
    reading, writing = (sqlite_engine(url, 1, writes=writes) for writes in (False, True))

    assert (pragma(reading, "query_only"), pragma(writing, "query_only")) == (1, 0)
    with reading.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("INSERT INTO t VALUES (1)"))
    with writing.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    with reading.connect() as connection:
        assert connection.execute(text("SELECT n FROM t")).scalars().all() == [1]
    reading.dispose()
    writing.dispose()


@pytest.mark.parametrize(("waits", "ms"), [(False, 0), (True, 200)])
def test_patience_is_how_long_a_lock_is_waited_for(
    url: str, waits: bool, ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None at all, where waiting would hold up the loop."""
    monkeypatch.setitem(SQLITE_PRAGMAS, "busy_timeout", 200)
    holder = sqlite_engine(url, 1, writes=True)
    other = sqlite_engine(url, 1, writes=True, waits=waits)
    assert pragma(other, "busy_timeout") == ms

    with holder.begin():
        started = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), other.begin():
            pass
        waited = time.monotonic() - started

    assert ms * 0.9 <= waited * 1000 < ms + 2_000
    with other.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    holder.dispose()
    other.dispose()


def test_a_writing_transaction_has_its_lock_from_the_start(url: str) -> None:
    """It cannot fail in its middle because another wrote after its first read."""
    one, other = (sqlite_engine(url, 1, writes=True, waits=False) for _ in range(2))

    with one.begin() as connection:
        connection.execute(text("SELECT n FROM t"))
        with pytest.raises(OperationalError, match="locked"), other.begin():
            pass
    one.dispose()
    other.dispose()


def test_a_reading_transaction_sees_one_state(url: str) -> None:
    """Whatever is committed between its statements."""
    reading, writing = (sqlite_engine(url, 1, writes=writes) for writes in (False, True))

    with reading.connect() as connection:
        before = connection.execute(text("SELECT count(*) FROM t")).scalar()
        with writing.begin() as other:
            other.execute(text("INSERT INTO t VALUES (1)"))
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == before == 0
    with reading.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 1
    reading.dispose()
    writing.dispose()


def test_what_is_rolled_back_is_gone(url: str) -> None:
    """Schema and rows: the driver commits nothing by itself."""
    engine = sqlite_engine(url, 1, writes=True)

    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE u (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
        connection.rollback()

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
        assert connection.execute(text("SELECT name FROM sqlite_master")).scalars().all() == ["t"]
    engine.dispose()


def test_a_database_in_memory_is_one_for_all_its_connections() -> None:
    """It has no journal file, and that is put up with."""
    engine = sqlite_engine("sqlite://", 3, writes=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
    assert pragma(engine, "synchronous") == 2
    engine.dispose()


@pytest.mark.parametrize("name", ["synchronous", "journal_size_limit"])
def test_a_pragma_that_does_not_hold_is_an_outage(
    url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asserted with every connection, not believed."""
    monkeypatch.setitem(engines.SQLITE_PRAGMAS, name, -7)
    engine = sqlite_engine(url, 1, writes=True)

    with pytest.raises(StoreUnavailable, match=f"PRAGMA {name} is"), engine.connect():
        pass
    engine.dispose()


async def test_pages_are_planned_for_what_they_are_asked(postgres_url: str) -> None:
    """Never by a plan that was made for a shorter range; what stations wait for may keep its plans."""
    plans = text("SHOW plan_cache_mode")
    database = await Database.open(postgres_url)
    pages = await database.browse(lambda connection: connection.execute(plans).scalar())
    others = await database.look(lambda connection: connection.execute(plans).scalar())
    await database.close()

    assert (pages, others) == ("force_custom_plan", "auto")


@pytest.mark.parametrize("name", POSTGRES_SETTINGS)
async def test_settings_of_every_postgres_connection(postgres_url: str, name: str) -> None:
    """As they are written here, whatever the server's own are."""
    engine = asyncpg_engine(postgres_url, pool_size=1)
    shown = text("SELECT setting, unit FROM pg_settings WHERE lower(name) = :name")
    async with engine.connect() as connection:
        (row,) = (await connection.execute(shown, {"name": name})).all()
    await engine.dispose()

    assert row.setting == POSTGRES_SETTINGS[name]
    assert row.unit in (None, "ms")
