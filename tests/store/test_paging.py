"""Cursors: their key comes back, and what is none is refused."""

import pytest

from csms.errors import InvalidInput
from csms.store.paging import cursor_of, key_of


def test_a_key_comes_back() -> None:
    """Numbers and text, of any script."""
    assert key_of(cursor_of(17, "站点"), (int, str)) == [17, "站点"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", cursor_of(1), cursor_of("1", 1), cursor_of(1, "a\0b"), cursor_of(2**63, "a")]
)
def test_what_is_none_is_refused(cursor: str) -> None:
    """Of another shape, beyond 64 bits, or with what no database takes."""
    with pytest.raises(InvalidInput):
        key_of(cursor, (int, str))
