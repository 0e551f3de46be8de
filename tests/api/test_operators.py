"""/operators: written by code, listed, audited. On SQLite and PostgreSQL."""

from typing import Any

from csms.store.tables import audit_log

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
    assert '"from":"192.0.2.99"' in entry["details"]
