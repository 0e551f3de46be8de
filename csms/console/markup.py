"""HTML that cannot be broken out of: every text is escaped unless it was made here. Knows no page.

Charging stations choose the names, models and error texts that operators look at, so escaping is not left
to the caller: `tag` escapes all that is not `Html`.
"""

import html
from collections.abc import Iterable


class Html(str):
    """Text that is markup already. Made by `tag` and `joined`, and from constants; never from data."""

    __slots__ = ()


Content = str | int | None
VOID = frozenset({"br", "input", "link", "meta"})  # elements without an end tag


def escaped(content: Content) -> Html:
    """Any text as markup; what is markup already stays as it is."""
    if isinstance(content, Html):
        return content
    return Html("" if content is None else html.escape(str(content)))


def joined(parts: Iterable[Content]) -> Html:
    """Parts one after another."""
    return Html("".join(map(escaped, parts)))


def tag(name: str, /, *parts: Content, **attributes: Content) -> Html:
    """An element. `cls` is the class; `_` in attribute names is `-`; attributes of None are left out."""
    written = "".join(
        f' {_attribute(key)}="{escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(parts)}</{name}>")


def _attribute(key: str) -> str:
    return "class" if key == "cls" else key.replace("_", "-")


def table(heads: Iterable[tuple[str, str]], rows: Iterable[Iterable[Content]], *, caption: str) -> Html:
    """A table. `heads` are (text, class of the column): `num` for numbers, which stand right."""
    columns = list(heads)
    top = tag("tr", joined(tag("th", text, scope="col", cls=kind) for text, kind in columns))
    body = joined(
        tag("tr", joined(tag("td", value, cls=kind) for value, (_, kind) in zip(row, columns, strict=True)))
        for row in rows
    )
    return tag("table", tag("caption", caption), tag("thead", top), tag("tbody", body), cls="table")
