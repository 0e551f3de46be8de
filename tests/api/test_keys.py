"""API keys over the API: made, listed without themselves, revoked, within one's own rights."""

from typing import Any

from csms.store.tables import audit_log

MINE, OTHER = "123456789", "987654321"


async def test_a_key_is_made_and_revoked(desk_on_each: Any) -> None:
    """It opens from the moment it is made until it is revoked; only its maker has seen it."""
    desk = desk_on_each
    async with await desk.client() as admin:
        made = (await admin.post("/api/v1/api-keys", json={"name": "night", "role": "viewer"})).json()
        async with desk.anonymous({"Authorization": f"Bearer {made['key']}"}) as client:
            before = await client.get("/api/v1/sites")
            revoked = await admin.delete(f"/api/v1/api-keys/{made['key_id']}")
            after = await client.get("/api/v1/sites")
        again = await admin.delete(f"/api/v1/api-keys/{made['key_id']}")
        listed = await admin.get("/api/v1/api-keys")

    assert [a.status_code for a in (before, revoked, after, again)] == [200, 204, 401, 404]
    assert made["key"] not in listed.text + str(await desk.rows(audit_log))
    assert [one["name"] for one in listed.json()["items"]] == ["admin of a test", "night"]


async def test_within_ones_own_rights(desk: Any) -> None:
    """An operator's admin makes keys of that operator and sees no others."""
    async with await desk.client("admin", MINE) as client, await desk.client("viewer", OTHER):
        wider = await client.post("/api/v1/api-keys", json={"name": "x", "role": "viewer"})
        theirs = await client.post(
            "/api/v1/api-keys", json={"name": "x", "role": "viewer", "operator": OTHER}
        )
        mine = await client.post("/api/v1/api-keys", json={"name": "x", "role": "viewer", "operator": MINE})
        listed = (await client.get("/api/v1/api-keys")).json()["items"]
        revoked = await client.delete("/api/v1/api-keys/2")

    assert [a.status_code for a in (wider, theirs, mine, revoked)] == [404, 404, 201, 404]
    assert {one["operator"] for one in listed} == {MINE}
