"""Tokens: rows with what can be done about them."""

from csms.console.listing import Listing, listing
from csms.console.notices import empty
from csms.console.pages.tokens import columns
from tests.api.conftest import Desk
from tests.console.kit import visit_of


async def test_rows(desk: Desk) -> None:
    """Hostile tokens are text; a viewer has no button."""
    visit, viewer = await visit_of(desk), await visit_of(desk, role="viewer")
    items = (await visit.desk.get("/id-tokens"))["items"]

    made = listing(columns(visit), items, Listing("x", empty("x")))

    assert "<img" not in made
    assert 'data-token="A1"' in made
    assert 'data-status="blocked"' in made
    assert "<button" not in listing(columns(viewer), items, Listing("x", empty("x")))
