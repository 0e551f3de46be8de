"""The database's tables brought to this release, by Alembic. Knows revisions; the tables are in `tables`.

Statements of a revision are kept as SQL of each database, frozen beside it: what a database was made of
must not change when `tables` does.
"""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from csms.store.database import Database

LOCK = 7_341_002  # any number, the same for all nodes: one migrates, the others wait


def upgrade(url: str) -> None:
    """Bring the database at `url` to this release. For programs without a running loop."""
    asyncio.run(_upgrade(url))


async def upgrade_database(database: Database) -> None:
    """The same for an open database: one transaction, and harmless when nothing is to do."""
    await database.rebuild(_migrate)


async def is_current(database: Database) -> bool:
    """Whether the tables are those of this release."""
    return await database.look(_revision_of) == ScriptDirectory.from_config(_config()).get_current_head()


async def _upgrade(url: str) -> None:
    database = await Database.open(url)
    try:
        await upgrade_database(database)
    finally:
        await database.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
