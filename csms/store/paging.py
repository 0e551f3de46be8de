"""Pages by key, never by OFFSET: the cursor is the key of the last row seen, opaque to the caller."""

import base64
import binascii
from typing import Any, NamedTuple

import msgspec

from csms.errors import InvalidInput


class Page(NamedTuple):
    """Rows as the API gives them; `next` is the cursor of the page after, None at the end."""

    items: list[dict[str, Any]]
    next: str | None


def cursor_of(*key: int | str) -> str:
    """A key as opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(cursor: str, kinds: tuple[type, ...]) -> list[Any]:
    """The key of a cursor. Raises InvalidInput for anything `cursor_of` has not made."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(text)
    except (binascii.Error, ValueError) as exc:
        raise InvalidInput("after: this is no cursor") from exc
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise InvalidInput("after: this is no cursor")
    # PostgreSQL takes no NUL in a text.
    if any(isinstance(part, str) and "\0" in part for part in key):
        raise InvalidInput("after: this is no cursor")
    if any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in key):
        raise InvalidInput("after: this is no cursor")
    return key


def page_of(rows: list[Any], most: int, item: Any, key: Any) -> Page:
    """At most `most` of `rows` (one more was asked for, to see whether there is a page after)."""
    shown = rows[:most]
    following = cursor_of(*key(shown[-1])) if len(rows) > most else None
    return Page([item(row) for row in shown], following)
