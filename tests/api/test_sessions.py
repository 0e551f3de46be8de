"""/sessions: filters, pages, CSV, and what a session is made of."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from csms.domain.meter import Reading
from csms.store.session_rows import SessionMessageRow
from csms.store.times import instant, micros
from tests.store.given import told_row

FIRST = 1_767_261_600_000_001


async def numbers(client: Any, **query: Any) -> list[int]:
    """Which sessions a query selects, by the order they were added in."""
    answer = await client.get("/api/v1/sessions", params={k.rstrip("_"): v for k, v in query.items()})
    assert answer.status_code == 200, answer.text
    return [int(item["session_id"]) - FIRST for item in answer.json()["items"]]


async def test_a_session_as_the_contract_has_it(desk: Any) -> None:
    """Every field, times in UTC with milliseconds, energies in integer Wh."""
    await desk.add_session(0, flags=",gap,late-data,")

    async with await desk.client() as client:
        answer = await client.get(f"/api/v1/sessions/{FIRST}")

    assert answer.json() == {
        "session_id": str(FIRST),
        "operator": "123456789",
        "site": "S01",
        "charging_station": "CS-0001",
        "evse": 1,
        "connector": 1,
        "transaction_id": "1",
        "id_token": "A1",
        "authorization": "accepted",
        "state": "ended",
        "started_at": "2026-01-01T10:00:00.000Z",
        "ended_at": "2026-01-01T10:45:00.000Z",
        "received_at": "2026-01-01T10:00:00.500Z",
        "meter_start_wh": 1000,
        "meter_stop_wh": 23500,
        "energy_wh": 22500,
        "energy_source": "registers",
        "cost": None,
        "currency": None,
        "quality": ["gap", "late-data"],
        "revision": 1,
        "stop_reason": "local",
        "ocpp_version": "ocpp1.6",
        "start_charge_seq": "123456789001767261600000001",
    }


async def test_filters(desk: Any) -> None:
    """Each filter selects what it names; two together select what both name."""
    await desk.add_session(0)
    await desk.add_session(1, state="active", ended_at=None, connector=2)
    await desk.add_session(2, token="B2", token_folded="b2", flags=",gap,")
    await desk.add_session(3, station="CS-0009")

    async with await desk.client() as client:
        assert await numbers(client) == [3, 2, 1, 0]
        assert await numbers(client, operator="987654321") == [3]
        assert await numbers(client, site="S01") == [2, 1, 0]
        assert await numbers(client, station="CS-0009") == [3]
        assert await numbers(client, connector=2) == [1]
        assert await numbers(client, token="b2") == [2]
        assert await numbers(client, state="active") == [1]
        assert await numbers(client, quality="gap") == [2]
        assert await numbers(client, from_="2026-01-01T10:01:00Z", to="2026-01-01T10:03:00Z") == [2, 1]
        assert await numbers(client, from_="2026-01-01T18:03:00+08:00") == [3]
        assert await numbers(client, site="S01", token="a1") == [1, 0]
        assert await numbers(client, site="nowhere") == []


async def test_pages_hold_everything_once(desk: Any) -> None:
    """Following `next` gives every session once, whatever the page size."""
    for n in range(7):
        await desk.add_session(n)

    async with await desk.client() as client:
        seen: list[str] = []
        after: str | None = None
        for _ in range(10):
            query = {"limit": 3} | ({"after": after} if after else {})
            page = (await client.get("/api/v1/sessions", params=query)).json()
            seen += [item["session_id"] for item in page["items"]]
            after = page["next"]
            if after is None:
                break

    assert seen == [str(FIRST + n) for n in range(6, -1, -1)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "query.limit"),
        ({"limit": "1001"}, "query.limit"),
        ({"limit": "1000000000"}, "query.limit"),
        ({"limit": "x"}, "query.limit"),
        ({"state": "open"}, "query.state"),
        ({"quality": "bad"}, "query.quality"),
        ({"from": "yesterday"}, "query.from"),
        ({"from": "2026-01-01T10:00:00"}, "query.from"),
        ({"from": "1969-01-01T00:00:00Z"}, "query.from"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "query.to"),
        ({"token": "a\0b"}, "query.token"),
        ({"operator": "short"}, "query.operator"),
        ({"statoin": "CS-0001"}, "query.statoin"),
        ({"after": "x" * 301}, "query.after"),
    ],
)
async def test_a_query_that_cannot_be_used(desk: Any, query: dict[str, str], field: str) -> None:
    """422 names the parameter, what is wrong, and what to do."""
    async with await desk.client() as client:
        answer = await client.get("/api/v1/sessions", params=query)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["problem"]
    assert error["fix"]


@pytest.mark.parametrize("after", ["x", "%%%", "WzFd", "bnVsbA", "WyIxIiwgIjIiXQ", "é"])
async def test_a_cursor_of_ones_own_making(desk: Any, after: str) -> None:
    """422, never a failure."""
    async with await desk.client() as client:
        answer = await client.get("/api/v1/sessions", params={"after": after})

    assert answer.status_code == 422


@pytest.mark.parametrize("number", ["0", "9223372036854775807", "9223372036854775808", "9999999999999999999"])
async def test_no_such_session(desk: Any, number: str) -> None:
    """404, also beyond what a database can count."""
    async with await desk.client() as client:
        for path in ("", "/readings", "/timeline"):
            assert (await client.get(f"/api/v1/sessions/{number}{path}")).status_code == 404


async def test_csv_holds_everything_selected(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a page, in the order of the list, with the same columns as the JSON."""
    for n in range(25):
        await desk.add_session(n)
    monkeypatch.setitem(desk.parts.settings.http.__dict__, "page_limit", 10)

    async with await desk.client() as client:
        answer = await client.get("/api/v1/sessions", headers={"Accept": "text/csv"}, params={"site": "S01"})

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [int(row["session_id"]) - FIRST for row in rows] == list(range(24, -1, -1))
    assert rows[0]["energy_wh"] == "22500"


async def test_csv_cannot_be_made_to_calculate(desk: Any) -> None:
    """Text that a station chose is data in a spreadsheet too."""
    await desk.add_session(
        0, token='=HYPERLINK("http://x","y")', transaction_id="@SUM(A1)", stop_reason="＋1"
    )

    async with await desk.client() as client:
        answer = await client.get("/api/v1/sessions", headers={"Accept": "text/csv"})

    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert row["id_token"] == '\'=HYPERLINK("http://x","y")'
    assert row["transaction_id"] == "'@SUM(A1)"
    assert row["stop_reason"] == "'＋1"


async def test_csv_of_one_operator_only(desk: Any) -> None:
    """A limited key exports its own."""
    await desk.add_session(0)
    await desk.add_session(1, station="CS-0009")

    async with await desk.client("viewer", "987654321") as client:
        answer = await client.get("/api/v1/sessions", headers={"Accept": "text/csv"})

    assert [row["charging_station"] for row in csv.DictReader(io.StringIO(answer.text))] == ["CS-0009"]


async def test_readings_in_order_of_time(desk: Any) -> None:
    """Exact values in base units, and what was sent where it could not be read."""
    session_id = await desk.add_session(0)
    at = desk.clock[0] - timedelta(hours=1)
    register = "energy.active.import.register"
    readings = [Reading(at, register, 1_250_500), Reading(at + timedelta(minutes=1), register, None, raw="x")]
    await desk.write(told_row(session_id, readings, at))

    async with await desk.client() as client:
        first = (await client.get(f"/api/v1/sessions/{session_id}/readings", params={"limit": 1})).json()
        second = (
            await client.get(f"/api/v1/sessions/{session_id}/readings", params={"after": first["next"]})
        ).json()

    assert [(r["value"], r["raw"]) for r in first["items"]] == [(1250.5, None)]
    assert [(r["value"], r["raw"]) for r in second["items"]] == [(None, "x")]
    assert second["next"] is None


async def test_timeline(desk: Any) -> None:
    """What each message said and what it was answered."""
    session_id = await desk.add_session(0)
    at = micros(instant(0) + timedelta(days=20_000))
    facts, answer = '{"meter_start_wh":1000}', '{"transactionId":1}'
    await desk.write(
        SessionMessageRow(session_id, -1, "start", 1, "started", "17", at, at, "hash", facts, answer)
    )

    async with await desk.client() as client:
        timeline = (await client.get(f"/api/v1/sessions/{session_id}/timeline")).json()

    (entry,) = timeline["items"]
    assert entry["kind"] == "started"
    assert entry["facts"] == {"meter_start_wh": 1000}
    assert entry["answer"] == {"transactionId": 1}


async def test_sessions_pages_and_csv(desk_on_each: Any) -> None:
    """Lists, cursors and exports work the same on each database."""
    for n in range(5):
        await desk_on_each.add_session(n)

    async with await desk_on_each.client("viewer", "123456789") as client:
        page = (await client.get("/api/v1/sessions", params={"limit": 3, "token": "a1"})).json()
        rest = (await client.get("/api/v1/sessions", params={"after": page["next"]})).json()
        text = (await client.get("/api/v1/sessions", headers={"Accept": "text/csv"})).text

    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)
    assert len(text.splitlines()) == 6
