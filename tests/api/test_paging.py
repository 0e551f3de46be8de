"""Query parameters of lists: page size, span of time, and nothing that nobody reads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from csms.api.paging import Span, span
from csms.api.problems import Problem

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def test_a_span_of_time() -> None:
    """Open at either end; an empty one is a span; a reversed one is a mistake."""
    assert span(EARLY, LATE) == Span(EARLY, LATE)
    assert span(None, LATE) == Span(None, LATE)
    assert span(EARLY, EARLY) == Span(EARLY, EARLY)
    with pytest.raises(Problem, match="422"):
        span(LATE, EARLY)


@pytest.mark.parametrize(
    "path", ["charging-stations", "sessions", "outbox", "id-tokens", "totals?by=hour&of=site"]
)
async def test_every_list_has_the_same_pages(desk: Any, path: str) -> None:
    """1 to 1,000 records; other numbers and cursors of one's own making are 422 that names the field."""
    join = "&" if "?" in path else "?"

    async with await desk.client() as client:

        async def status(query: str) -> int:
            return int((await client.get(f"/api/v1/{path}{join}{query}")).status_code)

        refused = await client.get(f"/api/v1/{path}{join}after=x")
        assert [await status(f"limit={n}") for n in (1, 1000)] == [200, 200]
        assert [await status(f"limit={n}") for n in (0, 1001, -1, "many")] == [422] * 4

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "after"


@pytest.mark.parametrize(
    "path", ["charging-stations", "sessions", "outbox", "operators", "sites", "quarantine"]
)
async def test_a_misspelt_filter_is_not_ignored(desk: Any, path: str) -> None:
    """It would select everything in silence: 422 lists what there is."""
    async with await desk.client() as client:
        answer = await client.get(f"/api/v1/{path}", params={"oprator": "x"})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "query.oprator")
