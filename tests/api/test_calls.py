"""Raw OCPP requests: checked before they are sent, answered as it came, audited."""

from typing import Any

import pytest

from csms.domain.commands import Outcome, RawCall, Result
from csms.store.registry import StationForm
from csms.store.tables import audit_log

URL = "/api/v1/charging-stations/CS-0001/calls"


async def test_the_answer_as_it_came(desk: Any) -> None:
    """Whatever the station put into its CALLRESULT."""
    desk.courier.outcome = Outcome(Result.REJECTED, {"status": "Rejected", "more": [1]})

    async with await desk.client() as client:
        answer = await client.post(f"{URL}/Reset", json={"type": "Soft"})

    assert answer.status_code == 200
    assert answer.json() == {
        "command_id": "1",
        "result": "rejected",
        "answer": {"status": "Rejected", "more": [1]},
    }
    assert desk.courier.sent == [("CS-0001", RawCall("Reset", {"type": "Soft"}))]


async def test_the_error_as_it_came(desk: Any) -> None:
    """The station's CALLERROR: code, description, details."""
    error = {"code": "NotImplemented", "description": "no", "details": {"a": 1}}
    desk.courier.outcome = Outcome(Result.NOT_SUPPORTED, {"error": error}, "Reset: NotImplemented no")

    async with await desk.client() as client:
        answer = await client.post(f"{URL}/Reset", json={"type": "Soft"})

    assert answer.json() == {"command_id": "1", "result": "not-supported", "error": error}


async def test_nobody_answered(desk: Any) -> None:
    """What the courier says instead."""
    desk.courier.outcome = Outcome(Result.NOT_CONNECTED, reason="no connection is open")

    async with await desk.client() as client:
        answer = await client.post(f"{URL}/Reset", json={"type": "Soft"})

    assert answer.status_code == 200
    assert answer.json()["error"] == {
        "code": "not-connected",
        "description": "no connection is open",
        "details": {},
    }


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("Reset", b'{"type":"Now"}'),
        ("Reset", b"{}"),
        ("Reset", b'{"type":"Soft","extra":1}'),
        ("Reset", b"[]"),
        ("Reset", b""),
        ("Reset", b"{"),
        ("Reset", b'{"type":NaN}'),
        ("Reset", b"[" * 100_000),
        ("DataTransfer", b'{"vendorId":"v","data":' + b"[" * 600 + b"]" * 600 + b"}"),
        ("Reset", b'{"type":"\xff"}'),
        ("NoSuchAction", b"{}"),
        ("GetVariables", b'{"getVariableData":[]}'),  # not of this station's version
    ],
)
async def test_a_payload_that_cannot_be_sent(desk: Any, action: str, body: bytes) -> None:
    """422 says what is wrong, and nothing is sent."""
    async with await desk.client() as client:
        answer = await client.post(f"{URL}/{action}", content=body)

    assert answer.status_code == 422, answer.text
    field = "path.action" if action in ("NoSuchAction", "GetVariables") else "body"
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["problem"]
    assert desk.courier.sent == []


async def test_a_station_that_was_never_here(desk: Any) -> None:
    """409: nobody knows which version to check against."""
    await desk.parts.registry.put_station(StationForm("CS-0002", "S01"), desk.clock[0])

    async with await desk.client() as client:
        answer = await client.post("/api/v1/charging-stations/CS-0002/calls/Reset", json={"type": "Soft"})

    assert answer.status_code == 409


async def test_for_administrators(desk: Any) -> None:
    """An operator's key may give commands, not calls."""
    async with await desk.client("operator") as client:
        answer = await client.post(f"{URL}/Reset", json={"type": "Soft"})

    assert answer.status_code == 403


async def test_it_is_audited_without_its_secrets(desk: Any) -> None:
    """Who, what, when, from where, outcome; a password in the payload is hidden."""
    payload = {"key": "AuthorizationKey", "value": "canary-0123456789"}

    async with await desk.client() as client:
        await client.post(f"{URL}/ChangeConfiguration", json=payload)

    given, ended = await desk.rows(audit_log)
    assert (given["action"], ended["action"]) == (
        "call ChangeConfiguration",
        "call ChangeConfiguration ended",
    )
    assert "canary" not in str((given, ended))
    assert desk.courier.sent[0][1].payload == payload


async def test_an_answer_tells_no_password(desk: Any) -> None:
    """Neither here nor where it is kept; and however deep it is, it is answered."""
    told = {"key": "AuthorizationKey", "readonly": False, "value": "canary-0123456789"}
    deep: Any = "deep"
    for _ in range(600):
        deep = [deep]
    desk.courier.outcome = Outcome(Result.ACCEPTED, {"configurationKey": [told], "more": deep})

    async with await desk.client() as client:
        answer = await client.post(f"{URL}/GetConfiguration", json={})

    assert answer.json()["answer"]["configurationKey"] == [told | {"value": "***"}]
    assert "canary" not in str(await desk.rows(audit_log))
