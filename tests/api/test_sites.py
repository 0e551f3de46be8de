"""/sites: written by operator and code. On SQLite and PostgreSQL."""

from typing import Any

import pytest

SITE = {"code": "S02", "operator": "123456789", "name": "Gate", "latitude": 39.9, "longitude": 116.4}


async def test_writing_is_repeatable(desk_on_each: Any) -> None:
    """201 when it is new, 200 after that; the answer is what was sent, and the list has it."""
    async with await desk_on_each.client() as client:
        first = await client.post("/api/v1/sites", json=SITE)
        second = await client.post("/api/v1/sites", json=SITE)
        listed = (await client.get("/api/v1/sites")).json()

    assert (first.status_code, second.status_code) == (201, 200), first.text
    assert first.json() == SITE
    assert SITE in listed["items"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"latitude": 91}, "body.latitude"),
        ({"longitude": "east"}, "body.longitude"),
        ({"code": ""}, "body.code"),
    ],
)
async def test_values_that_cannot_be_used(desk: Any, change: dict[str, Any], field: str) -> None:
    """422 names the field."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/sites", json=SITE | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_site_needs_its_operator(desk: Any) -> None:
    """404 names the operator nobody knows."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/sites", json=SITE | {"operator": "000000000"})

    assert answer.status_code == 404
    assert "000000000" in answer.json()["detail"]
