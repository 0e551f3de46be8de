"""/totals and /outbox: what was added up, and what the city was told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, update

from csms.store.records import OutboxRow
from csms.store.tables import outbox, session_hours, totals
from csms.store.times import micros

HOUR = micros(datetime(2026, 1, 1, 10, tzinfo=UTC))


def total(level: str, subject: int, operator: int, hours: int = 0, **over: Any) -> dict[str, Any]:
    """A total of one hour."""
    start = HOUR + hours * 3_600_000_000
    values = {
        "period": "hour",
        "level": level,
        "subject_id": subject,
        "evse": 0,
        "connector": 0,
        "start": start,
        "until": start + 3_600_000_000,
        "operator_id": operator,
        "energy_wh": 1000 * (hours + 1),
        "sessions": 2,
        "charging_s": 3000,
        "revision": 1,
        "computed_at": HOUR,
        "closed_at": None,
    }
    return values | over


async def fill(desk: Any) -> None:
    """Three hours of a site of each operator, of their operators, and of a session at a connector."""
    rows = [total("site", n, n, h) for n in (1, 2) for h in range(3)]
    rows += [total("operator", n, n) for n in (1, 2)]
    of_session = (1, HOUR, 1, 1, 1, 1, 2, 1000, 3000, 2)
    await desk.database.run(lambda connection: connection.execute(insert(totals), rows))
    await desk.database.execute(insert(session_hours).values(of_session))


async def test_a_total_as_the_contract_has_it(desk: Any) -> None:
    """Named by code, identity, or identity/evse/connector."""
    await fill(desk)

    async with await desk.client("platform") as client:

        async def of(kind: str, **query: Any) -> list[dict[str, Any]]:
            answer = await client.get("/api/v1/totals", params={"by": "hour", "of": kind} | query)
            assert answer.status_code == 200, answer.text
            items: list[dict[str, Any]] = answer.json()["items"]
            return items

        assert await of("operator", id="123456789") == [
            {
                "by": "hour",
                "of": "operator",
                "id": "123456789",
                "start": "2026-01-01T10:00:00.000Z",
                "energy_wh": 1000,
                "sessions": 2,
                "charging_s": 3000,
                "revision": 1,
                "computed_at": "2026-01-01T10:00:00.000Z",
            }
        ]
        assert [each["id"] for each in await of("connector")] == ["CS-0001/1/2"]
        assert [each["id"] for each in await of("station", id="CS-0001")] == ["CS-0001"]
        assert len(await of("site")) == 6
        later = await of("site", id="S01", **{"from": "2026-01-01T11:00:00Z", "to": "2026-01-01T12:00:00Z"})
        assert [each["energy_wh"] for each in later] == [2000]


async def test_totals_of_one_operator_only(desk: Any) -> None:
    """A limited key sees its own; another's id selects nothing."""
    await fill(desk)

    async with await desk.client("platform", "987654321") as client:
        mine = await client.get("/api/v1/totals", params={"by": "hour", "of": "site"})
        other = await client.get("/api/v1/totals", params={"by": "hour", "of": "site", "id": "S01"})

    assert {each["id"] for each in mine.json()["items"]} == {"S09"}
    assert other.status_code in (200, 404)
    assert other.json().get("items", []) == []


@pytest.mark.parametrize(
    "query", [{}, {"by": "year", "of": "site"}, {"by": "hour", "of": "city"}, {"by": "hour"}]
)
async def test_totals_need_a_period_and_a_kind(desk: Any, query: dict[str, str]) -> None:
    """422 says which."""
    async with await desk.client() as client:
        answer = await client.get("/api/v1/totals", params=query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("query.by", "query.of")


async def test_outbox(desk: Any) -> None:
    """Latest first, by state, platform and kind."""
    now = desk.clock[0]
    for about in ("a", "b"):
        await desk.write(OutboxRow.of("beijing", "order", about, about, {"n": 1}, now))
    await desk.write(OutboxRow.of("other", "status", "c", "c", {}, now))
    await desk.database.execute(
        update(outbox).where(outbox.c.about == "a").values(state="sent", sent_at=micros(now), attempts=1)
    )

    async with await desk.client("viewer") as client:

        async def about(**query: Any) -> list[str]:
            answer = await client.get("/api/v1/outbox", params=query)
            return [each["about"] for each in answer.json()["items"]]

        (sent,) = (await client.get("/api/v1/outbox", params={"state": "sent"})).json()["items"]
        assert await about() == ["c", "b", "a"]
        assert await about(state="waiting", platform="beijing") == ["b"]
        assert await about(kind="status") == ["c"]
        assert await about(limit=1) == ["c"]
    assert (sent["platform"], sent["attempts"], sent["sent_at"]) == ("beijing", 1, "2026-01-01T12:00:00.000Z")


async def test_outbox_of_ones_own_platforms_only(desk: Any) -> None:
    """A limited key sees what is told of its operator."""
    await desk.write(OutboxRow.of("beijing", "order", "a", "a", {}, desk.clock[0]))

    async with (
        await desk.client("viewer", "123456789") as mine,
        await desk.client("viewer", "987654321") as other,
    ):
        assert len((await mine.get("/api/v1/outbox")).json()["items"]) == 1
        assert (await other.get("/api/v1/outbox")).json()["items"] == []
