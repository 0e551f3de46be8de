"""Every operation of the OpenAPI document, by every role, of every operator: who may and who sees what."""

import re
from typing import Any

import pytest

from csms.api.auth import page_visitor, principal_of
from csms.store.records import OutboxRow
from csms.store.tables import api_keys

MINE, OTHER = "123456789", "987654321"
ROLES = ("admin", "operator", "viewer", "platform")
# What an operation's path names belongs to the first operator.
PLACES = {"identity": "CS-0001", "session_id": "1767261600000001", "action": "Heartbeat"}
# Strings that only the first operator's records hold.
TELLTALE = ("CS-0001", "S01", "1767261600000001", MINE)


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The first example of a request body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "examples" in content:
        return content["examples"]["ClearCache"]["value"]
    if "example" in content:
        return {}
    schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    return schema.get("examples", [{}])[0]


def query_of(operation: dict[str, Any]) -> dict[str, str]:
    """Query parameters that must be there."""
    return {
        each["name"]: each["schema"]["enum"][0]
        for each in operation.get("parameters", [])
        if each["in"] == "query" and each["required"]
    }


def expected(path: str, operation: dict[str, Any], role: str, scope: str | None) -> set[int]:
    """The statuses that are right."""
    if role not in operation["x-roles"] or (operation["x-whole-network"] and scope is not None):
        return {403}
    if scope != OTHER:
        return {200, 201}
    if path == "/api/v1/charging-stations" and "requestBody" in operation:
        return {409}  # the identity is taken
    names_a_record = "{" in path or "requestBody" in operation
    return {404} if names_a_record else {200}


async def prepare(desk: Any) -> str:
    """Records of the first operator, to be seen or not to be seen. The number of a command."""
    await desk.add_session(0)
    row = OutboxRow.of("beijing", "order", "k", "order 1767261600000001", {}, desk.clock[0])
    await desk.write(row)
    async with await desk.client() as client:
        given = await client.post(
            "/api/v1/charging-stations/CS-0001/commands", json={"command": "ClearCache"}
        )
    return str(given.json()["command_id"])


@pytest.mark.parametrize("scope", [None, MINE, OTHER], ids=["all", "mine", "other"])
@pytest.mark.parametrize("role", ROLES)
async def test_each_operation_serves_whom_it_should(desk: Any, role: str, scope: str | None) -> None:
    """Role and scope of the key decide, for every operation there is; other operators' records are 404."""
    command_id = await prepare(desk)
    document = desk.app.openapi()

    wrong = []
    async with await desk.client(role, scope) as client:
        for path, operations in document["paths"].items():
            if not path.startswith("/api/"):
                continue
            for method, operation in operations.items():
                await desk.parts.registry.put_in_quarantine("CS-0099", "192.0.2.1", "test", desk.clock[0])
                identity = "CS-0099" if "quarantine" in path else "CS-0001"
                places = {**PLACES, "command_id": command_id, "identity": identity}
                url = re.sub(r"\{(\w+)\}", lambda found, at=places: at[found[1]], path)
                body = body_of(document, operation)
                answer = await client.request(method, url, params=query_of(operation), json=body)
                right = expected(path, operation, role, scope)
                leaks = scope == OTHER and answer.is_success and any(t in answer.text for t in TELLTALE)
                if answer.status_code not in right or leaks:
                    wrong.append((method, path, answer.status_code, right, answer.text[:200]))

    assert wrong == []


async def test_nothing_of_the_api_without_a_key(desk: Any) -> None:
    """No key, a wrong key, another scheme: 401 with a challenge, for every operation."""
    document = desk.app.openapi()
    headers: list[dict[str, str]] = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}]

    for header in headers:
        async with desk.anonymous(header) as client:
            for path, operations in document["paths"].items():
                for method in operations:
                    if path.startswith("/api/"):
                        answer = await client.request(method, path.replace("{", "").replace("}", ""))
                        assert answer.status_code == 401, (method, path)
                        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                        assert answer.headers["content-type"] == "application/problem+json"


async def test_scope_comes_from_the_key_alone(desk: Any) -> None:
    """Asking for another operator's records is 404, as if there were no such operator."""
    async with await desk.client("viewer", OTHER) as client:
        asked = await client.get("/api/v1/sessions", params={"operator": MINE})
        unknown = await client.get("/api/v1/sessions", params={"operator": "000000000"})
        own = await client.get("/api/v1/sessions", params={"operator": OTHER})

    assert (asked.status_code, unknown.status_code, own.status_code) == (404, 404, 200)
    assert asked.json()["detail"].replace(MINE, "") == unknown.json()["detail"].replace("000000000", "")


async def test_an_admin_of_one_operator_cannot_write_for_another(desk: Any) -> None:
    """Neither an operator, nor a site, nor a station at another's site."""
    async with await desk.client("admin", OTHER) as client:
        operator = await client.post(
            "/api/v1/operators", json={"code": MINE, "name": "Mine now", "time_zone": "UTC"}
        )
        site = await client.post("/api/v1/sites", json={"code": "S77", "operator": MINE, "name": "Mine"})
        station = await client.post("/api/v1/charging-stations", json={"identity": "CS-X", "site": "S01"})
        nowhere = await client.post("/api/v1/charging-stations", json={"identity": "CS-X"})

    assert [a.status_code for a in (operator, site, station, nowhere)] == [404, 404, 404, 422]


async def test_a_revoked_key_is_no_key(desk: Any) -> None:
    """From the moment it is revoked."""
    async with await desk.client("viewer") as client:
        before = await client.get("/api/v1/operators")
        (row,) = await desk.rows(api_keys)
        await desk.parts.registry.revoke_api_key(row["key_id"], desk.clock[0])
        after = await client.get("/api/v1/operators")

    assert (before.status_code, after.status_code) == (200, 401)


async def test_only_the_hash_of_a_key_is_stored(desk: Any) -> None:
    """A stolen database opens nothing; the last use is noted, but not at every request."""
    key = await desk.key("viewer")
    async with await desk.client("viewer") as client:
        for _ in range(3):
            await client.get("/api/v1/operators")

    (row,) = await desk.rows(api_keys)
    assert key.encode() not in row["key_hash"]
    assert len(row["key_hash"]) == 32
    assert row["last_used_at"] is not None


async def test_who_may_look_at_the_page(desk: Any) -> None:
    """Everyone who may read the API; a platform's key may not."""
    visitor = await page_visitor(desk.parts, await desk.key("viewer", MINE))

    assert visitor is not None
    assert visitor.operator == MINE
    assert await page_visitor(desk.parts, await desk.key("platform")) is None
    assert await page_visitor(desk.parts, "wrong") is None
    assert await principal_of(desk.parts, "") is None
    assert await principal_of(desk.parts, "x" * 10_000) is None
