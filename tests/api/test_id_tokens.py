"""/id-tokens: written by their text without case. On SQLite and PostgreSQL."""

from typing import Any

import pytest

TOKEN = {
    "token": "Card-7",
    "type": "ISO14443",
    "status": "blocked",
    "group": "FLEET",
    "expires_at": "2027-01-01T00:00:00.000Z",
    "concurrent_limit": 2,
}


async def test_writing_is_repeatable(desk_on_each: Any) -> None:
    """201 when it is new, 200 after that; the answer is what was sent, and the list has it."""
    async with await desk_on_each.client() as client:
        first = await client.post("/api/v1/id-tokens", json=TOKEN)
        second = await client.post("/api/v1/id-tokens", json=TOKEN)
        listed = (await client.get("/api/v1/id-tokens")).json()

    assert (first.status_code, second.status_code) == (201, 200), first.text
    assert first.json() == TOKEN
    assert TOKEN in listed["items"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "lost"}, "body.status"),
        ({"expires_at": "2027-01-01"}, "body.expires_at"),
        ({"concurrent_limit": -1}, "body.concurrent_limit"),
        ({"token": ""}, "body.token"),
        ({"token": "x" * 256}, "body.token"),
    ],
)
async def test_values_that_cannot_be_used(desk: Any, change: dict[str, Any], field: str) -> None:
    """422 names the field."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/id-tokens", json=TOKEN | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_token_is_the_same_in_any_case(desk_on_each: Any) -> None:
    """Written again in other letters it is changed, not doubled; pages go on from where they ended."""
    async with await desk_on_each.client() as client:
        await client.post("/api/v1/id-tokens", json=TOKEN)
        again = await client.post("/api/v1/id-tokens", json={"token": "CARD-7"})
        page = (await client.get("/api/v1/id-tokens", params={"limit": 1})).json()
        rest = (await client.get("/api/v1/id-tokens", params={"after": page["next"]})).json()

    assert again.status_code == 200
    assert [each["token"] for each in page["items"] + rest["items"]] == ["A1", "CARD-7"]
