"""Idempotency keys: one effect, one answer, for every POST; over restarts, and without keeping secrets."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from csms.domain.commands import Outcome, Result
from csms.errors import StoreUnavailable
from csms.store.command_tables import command_batches, idempotency_keys
from tests.api.conftest import opened
from tests.api.test_entry import person, sign_in
from tests.serverkit import polls

URL = "/api/v1/charging-stations/CS-0001/commands"
BATCHES = "/api/v1/command-batches"


async def test_the_same_key_and_body_is_sent_once(desk: Any) -> None:
    """The repeated request gets the first result."""
    async with await desk.client() as client:
        headers = {"Idempotency-Key": "k1"}
        first = await client.post(URL, json={"command": "ClearCache"}, headers=headers)
        desk.courier.outcome = Outcome(Result.REJECTED)
        second = await client.post(URL, json={"command": "ClearCache"}, headers=headers)

    assert second.json() == first.json()
    assert len(desk.courier.sent) == 1


async def test_a_double_click_is_one_command(desk: Any) -> None:
    """Two at once with one key: one is sent, both hear what came of it."""
    desk.courier.takes_s = 0.2

    async with await desk.client() as client:
        headers = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(
            *(client.post(URL, json={"command": "ClearCache"}, headers=headers) for _ in range(3))
        )

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.text for answer in answers}) == 1
    assert len(desk.courier.sent) == 1


async def test_the_same_key_and_another_request_is_refused(desk: Any) -> None:
    """422, and nothing is sent; another key's holder may use the same text."""
    headers = {"Idempotency-Key": "k1"}

    async with await desk.client() as client, await desk.client("operator") as other:
        await client.post(URL, json={"command": "Reset", "kind": "soft"}, headers=headers)
        changed = await client.post(URL, json={"command": "Reset", "kind": "hard"}, headers=headers)
        else_where = await client.post(
            "/api/v1/charging-stations/CS-0009/commands",
            json={"command": "Reset", "kind": "soft"},
            headers=headers,
        )
        others = await other.post(URL, json={"command": "Reset", "kind": "hard"}, headers=headers)

    assert (changed.status_code, else_where.status_code, others.status_code) == (422, 422, 200)
    assert len(desk.courier.sent) == 2


async def test_a_command_that_never_ended_is_not_sent_again(desk: Any) -> None:
    """After a crash nobody knows its outcome: the repeated request hears that, after a while."""
    headers = {"Idempotency-Key": "k1"}
    desk.courier.takes_s = 60

    async with await desk.client() as client:
        first = asyncio.create_task(client.post(URL, json={"command": "ClearCache"}, headers=headers))
        async for _ in polls(5):
            if desk.courier.sent:
                break
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        answer = await client.post(URL, json={"command": "ClearCache"}, headers=headers)

    assert answer.status_code == 409
    assert len(desk.courier.sent) == 1


async def test_a_bad_idempotency_key(desk: Any) -> None:
    """422 names the header."""
    async with await desk.client() as client:
        answer = await client.post(URL, json={"command": "ClearCache"}, headers={"Idempotency-Key": "a b"})

    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


async def test_commands_once_per_key(desk_on_each: Any) -> None:
    """The UNIQUE key behind idempotency holds on each database."""
    url, headers = "/api/v1/charging-stations/CS-0001/commands", {"Idempotency-Key": "k"}

    async with await desk_on_each.client() as client:
        answers = [await client.post(url, json={"command": "ClearCache"}, headers=headers) for _ in range(2)]
        plain = [await client.post(url, json={"command": "ClearCache"}) for _ in range(2)]

    assert len({answer.text for answer in answers}) == 1
    assert len({answer.json()["command_id"] for answer in plain}) == 2
    assert len(desk_on_each.courier.sent) == 3


async def test_every_post_may_be_repeated(desk: Any) -> None:
    """The document says so; a site that was there before is not answered as new the second time."""
    body = {"code": "S77", "operator": "123456789", "name": "North"}
    documented = [
        path
        for path, operations in desk.app.openapi()["paths"].items()
        if "post" in operations
        and not operations["post"].get("x-public")
        and not any(one["name"] == "Idempotency-Key" for one in operations["post"].get("parameters", []))
    ]

    async with await desk.client() as client:
        answers = [
            await client.post("/api/v1/sites", json=body, headers={"Idempotency-Key": "s"}) for _ in range(2)
        ]
        plain = await client.post("/api/v1/sites", json=body)

    assert documented == []
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert plain.status_code == 200


async def test_what_was_refused_may_be_sent_again(desk: Any) -> None:
    """404 did nothing; when the station is there the same key works."""
    url, headers = "/api/v1/charging-stations/CS-0002/approve", {"Idempotency-Key": "k"}

    async with await desk.client() as client:
        first = await client.post(url, headers=headers)
        await client.post("/api/v1/charging-stations", json={"identity": "CS-0002", "site": "S01"})
        second = await client.post(url, headers=headers)

    assert (first.status_code, second.status_code) == (404, 200)


async def test_answers_outlive_the_process_for_a_day(database_url: str) -> None:
    """The same key finds its answer after a restart; after 24 hours it is free."""
    headers = {"Idempotency-Key": "k"}
    async with opened(database_url) as desk:
        key = await desk.key()
        async with await desk.client() as client:
            first = await client.post(URL, json={"command": "ClearCache"}, headers=headers)
    async with opened(database_url) as desk, desk.anonymous({"Authorization": f"Bearer {key}"}) as client:
        second = await client.post(URL, json={"command": "ClearCache"}, headers=headers)
        before = len(desk.courier.sent)
        desk.clock[0] += timedelta(hours=24, seconds=1)
        third = await client.post(URL, json={"command": "ClearCache"}, headers=headers)

    assert second.content == first.content
    assert before == 0
    assert third.json()["command_id"] != first.json()["command_id"]


async def test_passwords_are_not_kept_with_answers(desk: Any) -> None:
    """A generated password is shown once: the repeated answer hides it, and no row has it."""
    body, headers = {"identity": "CS-0002", "site": "S01"}, {"Idempotency-Key": "k"}

    async with await desk.client() as client:
        first = await client.post("/api/v1/charging-stations", json=body, headers=headers)
        second = await client.post("/api/v1/charging-stations", json=body, headers=headers)

    assert len(first.json()["password"]) == 20
    assert second.json() == first.json() | {"password": "***"}
    assert first.json()["password"] not in str(await desk.rows(idempotency_keys))


async def test_nothing_that_is_shown_once_is_kept(desk: Any) -> None:
    """Keys, passwords and secrets: the repeated answer says that they were told, and no row has them."""
    await person(desk)
    url = "https://city.example/hook"
    asked: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "api-keys": ({"name": "n", "role": "viewer", "operator": None, "sites": None}, ("key",)),
        "users": ({"name": "wang", "role": "viewer", "operator": None, "sites": None}, ("password",)),
        "users/wang/password": ({}, ("password",)),
        "webhooks": ({"url": url}, ("secret",)),
        "webhooks/1/secret": ({}, ("secret",)),
        "me/one-time-codes/offer": ({}, ("secret", "address")),
    }
    told = []
    async with desk.anonymous() as client:
        client.headers["X-CSRF-Token"] = (await sign_in(client)).json()["csrf"]
        for path, (body, fields) in asked.items():
            first, second = [
                await client.post(f"/api/v1/{path}", json=body, headers={"Idempotency-Key": path})
                for _ in range(2)
            ]
            assert (first.status_code, second.status_code) in ((200, 200), (201, 201)), first.text
            assert second.json() == first.json() | dict.fromkeys(fields, "***")
            told += [first.json()[field] for field in fields]

    rows = str(await desk.rows(idempotency_keys))
    assert len(told) == 7
    assert [secret for secret in told if secret in rows] == []


async def test_what_failed_may_have_been_done(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a 503 or a 500 the same key is refused at once, and nothing is done a second time."""
    batch = {"command": {"command": "ClearCache"}, "stations": ["CS-0001"]}

    answers = []
    async with await desk.client() as client:
        for n, error in enumerate((StoreUnavailable("away"), RuntimeError("a fault of ours"))):
            with monkeypatch.context() as patch:
                patch.setattr(desk.parts.batches, "shown", AsyncMock(side_effect=error))
                with capture_logs(), suppress(RuntimeError):
                    await client.post(BATCHES, json=batch, headers={"Idempotency-Key": f"k{n}"})
            async with asyncio.timeout(5):
                answers.append(await client.post(BATCHES, json=batch, headers={"Idempotency-Key": f"k{n}"}))

    assert [answer.status_code for answer in answers] == [409, 409]
    assert len(await desk.rows(command_batches)) == 2


async def test_what_was_done_is_answered_though_its_entry_is_lost(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the audit log nor a call's outcome that cannot be kept makes it a failure."""
    away = AsyncMock(side_effect=StoreUnavailable("away"))
    monkeypatch.setattr(desk.parts.desk, "audit", away)
    monkeypatch.setattr(desk.parts.desk, "finish", away)
    batch = {"command": {"command": "ClearCache"}, "stations": ["CS-0001"]}

    async with await desk.client() as client:
        made = await client.post(BATCHES, json=batch)
        called = await client.post("/api/v1/charging-stations/CS-0001/calls/ClearCache", json={})

    assert (made.status_code, called.status_code) == (202, 200)
