"""Commands: what is carried, what came of it, once per idempotency key, and kept."""

import asyncio
from typing import Any

import pytest

from csms.domain import commands as c
from csms.domain.commands import Outcome, Result
from csms.domain.events import VariableReported
from csms.store.tables import audit_log, commands

URL = "/api/v1/charging-stations/CS-0001/commands"
SESSION = "1767261600000001"


@pytest.mark.parametrize(
    ("body", "carried"),
    [
        (
            {"command": "StartSession", "id_token": "A1", "evse": 1},
            c.StartSession("A1", evse=1, remote_start_id=1),
        ),
        ({"command": "StopSession", "session_id": SESSION}, c.StopSession("1")),
        ({"command": "Reset", "kind": "hard"}, c.Reset("immediate")),
        ({"command": "Reset", "kind": "soft"}, c.Reset("on-idle")),
        ({"command": "UnlockConnector", "evse": 1, "connector": 2}, c.UnlockConnector(1, 2)),
        ({"command": "TriggerMessage", "message": "Heartbeat"}, c.TriggerMessage("Heartbeat")),
        ({"command": "ChangeAvailability", "operative": False}, c.ChangeAvailability(False)),
        (
            {"command": "SetVariables", "values": [{"name": "HeartbeatInterval", "value": "60"}]},
            c.SetVariables((c.SetVariable("HeartbeatInterval", "60"),)),
        ),
        ({"command": "GetVariables", "names": ["X"]}, c.GetVariables(("X",))),
        ({"command": "GetBaseReport", "base": "SummaryInventory"}, c.GetBaseReport(1, "SummaryInventory")),
        ({"command": "ClearCache"}, c.ClearCache()),
        ({"command": "SendData", "vendor_id": "v", "data": {"a": 1}}, c.SendData("v", None, {"a": 1})),
    ],
    ids=lambda value: value["command"] + value.get("kind", "") if isinstance(value, dict) else "",
)
async def test_each_command_is_carried(desk: Any, body: dict[str, Any], carried: c.Command) -> None:
    """The body of each kind becomes the command of that name."""
    await desk.add_session(0)

    async with await desk.client("operator") as client:
        answer = await client.post(URL, json=body)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "command_id": "1",
        "command": body["command"],
        "result": "accepted",
        "detail": {"reason": "", "answer": {"status": "Accepted"}},
    }
    assert desk.courier.sent == [("CS-0001", carried)]


@pytest.mark.parametrize("result", list(Result))
async def test_every_outcome_is_told(desk: Any, result: Result) -> None:
    """200 whatever the station or the courier said, and it can be looked up afterwards."""
    told = VariableReported("", "Key", value="1")
    desk.courier.outcome = Outcome(result, None, "because", (told,))

    async with await desk.client() as client:
        given = (await client.post(URL, json={"command": "ClearCache"})).json()
        kept = (await client.get(f"/api/v1/commands/{given['command_id']}")).json()

    variables = [{"component": "", "name": "Key", "attribute": "Actual", "value": "1"}]
    assert given["result"] == result.value
    assert given["detail"] == {"reason": "because", "variables": variables}
    assert kept["result"] == given["result"]
    assert kept["detail"] == given["detail"]
    assert kept["charging_station"] == "CS-0001"
    assert kept["finished_at"] == "2026-01-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"command": "Explode"}, "body"),
        ({"command": "StartSession"}, "body.StartSession.id_token"),
        ({"command": "StartSession", "id_token": "A1", "evse": -1}, "body.StartSession.evse"),
        ({"command": "StartSession", "id_token": "A1", "is_admin": True}, "body.StartSession.is_admin"),
        ({"command": "StopSession", "session_id": "1"}, "body.session_id"),
        ({"command": "StopSession", "session_id": "x"}, "body.StopSession.session_id"),
        ({"command": "Reset", "kind": "now"}, "body.Reset.kind"),
        ({"command": "SetVariables", "values": []}, "body.SetVariables.values"),
    ],
)
async def test_a_body_that_cannot_be_used(desk: Any, body: dict[str, Any], field: str) -> None:
    """422 names the field, and nothing is sent."""
    async with await desk.client() as client:
        answer = await client.post(URL, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["fix"]
    assert desk.courier.sent == []


async def test_a_session_of_another_station_cannot_be_stopped(desk: Any) -> None:
    """The session must run on the station that is told to stop it."""
    await desk.add_session(0, station="CS-0009")

    async with await desk.client() as client:
        answer = await client.post(URL, json={"command": "StopSession", "session_id": SESSION})

    assert answer.status_code == 422
    assert desk.courier.sent == []


async def test_no_such_station(desk: Any) -> None:
    """404, and nothing is sent."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/charging-stations/CS-X/commands", json={"command": "ClearCache"})

    assert answer.status_code == 404
    assert desk.courier.sent == []


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


async def test_the_same_key_and_another_body_is_a_conflict(desk: Any) -> None:
    """409, and nothing is sent; another key's holder may use the same text."""
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

    assert (changed.status_code, else_where.status_code, others.status_code) == (409, 409, 200)
    assert len(desk.courier.sent) == 2


async def test_a_command_that_never_ended_is_not_sent_again(desk: Any) -> None:
    """After a crash nobody knows its outcome: the repeated request hears that, after a while."""
    headers = {"Idempotency-Key": "k1"}
    desk.courier.takes_s = 60

    async with await desk.client() as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.post(URL, json={"command": "ClearCache"}, headers=headers), 0.3)
        answer = await client.post(URL, json={"command": "ClearCache"}, headers=headers)

    assert answer.status_code == 409
    assert len(desk.courier.sent) == 1


async def test_a_bad_idempotency_key(desk: Any) -> None:
    """422 names the header."""
    async with await desk.client() as client:
        answer = await client.post(URL, json={"command": "ClearCache"}, headers={"Idempotency-Key": "a b"})

    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


async def test_who_did_what_from_where_is_kept(desk: Any) -> None:
    """Two audit entries: given and ended; a password in it is not kept anywhere."""
    secret = "canary-0123456789"
    values = [{"name": "AuthorizationKey", "value": secret}, {"name": "HeartbeatInterval", "value": "60"}]

    async with await desk.client() as client:
        await client.post(URL, json={"command": "SetVariables", "values": values})

    given, ended = await desk.rows(audit_log)
    assert given["action"] == "command SetVariables"
    assert given["actor"] == "key:1:admin of a test"
    assert given["subject"] == "CS-0001"
    assert '"from":"192.0.2.99"' in given["details"]
    assert '"value":"60"' in given["details"]
    assert '"result":"accepted"' in ended["details"]
    assert secret not in str(await desk.rows(audit_log)) + str(await desk.rows(commands))


async def test_commands_once_per_key(desk_on_each: Any) -> None:
    """The UNIQUE key behind idempotency holds on each database."""
    url, headers = "/api/v1/charging-stations/CS-0001/commands", {"Idempotency-Key": "k"}

    async with await desk_on_each.client() as client:
        answers = [await client.post(url, json={"command": "ClearCache"}, headers=headers) for _ in range(2)]
        plain = [await client.post(url, json={"command": "ClearCache"}) for _ in range(2)]

    assert len({answer.text for answer in answers}) == 1
    assert len({answer.json()["command_id"] for answer in plain}) == 2
    assert len(desk_on_each.courier.sent) == 3
