"""/reports/uptime, nevi-sessions and nevi-outages over HTTP."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.api.uptime import OUTAGE_COLUMNS, SESSION_COLUMNS
from csms.domain.assets import ConnectorStatus as S
from tests.api.conftest import MINE, OTHER
from tests.store.connector_history import link, state

PATH = "/api/v1/reports/uptime"
START = datetime(2025, 12, 31, 16, tzinfo=UTC)  # of January in Shanghai
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def fill(desk: Any) -> None:
    """January of one station: a day off-line, thirty hours faulted of which twenty are vandalism's."""
    desk.clock[0] = START + 60 * DAY
    station = await desk.parts.registry.station("CS-0001")
    await desk.write(
        link(station, START - 5 * DAY, "connected"),
        state(station, START - 5 * DAY, S.AVAILABLE),
        link(station, START + 2 * DAY, "disconnected"),
        link(station, START + 3 * DAY, "connected"),
    )
    await desk.write(state(station, START + 9 * DAY, S.FAULTED, error_code="GroundFailure"))
    await desk.write(state(station, START + 9 * DAY + 30 * HOUR, S.AVAILABLE))
    async with await desk.client() as client:
        body = {"charging_station": "CS-0001", "reason": "vandalism"}
        span = {"starts_at": "2026-01-09T16:00:00Z", "ends_at": "2026-01-10T12:00:00Z"}
        assert (await client.post("/api/v1/reports/exclusions", json=body | span)).status_code == 201


async def test_one_month_side_by_side(desk_on_each: Any) -> None:
    """Three regimes, three figures, and what each means."""
    desk = desk_on_each
    await fill(desk)
    async with await desk.client("viewer") as client:
        answer = await client.get(PATH, params={"month": "2026-01", "station": "CS-0001"})

    assert answer.status_code == 200, answer.text
    body = answer.json()
    (item,) = body["items"]
    assert item["from"] == "2025-12-31T16:00:00.000Z"
    assert item["cn"]["own"]["available_rate"] == 92.7419  # (744 - 54) / 744
    assert item["nevi"]["month"]["uptime"] == 95.4301  # (744 - 34) / 744
    assert item["nevi"]["twelve_months"]["uptime"] == 99.6119
    assert item["uk"]["month"]["reliability"] == 95.9677  # (744 - 30) / 744
    assert item["uk"]["rapid"] is True
    assert set(body["definitions"]) == {"cn", "nevi", "uk"}


async def test_one_regime_and_csv(desk: Any) -> None:
    """Only its columns."""
    await fill(desk)
    async with await desk.client("viewer") as client:
        of_uk = await client.get(PATH, params={"month": "2026-01", "regime": "uk"})
        text = await client.get(
            PATH, params={"month": "2026-01", "regime": "uk"}, headers={"Accept": "text/csv"}
        )

    (item,) = of_uk.json()["items"]
    assert (item["cn"], item["nevi"]) == (None, None)
    assert list(of_uk.json()["definitions"]) == ["uk"]
    (row,) = csv.DictReader(io.StringIO(text.text))
    assert row["uk_month_reliability"] == "95.9677"
    assert row["minutes_offline"] == "1440.0"
    assert not [name for name in row if name.startswith(("cn_", "nevi_"))]


async def test_sessions_and_outages_of_a_quarter(desk: Any) -> None:
    """As CSV, in the rule's fields."""
    await fill(desk)
    await desk.add_session()
    async with await desk.client("viewer", MINE) as client:
        sessions = await client.get("/api/v1/reports/nevi-sessions", params={"quarter": "2026Q1"})
        outages = await client.get("/api/v1/reports/nevi-outages", params={"quarter": "2026Q1"})

    rows = list(csv.DictReader(io.StringIO(sessions.text)))
    assert tuple(rows[0]) == SESSION_COLUMNS
    assert rows == [
        {
            "charging_station": "CS-0001",
            "port": "1/1",
            "session_id": "1767261600000001",
            "started_at": "2026-01-01T10:00:00.000Z",
            "ended_at": "2026-01-01T10:45:00.000Z",
            "successful": "true",
            "error_codes": "",
            "energy_kwh": "22.5",
            "peak_kw": "30.0",
            "payment_method": "rfid",
        }
    ]
    lines = list(csv.DictReader(io.StringIO(outages.text)))
    assert tuple(lines[0]) == OUTAGE_COLUMNS
    assert [(line["month"], line["outage_duration_minutes"]) for line in lines] == [
        ("2026-01", "1440.0"),
        ("2026-01", "1800.0"),
        ("2026-02", ""),
        ("2026-03", ""),
    ]
    assert (lines[1]["outage_minutes"], lines[1]["excluded_minutes"]) == ("3240.0", "1200.0")
    assert sessions.headers["content-disposition"] == 'attachment; filename="nevi-sessions-2026Q1.csv"'


async def test_others_stations_do_not_exist(desk: Any) -> None:
    """Nothing of them in any report; their operator is not found."""
    await fill(desk)
    await desk.add_session()
    async with await desk.client("viewer", OTHER) as client:
        assert (await client.get(PATH, params={"month": "2026-01"})).json()["items"] == []
        for report in ("nevi-sessions", "nevi-outages"):
            answer = await client.get(f"/api/v1/reports/{report}", params={"quarter": "2026Q1"})
            assert len(answer.text.splitlines()) == 1
        assert (await client.get(PATH, params={"month": "2026-01", "operator": MINE})).status_code == 404
    async with await desk.client("platform") as client:
        assert (await client.get(PATH, params={"month": "2026-01"})).status_code == 403


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("uptime", {}, "query.month"),
        ("uptime", {"month": "2026-13"}, "month"),
        ("uptime", {"month": "January"}, "query.month"),
        ("uptime", {"month": "2026-01", "regime": "eu"}, "query.regime"),
        ("nevi-sessions", {"quarter": "2026Q5"}, "query.quarter"),
        ("nevi-sessions", {"quarter": "1999Q1"}, "quarter"),
        ("nevi-outages", {"quarter": "1999Q1"}, "quarter"),
    ],
)
async def test_what_cannot_be_asked(desk: Any, path: str, query: dict[str, str], field: str) -> None:
    """A problem that names the field, before an answer has begun."""
    async with await desk.client() as client:
        answer = await client.get(f"/api/v1/reports/{path}", params=query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
