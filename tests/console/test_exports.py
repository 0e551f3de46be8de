"""Links to files."""

from csms.console.exports import export_links
from tests.api.conftest import Desk
from tests.console.kit import visit_of


async def test_only_what_the_api_makes(desk: Desk) -> None:
    """Nothing where there is no such file."""
    assert await export_links(await visit_of(desk), "no-such", {}) is None


async def test_filters_go_along(desk: Desk) -> None:
    """Those that the export takes; a link a format."""
    visit = await visit_of(desk)
    document = await visit.desk._catalogue.document()
    parameters = [{"name": "site", "in": "query"}, {"name": "lang", "in": "query"}]
    document["paths"]["/api/v1/exports/of-a-test"] = {"get": {"parameters": parameters}}
    try:
        made = str(await export_links(visit, "of-a-test", {"site": "S01", "text": "x"}))
    finally:
        del document["paths"]["/api/v1/exports/of-a-test"]

    assert made.count("<a ") == 3
    assert "/api/v1/exports/of-a-test?site=S01&amp;lang=en&amp;format=csv" in made
    assert "text=" not in made
