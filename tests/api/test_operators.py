"""/operators: written by code, listed, audited. On SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from csms.store.billing_tables import bill_days, bill_due
from csms.store.tables import audit_log, operators
from csms.store.times import instant, micros
from tests.api.kit import just_before

OPERATOR = {"code": "AB3456789", "name": "Newcomer 充电", "time_zone": "Europe/Berlin"}


async def test_writing_is_repeatable(desk_on_each: Any) -> None:
    """201 when it is new, 200 after that; the answer is what was sent, and the list has it."""
    async with await desk_on_each.client() as client:
        first = await client.post("/api/v1/operators", json=OPERATOR)
        second = await client.post("/api/v1/operators", json=OPERATOR)
        listed = (await client.get("/api/v1/operators")).json()

    assert (first.status_code, second.status_code) == (201, 200), first.text
    assert first.json() == OPERATOR
    assert OPERATOR in listed["items"]


async def test_who_changed_what_is_kept(desk: Any) -> None:
    """One audit entry for each write, with who and from where."""
    async with await desk.client() as client:
        await client.post("/api/v1/operators", json=OPERATOR)

    (entry,) = await desk.rows(audit_log)
    assert (entry["action"], entry["subject"]) == ("operator-put", "AB3456789")
    assert entry["actor"].startswith("key:")
    assert entry["address"] == "192.0.2.99"


async def test_one_operator_from_beginning_to_end(desk_on_each: Any) -> None:
    """Made, read, changed, removed; one that has sites stays."""
    url = f"/api/v1/operators/{OPERATOR['code']}"
    async with await desk_on_each.client() as client:
        await client.post("/api/v1/operators", json=OPERATOR)
        read = (await client.get(url)).json()
        changed = (await client.patch(url, json={"name": "Other"})).json()
        bad = await client.patch(url, json={"time_zone": None})
        removed = await client.delete(url)
        gone = await client.get(url)
        used = await client.delete("/api/v1/operators/123456789")

    assert read == OPERATOR
    assert changed == OPERATOR | {"name": "Other"}
    assert (bad.status_code, removed.status_code, gone.status_code) == (422, 204, 404)
    assert used.status_code == 409
    _, change, _ = await desk_on_each.rows(audit_log)
    assert change["before"].startswith(f'{{"code":"{OPERATOR["code"]}"')


async def test_a_change_leaves_what_was_not_sent(desk_on_each: Any, monkeypatch: Any) -> None:
    """Another has changed the time zone just before: it stays."""
    desk, url = desk_on_each, f"/api/v1/operators/{OPERATOR['code']}"
    moved = update(operators).where(operators.c.code == OPERATOR["code"]).values(time_zone="Asia/Urumqi")
    async with await desk.client() as client:
        await client.post("/api/v1/operators", json=OPERATOR)
        just_before(desk, monkeypatch, moved)
        answer = await client.patch(url, json={"name": "Other"})

    assert answer.json() == OPERATOR | {"name": "Other", "time_zone": "Asia/Urumqi"}


async def test_another_clock_makes_other_days(desk_on_each: Any) -> None:
    """Days of bills that are kept by the old clock are gone, and marked by the new one."""
    desk, kept = desk_on_each, {column.name: 0 for column in bill_days.c}
    kept |= {"operator_id": 1, "start": micros(datetime(2025, 12, 31, 16, tzinfo=UTC)), "site_id": 1}
    await desk.database.run(lambda connection: connection.execute(bill_days.insert(), kept))
    async with await desk.client() as client:
        same = await client.patch("/api/v1/operators/123456789", json={"time_zone": "Asia/Shanghai"})
        days = await desk.rows(bill_days)
        await client.patch("/api/v1/operators/123456789", json={"time_zone": "Asia/Urumqi"})

    assert (same.status_code, len(days)) == (200, 1)
    assert await desk.rows(bill_days) == []
    starts = [instant(row["start"]).isoformat()[:13] for row in await desk.rows(bill_due)]
    assert starts == ["2025-12-30T18", "2025-12-31T18", "2026-01-01T18"][: len(starts)]
    assert len(starts) > 1
