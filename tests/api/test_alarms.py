"""Alarms over HTTP: found, acknowledged once, audited, in the metrics."""

from datetime import timedelta

from csms.store.alarms import Condition, Look
from csms.store.tables import audit_log
from csms.store.times import micros
from tests.api.conftest import MINE, NOW, OTHER, Desk


async def raised(desk: Desk, *subjects: str, operator: int | None = 1) -> None:
    wrong = [Condition(one, "major", micros(NOW), {"n": 1}, operator, 1, 1) for one in subjects]
    look = Look("connector-fault", wrong, timedelta(0), timedelta(0))
    await desk.parts.live.alarms.settle(look, NOW)


async def test_alarms_are_listed(desk_on_each: Desk) -> None:
    """To whom they concern."""
    desk = desk_on_each
    await raised(desk, "CS-0001/1/1", "CS-0001/2/1")
    async with await desk.client("viewer", MINE) as mine, await desk.client("viewer", OTHER) as other:
        page = (await mine.get("/api/v1/alarms", params={"limit": 1, "state": "open"})).json()
        rest = (await mine.get("/api/v1/alarms", params={"after": page["next"], "station": "CS-0001"})).json()
        none = (await other.get("/api/v1/alarms")).json()
        hidden = await other.get("/api/v1/alarms/1")
        wrong = await mine.get("/api/v1/alarms", params={"kind": "nonsense"})

    assert [one["subject"] for one in page["items"] + rest["items"]] == ["CS-0001/2/1", "CS-0001/1/1"]
    assert page["items"][0]["details"] == {"n": 1}
    assert (none["items"], hidden.status_code, wrong.status_code) == ([], 404, 422)


async def test_an_alarm_is_acknowledged_once(desk: Desk) -> None:
    """By somebody, with a note, in the audit log."""
    await raised(desk, "CS-0001/1/1")
    async with await desk.client("operator", MINE) as client:
        done = await client.post("/api/v1/alarms/1/acknowledge", json={"note": "on my way"})
        again = await client.post("/api/v1/alarms/1/acknowledge", json={"note": "me too"})

    assert (done.status_code, again.status_code) == (200, 409)
    assert (done.json()["note"], done.json()["cleared_at"]) == ("on my way", None)
    (row,) = [one for one in await desk.rows(audit_log) if one["action"] == "alarm-acknowledge"]
    assert row["subject"] == "1"


async def test_metrics_count_them(desk: Desk) -> None:
    """By kind and severity."""
    await raised(desk, "CS-0001/1/1", "CS-0001/2/1")
    async with desk.anonymous() as client:
        text = (await client.get("/metrics")).text

    assert 'csms_alarms{kind="connector-fault",severity="major"} 2.0' in text
    assert "csms_live_readers 0.0" in text
