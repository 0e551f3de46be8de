"""/reports/exclusions over HTTP: entered, changed, removed, audited, and only by those who may."""

from typing import Any

import pytest

from csms.store.tables import audit_log
from tests.api.conftest import MINE, OTHER

PATH = "/api/v1/reports/exclusions"
BODY = {
    "charging_station": "CS-0001",
    "evse": 1,
    "starts_at": "2026-01-01T00:00:00Z",
    "ends_at": "2026-01-01T08:00:00Z",
    "reason": "vandalism",
    "note": "cable cut",
}


async def test_an_exclusion_lives_and_ends(desk_on_each: Any) -> None:
    """201, 200, 204, then 404; each step is in the audit log."""
    desk = desk_on_each
    async with await desk.client("operator", MINE) as client:
        made = await client.post(PATH, json=BODY)
        assert made.status_code == 201, made.text
        one = f"{PATH}/{made.json()['id']}"
        changed = await client.put(one, json=BODY | {"evse": 0, "reason": "outside-hours"})
        listed = await client.get(PATH, params={"station": "CS-0001", "from": "2026-01-01T07:00:00Z"})
        read = await client.get(one)
        gone = await client.delete(one)
        assert (await client.get(one)).status_code == 404

    assert (changed.status_code, changed.json()["evse"], changed.json()["reason"]) == (
        200,
        0,
        "outside-hours",
    )
    assert listed.json()["items"] == [changed.json()] == [read.json()]
    assert changed.json()["actor"].startswith("key:")
    assert (gone.status_code, gone.content) == (204, b"")
    actions = [row["action"] for row in await desk.rows(audit_log)]
    assert actions == ["exclusion-add", "exclusion-change", "exclusion-remove"]


async def test_those_of_another_operator_do_not_exist(desk: Any) -> None:
    """404 for each way to reach one, and an empty list."""
    async with await desk.client("admin") as client:
        number = (await client.post(PATH, json=BODY)).json()["id"]
    async with await desk.client("operator", OTHER) as client:
        assert (await client.get(f"{PATH}/{number}")).status_code == 404
        assert (await client.put(f"{PATH}/{number}", json=BODY)).status_code == 404
        assert (await client.delete(f"{PATH}/{number}")).status_code == 404
        assert (await client.post(PATH, json=BODY)).status_code == 404
        assert (await client.get(PATH)).json()["items"] == []
        assert (await client.get(PATH, params={"operator": MINE})).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends_at": "2026-01-01T00:00:00Z"}, "ends_at"),
        ({"reason": "bad luck"}, "body.reason"),
        ({"evse": -1}, "body.evse"),
        ({"colour": "red"}, "body.colour"),
        ({"starts_at": "yesterday"}, "body.starts_at"),
    ],
)
async def test_what_cannot_be_excluded(desk: Any, change: dict[str, Any], field: str) -> None:
    """A problem that names the field."""
    async with await desk.client() as client:
        answer = await client.post(PATH, json=BODY | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_who_may(desk: Any) -> None:
    """Viewers read; platforms do not even that; no number is too large to be asked for."""
    async with await desk.client("viewer") as client:
        assert (await client.get(PATH)).status_code == 200
        assert (await client.post(PATH, json=BODY)).status_code == 403
        assert (await client.get(f"{PATH}/{9**19}")).status_code == 404
    async with await desk.client("platform") as client:
        assert (await client.get(PATH)).status_code == 403
