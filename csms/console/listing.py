"""Tables of records as the API pages them: aligned columns, rows that lead somewhere, older and newer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.visit import Visit

PAGE_ROWS = 50
MOST_STEPS = 40  # pages back that the address remembers
NARROW_COLUMNS = 3  # as many have room on a phone
BETWEEN = "~"  # no character of a cursor

Record = Mapping[str, Any]


class Column(NamedTuple):
    """A column. `kind`: text, num (right, units in the head), time, wide."""

    head: Content
    kind: str
    cell: Callable[[Record], Content]


class Listing(NamedTuple):
    """A table's words and ways. `href`: where a row leads; `picked`: the value of its check box."""

    caption: str
    nothing: Html
    href: Callable[[Record], str] | None = None
    picked: Callable[[Record], str] | None = None
    pick_all: str = ""


def listing(columns: Sequence[Column], items: Sequence[Record], made: Listing) -> Html:
    """The table, or what to do when it is empty. The region scrolls sideways, by keyboard too; on a phone the
    cells of a row of many columns stand below each other, each with its column's head.
    """
    if not items:
        return joined((tag("h2", made.caption), made.nothing)) if made.caption else made.nothing
    heads = [tag("th", column.head, scope="col", cls=column.kind) for column in columns]
    if made.picked is not None:
        box = tag("input", type="checkbox", data_all="", aria_label=made.pick_all)
        heads.insert(0, tag("th", box, scope="col", data_head=made.pick_all))
    body = joined(_row(columns, item, made) for item in items)
    table = tag(
        "table",
        tag("caption", made.caption) if made.caption else "",
        tag("thead", tag("tr", joined(heads))),
        tag("tbody", body),
        cls="table",
    )
    kind = "scroll" if len(columns) <= NARROW_COLUMNS else "scroll stacks"
    return tag("div", table, cls=kind, role="region", tabindex=0, aria_label=made.caption or None)


def _row(columns: Sequence[Column], item: Record, made: Listing) -> Html:
    href = None if made.href is None else made.href(item)
    cells: list[Content] = []
    for place, column in enumerate(columns):
        value = column.cell(item)
        # The first column is the row's link for keyboards; the rest of the row leads there by mouse.
        shown = tag("a", value, href=href) if place == 0 and href else value
        cells.append(tag("td", shown, cls=column.kind, data_head=column.head))
    if made.picked is not None:
        value = made.picked(item)
        cells.insert(
            0, tag("td", tag("input", type="checkbox", name="picked", value=value, aria_label=value))
        )
    return tag("tr", joined(cells), data_href=href)


def pager(visit: Visit, following: str | None, shown: int) -> Html:
    """Older and newer. The way back is in the address, so that a page can be shared as it is."""
    steps = [step for step in visit.query.get("trail", "").split(BETWEEN) if step]
    here = visit.query.get("after")
    newer = older = None
    if here:
        before = steps[-1] if steps else None
        newer = visit.link(after=None if before in (None, "0") else before, trail=BETWEEN.join(steps[:-1]))
    if following:
        older = visit.link(after=following, trail=BETWEEN.join([*steps, here or "0"][-MOST_STEPS:]))
    if not (newer or older):
        return tag("div", visit.words["rows_shown"].format(n=shown), cls="pager")
    return tag(
        "nav",
        visit.words["rows_shown"].format(n=shown),
        tag("a", f"← {visit.words['newer']}", href=newer, cls="button", rel="prev") if newer else "",
        tag("a", f"{visit.words['older']} →", href=older, cls="button", rel="next") if older else "",
        cls="pager",
        aria_label=visit.words["pages"],
    )


def nothing_found(visit: Visit, otherwise: Html) -> Html:
    """What stands in an empty list: that the filters leave nothing, or what to do to have something."""
    if any(value for name, value in visit.query.items() if name not in ("tab", "trail")):
        clear = tag("a", visit.words["clear_filters"], href=visit.address)
        return empty(visit.words["nothing_fits"], clear)
    return otherwise


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Names and values side by side."""
    return tag(
        "dl", joined(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), cls="facts"
    )


def panel(title: Content, *content: Content, right: Content = None) -> Html:
    """A part of a page with its title."""
    aside = tag("div", right, cls="right") if right is not None else ""
    head = tag("div", tag("h2", title), aside, cls="panel-head") if title else ""
    return tag("section", head, joined(content), cls="panel")


def tabs(visit: Visit, names: Sequence[str], current: str) -> Html:
    """Parts of a page that are asked for one at a time."""
    links = (
        tag(
            "a",
            visit.words[f"tab_{name}"],
            href=visit.link(tab=name, after=None, trail=None, edit=None, whose=None),
            aria_current="page" if name == current else None,
        )
        for name in names
    )
    return tag("nav", joined(links), cls="tabs", aria_label=visit.words["parts_of_page"])
