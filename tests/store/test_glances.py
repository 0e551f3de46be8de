"""Small questions in the driver's own words give what SQLAlchemy's would."""

import pytest
from sqlalchemy import bindparam, select

from csms.store.database import Database
from csms.store.glances import Glance
from csms.store.tables import counters

BY_NAME = select(counters).where(counters.c.name == bindparam("name"))
BETWEEN = (
    select(counters.c.next.label("number"), counters.c.name)
    .where(counters.c.next >= bindparam("least"), counters.c.next < bindparam("below"))
    .order_by(counters.c.next)
)


async def filled(database: Database) -> None:
    for n, name in enumerate(["a", "b'\"", "ä%s", "d:e"]):
        await database.execute(counters.insert(), {"name": name, "next": n})


async def test_rows_have_the_names_of_their_columns(database: Database) -> None:
    """Of every column that is asked for, by its label."""
    await filled(database)
    glance = Glance(BETWEEN, "least", "below")

    rows = await glance.rows(database, 1, 3)

    assert [(row.number, row.name) for row in rows] == [(1, "b'\""), (2, "ä%s")]
    assert [tuple(row) for row in rows] == [tuple(row) for row in await asked(database, 1, 3)]


async def asked(database: Database, least: int, below: int) -> list[object]:
    """The same by the longer way."""
    return list(await database.read(BETWEEN, {"least": least, "below": below}))


async def test_values_are_in_the_order_of_the_names(database: Database) -> None:
    """Whatever the statement's own order is."""
    await filled(database)

    assert [row.number for row in await Glance(BETWEEN, "below", "least").rows(database, 3, 1)] == [1, 2]


@pytest.mark.parametrize("name", ["a", "b'\"", "ä%s", "d:e", "", "A", "x"])
async def test_texts_are_values_and_nothing_else(database: Database, name: str) -> None:
    """Quotes, percent signs, colons, and what is not there."""
    await filled(database)

    rows = await Glance(BY_NAME, "name").rows(database, name)

    assert [row.name for row in rows] == [name] * (name in ("a", "b'\"", "ä%s", "d:e"))


async def test_what_was_just_committed_is_seen(database: Database) -> None:
    """A glance keeps no snapshot from the last one."""
    glance = Glance(BY_NAME, "name")
    assert await glance.rows(database, "a") == []

    for n in (1, 2):
        await database.put(lambda c: c.execute(counters.delete()))
        await database.put(lambda c, n=n: c.execute(counters.insert(), {"name": "a", "next": n}))
        assert [row.next for row in await glance.rows(database, "a")] == [n]


async def test_one_glance_serves_databases_of_both_kinds(
    database: Database, inline_database: Database
) -> None:
    """It is compiled once for each."""
    glance = Glance(BY_NAME, "name")
    for n, one in enumerate((database, inline_database, database)):
        await one.execute(counters.delete())
        await one.execute(counters.insert(), {"name": "a", "next": n})
        assert [row.next for row in await glance.rows(one, "a")] == [n]

    assert set(glance._prepared) == {database.dialect, "sqlite"}


async def test_an_index_can_be_asked_for(database: Database) -> None:
    """On SQLite by name; PostgreSQL finds it by itself."""
    await filled(database)
    glance = Glance(BY_NAME, "name", by_index=("counters", "sqlite_autoindex_counters_1"))

    assert [row.next for row in await glance.rows(database, "d:e")] == [3]

    is_named = "INDEXED BY sqlite_autoindex_counters_1" in glance._prepared[database.dialect].sql
    assert is_named == (database.dialect == "sqlite")
