"""/assets: entered, read, moved, resolved; who may; what is refused. On SQLite and PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest

from csms.store.tables import audit_log

MINE, OTHER = "123456789", "987654321"
BASE = "/api/v1/assets"
SITE = {"name": "North gate", "kind": "public", "area_code": "110105", "latitude": 39.9, "longitude": 116.4}
CHARGER = {"site": "S01", "kind": "dc", "power_w": 120_000, "charger_class": "social-public"}
PLUG = {"equipment_id": "E1", "identity": "CS-0001", "evse": 1, "connector": 1, "kind": "dc-plug"}


async def enter(client: Any) -> None:
    """A site, a charger and a plug of the first operator."""
    for path, body in (
        (f"sites/{MINE}/S01", SITE),
        (f"equipment/{MINE}/E1", CHARGER | {"identity": "CS-0001"}),
        (f"connectors/{MINE}/GUN-1", PLUG),
    ):
        answer = await client.put(f"{BASE}/{path}", json=body)
        assert answer.status_code in (200, 201), answer.text


async def test_what_is_entered_is_read(desk_on_each: Any) -> None:
    """201 for what is new, 200 for what the registry knew; a site comes with everything there."""
    async with await desk_on_each.client() as client:
        first = await client.put(f"{BASE}/operators/{MINE}", json={"name": "A", "tel": "1", "uscid": None})
        await enter(client)
        again = await client.put(f"{BASE}/equipment/{MINE}/E2", json=CHARGER)
        whole = (await client.get(f"{BASE}/sites/{MINE}/S01")).json()
        listed = (await client.get(f"{BASE}/equipment?limit=1")).json()
        names = await client.get(f"{BASE}/connector-names?identity=CS-0001&evse=1&connector=1")
        place = await client.get(f"{BASE}/connector-places?operator={MINE}&connector_id=GUN-1")

    assert (first.status_code, again.status_code) == (200, 201)
    assert whole["station_id"] == "S01"
    assert [each["equipment_id"] for each in whole["equipment"]] == ["E1", "E2"]
    assert whole["equipment"][0]["connectors"][0]["connector_id"] == "GUN-1"
    assert whole["joined_at"] == "2026-01-01T12:00:00.000Z"
    assert (len(listed["items"]), listed["next"] is not None) == (1, True)
    assert names.json() == place.json()
    assert names.json()["connector_id"] == "GUN-1"


async def test_a_move_keeps_the_past_and_reaches_the_open_connection(desk: Any) -> None:
    """The history says where it was; whoever holds the station's connection is told; audit rows say who."""
    async with await desk.client() as client:
        await enter(client)
        await client.put(f"{BASE}/sites/{MINE}/S02", json=SITE)
        desk.clock[0] += timedelta(days=1)
        moved = await client.put(
            f"{BASE}/equipment/{MINE}/E1", json=CHARGER | {"site": "S02", "identity": "CS-0001"}
        )
        history = (await client.get(f"{BASE}/equipment/{MINE}/E1/history")).json()["spells"]
        station = (await client.get("/api/v1/charging-stations/CS-0001")).json()

    assert moved.status_code == 200
    assert moved.json()["placed_at"] == "2026-01-02T12:00:00.000Z"
    assert station["site"] == "S02"
    assert desk.courier.changed == ["CS-0001"]
    assert [(each["site"], each["until"]) for each in history] == [
        ("S01", "2026-01-02T12:00:00.000Z"),
        ("S02", None),
    ]
    actions = [row["action"] for row in await desk.rows(audit_log)]
    assert actions.count("asset-equipment-put") == 2


async def test_the_past_can_be_put_right(desk: Any) -> None:
    """In order, and ending where it is."""
    stays = [
        {"since": "2016-01-01T00:00:00Z", "until": "2017-01-01T00:00:00Z", "operator": MINE, "site": "S01"},
        {"since": "2017-01-01T00:00:00Z", "operator": MINE, "site": "S01", "charger_class": "social-public"},
    ]
    async with await desk.client() as client:
        await enter(client)
        path = f"{BASE}/equipment/{MINE}/E1/history"
        good = await client.put(path, json={"spells": stays})
        bad = await client.put(path, json={"spells": stays[::-1]})
        nowhere = await client.put(f"{BASE}/equipment/{MINE}/E9/history", json={"spells": stays})

    assert good.status_code == 200, good.text
    assert [each["since"][:4] for each in good.json()["spells"]] == ["2016", "2017"]
    assert (bad.status_code, nowhere.status_code) == (422, 404)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        (f"sites/{MINE}/S02", SITE | {"area_code": "x"}, 422, "body.area_code"),
        (f"sites/{MINE}/S02", SITE | {"colour": "red"}, 422, "body.colour"),
        (f"sites/{MINE}/S02", SITE | {"kind": "open"}, 422, "body.kind"),
        (f"operators/{MINE}", {"uscid": "91350100M000100Y44"}, 422, "body.uscid"),
        (f"equipment/{MINE}/E1", CHARGER | {"site": "S99"}, 422, "body.site"),
        (f"equipment/{MINE}/E1", CHARGER | {"identity": "NOBODY"}, 422, "body.identity"),
        (f"equipment/{MINE}/E%201", CHARGER, 422, "body.equipment_id"),
    ],
)
async def test_values_that_cannot_be_used(
    desk: Any, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    """422 names the field, in problem+json."""
    async with await desk.client() as client:
        answer = await client.put(f"{BASE}/{path}", json=body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


async def test_another_operator_s_assets_do_not_exist(desk: Any) -> None:
    """404 for every route, reading or writing, with a key limited to one operator."""
    async with await desk.client() as client:
        await enter(client)
    async with await desk.client(operator=OTHER) as client:
        answers = [
            await client.get(f"{BASE}/sites/{MINE}/S01"),
            await client.get(f"{BASE}/equipment/{MINE}/E1"),
            await client.get(f"{BASE}/equipment/{MINE}/E1/history"),
            await client.get(f"{BASE}/equipment?operator={MINE}"),
            await client.get(f"{BASE}/connector-names?identity=CS-0001&evse=1&connector=1"),
            await client.get(f"{BASE}/connector-places?operator={MINE}&connector_id=GUN-1"),
            await client.get(f"{BASE}/export?operator={MINE}"),
            await client.get(f"/api/v1/reports/yearbook?as_of=2017-12-31&operator={MINE}"),
            await client.put(f"{BASE}/equipment/{MINE}/E1", json=CHARGER),
        ]
        listed = (await client.get(f"{BASE}/equipment")).json()
        taken = await client.put(
            f"{BASE}/equipment/{OTHER}/E1", json=CHARGER | {"site": "S09", "identity": "CS-0001"}
        )

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert listed["items"] == []
    assert taken.json()["errors"][0]["field"] == "body.identity"


async def test_only_administrators_write(desk: Any) -> None:
    """Viewers read, and are told what is missing for writing."""
    async with await desk.client("viewer") as client:
        written = await client.put(f"{BASE}/sites/{MINE}/S01", json=SITE)
        read = await client.get(f"{BASE}/sites/{MINE}/S01")

    assert (written.status_code, read.status_code) == (403, 200)


async def test_what_is_missing(desk: Any) -> None:
    """By what the caller requires; a field there is not is a 422."""
    async with await desk.client() as client:
        await client.put(f"{BASE}/sites/{MINE}/S01", json=SITE)
        found = (await client.get(f"{BASE}/missing?of=sites&required=area_code,service_tel")).json()
        wrong = await client.get(f"{BASE}/missing?of=sites&required=colour")

    assert found["items"] == [
        {"operator": MINE, "name": "S01", "missing": ["service_tel"]},
        {"operator": OTHER, "name": "S09", "missing": ["area_code", "service_tel"]},
    ]
    assert wrong.status_code == 422
