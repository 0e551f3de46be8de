"""Tables: rows that lead somewhere, pages in both directions, and what stands where there is nothing."""

from csms.console.listing import Column, Listing, facts, listing, nothing_found, pager, panel, tabs
from csms.console.notices import empty
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of

COLUMNS = (Column("Name", "text", lambda one: one["name"]), Column("kWh", "num", lambda one: one["n"]))


def test_a_table() -> None:
    """Escaped, aligned, with a link for keyboards and a box to pick."""
    made = listing(
        COLUMNS,
        [{"name": HOSTILE, "n": 1}],
        Listing("Caption", empty("none"), lambda one: "/x?a=1&b=2", lambda one: one["name"], "Pick all"),
    )

    assert "<img" not in made
    assert '<a href="/x?a=1&amp;b=2">' in made
    assert 'data-head="kWh">1</td>' in made
    assert 'aria-label="Pick all"' in made
    assert 'role="region" tabindex="0"' in made
    assert "none" in listing(COLUMNS, [], Listing("Caption", empty("none")))


async def test_older_and_newer(desk: Desk) -> None:
    """The way back is in the address, to the first page and between."""
    first = pager(await visit_of(desk, query="site=S01"), "c1", 50)
    second = pager(await visit_of(desk, query="site=S01&after=c1&trail=0"), "c2", 50)
    third = pager(await visit_of(desk, query="site=S01&after=c2&trail=0~c1"), None, 7)

    assert 'href="/here?site=S01&amp;after=c1&amp;trail=0"' in first
    assert 'rel="prev"' not in first
    assert 'href="/here?site=S01"' in second
    assert 'href="/here?site=S01&amp;after=c2&amp;trail=0~c1"' in second.replace("%7E", "~")
    assert 'href="/here?site=S01&amp;after=c1&amp;trail=0"' in third
    assert 'rel="next"' not in third
    assert "<nav" not in pager(await visit_of(desk), None, 3)


async def test_nothing(desk: Desk) -> None:
    """Filters that leave nothing are the reason then."""
    otherwise = empty("none yet")

    assert nothing_found(await visit_of(desk), otherwise) == otherwise
    assert "Clear filters" in nothing_found(await visit_of(desk, query="site=x"), otherwise)


async def test_parts(desk: Desk) -> None:
    """Facts, panels and tabs."""
    assert "<dt>a</dt><dd>&lt;</dd>" in facts([("a", "<")])
    assert "<h2>T</h2>" in panel("T", "x", right="r")
    assert 'aria-current="page"' in tabs(await visit_of(desk), ("events", "messages"), "events")
