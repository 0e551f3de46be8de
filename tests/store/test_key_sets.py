"""Questions about many keys, on both databases."""

from typing import Any

from sqlalchemy import Connection, Select, select

from csms.store.database import Database
from csms.store.key_sets import KeyQuery
from csms.store.tables import counters


def asked(given: Any) -> Select[Any]:
    """Counters by name and least value, with the number that was given beside them."""
    condition = (counters.c.name == given.name) & (counters.c.next >= given.least)
    return select(given.n, counters.c.next).join_from(given.n.table, counters, condition).order_by(given.n)


async def test_rows_of_the_keys_that_have_some(database: Database) -> None:
    """Texts with quotes and large numbers come through; no key is no question."""
    for name, number in (("a", 1), ("b'\"", 2**53 + 1), ("c", 3)):
        await database.execute(counters.insert(), {"name": name, "next": number})
    query = KeyQuery(database.dialect_of, asked, {"n": int, "name": str, "least": int})

    def job(connection: Connection) -> list[Any]:
        keys = [(7, "b'\"", 2**53 + 1), (8, "a", 2), (9, "c", -(2**62)), (10, "d", 0)]
        return [*query.rows(keys, connection), *query.rows([], connection)]

    assert [tuple(row) for row in await database.look(job)] == [(7, 2**53 + 1), (9, 3)]


async def test_an_index_can_be_asked_for(sqlite_url: str) -> None:
    """On SQLite only: PostgreSQL knows its tables' sizes."""
    database = await Database.open(sqlite_url)
    query = KeyQuery(
        database.dialect_of,
        asked,
        {"n": int, "name": str, "least": int},
        ("counters", "sqlite_autoindex_counters_1"),
    )

    assert await database.look(lambda connection: query.rows([(1, "a", 0)], connection)) == []
    await database.close()
