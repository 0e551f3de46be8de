"""/id-tokens: written by their text without case. On SQLite and PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from csms.store.message_log import INSERT, MessageRow
from csms.store.tables import audit_log, id_tokens
from csms.store.times import micros
from tests.api.conftest import MINE, NOW, OTHER
from tests.api.kit import just_before

TOKEN = {
    "token": "Card-7",
    "type": "ISO14443",
    "status": "blocked",
    "group": "FLEET",
    "expires_at": "2027-01-01T00:00:00.000Z",
    "concurrent_limit": 2,
    "operator": None,
    "sites": [],
    "note": "",
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


PATH = "/api/v1/id-tokens"


async def test_one_token_is_changed_and_removed(desk_on_each: Any) -> None:
    """Blocked, unblocked, its expiry taken off; what is left out stays; every change is audited."""
    desk = desk_on_each
    async with await desk.client() as client:
        await client.post(PATH, json=TOKEN | {"status": "accepted"})
        blocked = (await client.post(f"{PATH}/card-7/block")).json()
        unblocked = (await client.post(f"{PATH}/Card-7/unblock")).json()
        changed = (
            await client.patch(f"{PATH}/CARD-7", json={"expires_at": None, "group": None, "note": "Lost?"})
        ).json()
        shown = (await client.get(f"{PATH}/card-7")).json()
        removed = await client.delete(f"{PATH}/card-7")
        gone = await client.get(f"{PATH}/card-7")

    assert (blocked["status"], blocked["expires_at"]) == ("blocked", TOKEN["expires_at"])
    assert unblocked == TOKEN | {"status": "accepted"}
    assert changed == unblocked | {"expires_at": None, "group": None, "note": "Lost?"}
    assert shown == changed
    assert (removed.status_code, gone.status_code) == (204, 404)
    actions = [row["action"] for row in await desk.rows(audit_log)]
    assert actions == ["id-token-put", *["id-token-change"] * 3, "id-token-remove"]


async def test_tokens_are_looked_for(desk_on_each: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By text, status, group, type and operator; short pages go on to the end."""
    async with await desk_on_each.client() as client:
        for n in range(9):
            body = {
                "token": f"T{n}",
                "group": "EVEN" if n % 2 == 0 else None,
                "note": "x%y" if n == 3 else "",
            }
            body |= {"status": "blocked" if n > 6 else "accepted", "operator": MINE if n < 2 else None}
            assert (await client.post(PATH, json=body)).status_code == 201

        async def found(**query: Any) -> list[str]:
            tokens: list[str] = []
            after = None
            while True:
                asked = query | {"limit": 2} | ({"after": after} if after else {})
                page = (await client.get(PATH, params=asked)).json()
                tokens += [one["token"] for one in page["items"]]
                after = page["next"]
                if after is None:
                    return tokens

        for share in (10_000, 2):
            monkeypatch.setattr("csms.store.token_queries.LOOKED_AT", share)
            assert await found(text="t8") == ["T8"]
            assert await found(text="x%") == await found(text="X%") == ["T3"]
            assert await found(status="blocked") == ["T7", "T8"]
            assert await found(group="EVEN") == ["T0", "T2", "T4", "T6", "T8"]
            assert await found(group="EVEN", status="blocked") == ["T8"]
            assert await found(operator=MINE) == ["T0", "T1"]
            assert await found(type="Central") == []
            assert len(await found()) == 10


async def test_a_limited_key_has_tokens_of_its_own(desk_on_each: Any) -> None:
    """It registers for its operator alone; shared tokens and those of others do not exist for it."""
    async with await desk_on_each.client("admin", MINE) as client:
        own = await client.post(PATH, json={"token": "M1"})
        shared = await client.post(PATH, json={"token": "A1"})
        others = await client.post(PATH, json={"token": "M2", "operator": OTHER})
        listed = (await client.get(PATH)).json()["items"]
        hidden = await client.post(f"{PATH}/A1/block")
    async with await desk_on_each.client("admin", OTHER) as client:
        assert (await client.get(PATH)).json()["items"] == []
        assert (await client.delete(f"{PATH}/M1")).status_code == 404

    assert (own.status_code, own.json()["operator"]) == (201, MINE)
    assert (shared.status_code, others.status_code, hidden.status_code) == (409, 404, 404)
    assert [one["token"] for one in listed] == ["M1"]


async def decision(client: Any, token: str, **query: str) -> dict[str, Any]:
    answer = await client.get(f"{PATH}/{token}/decision", params=query)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_why_a_token_is_refused(desk_on_each: Any) -> None:
    """The first question that fails decides; at another station it may be another one."""
    desk = desk_on_each
    async with await desk.client() as client:
        await client.post(PATH, json={"token": "S1", "sites": ["S01"]})
        await client.post(PATH, json={"token": "O1", "operator": OTHER})
        await desk.add_session(0, state="active", ended_at=None)

        here = await decision(client, "S1", station="CS-0001")
        there = await decision(client, "S1", station="CS-0009")
        owned = await decision(client, "O1", station="CS-0001")
        busy = await decision(client, "A1")
        unknown = await decision(client, "nobody")
        nowhere = await client.get(f"{PATH}/A1/decision", params={"station": "CS-0404"})

    assert (here["status"], {one["passed"] for one in here["checks"]}) == ("accepted", {True, None})
    assert [one["check"] for one in there["checks"] if one["passed"] is False] == ["site"]
    assert [one["check"] for one in owned["checks"] if one["passed"] is False] == ["operator"]
    assert (there["status"], owned["status"], busy["status"]) == ("invalid", "invalid", "concurrent")
    assert busy["reason"] == "the token has 1 of 1 sessions running"
    assert (unknown["status"], unknown["recent"]) == ("unknown", [])
    assert nowhere.status_code == 404
    async with await desk.client("viewer", MINE) as client:
        foreign = await decision(client, "O1")
    assert (foreign["status"], foreign["checks"]) == (
        "invalid",
        [{"check": "operator", "passed": False, "detail": "another operator's token"}],
    )


async def test_what_was_decided_lately(desk_on_each: Any) -> None:
    """Starts from the sessions, Authorize of either version from the log, newest first; none of others."""
    desk = desk_on_each
    await desk.add_session(0, authorization="blocked", authorization_reason="the token is blocked")
    await desk.add_session(1, station="CS-0009")
    said = (
        ('{"idTag":"a1"}', '{"idTagInfo":{"status":"Accepted"}}'),
        ('{"idToken":{"idToken":"A1","type":"ISO14443"}}', '{"idTokenInfo":{"status":"Blocked"}}'),
        ('{"idTag":"A10"}', '{"idTagInfo":{"status":"Invalid"}}'),
        ('{"idTag":"A1 ...[cut]', None),
    )
    for n, (request, answer) in enumerate(said):
        at = micros(NOW + timedelta(minutes=n))
        row = MessageRow(1, at, "in", f"m{n}", "Authorize", request, answer, "answered", 1)
        await desk.database.execute(INSERT, row._asdict())

    async with await desk.client("viewer", MINE) as client:
        recent = (await decision(client, "A1"))["recent"]

    assert [(one["request"], one["status"]) for one in recent] == [
        ("authorize", "Blocked"),
        ("authorize", "Accepted"),
        ("start", "blocked"),
    ]
    assert recent[-1]["reason"] == "the token is blocked"


async def test_a_block_outlives_a_change_beside_it(desk_on_each: Any, monkeypatch: Any) -> None:
    """Somebody blocks the token just before a change of other fields is written: it stays blocked."""
    desk = desk_on_each
    body = {"note": "x", "sites": ["S01"], "group": None, "expires_at": None}
    async with await desk.client() as client:
        await client.post("/api/v1/id-tokens", json=TOKEN | {"status": "accepted"})
        just_before(desk, monkeypatch, update(id_tokens).values(status="blocked"))
        answer = await client.patch("/api/v1/id-tokens/Card-7", json=body)

    assert answer.json() == TOKEN | body | {"status": "blocked"}
    assert '"expires_at":null' in (await desk.rows(audit_log))[-1]["details"].replace(" ", "")
