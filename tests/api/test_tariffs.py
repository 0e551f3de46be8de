"""/tariffs: made, given versions, assigned and asked for. On SQLite and PostgreSQL."""

from typing import Any

import pytest

from csms.api.tariff_forms import BANDS, VERSION
from csms.store.tables import audit_log

MINE, OTHER = "123456789", "987654321"
TARIFF = {"operator": MINE, "code": "T1", "name": "Public", **VERSION}
FROM = "2026-01-01T00:00:00Z"


async def test_a_tariff_from_its_making_to_a_connector(desk_on_each: Any) -> None:
    """Made, assigned to operator, site and connector, given a version; who asks is told what applies when."""
    async with await desk_on_each.client() as client:
        made = await client.post("/api/v1/tariffs", json=TARIFF)
        again = await client.post("/api/v1/tariffs", json=TARIFF)
        for place in ({}, {"site": "S01"}, {"station": "CS-0001", "evse": 2, "connector": 1}):
            answer = await client.post("/api/v1/tariffs/T1/assignments", json={"valid_from": FROM, **place})
            assert answer.status_code == 201, answer.text
        later = VERSION | {"valid_from": "2026-06-01T00:00:00+08:00", "bands": BANDS[:1], "seasons": []}
        changed = await client.put("/api/v1/tariffs/T1", json=later)
        repeated = await client.put("/api/v1/tariffs/T1", json=later)
        applied = {
            (url, at): (await client.get(f"/api/v1/{url}", params={"at": at, **more})).json()
            for url, more in (
                ("sites/S01/tariff", {}),
                ("charging-stations/CS-0001/tariff", {}),
                ("charging-stations/CS-0001/tariff", {"evse": 2}),
            )
            for at in ("2025-12-31T23:59:59Z", FROM, "2026-05-31T16:00:00Z")
        }
        listed = (await client.get("/api/v1/tariffs", params={"operator": MINE})).json()
        shown = (await client.get("/api/v1/tariffs/T1")).json()

    assert (made.status_code, again.status_code, changed.status_code) == (201, 409, 200), made.text
    assert made.json()["versions"][0]["bands"] == BANDS
    assert repeated.json() == changed.json() == shown
    assert [version["number"] for version in shown["versions"]] == [1, 2]
    assert [one["level"] for one in shown["assignments"]] == ["operator", "site", "connector"]
    assert [(one["code"], one["version"]) for one in listed["items"]] == [("T1", 2)]
    assert applied["sites/S01/tariff", "2025-12-31T23:59:59Z"]["tariff"] is None
    assert applied["sites/S01/tariff", FROM]["version"]["number"] == 1
    assert applied["sites/S01/tariff", "2026-05-31T16:00:00Z"]["version"]["number"] == 2
    levels = {(url, at): one["level"] for (url, at), one in applied.items()}
    assert levels["charging-stations/CS-0001/tariff", FROM] == "connector"
    rows = await desk_on_each.rows(audit_log)
    assert [row["action"] for row in rows] == [
        "tariff-make",
        *["tariff-assign"] * 3,
        *["tariff-version"] * 2,
    ]
    assert {row["subject"] for row in rows} == {f"{MINE}/T1"}


async def test_the_operators_tariff_is_the_last_resort(desk: Any) -> None:
    """A station of the operator without anything closer."""
    async with await desk.client() as client:
        await client.post("/api/v1/tariffs", json=TARIFF)
        await client.post("/api/v1/tariffs/T1/assignments", json={"valid_from": FROM})
        applied = (await client.get("/api/v1/charging-stations/CS-0001/tariff", params={"at": FROM})).json()
        nowhere = (await client.get("/api/v1/charging-stations/CS-0009/tariff", params={"at": FROM})).json()

    assert (applied["tariff"], applied["level"]) == ("T1", "operator")
    assert nowhere == {"at": "2026-01-01T00:00:00.000Z", "tariff": None, "level": None, "version": None}


async def test_another_operators_tariffs_do_not_exist(desk: Any) -> None:
    """404 for its tariff, its places, and making one in its name; the same code may be used by both."""
    async with await desk.client() as client:
        await client.post("/api/v1/tariffs", json=TARIFF)
    async with await desk.client("admin", OTHER) as client:
        answers = [
            await client.get("/api/v1/tariffs/T1"),
            await client.put("/api/v1/tariffs/T1", json=VERSION),
            await client.post("/api/v1/tariffs/T1/assignments", json={"valid_from": FROM}),
            await client.post("/api/v1/tariffs", json=TARIFF | {"code": "T2"}),
            await client.get("/api/v1/tariffs", params={"operator": MINE}),
            await client.get("/api/v1/sites/S01/tariff"),
            await client.get("/api/v1/charging-stations/CS-0001/tariff"),
        ]
        own = await client.post("/api/v1/tariffs", json=TARIFF | {"operator": OTHER})
        elsewhere = await client.post(
            "/api/v1/tariffs/T1/assignments", json={"valid_from": FROM, "site": "S01"}
        )
        listed = (await client.get("/api/v1/tariffs")).json()["items"]
    async with await desk.client() as client:
        ambiguous = await client.get("/api/v1/tariffs/T1")
        named = await client.get("/api/v1/tariffs/T1", params={"operator": OTHER})

    assert [answer.status_code for answer in answers] == [404] * 7
    assert (own.status_code, elsewhere.status_code) == (201, 404)
    assert [one["operator"] for one in listed] == [OTHER]
    assert (ambiguous.status_code, named.json()["operator"]) == (422, OTHER)
    assert ambiguous.json()["errors"][0]["field"] == "operator"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bands": BANDS[1:]}, "bands: the first begins at 00:00"),
        ({"bands": [BANDS[0] | {"elec_price": "0.41395"}]}, "body.bands.0.elec_price"),
        ({"valid_until": "2025-01-01T00:00:00Z"}, "valid_until: it is not after valid_from"),
        ({"valid_from": "2026-01-01T00:00:00"}, "body.valid_from"),
        ({"code": "a/b"}, "body.code"),
        ({"operator": "1"}, "body.operator"),
        ({"currency": "EUR"}, "body.currency"),
    ],
)
async def test_what_cannot_be_used(desk: Any, change: dict[str, Any], problem: str) -> None:
    """422 says where."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/tariffs", json=TARIFF | change)

    assert answer.status_code == 422
    assert problem in answer.json()["detail"]


@pytest.mark.parametrize(
    "place",
    [
        {"site": "S01", "station": "CS-0001", "evse": 1, "connector": 1},
        {"station": "CS-0001"},
        {"station": "CS-0001", "evse": 1},
        {"evse": 1, "connector": 1},
    ],
)
async def test_a_place_that_is_none(desk: Any, place: dict[str, Any]) -> None:
    """A connector needs all of its name."""
    async with await desk.client() as client:
        await client.post("/api/v1/tariffs", json=TARIFF)
        answer = await client.post("/api/v1/tariffs/T1/assignments", json={"valid_from": FROM, **place})

    assert answer.status_code == 422
