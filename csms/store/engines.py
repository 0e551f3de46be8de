"""SQLAlchemy engines with the settings that our promises rest on. Knows drivers; no job and no table."""

from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from csms.errors import StoreUnavailable

SQLITE_PRAGMAS = {
    "busy_timeout": 5_000,  # ms; first, so that the others are waited for
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: fsync before the commit returns, hence before any answer
    "foreign_keys": 1,
    "wal_autocheckpoint": 4_000,  # pages: those written often reach the file once
    "journal_size_limit": 67_108_864,
}
POSTGRES_SETTINGS = {
    "application_name": "csms",
    "synchronous_commit": "on",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "jit": "off",  # compiling takes half a second, our answers some milliseconds
}
# People ask for a day and for ten years with the same words: one plan for both would read the whole history.
PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}


LIMIT_S = 10.0  # for a server that does not keep its own limits any more


def sqlite_engine(url: str, connections: int, *, writes: bool, waits: bool = True) -> Engine:
    """An engine whose transactions we begin ourselves: the driver would begin them too late."""
    options: dict[str, Any] = {"pool_size": connections, "max_overflow": 0}
    if make_url(url).database in (None, "", ":memory:"):
        options = {"poolclass": StaticPool}
    connect_args = {"isolation_level": None, "check_same_thread": False, "timeout": 0}
    engine = create_engine(make_url(url).set(drivername="sqlite"), connect_args=connect_args, **options)

    event.listen(engine, "begin", _begin_writing if writes else _begin_reading)
    event.listen(engine, "connect", partial(_set_pragmas, writes, waits))
    return engine


def aiosqlite_engine(url: str, connections: int) -> AsyncEngine:
    """The same settings for connections that only ask."""
    engine = create_async_engine(
        make_url(url).set(drivername="sqlite+aiosqlite"),
        pool_size=connections,
        max_overflow=0,
        connect_args={"isolation_level": None, "timeout": 0},
    )
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    event.listen(engine.sync_engine, "connect", partial(_set_pragmas, False, True))
    return engine


def _begin_writing(connection: Connection) -> None:
    # Takes the lock at once: a transaction that reads first could fail in its middle.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    # Past SQLAlchemy, at a tenth of the time: it locks nothing, so it cannot fail.
    connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]  # it is open


def _set_pragmas(writes: bool, waits: bool, connection: Any, _: object) -> None:
    pragmas = SQLITE_PRAGMAS if waits else SQLITE_PRAGMAS | {"busy_timeout": 0}
    for name, wanted in pragmas.items():
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
    in_memory = connection.execute("PRAGMA database_list").fetchone()[2] == ""
    for name, wanted in pragmas.items():
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != wanted and not (in_memory and name == "journal_mode"):
            raise StoreUnavailable(f"PRAGMA {name} is {found}, not {wanted}")
    if not writes:
        connection.execute("PRAGMA query_only = 1")


def asyncpg_engine(
    url: str, *, patient: bool = False, planned_anew: bool = False, **pool: int
) -> AsyncEngine:
    """`patient`: the driver waits as long as a statement takes. `planned_anew`: a statement is, each time."""
    limit_s = None if patient else LIMIT_S
    settings = POSTGRES_SETTINGS | (PLANNED_ANEW if planned_anew else {})
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        connect_args={"server_settings": settings, "timeout": 5, "command_timeout": limit_s},
        **pool,
    )
