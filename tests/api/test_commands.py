"""Commands: what is carried, what came of it, once per idempotency key, and kept."""

import asyncio
from typing import Any

import pytest

from csms.domain import commands as c
from csms.domain.assets import OcppVersion
from csms.domain.commands import Outcome, Result
from csms.domain.events import VariableReported
from csms.store.tables import audit_log, commands
from tests.api.live import live
from tests.serverkit import polls

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
        ({"command": "AskTransaction", "session_id": SESSION}, c.AskTransaction("1")),
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
        ({"command": "AskTransaction", "session_id": "1"}, "body.session_id"),
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
    assert given["address"] == "192.0.2.99"
    assert '"value":"60"' in given["details"]
    assert '"result":"accepted"' in ended["details"]
    assert secret not in str(await desk.rows(audit_log)) + str(await desk.rows(commands))


async def test_a_password_is_not_read_back(desk: Any) -> None:
    """Whoever may read variables of a station does not read what it signs in with."""
    told = {"key": "AuthorizationKey", "readonly": False, "value": "canary-0123456789"}
    variable = VariableReported(
        component="SecurityCtrlr", variable="BasicAuthPassword", attribute="Actual", value=told["value"]
    )
    desk.courier.outcome = Outcome(Result.ACCEPTED, {"configurationKey": [told]}, variables=(variable,))
    body = {"command": "GetVariables", "names": ["AuthorizationKey"]}

    async with await desk.client("operator") as client:
        answer = await client.post(URL, json=body)

    assert answer.status_code == 200, answer.text
    assert "canary" not in answer.text
    assert answer.text.count("***") == 2


async def test_data_has_a_bottom(desk: Any) -> None:
    """What nobody could look into is not sent."""
    deep: Any = "deep"
    for _ in range(300):
        deep = [deep]

    async with await desk.client() as client:
        answer = await client.post(URL, json={"command": "SendData", "vendor_id": "v", "data": deep})

    assert answer.status_code == 422
    assert "levels" in answer.json()["errors"][0]["problem"]
    assert desk.courier.sent == []


async def test_an_answer_at_once(desk: Any) -> None:
    """202 before the station has answered; the result is there to be looked up afterwards."""
    async with await desk.client("operator") as client:
        given = await client.post(URL, json={"command": "ClearCache"}, params={"wait": "false"})
        kept = (await client.get(f"/api/v1/commands/{given.json()['command_id']}")).json()

    assert (given.status_code, given.json()["result"]) == (202, None)
    assert kept["result"] == "accepted"


@pytest.mark.parametrize("version", list(OcppVersion))
async def test_a_command_that_waits_is_taken_back(database_url: str, version: OcppVersion) -> None:
    """The station is busy with another; it never hears of the one that was cancelled."""
    async with live(database_url) as there:
        password = await there.register("CS-1")
        peer = await there.connect("CS-1", password, version, lambda action, payload: None)
        url = "charging-stations/CS-1/commands"
        no_wait = {"params": {"wait": "false"}}
        sent = asyncio.create_task(there.client.post(url, json={"command": "ClearCache"}, **no_wait))
        async for _ in polls(5):
            if peer.asked:
                break
        waits = asyncio.create_task(there.client.post(url, json={"command": "Reset"}, **no_wait))
        await asyncio.sleep(0.3)

        cancelled = await there.client.post("commands/2/cancel")
        async for _ in polls(5):
            if (kept := (await there.client.get("commands/2")).json())["result"] is not None:
                break
        too_late = await there.client.post("commands/1/cancel")
        await asyncio.gather(sent, waits)

    assert (cancelled.status_code, too_late.status_code) == (200, 409)
    assert (kept["result"], kept["detail"]["reason"]) == ("failed", "not sent: it was taken back")
    assert [action for action, _ in peer.asked] == ["ClearCache"]


@pytest.mark.parametrize("version", list(OcppVersion))
async def test_forms_are_what_the_version_takes(desk: Any, version: OcppVersion) -> None:
    """Every form's example fits its schema's fields; what a version does not know is not offered."""
    station = await desk.parts.registry.station("CS-0001")
    await desk.parts.registry.raise_epoch(station.station_id, now=desk.clock[0], version=version)

    async with await desk.client("viewer") as client:
        told = (await client.get("/api/v1/charging-stations/CS-0001/command-forms")).json()

    forms = {form["command"]: form for form in told["commands"]}
    assert told["version"] == version.value
    assert len(forms) == 11 + (version is not OcppVersion.V16)
    assert ("AskTransaction" in forms) == (version is not OcppVersion.V16)
    for form in forms.values():
        assert form["description"]
        assert set(form["example"]) <= {*form["body"]["properties"], "connector", "evse"}
    kinds = forms["Reset"]["body"]["properties"]["kind"]["enum"]
    assert kinds == (["soft", "hard"] if version is OcppVersion.V16 else ["on-idle", "immediate"])
    assert ("GetBaseReport" in told["calls"]) == (version is not OcppVersion.V16)
