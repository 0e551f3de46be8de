"""How columns and tables are written down for SQLite (STRICT) and PostgreSQL alike. Knows no table."""

from typing import Any

from sqlalchemy import REAL, BigInteger, Column, Double, Index, MetaData, Table, Text, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# STRICT tables know INTEGER, REAL, TEXT and BLOB, and no other name for them.
WHOLE = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
FRACTION: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")


def table(name: str, *parts: Any, rowid: bool = True) -> Table:
    """A table of `metadata`. `rowid` False clusters it by its primary key on SQLite."""
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def id_column(name: str) -> Column[int]:
    """A primary key the database gives."""
    return Column(name, WHOLE, primary_key=True, autoincrement=True)


def key(name: str, kind: Any = WHOLE) -> Column[Any]:
    """A part of a primary key that we give."""
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def whole(name: str, *parts: Any, default: int | None = None) -> Column[int]:
    """An integer that is always there."""
    given = None if default is None else text(str(default))
    return Column(name, WHOLE, *parts, nullable=False, server_default=given)


def words(name: str, *, unique: bool = False, default: str | None = None) -> Column[str]:
    """A text that is always there, perhaps empty."""
    given = None if default is None else text(f"'{default}'")
    return Column(name, Text, nullable=False, unique=unique, server_default=given)


def maybe(name: str, kind: Any = WHOLE, *parts: Any) -> Column[Any]:
    """A value that may be unknown."""
    return Column(name, kind, *parts)


def partial(name: str, *columns: str, where: str) -> Index:
    """An index over the rows that `where` selects."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def ranged(name: str, column: str) -> Index:
    """An index for ranges of prefixes: byte by byte, whatever the database's language is."""
    return Index(name, column, postgresql_ops={column: "text_pattern_ops"})
