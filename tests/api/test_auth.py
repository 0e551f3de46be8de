"""Who asks: keys and their hashes, browsers and their tokens, and that scope comes from neither request."""

from typing import Any

from csms.api.auth import principal_of
from csms.api.passwords import hash_of
from csms.domain.scope import WHOLE
from csms.store.tables import api_keys
from csms.store.users import UserForm

MINE, OTHER = "123456789", "987654321"
PASSWORD = "correct horse battery"


async def test_no_change_with_a_cookie_alone(desk: Any) -> None:
    """Whatever changes anything asks a signed-in browser for the token of its visit: 403 without."""
    await desk.parts.users.add(UserForm("li", "admin", WHOLE), await hash_of(PASSWORD), False, desk.clock[0])
    document = desk.app.openapi()

    wrong, asked = [], 0
    async with desk.anonymous() as client:
        answer = await client.post("/api/v1/sign-in", json={"name": "li", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if not path.startswith("/api/") or method == "get" or operation.get("x-public"):
                    continue
                for headers in ({}, {"X-CSRF-Token": "x"}):
                    url = path.replace("{", "").replace("}", "")
                    answer = await client.request(method, url, headers=headers)
                    asked += 1
                    if answer.status_code != 403:
                        wrong.append((method, path, answer.status_code))
        still = await client.get("/api/v1/me")

    assert (wrong, still.status_code) == ([], 200)
    assert asked > 50


async def test_nothing_of_the_api_without_a_key(desk: Any) -> None:
    """No key, a wrong key, another scheme: 401 with a challenge, for every operation."""
    document = desk.app.openapi()
    headers: list[dict[str, str]] = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}]

    for header in headers:
        async with desk.anonymous(header) as client:
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    if path.startswith("/api/") and not operation.get("x-public"):
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


async def test_what_is_no_key(desk: Any) -> None:
    """Neither an empty text nor an endless one."""
    assert await principal_of(desk.parts, "") is None
    assert await principal_of(desk.parts, "x" * 10_000) is None
