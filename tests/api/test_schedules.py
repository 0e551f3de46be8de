"""/schedules: made, changed, run and removed by those who may; secrets are shown once; metrics."""

from typing import Any

import pytest

from csms.api.schedules import EXAMPLE
from csms.store.schedule_tables import schedules
from csms.store.tables import audit_log

MINE, OTHER = "123456789", "987654321"
URL = "/api/v1/schedules"
SECRET = "a-secret-of-32-letters-and-digits"
ADDRESS = "https://files.example.com"


async def test_a_schedule_and_its_life(desk_on_each: Any) -> None:
    """Made, listed, changed, run, removed; every change is on record, without the secret."""
    desk = desk_on_each
    async with await desk.client() as client:
        made = await client.post(URL, json=EXAMPLE | {"secret": SECRET})
        number = made.json()["id"]
        listed = (await client.get(URL)).json()
        changed = await client.put(f"{URL}/{number}", json=EXAMPLE | {"at": "23:59", "enabled": False})
        ran = await client.post(f"{URL}/{number}/run")
        history = (await client.get(f"{URL}/{number}/deliveries")).json()
        removed = await client.delete(f"{URL}/{number}")
        gone = await client.get(f"{URL}/{number}")
        after = await client.get(f"{URL}/{number}/deliveries")
        metrics = (await client.get("/metrics")).text

    assert made.status_code == 201
    assert made.json()["secret"] == SECRET
    assert made.json()["next_at"] == "2026-01-31T22:00:00.000Z"
    assert {name: made.json()[name] for name in EXAMPLE} == EXAMPLE
    assert [one["id"] for one in listed["items"]] == [number]
    assert "secret" not in listed["items"][0]
    assert (changed.json()["at"], changed.json()["next_at"]) == ("23:59", None)
    assert (ran.status_code, ran.json()["period"], ran.json()["asked_for"]) == (202, "2025-12", True)
    assert history["items"] == [ran.json()]
    assert (removed.status_code, gone.status_code, after.status_code) == (204, 404, 200)
    assert 'csms_report_deliveries{state="waiting"} 1.0' in metrics
    (row,) = await desk.rows(schedules)
    assert row["secret"] == SECRET
    noted = await desk.rows(audit_log)
    assert [one["action"] for one in noted] == [
        "schedule-add", "schedule-put", "schedule-run", "schedule-remove",
    ]  # fmt: skip
    assert all(SECRET not in one["details"] for one in noted)


async def test_a_secret_is_made_where_none_is_given(desk: Any) -> None:
    """Long and random; folders have none."""
    async with await desk.client() as client:
        one, other = [(await client.post(URL, json=EXAMPLE)).json()["secret"] for _ in range(2)]

    assert one != other
    assert len(one) >= 43


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"address": "https://169.254.169.254/"}, 422, "address"),
        ({"address": "http://example.com/"}, 422, "address"),
        ({"target": "folder", "address": "a"}, 422, "address"),
        ({"format": "csv"}, 422, "format"),
        ({"every": "day"}, 422, "report"),
        ({"operator": None}, 422, "report"),
        ({"report": "audit", "format": "csv"}, 422, "report"),
        ({"operator": "999999999"}, 404, None),
        ({"at": "24:00"}, 422, "body.at"),
        ({"time_zone": "Mars/Base"}, 422, "body.time_zone"),
        ({"secret": "short"}, 422, "body.secret"),
        ({"id": "1"}, 422, "body.id"),
    ],
)
async def test_what_cannot_be_scheduled(
    desk: Any, change: dict[str, Any], status: int, field: str | None
) -> None:
    """The field is named; nothing is kept."""
    async with await desk.client() as client:
        answer = await client.post(URL, json=EXAMPLE | change)

    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field
    assert await desk.rows(schedules) == []


async def test_schedules_of_others_do_not_exist(desk: Any) -> None:
    """Row A04, and nobody limited to one operator schedules the network's files."""
    async with await desk.client() as client:
        number = (await client.post(URL, json=EXAMPLE)).json()["id"]
        body = {**EXAMPLE, "report": "sessions", "operator": None}
        network = (await client.post(URL, json=body)).json()["id"]
    async with await desk.client("admin", OTHER) as client:
        answers = [
            await client.get(f"{URL}/{number}"),
            await client.put(f"{URL}/{number}", json=EXAMPLE | {"operator": OTHER}),
            await client.delete(f"{URL}/{network}"),
            await client.post(f"{URL}/{network}/run"),
            await client.get(f"{URL}/{number}/deliveries"),
            await client.post(URL, json={**EXAMPLE, "report": "sessions", "operator": None}),
        ]
        listed = (await client.get(URL)).json()

    assert [answer.status_code for answer in answers] == [404] * 6
    assert listed["items"] == []


async def test_an_address_may_hold_a_secret(desk: Any) -> None:
    """Behind the host it is for administrators only, and never on record."""
    async with await desk.client() as client, await desk.client("viewer") as viewer:
        made = (await client.post(URL, json=EXAMPLE | {"address": f"{ADDRESS}/of-the-receiver"})).json()
        path = f"{URL}/{made['id']}"
        known = (await client.get(path)).json()
        seen = (await viewer.get(path)).json(), (await viewer.get(URL)).json()["items"][0]
        await client.put(path, json=EXAMPLE | {"address": f"{ADDRESS}/of-the-receiver"})
        await client.delete(path)

    assert known["address"] == f"{ADDRESS}/of-the-receiver"
    assert [one["address"] for one in seen] == [ADDRESS] * 2
    assert "of-the-receiver" not in str(await desk.rows(audit_log))
