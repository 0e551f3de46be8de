"""Databases for tests: SQLite files and PostgreSQL databases, migrated once and copied for each test.

PostgreSQL is where CSMS_TEST_POSTGRES says, else on 127.0.0.1. Where there is none, its tests are skipped
here and fail in CI.
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from csms.store.database import Database, InlineDatabase
from csms.store.migrations import upgrade, upgrade_database

POSTGRES = os.environ.get("CSMS_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


async def _postgres(*statements: str) -> None:
    """Run administrative statements, each by itself."""
    import asyncpg

    connection = await asyncpg.connect(POSTGRES, timeout=3)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _url_of(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "csms.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """The name of a migrated PostgreSQL database to clone; one for each test process."""
    name = f"csms_test_{uuid.uuid4().hex[:12]}"
    try:
        asyncio.run(_postgres(f'CREATE DATABASE "{name}"'))
    except (OSError, TimeoutError, ImportError) as exc:
        if os.environ.get("CI"):
            pytest.fail(f"no PostgreSQL at {POSTGRES}: {exc}")
        pytest.skip(f"no PostgreSQL at {POSTGRES} (set CSMS_TEST_POSTGRES): {exc}")
    upgrade(_url_of(name))
    yield name
    asyncio.run(_postgres(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    shutil.copy(sqlite_template, tmp_path / "csms.db")
    return f"sqlite:///{tmp_path / 'csms.db'}"


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    name = f"{postgres_template}_{uuid.uuid4().hex[:8]}"
    asyncio.run(_postgres(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"'))
    yield _url_of(name)
    asyncio.run(_postgres(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


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
