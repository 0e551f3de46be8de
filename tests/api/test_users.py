"""People, by administrators: added, changed, given another password; never beyond one's own rights."""

from typing import Any

from csms.domain.scope import Scope
from csms.store.tables import audit_log
from tests.api.test_entry import MINE, inside, person, sign_in

OTHER = "987654321"
VIEWER = {"name": "wang", "role": "viewer", "operator": MINE}
ANY = {"role": "admin", "operator": None, "sites": None}
OURS = {"role": "viewer", "operator": MINE, "sites": None}


async def test_a_person_is_added_and_signs_in(desk_on_each: Any) -> None:
    """With the one-time password that is shown once and stands in no record."""
    desk = desk_on_each
    async with await desk.client() as client:
        made = await client.post("/api/v1/users", json=VIEWER)
        again = await client.post("/api/v1/users", json=VIEWER | {"name": "WANG"})
        nowhere = await client.post("/api/v1/users", json=VIEWER | {"name": "x", "operator": "000000000"})
        no_site = await client.post("/api/v1/users", json=VIEWER | {"name": "x", "sites": ["S99"]})
        listed = (await client.get("/api/v1/users")).json()["items"]
    password = made.json()["password"]
    async with desk.anonymous() as client:
        entered = await sign_in(client, "wang", password=password)

    assert [a.status_code for a in (made, again, nowhere, no_site)] == [201, 409, 404, 404]
    assert [(one["name"], one["role"], one["operator"]) for one in listed] == [("wang", "viewer", MINE)]
    assert entered.json()["must_change_password"]
    assert password not in str(await desk.rows(audit_log)) + str(listed)


async def test_a_person_is_changed(desk: Any) -> None:
    """Role and scope from the next request on; what was before is kept; disabling signs out."""
    await person(desk, "wang", "viewer", Scope(MINE))
    change = {"role": "operator", "operator": MINE, "sites": ["S01"]}
    async with await desk.client() as admin, desk.anonymous() as client:
        await inside(desk, client, "wang")
        done = await admin.put("/api/v1/users/wang", json=change)
        me = (await client.get("/api/v1/me")).json()
        await admin.put("/api/v1/users/wang", json=change | {"enabled": False})
        after = await client.get("/api/v1/me")
        unknown = await admin.put("/api/v1/users/nobody", json=change)

    assert (done.status_code, me["role"], me["sites"]) == (204, "operator", ["S01"])
    assert (after.status_code, unknown.status_code) == (401, 404)
    entry = next(row for row in await desk.rows(audit_log) if row["action"] == "user-changed")
    assert '"role":"viewer"' in entry["before"]
    assert '"role":"operator"' in entry["details"]


async def test_a_name_has_no_blanks_around_it(desk: Any) -> None:
    """And is more than blanks."""
    async with await desk.client() as client:
        made = await client.post("/api/v1/users", json=VIEWER | {"name": " wang "})
        blank = await client.post("/api/v1/users", json=VIEWER | {"name": "  "})

    assert (made.json()["name"], blank.status_code) == ("wang", 422)


async def test_limits_are_not_lifted_in_silence(desk: Any) -> None:
    """A change that says nothing of operator and sites is refused, and changes nothing."""
    await person(desk, "wang", "viewer", Scope(MINE, frozenset({"S01"})))
    async with await desk.client() as admin:
        refused = [
            await admin.put("/api/v1/users/wang", json={"role": "viewer", "enabled": False} | said)
            for said in ({}, {"operator": MINE}, {"sites": ["S01"]})
        ]
        (shown,) = (await admin.get("/api/v1/users")).json()["items"]

    missing = [[error["field"] for error in answer.json()["errors"]] for answer in refused]
    assert missing == [["body.operator", "body.sites"], ["body.sites"], ["body.operator"]]
    assert (shown["operator"], shown["sites"], shown["enabled"]) == (MINE, ["S01"], True)


async def test_a_forgotten_password_and_a_lost_app(desk: Any) -> None:
    """An administrator gives another one-time password, and forgets the app."""
    await person(desk, "wang", "viewer")
    user = await desk.parts.users.named("wang")
    await desk.parts.users.set_codes(user.user_id, "A" * 32, [], 0)
    async with await desk.client() as admin, desk.anonymous() as client:
        password = (await admin.post("/api/v1/users/wang/password")).json()["password"]
        with_app = await sign_in(client, "wang", password=password)
        forgotten = await admin.delete("/api/v1/users/wang/one-time-codes")
        without = await sign_in(client, "wang", password=password)

    assert [a.status_code for a in (with_app, forgotten, without)] == [401, 204, 200]


async def test_an_operators_admin_stays_within_it(desk: Any) -> None:
    """Others' people do not exist for it; it gives no rights that it has not; nobody takes their own."""
    await person(desk, "boss", "admin", Scope(MINE))
    await person(desk, "theirs", "viewer", Scope(OTHER))
    await person(desk, "root", "admin")
    async with desk.anonymous() as client:
        await inside(desk, client, "boss")
        listed = (await client.get("/api/v1/users")).json()["items"]
        wider = await client.post("/api/v1/users", json={"name": "x", "role": "admin"})
        widen = await client.put("/api/v1/users/boss", json=ANY)
        theirs = await client.put("/api/v1/users/theirs", json=OURS)
        root = await client.post("/api/v1/users/root/password")
        itself = await client.put("/api/v1/users/boss", json=OURS)
        audit = await client.get("/api/v1/audit")

    assert [one["name"] for one in listed] == ["boss"]
    assert [a.status_code for a in (wider, widen, theirs, root, itself)] == [404, 404, 404, 404, 409]
    assert audit.status_code == 403
