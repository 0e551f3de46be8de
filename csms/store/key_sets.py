"""Questions about many keys at once: the keys are a relation to join with, given as one parameter.

SQLite gets them as a JSON text, PostgreSQL as an array for each column. The statement is the same for any
number of keys, so it is compiled once. Knows no table.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Dialect,
    Executable,
    FromClause,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)

from csms.store.statements import Prepared, prepare

Keys = Sequence[Sequence[Any]]
Columns = Mapping[str, type[int] | type[str]]

_encode = msgspec.json.Encoder().encode


class KeyQuery:
    """A query over keys, for one database.

    `build` makes it of the relation `given`, whose columns are `columns`. `by_index` names a joined table
    and the index by which SQLite must look: without statistics it guesses, and may read a table's whole
    history.
    """

    def __init__(
        self,
        dialect: Dialect,
        build: Callable[[Any], Executable],
        columns: Columns,
        by_index: tuple[str, str] | None = None,
    ) -> None:
        self._dialect, self._build, self._columns, self._by_index = dialect, build, columns, by_index
        self._is_sqlite = dialect.name == "sqlite"

    @cached_property
    def _prepared(self) -> Prepared:
        """Compiled at the first question: a process asks only some, and starts without the others."""
        relation = _from_json(self._columns) if self._is_sqlite else _from_arrays(self._columns)
        fields = ("keys",) if self._is_sqlite else tuple(self._columns)
        prepared = prepare(self._build(relation.c), fields, self._dialect)
        if self._by_index is None or not self._is_sqlite:
            return prepared
        table, index = self._by_index
        return prepared._replace(
            sql=prepared.sql.replace(f"JOIN {table} ON", f"JOIN {table} INDEXED BY {index} ON")
        )

    def rows(self, keys: Keys, connection: Connection) -> Sequence[Any]:
        """The rows for `keys`, each a value for every column."""
        if not keys:
            return []
        values = (_encode(keys).decode(),) if self._is_sqlite else tuple(map(list, zip(*keys, strict=True)))
        (parameters,) = self._prepared.parameters([values])
        return connection.exec_driver_sql(self._prepared.sql, parameters).all()


def _from_json(columns: Columns) -> FromClause:
    each = func.json_each(bindparam("keys")).table_valued("value", name="each")
    # A path of ours, not a parameter.
    parts = [
        func.json_extract(each.c.value, literal_column(f"'$[{n}]'")).label(name)
        for n, name in enumerate(columns)
    ]
    return select(*parts).subquery("given")


def _from_arrays(columns: Columns) -> FromClause:
    arrays = [
        bindparam(name, type_=ARRAY(Text if kind is str else BigInteger)) for name, kind in columns.items()
    ]
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
