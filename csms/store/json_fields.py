"""A field of a JSON object kept as text, inside a query: SQLite and PostgreSQL spell it differently."""

from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class _JsonField(GenericFunction[Any]):
    name = "csms_json_field"
    inherit_cache = True
    type = Text()


@compiles(_JsonField, "sqlite")
def _of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    text, name = element.clauses
    return f"({compiler.process(text, **options)} ->> {compiler.process(name, **options)})"


@compiles(_JsonField, "postgresql")
def _of_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    text, name = element.clauses
    return f"(CAST({compiler.process(text, **options)} AS jsonb) ->> {compiler.process(name, **options)})"


def field_of(column: Any, name: str) -> ColumnElement[Any]:
    """The field as the database gives it (PostgreSQL: as text); NULL where it is not there."""
    return _JsonField(column, literal_column(f"'{name}'"))
