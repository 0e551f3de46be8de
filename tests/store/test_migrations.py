"""The tables that revisions make are the tables of this release, on both databases."""

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from csms.store.database import Database, InlineDatabase
from csms.store.migrations import is_current, upgrade, upgrade_database
from csms.store.tables import metadata


def differences(connection: Connection) -> list[object]:
    """What a new revision would have to do."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_revisions_make_the_tables_of_this_release(database: Database) -> None:
    """A database migrated from nothing differs in nothing from `tables`."""
    assert await database.look(differences) == []
    assert await is_current(database)


async def test_migrating_again_is_harmless(database: Database) -> None:
    """Every start migrates; several nodes may at once."""
    await asyncio.gather(upgrade_database(database), upgrade_database(database))

    assert await is_current(database)


def test_upgrade_needs_no_running_loop(tmp_path: Path) -> None:
    """`csms migrate` calls it; the folder is made where there is none."""
    upgrade(f"sqlite:///{tmp_path / 'new' / 'csms.db'}")

    assert (tmp_path / "new" / "csms.db").exists()


async def test_an_empty_database_is_not_current() -> None:
    """`doctor` and readiness can tell."""
    database = InlineDatabase()

    assert not await is_current(database)

    await database.close()


async def test_every_sqlite_table_is_strict(sqlite_url: str) -> None:
    """J15: text cannot get into a number's column."""
    database = await Database.open(sqlite_url)
    rows = await database.read(text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"))
    await database.close()

    loose = {row.name for row in rows if not row.strict} - {"sqlite_schema", "alembic_version"}
    assert loose == set()


async def test_every_index_is_there(database: Database) -> None:
    """Partial ones too."""

    def names(connection: Connection) -> set[str | None]:
        found = inspect(connection)
        return {index["name"] for table in found.get_table_names() for index in found.get_indexes(table)}

    wanted = {index.name for table in metadata.tables.values() for index in table.indexes}
    assert wanted <= await database.look(names)
