"""/sessions/{id}/cost and /reprice: from the message to the calculation. On SQLite and PostgreSQL."""

from datetime import timedelta
from typing import Any

from csms.api.tariff_forms import VERSION
from csms.store.records import SessionDue
from csms.store.reports import ReportStore
from csms.store.tables import audit_log, session_due
from csms.store.times import micros

MINE, OTHER = "123456789", "987654321"


async def settle(desk: Any) -> None:
    """What the totaller does."""
    reports = ReportStore(desk.database)
    while await reports.recompute(desk.clock[0], grace=timedelta(minutes=2)):
        pass


async def test_a_cost_and_its_revisions(desk_on_each: Any) -> None:
    """18:00 to 18:45 in Beijing, 22.5 kWh: nothing, then the peak price, then a dearer one on request."""
    desk = desk_on_each
    number = await desk.add_session(0)
    await desk.write(SessionDue(number, micros(desk.clock[0])))
    url = f"/api/v1/sessions/{number}"
    async with await desk.client() as client:
        unpriced = (await client.get(f"{url}/cost")).json()
        await client.post(
            "/api/v1/tariffs", json={"operator": MINE, "code": "T1", "name": "Public", **VERSION}
        )
        await client.post("/api/v1/tariffs/T1/assignments", json={"valid_from": "2026-01-01T00:00:00Z"})
        await settle(desk)
        first = (await client.get(f"{url}/cost")).json()
        dearer = [{"start": "00:00", "period": "flat", "elec_price": "2.0001", "service_price": "0"}]
        await client.put("/api/v1/tariffs/T1", json={"valid_from": VERSION["valid_from"], "bands": dearer})
        await settle(desk)
        same = (await client.get(f"{url}/cost")).json()
        asked = await client.post(f"{url}/reprice")
        again = await client.post(f"{url}/reprice")
        await settle(desk)
        second = (await client.get(f"{url}/cost")).json()
        listed = (await client.get("/api/v1/sessions")).json()["items"]
        csv = await client.get("/api/v1/sessions", headers={"Accept": "text/csv"})

    assert unpriced == {"session_id": str(number), "cost": None, "revisions": []}
    line = {
        "start": "2026-01-01T10:00:00.000Z",
        "end": "2026-01-01T10:45:00.000Z",
        "period": "peak",
        "energy_wh": 22_500,
        "elec_price": "1.1907",
        "service_price": "0.8000",
        "elec_money": "26.79",
        "service_money": "18.00",
    }
    assert first["cost"] == {
        "revision": 1,
        "priced_at": "2026-01-01T12:00:00.000Z",
        "session_revision": 1,
        "tariff": "T1",
        "tariff_version": 1,
        "currency": "CNY",
        "energy_wh": 22_500,
        "elec_money": "26.79",
        "service_money": "18.00",
        "idle_minutes": 0,
        "idle_money": "0.00",
        "parking_minutes": 0,
        "parking_money": "0.00",
        "total": "44.79",
        "lines": [line],
    }
    assert same == first
    assert (asked.status_code, again.status_code) == (202, 202), asked.text
    assert asked.json() == {"session_id": str(number), "status": "due"}
    assert [(one["revision"], one["total"]) for one in second["revisions"]] == [(1, "44.79"), (2, "45.00")]
    assert (second["cost"]["tariff_version"], second["cost"]["elec_money"]) == (2, "45.00")
    assert (listed[0]["cost"], listed[0]["currency"]) == ("45.00", "CNY")
    assert ",45.00,CNY," in csv.text
    actions = [row["action"] for row in await desk.rows(audit_log)]
    assert actions.count("session-reprice") == 2


async def test_a_running_session_is_priced_when_it_ends(desk: Any) -> None:
    """409, and nothing is marked."""
    number = await desk.add_session(0, state="active", ended_at=None)

    async with await desk.client() as client:
        answer = await client.post(f"/api/v1/sessions/{number}/reprice")

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert await desk.rows(session_due) == []


async def test_another_operators_session_does_not_exist(desk: Any) -> None:
    """404 for both, as for a number that nobody has."""
    number = await desk.add_session(0)

    async with await desk.client("admin", OTHER) as client:
        cost = await client.get(f"/api/v1/sessions/{number}/cost")
        reprice = await client.post(f"/api/v1/sessions/{number}/reprice")
        unknown = await client.get("/api/v1/sessions/99999999999999999999/cost")

    assert [answer.status_code for answer in (cost, reprice, unknown)] == [404, 404, 422]
    assert await desk.rows(session_due) == []
