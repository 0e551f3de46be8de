"""A field inside a JSON text, the same on both databases."""

import pytest
from sqlalchemy import literal_column, select

from csms.store.database import Database
from csms.store.json_fields import field_of


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a": "x", "b": 1}', "x"), ('{"a": 7}', "7"), ("{}", None), ('{"a": null}', None)],
)
async def test_a_field_of_an_object(database: Database, text: str, value: str | None) -> None:
    """Missing and null are NULL."""
    (row,) = await database.read(select(field_of(literal_column(f"'{text}'"), "a").label("found")))

    assert (None if row.found is None else str(row.found)) == value
