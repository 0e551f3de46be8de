"""Runs the SQL that lies beside a revision: `0001_first.sqlite.sql`, `0001_first.postgresql.sql`."""

from pathlib import Path
from typing import Any


def run_sql(op: Any, revision_file: str) -> None:
    """Every statement of the file for this database. Statements end with `;` at a line's end."""
    name = op.get_bind().dialect.name
    script = Path(revision_file).with_suffix(f".{name}.sql").read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
