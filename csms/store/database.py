"""One database behind three doors: SQLite in threads, SQLite inline (virtual time), PostgreSQL.

A job is a plain function of a SQLAlchemy connection. On SQLite a job that writes runs in one hop to a thread,
so that a commit of many statements costs no more than one; all others through `run_sync`. The jobs are the
same for all. Knows connections and transactions; no table.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Dialect,
    Engine,
    Executable,
    Row,
    StaticPool,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from csms.errors import ConfigError, StoreUnavailable
from csms.store.outage import is_outage

T = TypeVar("T")
Job = Callable[[Connection], T]
Parameters = Mapping[str, Any]

BUSY_TIMEOUT_MS = 5_000
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: fsync before the commit returns, hence before any answer
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "wal_autocheckpoint": 1_000,
    "journal_size_limit": 67_108_864,
}
POSTGRES_SETTINGS = {
    "application_name": "csms",
    "synchronous_commit": "on",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
}


class Database(ABC):
    """What the stores work with. Every method raises StoreUnavailable when the database is away."""

    dialect_of: Dialect

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.dialect_of.name

    @staticmethod
    async def open(url: str, read_connections: int = 4) -> "Database":
        """Connect to `sqlite:///FILE` or `postgresql://...` and check what its promises rest on.

        Raises StoreUnavailable when it cannot be reached, ConfigError for another kind of URL.
        """
        name = make_url(url).get_backend_name()
        if name not in ("sqlite", "postgresql"):
            raise ConfigError(f"database.url: {name} is not supported")
        kind = _Sqlite if name == "sqlite" else _Postgres
        database = kind(url, read_connections)
        try:
            await database.run(_nothing)
        except BaseException:
            await database.close()
            raise
        return database

    @abstractmethod
    async def run(self, job: Job[T]) -> T:
        """`job` in one write transaction; its result after the commit. A job that raises is rolled back."""

    @abstractmethod
    async def look(self, job: Job[T]) -> T:
        """`job` of reading statements, all of which see one state of the database."""

    async def browse(self, job: Job[T]) -> T:
        """The same for pages and exports: never in the way of what stations wait for."""
        return await self.look(job)

    @abstractmethod
    async def close(self) -> None:
        """Finish what runs and let go of every connection."""

    async def read(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """The rows of one query."""
        return await self.look(partial(_rows, statement, parameters))

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """One writing statement in a transaction of its own; how many rows it touched."""
        return await self.run(partial(_count, statement, parameters))


def _nothing(_: Connection) -> None:
    return None


def _rows(statement: Executable, parameters: Parameters | None, connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(statement, parameters).all()


def _count(statement: Executable, parameters: Parameters | None, connection: Connection) -> int:
    return int(connection.execute(statement, parameters).rowcount)


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        if is_outage(exc):
            raise StoreUnavailable(str(getattr(exc, "orig", exc)).splitlines()[0]) from exc
        raise


def _in_transaction(engine: Engine, job: Job[T]) -> T:
    with _outages(), engine.begin() as connection:
        return job(connection)


def _in_snapshot(engine: Engine, job: Job[T]) -> T:
    with _outages(), engine.connect() as connection:
        return job(connection)


def _sqlite_engine(url: str, connections: int, *, writes: bool) -> Engine:
    """An engine whose transactions we begin ourselves: the driver would begin them too late."""
    options: dict[str, Any] = {"pool_size": connections, "max_overflow": 0}
    if make_url(url).database in (None, "", ":memory:"):
        options = {"poolclass": StaticPool}
    connect_args = {"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(make_url(url).set(drivername="sqlite"), connect_args=connect_args, **options)

    event.listen(engine, "begin", _begin_writing if writes else _begin_reading)
    event.listen(engine, "connect", partial(_set_pragmas, writes))
    return engine


def _aiosqlite_engine(url: str, connections: int) -> AsyncEngine:
    """The same settings for connections that only ask."""
    engine = create_async_engine(
        make_url(url).set(drivername="sqlite+aiosqlite"),
        pool_size=connections,
        max_overflow=0,
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    event.listen(engine.sync_engine, "connect", partial(_set_pragmas, False))
    return engine


def _begin_writing(connection: Connection) -> None:
    # Takes the lock at once: a transaction that reads first could fail in its middle.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    # Past SQLAlchemy, at a tenth of the time: it locks nothing, so it cannot fail.
    connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]  # it is open


def _set_pragmas(writes: bool, connection: Any, _: object) -> None:
    for name, wanted in SQLITE_PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
    in_memory = connection.execute("PRAGMA database_list").fetchone()[2] == ""
    for name, wanted in SQLITE_PRAGMAS.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != wanted and not (in_memory and name == "journal_mode"):
            raise StoreUnavailable(f"PRAGMA {name} is {found}, not {wanted}")
    if not writes:
        connection.execute("PRAGMA query_only = 1")


class _Sqlite(Database):
    """SQLite off the event loop.

    What people and programs browse goes through aiosqlite. What stations wait for runs in one hop to a
    thread instead of one for each statement: a commit at 7 us a row against 18, a query at 150 against 290.
    """

    def __init__(self, url: str, read_connections: int) -> None:
        file = make_url(url).database
        if file in (None, "", ":memory:"):
            raise ConfigError("database.url: a database in memory is lost at the end; use sqlite:///FILE")
        Path(str(file)).parent.mkdir(parents=True, exist_ok=True)
        self._writing = _sqlite_engine(url, 1, writes=True)
        self._reading = _sqlite_engine(url, read_connections, writes=False)
        self._browsing = _aiosqlite_engine(url, read_connections)
        self._writer = ThreadPoolExecutor(1, "csms-write")
        self._readers = ThreadPoolExecutor(read_connections, "csms-read")
        self.dialect_of = self._writing.dialect

    async def run(self, job: Job[T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, _in_transaction, self._writing, job)

    async def look(self, job: Job[T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, _in_snapshot, self._reading, job)

    async def browse(self, job: Job[T]) -> T:
        with _outages():
            async with self._browsing.connect() as connection:
                return await connection.run_sync(job)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await self._browsing.dispose()
        await loop.run_in_executor(self._readers, self._reading.dispose)
        await loop.run_in_executor(self._writer, self._writing.dispose)
        self._readers.shutdown(wait=True)
        self._writer.shutdown(wait=True)


class InlineDatabase(Database):
    """SQLite on the caller's own thread: a loop in virtual time must not wait for another thread."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._engine = _sqlite_engine(url, 1, writes=True)
        self.dialect_of = self._engine.dialect

    async def run(self, job: Job[T]) -> T:
        return _in_transaction(self._engine, job)

    async def look(self, job: Job[T]) -> T:
        return _in_snapshot(self._engine, job)

    async def close(self) -> None:
        self._engine.dispose()


class _Postgres(Database):
    """PostgreSQL through asyncpg. A connection that broke is replaced; its transaction counts as lost."""

    def __init__(self, url: str, read_connections: int) -> None:
        self._engine = _asyncpg_engine(url, pool_size=read_connections + 1, max_overflow=2, pool_timeout=5)
        # Connections of their own: a page that takes long must not keep a station's commit waiting.
        self._browsing = _asyncpg_engine(url, pool_size=read_connections, max_overflow=0, pool_timeout=10)
        self.dialect_of = self._engine.dialect

    async def run(self, job: Job[T]) -> T:
        with _outages():
            async with self._engine.begin() as connection:
                return await connection.run_sync(job)

    async def look(self, job: Job[T]) -> T:
        return await _looked(self._engine, job)

    async def browse(self, job: Job[T]) -> T:
        return await _looked(self._browsing, job)

    async def close(self) -> None:
        await self._browsing.dispose()
        await self._engine.dispose()


def _asyncpg_engine(url: str, **pool: int) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        connect_args={"server_settings": POSTGRES_SETTINGS, "timeout": 5, "command_timeout": 10},
        **pool,
    )


async def _looked(engine: AsyncEngine, job: Job[T]) -> T:
    """What `job` read. After a restart of the server the pool is emptied, and a fresh connection may do."""
    try:
        return await _looked_once(engine, job)
    except StoreUnavailable as exc:
        if getattr(exc.__cause__, "connection_invalidated", False):
            return await _looked_once(engine, job)
        raise


async def _looked_once(engine: AsyncEngine, job: Job[T]) -> T:
    with _outages():
        async with engine.connect() as connection:
            return await connection.run_sync(job)
