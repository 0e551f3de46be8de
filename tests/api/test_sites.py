"""/sites: written by operator and code. On SQLite and PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import update

from csms.store.tables import audit_log, sites
from tests.api.kit import just_before

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


async def test_one_site_from_beginning_to_end(desk_on_each: Any) -> None:
    """Made, read, changed, removed; each step audited with what was before."""
    url = "/api/v1/operators/123456789/sites/S02"
    async with await desk_on_each.client() as client:
        await client.post("/api/v1/sites", json=SITE)
        read = (await client.get(url)).json()
        changed = (await client.patch(url, json={"name": "South", "latitude": None})).json()
        bad = await client.patch(url, json={"name": None})
        removed = await client.delete(url)
        gone = await client.get(url)

    assert read == SITE
    assert changed == SITE | {"name": "South", "latitude": None}
    assert (bad.status_code, removed.status_code, gone.status_code) == (422, 204, 404)
    _, change, removal = await desk_on_each.rows(audit_log)
    assert change["before"].startswith('{"code":"S02"')
    assert '"name":"South"' in change["details"]
    assert removal["before"].startswith('{"code":"S02"')


async def test_a_site_that_was_used_stays(desk_on_each: Any) -> None:
    """A station stands there; after it has moved, what it charged there is still needed."""
    async with await desk_on_each.client() as client:
        standing = await client.delete("/api/v1/operators/123456789/sites/S01")
        await desk_on_each.add_session(0)
        await client.post("/api/v1/sites", json=SITE)
        await client.patch("/api/v1/charging-stations/CS-0001", json={"site": "S02"})
        charged = await client.delete("/api/v1/operators/123456789/sites/S01")

    assert (standing.status_code, charged.status_code) == (409, 409)
    assert "charging stations" in standing.json()["detail"]
    assert "sessions" in charged.json()["detail"]


async def test_a_change_leaves_what_was_not_sent(desk_on_each: Any, monkeypatch: Any) -> None:
    """Another has given the site its place just before: it keeps it."""
    desk, url = desk_on_each, "/api/v1/operators/123456789/sites/S02"
    async with await desk.client() as client:
        await client.post("/api/v1/sites", json=SITE)
        just_before(desk, monkeypatch, update(sites).where(sites.c.code == "S02").values(latitude=40.0))
        answer = await client.patch(url, json={"name": "South"})
        same = await client.patch(url, json={})
        shown = await client.get(url)

    assert answer.json() == same.json() == shown.json() == SITE | {"name": "South", "latitude": 40.0}
