"""Databases for tests, migrated once: a SQLite file copied for each test, a PostgreSQL database emptied.

PostgreSQL is where CSMS_TEST_POSTGRES says, else on 127.0.0.1. Where there is none, its tests are skipped
here and fail in CI.

A command run in the test process sets logging up; what it leaves is taken back after each test.
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import make_url

from csms.store.database import Database, InlineDatabase
from csms.store.migrations import upgrade, upgrade_database

LONG = ("bench", "campaign", "clients", "cluster")  # folders of tests with servers of their own
POSTGRES = os.environ.get("CSMS_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")

_configure = structlog.configure


def _without_cache(**settings: Any) -> None:
    _configure(**settings | {"cache_logger_on_first_use": False})


# A logger that kept its level and processors for good would write past `capture_logs` in every later test.
structlog.configure = _without_cache


# Reading every authority's certificate takes 30 ms, for each client of each test.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: at the end no process waits minutes for another's last test."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None and _folder(item) not in LONG)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """No test sees the level or the format that another one's command chose."""
    yield
    structlog.reset_defaults()


ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
    LOOP PERFORM setval(name::regclass, 1, false); END LOOP;
END $$
"""


async def _postgres(url: str, *statements: str) -> None:
    """Run administrative statements, each by itself."""
    import asyncpg

    connection = await asyncpg.connect(url, timeout=3)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "csms.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_of_process() -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, one for each test process."""
    name = f"csms_test_{uuid.uuid4().hex[:12]}"
    try:
        asyncio.run(_postgres(POSTGRES, f'CREATE DATABASE "{name}"'))
    except (OSError, TimeoutError, ImportError) as exc:
        if os.environ.get("CI"):
            pytest.fail(f"no PostgreSQL at {POSTGRES}: {exc}")
        pytest.skip(f"no PostgreSQL at {POSTGRES} (set CSMS_TEST_POSTGRES): {exc}")
    url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    yield url
    asyncio.run(_postgres(POSTGRES, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    shutil.copy(sqlite_template, tmp_path / "csms.db")
    return f"sqlite:///{tmp_path / 'csms.db'}"


@pytest.fixture
def postgres_url(postgres_of_process: str) -> str:
    """A migrated PostgreSQL database, emptied: dropping one for each test would take a second."""
    asyncio.run(_postgres(postgres_of_process, ALONE, EMPTY))
    return postgres_of_process


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, migrated database of each kind in turn."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def inline_database() -> AsyncIterator[Database]:
    """A migrated SQLite database in memory, on the test's own thread: for virtual time."""
    made = InlineDatabase()
    await upgrade_database(made)
    yield made
    await made.close()
