"""/charging-stations: registered, listed, and what they said."""

from datetime import timedelta
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus
from csms.domain.credentials import is_password
from csms.domain.events import ConnectorStatusChanged, VariableReported
from csms.store.message_log import MessageLog
from csms.store.records import ConnectorStateRow, StationEventRow, VariableRow
from csms.store.tables import audit_log

URL = "/api/v1/charging-stations"
BODY = {"identity": "CS-0002", "site": "S01", "security_profile": 1, "max_power_w": 120_000}


async def test_a_station_as_the_contract_has_it(desk: Any) -> None:
    """State, connectors and running sessions."""
    session = await desk.add_session(0, state="active", ended_at=None)
    event = ConnectorStatusChanged(1, 1, ConnectorStatus.CHARGING, desk.clock[0], "NoError")
    await desk.write(ConnectorStateRow.of(1, event, desk.clock[0]))

    async with await desk.client() as client:
        shown = (await client.get(f"{URL}/CS-0001")).json()

    assert shown["identity"] == "CS-0001"
    assert (shown["operator"], shown["site"], shown["state"]) == ("123456789", "S01", "online")
    assert shown["ocpp_version"] == "ocpp1.6"
    assert shown["connected_at"] == "2026-01-01T12:00:00.000Z"
    assert shown["remote_address"] == "192.0.2.17"
    assert shown["live_sessions"] == [str(session)]
    assert shown["connectors"] == [
        {
            "evse": 1,
            "connector": 1,
            "status": "charging",
            "error_code": "NoError",
            "since": "2026-01-01T12:00:00.000Z",
        }
    ]


async def test_registering_is_repeatable(desk: Any) -> None:
    """201, then 200; a password that was given is not told again."""
    async with await desk.client() as client:
        first = await client.post(URL, json=BODY | {"password": "0123456789abcdef"})
        second = await client.post(URL, json=BODY)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["state"] == "never-seen"
    assert first.json()["password"] is None
    assert second.json()["password"] is None
    known = await desk.parts.registry.credentials("CS-0002")
    assert is_password(b"0123456789abcdef", known.salt, known.password_hash)


async def test_a_generated_password_is_told_once(desk: Any) -> None:
    """It is the one that opens the door; neither the audit log nor a later answer has it."""
    async with await desk.client() as client:
        password = (await client.post(URL, json=BODY)).json()["password"]
        again = await client.post(URL, json=BODY)
        shown = await client.get(f"{URL}/CS-0002")

    known = await desk.parts.registry.credentials("CS-0002")
    assert is_password(password.encode(), known.salt, known.password_hash)
    assert password not in again.text + shown.text + str(await desk.rows(audit_log))


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"identity": "CS:1"}, 422, "body.identity"),
        ({"identity": "x" * 49}, 422, "body.identity"),
        ({"password": "short"}, 422, "body.password"),
        ({"password": "x" * 41}, 422, "body.password"),
        ({"password": "密" * 14}, 422, "body.password"),
        ({"security_profile": 2}, 422, "body.security_profile"),
        ({"security_profile": 0}, 422, "body.security_profile"),
        ({"assume_version": "ocpp1.5"}, 422, "body.assume_version"),
        ({"max_power_w": 0}, 422, "body.max_power_w"),
        ({"operator_id": 2}, 422, "body.operator_id"),
        ({"site": "nowhere"}, 404, None),
    ],
)
async def test_a_station_that_cannot_be_registered(
    desk: Any, change: dict[str, Any], status: int, field: str | None
) -> None:
    """The answer names the field; nothing is registered."""
    async with await desk.client() as client:
        answer = await client.post(URL, json=BODY | change)
        listed = (await client.get(URL)).json()

    assert answer.status_code == status
    assert [each["field"] for each in answer.json().get("errors", [])] == ([field] if field else [])
    assert [item["identity"] for item in listed["items"]] == ["CS-0001", "CS-0009"]


@pytest.mark.parametrize("length", [16, 20, 40])
async def test_passwords_a_station_can_have(desk: Any, length: int) -> None:
    """16 to 40 bytes."""
    async with await desk.client() as client:
        assert (await client.post(URL, json=BODY | {"password": "x" * length})).status_code == 201


async def test_lists_and_filters(desk: Any) -> None:
    """By operator, site and state; a page at a time."""
    async with await desk.client() as client:
        await client.post(URL, json=BODY)

        async def listed(**query: Any) -> list[str]:
            answer = await client.get(URL, params=query)
            return [item["identity"] for item in answer.json()["items"]]

        page = (await client.get(URL, params={"limit": 2})).json()
        assert await listed() == ["CS-0001", "CS-0002", "CS-0009"]
        assert await listed(operator="987654321") == ["CS-0009"]
        assert await listed(site="S01") == ["CS-0001", "CS-0002"]
        assert await listed(state="never-seen") == ["CS-0002"]
        assert await listed(state="online", site="S01") == ["CS-0001"]
        assert await listed(after=page["next"]) == ["CS-0009"]


class Exchange:
    """An entry of the message log."""

    station_id, direction, message_id, action = 1, "in", "17", "Heartbeat"
    request, answer, outcome, latency_us = b"{}", b'{"currentTime":"x"}', "answered", 812

    def __init__(self, at: Any) -> None:
        self.at = at


async def test_message_log(desk: Any) -> None:
    """Latest first, with the time it took."""
    messages = MessageLog(desk.database, desk.parts.settings.messages, now=lambda: desk.clock[0])
    for minute in range(3):
        messages.add(Exchange(desk.clock[0] + timedelta(minutes=minute)))
    await messages.flush()

    async with await desk.client("viewer") as client:
        page = (await client.get(f"{URL}/CS-0001/messages", params={"limit": 2})).json()
        rest = (await client.get(f"{URL}/CS-0001/messages", params={"after": page["next"]})).json()

    assert [item["at"][14:16] for item in page["items"] + rest["items"]] == ["02", "01", "00"]
    assert rest["items"][0] == {
        "at": "2026-01-01T12:00:00.000Z",
        "direction": "in",
        "message_id": "17",
        "action": "Heartbeat",
        "request": "{}",
        "answer": '{"currentTime":"x"}',
        "outcome": "answered",
        "latency_ms": 0.812,
    }


async def test_events_and_variables(desk: Any) -> None:
    """What the station did, and what its device model holds."""
    now = desk.clock[0]
    await desk.write(
        StationEventRow.of(1, "security", now, now, {"type": "FirmwareUpdated"}),
        VariableRow.of(1, VariableReported("Ctrlr", "Interval", value="60", mutability="ReadWrite"), now),
    )

    async with await desk.client() as client:
        events = (await client.get(f"{URL}/CS-0001/events")).json()
        variables = (await client.get(f"{URL}/CS-0001/variables")).json()

    assert [(each["kind"], each["details"]) for each in events["items"]] == [
        ("security", {"type": "FirmwareUpdated"})
    ]
    assert [(each["variable"], each["value"]) for each in variables["items"]] == [("Interval", "60")]


@pytest.mark.parametrize("path", ["", "/messages", "/events", "/variables"])
async def test_no_such_station(desk: Any, path: str) -> None:
    """404 for what is not registered, 422 for what cannot be an identity."""
    async with await desk.client() as client:
        assert (await client.get(f"{URL}/CS-X{path}")).status_code == 404
        assert (await client.get(f"{URL}/CS%00X{path}")).status_code == 422
        assert (await client.get(f"{URL}/CS<script>{path}")).status_code == 422
