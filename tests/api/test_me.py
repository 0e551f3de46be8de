"""A person's own routes over HTTP are in `test_entry`; here is what they refuse."""

from typing import Any

import pytest

from tests.api.test_entry import PASSWORD, inside, person


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "sign-in", {"name": "li"}),
        ("POST", "sign-in", {"name": "li", "password": "x", "role": "admin"}),
        ("POST", "me/password", {"old": "x"}),
        ("PUT", "me/preferences", {"language": "tlh"}),
        ("PUT", "me/preferences", {"language": "en", "time_zone": "Mars/Phobos"}),
        ("PUT", "me/one-time-codes", {"password": "x", "secret": "lower case"}),
    ],
)
async def test_what_cannot_be_used(desk: Any, method: str, path: str, body: dict[str, str]) -> None:
    """422 with the field that is wrong; a role cannot be slipped in."""
    await person(desk)
    async with desk.anonymous() as client:
        await inside(desk, client)
        answer = await client.request(method, f"/api/v1/{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("body.")


async def test_turning_codes_off_needs_the_password(desk: Any) -> None:
    """Whoever finds an open browser cannot."""
    await person(desk)
    async with desk.anonymous() as client:
        await inside(desk, client)
        wrong = await client.put("/api/v1/me/one-time-codes", json={"password": "wrong"})
        right = await client.put("/api/v1/me/one-time-codes", json={"password": PASSWORD})

    assert (wrong.status_code, right.status_code, right.json()) == (403, 200, {"recovery": []})
