"""One database behind three doors: SQLite in threads, SQLite inline (virtual time), PostgreSQL.

A job is a plain function of a SQLAlchemy connection. On SQLite a job that writes runs in one hop to a thread,
so that a commit of many statements costs no more than one; all others through `run_sync`. The jobs are the
same for all. Knows connections and transactions; no table.
"""

import asyncio
import sqlite3
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
    make_url,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from csms.errors import ConfigError, StoreUnavailable
from csms.store.engines import aiosqlite_engine, asyncpg_engine, sqlite_engine
from csms.store.outage import is_outage, said
from csms.store.sealing import Seal

T = TypeVar("T")
Job = Callable[[Connection], T]
Parameters = Mapping[str, Any]
# PostgreSQL's own level would show each statement what was committed before it. Said by BEGIN: no round trip.
SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


_dialects: dict[type[Dialect], Dialect] = {}


def _shared(dialect: Dialect) -> Dialect:
    """The first of its kind in this process: what was compiled for one database serves the next."""
    return _dialects.setdefault(type(dialect), dialect)


class Database(ABC):
    """What the stores work with. Every method raises StoreUnavailable when the database is away."""

    dialect_of: Dialect
    seal: Seal = Seal()
    """What secrets are closed with; whoever opens the database for serving gives it its key."""

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

    async def put(self, job: Job[T]) -> T:
        """`run` for inserts and updates that find their rows by a key: a few milliseconds at most."""
        return await self.run(job)

    async def rebuild(self, job: Job[T]) -> T:
        """`run` without a limit of time: large tables get their new indexes at an update."""
        return await self.run(job)

    @abstractmethod
    async def look(self, job: Job[T]) -> T:
        """`job` of reading statements, all of which see one state of the database."""

    async def browse(self, job: Job[T]) -> T:
        """The same for pages and exports: never in the way of what stations wait for."""
        return await self.look(job)

    async def glance(self, sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
        """The few rows of one query in the driver's own words, found by an index (`glances`)."""
        return await self._ask(lambda connection: connection.exec_driver_sql(sql, values).all())

    async def _ask(self, job: Job[T]) -> T:
        """`look` for one statement."""
        return await self.look(job)

    @abstractmethod
    async def close(self) -> None:
        """Finish what runs and let go of every connection."""

    async def read(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """The rows of one query."""
        return await self._ask(partial(_rows, statement, parameters))

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
            raise StoreUnavailable(said(exc)) from exc
        raise


def _in_transaction(engine: Engine, job: Job[T]) -> T:
    with _outages(), engine.begin() as connection:
        return job(connection)


def _in_snapshot(engine: Engine, job: Job[T]) -> T:
    with _outages(), engine.connect() as connection:
        return job(connection)


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
        self._writing = sqlite_engine(url, 1, writes=True)
        self._putting = sqlite_engine(url, 1, writes=True, waits=False)
        self._turn = asyncio.Lock()
        self._reading = sqlite_engine(url, read_connections, writes=False)
        self._browsing = aiosqlite_engine(url, read_connections)
        self._glancing = sqlite3.connect(str(file), isolation_level=None, check_same_thread=False, timeout=0)
        self._writer = ThreadPoolExecutor(1, "csms-write")
        self._readers = ThreadPoolExecutor(read_connections, "csms-read")
        self.dialect_of = _shared(self._writing.dialect)

    async def run(self, job: Job[T]) -> T:
        loop = asyncio.get_running_loop()
        async with self._turn:
            return await loop.run_in_executor(self._writer, _in_transaction, self._writing, job)

    async def put(self, job: Job[T]) -> T:
        # The job on the loop, the commit and its fsync in the thread. A thread that inserts rows while the
        # loop has work to do hands the interpreter's lock to and fro with each of them, which costs more
        # than the row.
        loop = asyncio.get_running_loop()
        async with self._turn:
            with _outages(), self._putting.connect() as connection:
                try:
                    transaction = connection.begin()
                except OperationalError:
                    # Another process writes: waiting for it is a thread's work.
                    return await loop.run_in_executor(self._writer, _in_transaction, self._writing, job)
                with transaction:
                    result = job(connection)
                    await _to_the_end(loop.run_in_executor(self._writer, transaction.commit))
                return result

    async def look(self, job: Job[T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, _in_snapshot, self._reading, job)

    async def glance(self, sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
        # On the loop: the answer is in memory, and takes a tenth of a hop to a thread and back. Readers wait
        # for nobody in WAL mode; should one have to all the same, a thread does.
        try:
            return self._glancing.execute(sql, values).fetchall()
        except sqlite3.Error:
            return await super().glance(sql, values)

    async def browse(self, job: Job[T]) -> T:
        with _outages():
            async with self._browsing.connect() as connection:
                return await connection.run_sync(job)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        self._glancing.close()
        await self._browsing.dispose()
        await loop.run_in_executor(self._readers, self._reading.dispose)
        await loop.run_in_executor(self._writer, self._writing.dispose)
        self._putting.dispose()
        self._readers.shutdown(wait=True)
        self._writer.shutdown(wait=True)


async def _to_the_end(work: asyncio.Future[None]) -> None:
    """Wait for a thread even when cancelled: its connection is nobody else's before."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


class InlineDatabase(Database):
    """SQLite on the caller's own thread: a loop in virtual time must not wait for another thread."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._engine = sqlite_engine(url, 1, writes=True)
        self.dialect_of = _shared(self._engine.dialect)

    async def run(self, job: Job[T]) -> T:
        return _in_transaction(self._engine, job)

    async def look(self, job: Job[T]) -> T:
        return _in_snapshot(self._engine, job)

    async def close(self) -> None:
        self._engine.dispose()


class _Postgres(Database):
    """PostgreSQL through asyncpg. A connection that broke is replaced; its transaction counts as lost."""

    def __init__(self, url: str, read_connections: int) -> None:
        self._url = url
        self._engine = asyncpg_engine(url, pool_size=read_connections + 1, max_overflow=2, pool_timeout=5)
        self._looking = self._engine.execution_options(**SNAPSHOT)
        # Connections of their own: a page that takes long must not keep a station's commit waiting.
        browsing = asyncpg_engine(
            url, planned_anew=True, pool_size=read_connections, max_overflow=0, pool_timeout=10
        )
        self._browsing = browsing.execution_options(**SNAPSHOT)
        self.dialect_of = _shared(self._engine.dialect)

    async def run(self, job: Job[T]) -> T:
        with _outages():
            async with self._engine.begin() as connection:
                return await connection.run_sync(job)

    async def rebuild(self, job: Job[T]) -> T:
        engine = asyncpg_engine(self._url, patient=True, pool_size=1)
        try:
            with _outages():
                async with engine.begin() as connection:
                    return await connection.run_sync(job)
        finally:
            await engine.dispose()

    async def look(self, job: Job[T]) -> T:
        return await _looked(self._looking, job)

    async def _ask(self, job: Job[T]) -> T:
        # One statement sees one state at any level; setting the level costs it a quarter more.
        return await _looked(self._engine, job)

    async def browse(self, job: Job[T]) -> T:
        return await _looked(self._browsing, job)

    async def close(self) -> None:
        await self._browsing.dispose()
        await self._engine.dispose()


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
