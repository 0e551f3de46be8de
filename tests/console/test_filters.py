"""Filters as the API takes them: the form, and times in UTC."""

from csms.console.filters import filter_form, filter_values, saved_views, site_options
from tests.api.conftest import Desk
from tests.console.kit import visit_of


async def test_values(desk: Desk) -> None:
    """Only what the API takes; local times with their zone; paging is not among them."""
    visit = await visit_of(desk, query="site=S01&from=2026-01-01T08:00&to=odd&nonsense=1&after=x")

    values = await filter_values(visit, "/sessions")

    assert values == {"site": "S01", "from": "2026-01-01T08:00:00+08:00", "to": "odd"}
    assert (await visit.desk.get("/sessions", **{**values, "to": ""}))["items"]


async def test_the_form(desk: Desk) -> None:
    """Choices of the schema and of records; what is chosen stays chosen; the rest behind a button."""
    visit = await visit_of(desk, query="state=ended&site=S02")

    made = await filter_form(visit, "/sessions", ("site", "state", "from"), await site_options(visit))

    assert '<option value="ended" selected="">ended</option>' in made
    assert 'value="S02" selected=""' in made
    assert "<img" not in made
    assert 'type="datetime-local"' in made
    assert "<details" in made
    stations = await filter_form(visit, "/charging-stations", ("connector",), {})
    assert '<select id="f-connector" name="connector">' in stations  # its choices have a name of their own
    assert await filter_form(visit, "/no-such", ("site",), {}) == ""
    assert "data-save-view" in saved_views(visit)
