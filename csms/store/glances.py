"""Questions of one or two rows that stations wait for, compiled once for each kind of database.

Knows statements and rows; no table. What is asked of many keys at once is in `key_sets`.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Select

from csms.store.database import Database
from csms.store.statements import Prepared, prepare


def _row_maker(names: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    """Makes rows with these names, which are known at run time only, of their values."""
    made: Any = namedtuple("made", names)  # type: ignore[misc]
    maker: Callable[[Iterable[Any]], Any] = made._make
    return maker


class Glance:
    """A query with named parameters. Its rows have the names of its columns, like SQLAlchemy's."""

    def __init__(self, query: Select[Any], *parameters: str, by_index: tuple[str, str] | None = None) -> None:
        """`by_index`: a table and the index that SQLite must use; without statistics it guesses."""
        self._query = query
        self._by_index = by_index
        self._parameters = parameters
        self._prepared: dict[str, Prepared] = {}
        self._row = _row_maker([str(column.key) for column in query.selected_columns])

    async def rows(self, database: Database, *values: Any) -> list[Any]:
        """The rows for these values, in the order of the parameters. Raises StoreUnavailable."""
        prepared = self._prepared.get(database.dialect)
        if prepared is None:
            prepared = prepare(self._query, self._parameters, database.dialect_of)
            if self._by_index is not None and database.dialect == "sqlite":
                table, index = self._by_index
                sql = prepared.sql.replace(f"FROM {table} ", f"FROM {table} INDEXED BY {index} ")
                prepared = prepared._replace(sql=sql)
            self._prepared[database.dialect] = prepared
        (asked,) = prepared.parameters([values])
        return [self._row(row) for row in await database.glance(prepared.sql, asked)]
