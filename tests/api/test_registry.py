"""Operators, sites, id tokens, quarantine: written by key, listed, audited. On SQLite and PostgreSQL."""

from typing import Any

import pytest

from csms.store.tables import audit_log

OPERATOR = {"code": "AB3456789", "name": "Newcomer 充电", "time_zone": "Europe/Berlin"}
SITE = {"code": "S02", "operator": "AB3456789", "name": "Gate", "latitude": 39.9, "longitude": 116.4}
TOKEN = {
    "token": "Card-7",
    "type": "ISO14443",
    "status": "blocked",
    "group": "FLEET",
    "expires_at": "2027-01-01T00:00:00.000Z",
    "concurrent_limit": 2,
}


async def test_every_registry_write_is_repeatable(desk_on_each: Any) -> None:
    """201 when it is new, 200 after that; the answer is what was sent, and the list has it."""
    async with await desk_on_each.client() as client:
        for name, body in (("operators", OPERATOR), ("sites", SITE), ("id-tokens", TOKEN)):
            first = await client.post(f"/api/v1/{name}", json=body)
            second = await client.post(f"/api/v1/{name}", json=body)
            listed = (await client.get(f"/api/v1/{name}")).json()

            assert (first.status_code, second.status_code) == (201, 200), first.text
            assert first.json() == body
            assert body in listed["items"]


async def test_a_token_is_the_same_in_any_case(desk_on_each: Any) -> None:
    """Written again in other letters it is changed, not doubled; pages go on from where they ended."""
    async with await desk_on_each.client() as client:
        await client.post("/api/v1/id-tokens", json=TOKEN)
        again = await client.post("/api/v1/id-tokens", json={"token": "CARD-7"})
        page = (await client.get("/api/v1/id-tokens", params={"limit": 1})).json()
        rest = (await client.get("/api/v1/id-tokens", params={"after": page["next"]})).json()

    assert again.status_code == 200
    assert [each["token"] for each in page["items"] + rest["items"]] == ["A1", "CARD-7"]


async def test_sessions_pages_and_csv(desk_on_each: Any) -> None:
    """Lists, cursors and exports work the same on each database."""
    for n in range(5):
        await desk_on_each.add_session(n)

    async with await desk_on_each.client("viewer", "123456789") as client:
        page = (await client.get("/api/v1/sessions", params={"limit": 3, "token": "a1"})).json()
        rest = (await client.get("/api/v1/sessions", params={"after": page["next"]})).json()
        text = (await client.get("/api/v1/sessions", headers={"Accept": "text/csv"})).text

    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)
    assert len(text.splitlines()) == 6


async def test_commands_once_per_key(desk_on_each: Any) -> None:
    """The UNIQUE key behind idempotency holds on each database."""
    url, headers = "/api/v1/charging-stations/CS-0001/commands", {"Idempotency-Key": "k"}

    async with await desk_on_each.client() as client:
        answers = [await client.post(url, json={"command": "ClearCache"}, headers=headers) for _ in range(2)]
        plain = [await client.post(url, json={"command": "ClearCache"}) for _ in range(2)]

    assert len({answer.text for answer in answers}) == 1
    assert len({answer.json()["command_id"] for answer in plain}) == 2
    assert len(desk_on_each.courier.sent) == 3


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        ("sites", {"latitude": 91}, "body.latitude"),
        ("sites", {"longitude": "east"}, "body.longitude"),
        ("sites", {"code": ""}, "body.code"),
        ("id-tokens", {"status": "lost"}, "body.status"),
        ("id-tokens", {"expires_at": "2027-01-01"}, "body.expires_at"),
        ("id-tokens", {"concurrent_limit": -1}, "body.concurrent_limit"),
        ("id-tokens", {"token": ""}, "body.token"),
        ("id-tokens", {"token": "x" * 256}, "body.token"),
    ],
)
async def test_values_that_cannot_be_used(desk: Any, path: str, change: dict[str, Any], field: str) -> None:
    """422 names the field."""
    body = SITE if path == "sites" else TOKEN

    async with await desk.client() as client:
        answer = await client.post(f"/api/v1/{path}", json=body | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_site_needs_its_operator(desk: Any) -> None:
    """404 names the operator nobody knows."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/sites", json=SITE | {"operator": "000000000"})

    assert answer.status_code == 404
    assert "000000000" in answer.json()["detail"]


async def test_who_changed_what_is_kept(desk: Any) -> None:
    """One audit entry for each write, with who and from where."""
    async with await desk.client() as client:
        await client.post("/api/v1/operators", json=OPERATOR)

    (entry,) = await desk.rows(audit_log)
    assert (entry["action"], entry["subject"]) == ("operator-put", "AB3456789")
    assert entry["actor"].startswith("key:")
    assert '"from":"192.0.2.99"' in entry["details"]


async def test_quarantine(desk: Any) -> None:
    """Unknown stations are listed, approved with a password, or dismissed; then they are gone from it."""
    for identity in ("CS-A", "CS-B", "<script>"):
        await desk.parts.registry.put_in_quarantine(identity, "192.0.2.1", "not registered", desk.clock[0])

    async with await desk.client() as client:
        before = (await client.get("/api/v1/quarantine")).json()
        approved = await client.post("/api/v1/quarantine/CS-A/approve", json={"site": "S01"})
        denied = await client.post("/api/v1/quarantine/CS-B/deny")
        odd = await client.post("/api/v1/quarantine/%3Cscript%3E/deny")
        twice = await client.post("/api/v1/quarantine/CS-B/deny")
        unknown = await client.post("/api/v1/quarantine/CS-A/approve", json={})
        after = (await client.get("/api/v1/quarantine")).json()

    assert {each["identity"] for each in before["items"]} == {"CS-A", "CS-B", "<script>"}
    assert approved.json()["verdict"] == "approved"
    assert len(approved.json()["password"]) == 20
    assert (denied.status_code, odd.status_code, twice.status_code, unknown.status_code) == (
        200,
        200,
        404,
        404,
    )
    assert after == {"items": []}
    station = await desk.parts.registry.station("CS-A")
    assert station.site_code == "S01"
