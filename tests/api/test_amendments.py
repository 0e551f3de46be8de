"""Closing by hand and orphan stops over HTTP: done, refused, audited. On both databases."""

from typing import Any

import pytest

from csms.domain.commands import CloseSession, Outcome, Result
from csms.store.registry import SiteForm
from csms.store.tables import audit_log
from tests.api.conftest import FIRST_SESSION, MINE, OTHER

CLOSE = f"/api/v1/sessions/{FIRST_SESSION}/close"
BODY = {"reason": "replaced", "ended_at": "2026-01-01T10:45:00Z", "meter_stop_wh": 23_500}


async def away(desk: Any) -> None:
    """The stations have no connection."""
    desk.courier.outcome = Outcome(Result.NOT_CONNECTED)
    for identity in ("CS-0001", "CS-0009"):
        station = await desk.parts.registry.station(identity)
        await desk.parts.registry.note_disconnected(station.station_id, 1, desk.clock[0])


async def running(desk: Any, number: int = 0, **over: Any) -> int:
    fields = {"state": "active", "ended_at": None, "end_received_at": None, "meter_stop_wh": None}
    fields |= {"energy_wh": None, "energy_source": "none", "stop_reason": ""}
    progress = '{"sequence":[],"meter":[1000000]}'
    return await desk.add_session(number, **fields | {"progress": progress} | over)


async def orphan(desk: Any, number: int = 5, **over: Any) -> int:
    fields = {"flags": ",orphan-stop,", "meter_start_wh": None, "evse": 0, "connector": 0, "energy_wh": None}
    return await desk.add_session(number, **fields | {"start_key": f"stop:-1|{number}"} | over)


async def audited(desk: Any) -> list[tuple[str, str]]:
    return [(row["action"], row["subject"]) for row in await desk.rows(audit_log)]


async def test_a_session_of_a_station_that_is_away_is_closed(desk_on_each: Any) -> None:
    """The answer is the session as it is now; the audit log names who closed it."""
    desk = desk_on_each
    await away(desk)
    await running(desk)

    async with await desk.client("operator", MINE) as client:
        answer = await client.post(CLOSE, json=BODY)
        again = await client.post(CLOSE, json=BODY)
        quality = await client.get(f"/api/v1/sessions/{FIRST_SESSION}/quality")

    shown = answer.json()
    assert answer.status_code == 200, answer.text
    assert (shown["state"], shown["ended_at"]) == ("ended", "2026-01-01T10:45:00.000Z")
    assert (shown["energy_wh"], shown["meter_stop_wh"]) == (22_500, 23_500)
    assert shown["quality"] == ["closed-by-hand", "estimated", "no-stop"]
    assert (again.status_code, again.json()["detail"]) == (409, "the session has ended")
    assert await audited(desk) == [("session-close", str(FIRST_SESSION))]
    assert [one["flag"] for one in quality.json()["items"]] == shown["quality"]
    assert all(one["zh"] and one["en"] for one in quality.json()["items"])


async def test_a_connected_station_is_asked(desk: Any) -> None:
    """Whoever holds it does it; what it cannot do now is a 503, and nothing is audited."""
    await running(desk)
    async with await desk.client() as client:
        done = await client.post(CLOSE, json={"reason": "x"})
        desk.courier.outcome = Outcome(Result.FAILED, reason="busy")
        failed = await client.post(CLOSE, json={"reason": "x"})

    assert done.status_code == 200
    assert failed.status_code == 503
    (identity, order), _ = desk.courier.sent
    assert identity == "CS-0001"
    assert isinstance(order, CloseSession)
    assert (order.session_id, order.reason, order.ended_at, order.meter_stop_wh) == (
        FIRST_SESSION,
        "x",
        None,
        None,
    )
    assert order.by.startswith("key:")
    assert len(await audited(desk)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ended_at": "2025-12-31T10:00:00Z"}, "body.ended_at"),
        ({"ended_at": "2026-01-01T13:00:00Z"}, "body.ended_at"),
        ({"meter_stop_wh": 999}, "body.meter_stop_wh"),
        ({"meter_stop_wh": -1}, "body.meter_stop_wh"),
        ({"reason": ""}, "body.reason"),
    ],
)
async def test_an_end_that_cannot_be(desk: Any, change: dict[str, Any], field: str) -> None:
    """422 names the field."""
    await away(desk)
    await running(desk)
    async with await desk.client() as client:
        answer = await client.post(CLOSE, json=BODY | change)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert await audited(desk) == []


async def test_an_orphan_stop_is_attached(desk_on_each: Any) -> None:
    """It is listed with the sessions it may be that of; attached, it is one's stop and listed no longer."""
    desk = desk_on_each
    await away(desk)
    number = await running(desk)
    other = await running(desk, 1, token="B2", token_folded="b2")
    lost = await orphan(desk)

    async with await desk.client("operator", MINE) as client:
        listed = (await client.get("/api/v1/orphan-stops", params={"station": "CS-0001"})).json()
        answer = await client.post(
            f"/api/v1/orphan-stops/{lost}/attach", json={"session_id": str(number), "reason": "same card"}
        )
        twice = await client.post(
            f"/api/v1/orphan-stops/{lost}/attach", json={"session_id": str(other), "reason": "x"}
        )
        left = (await client.get("/api/v1/orphan-stops")).json()

    (item,) = listed["items"]
    assert (item["session_id"], item["candidates"]) == (str(lost), [str(number)])
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["energy_wh"]) == ("ended", 22_500)
    assert answer.json()["quality"] == ["stop-attached"]
    assert twice.status_code == 409
    assert left["items"] == []
    assert await audited(desk) == [("orphan-stop-attach", str(lost))]


async def test_an_orphan_stop_is_dismissed(desk: Any) -> None:
    """Another operator's does not exist; a session that is not there cannot be named."""
    await away(desk)
    lost, kept = await orphan(desk), await orphan(desk, 6)
    path = f"/api/v1/orphan-stops/{lost}"
    async with await desk.client("operator", OTHER) as client:
        assert (await client.get("/api/v1/orphan-stops")).json()["items"] == []
        assert (await client.post(f"{path}/dismiss", json={"reason": "x"})).status_code == 404
    async with await desk.client() as client:
        nobody = await client.post(f"{path}/attach", json={"session_id": "1", "reason": "x"})
        answer = await client.post(f"{path}/dismiss", json={"reason": "a technician's test"})
        left = (await client.get("/api/v1/orphan-stops", params={"limit": 1})).json()

    assert nobody.json()["errors"][0]["field"] == "body.session_id"
    assert answer.json()["quality"] == ["dismissed", "orphan-stop"]
    assert ([one["session_id"] for one in left["items"]], left["next"]) == ([str(kept)], None)
    assert await audited(desk) == [("orphan-stop-dismiss", str(lost))]


async def test_somebody_of_one_site_sees_its_stops(desk_on_each: Any) -> None:
    """And those of no other."""
    desk = desk_on_each
    lost = await orphan(desk)
    async with await desk.client("viewer", MINE, "S01") as client:
        own = (await client.get("/api/v1/orphan-stops")).json()["items"]
    await desk.parts.registry.put_site(SiteForm("S02", MINE, "Second"))
    async with await desk.client("viewer", MINE, "S02") as client:
        others = (await client.get("/api/v1/orphan-stops")).json()["items"]

    assert ([one["session_id"] for one in own], others) == ([str(lost)], [])
