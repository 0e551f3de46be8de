"""/platform/totals over HTTP: JSON, CSV, pages, rights and whose operators exist."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from csms.api.auth import Principal, Role, new_key
from csms.api.platform import COLUMNS, operators_of
from csms.domain.assets import ConnectorStatus as S
from csms.domain.scope import Scope
from csms.store.reports import ReportStore
from csms.store.session_rows import SessionDue
from csms.store.times import micros
from csms.store.use_days import UseDays
from csms.store.use_marks import UseMarks
from tests.api.conftest import MINE, NOW, OTHER
from tests.store.connector_history import link, state

DAY = timedelta(days=1)
PATH = "/api/v1/platform/totals"
START = NOW - 2 * DAY


async def fill(desk: Any) -> None:
    """Two days of one station of each operator: free, then an hour's session yesterday."""
    for identity in ("CS-0001", "CS-0009"):
        station = await desk.parts.registry.station(identity)
        await desk.write(
            link(station, START, "connected"),
            state(station, START, S.AVAILABLE),
            station_id=station.station_id,
        )
    number = await desk.add_session(started_at=1_767_200_000_000_000)
    await desk.write(SessionDue(number, micros(NOW)))
    while await ReportStore(desk.database).recompute(NOW + DAY, grace=timedelta(0)):
        pass
    await UseMarks(desk.database).note_late(NOW + DAY)
    while await UseDays(desk.database).compute(NOW + DAY, timedelta(0), 10):
        pass


async def test_a_page_of_totals(desk_on_each: Any) -> None:
    """By start, then by subject; every figure in its place."""
    desk = desk_on_each
    await fill(desk)
    asked = {"by": "day", "of": "site", "from": "2025-12-31T00:00:00Z", "to": "2026-01-01T00:00:00Z"}

    async with await desk.client("viewer") as client:
        first = (await client.get(PATH, params=asked | {"limit": 1})).json()
        rest = (await client.get(PATH, params=asked | {"after": first["next"]})).json()

    (item,) = first["items"]
    assert (item["id"], item["operator"], item["start"]) == ("S01", MINE, "2025-12-31T16:00:00.000Z")
    assert item["minutes"]["free"] == item["minutes"]["in_service"] == 1440.0
    assert item["minutes_until"] == "2026-01-01T16:00:00.000Z"
    assert (item["energy_wh"], item["sessions"], item["peak_power_w"]) == (22_500, 1, None)
    assert item["own"]["online_rate"] == 100.0
    assert item["own"]["power_use_rate"] == 1.5625  # 22.5 kWh of 60 kW in 24 h
    assert item["shenzhen"]["fault_rate"] == 0.0
    assert [each["id"] for each in rest["items"]] == ["S09"]
    assert rest["next"] is None


@pytest.mark.parametrize("by", ["hour", "day", "month", "year"])
@pytest.mark.parametrize("of", ["connector", "equipment", "site", "operator", "district", "city"])
async def test_every_period_of_every_level(desk: Any, by: str, of: str) -> None:
    """In service all the time, whatever is asked for."""
    await fill(desk)
    async with await desk.client("operator", MINE) as client:
        answer = await client.get(
            PATH,
            params={"by": by, "of": of, "from": "2025-01-01T00:00:00Z"}
            if by != "hour"
            else {"by": by, "of": of},
        )

    assert answer.status_code == 200, answer.text
    items = [item for item in answer.json()["items"] if item["minutes"]["in_service"]]
    assert items
    assert {item["operator"] for item in items} <= {MINE, None}
    assert all(item["own"]["online_rate"] == 100.0 for item in items)


async def test_everything_as_csv(desk: Any) -> None:
    """All pages, with inner figures as columns of their own."""
    await fill(desk)
    async with await desk.client("admin") as client:
        answer = await client.get(
            PATH, params={"by": "day", "of": "connector"}, headers={"Accept": "text/csv"}
        )

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="connector-day.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == COLUMNS
    assert "shenzhen_fault_rate" in COLUMNS
    busy = next(row for row in rows if row["minutes_in_service"] == "1440.0")
    assert (busy["id"], busy["minutes_free"], busy["own_available_rate"]) == (
        "CS-0001/1/1",
        "1440.0",
        "100.0",
    )


async def test_a_platform_sees_what_it_supervises(desk: Any) -> None:
    """The operator of its key, or of the platform whose name the key bears, or of all platforms."""
    await fill(desk)
    asked = {"by": "day", "of": "operator"}

    async def seen(headers: dict[str, str]) -> set[str]:
        async with desk.anonymous(headers) as client:
            return {item["id"] for item in (await client.get(PATH, params=asked)).json()["items"]}

    async def key(name: str, operator: str | None) -> dict[str, str]:
        made, digest = new_key()
        await desk.parts.registry.put_api_key(name, digest, "platform", Scope(operator), NOW)
        return {"Authorization": f"Bearer {made}"}

    assert await seen(await key("any", OTHER)) == {OTHER}
    assert await seen(await key("beijing", None)) == {MINE}
    assert await seen(await key("any", None)) == {MINE}  # the only platform that is configured

    async with await desk.client("platform", OTHER) as client:
        answer = await client.get(PATH, params=asked | {"of": "site", "id": "S01"})
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert operators_of(desk.parts, Principal("key:1:a", "a", Role.VIEWER, Scope())) is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"of": "site"}, "query.by"),
        ({"by": "week", "of": "site"}, "query.by"),
        ({"by": "day", "of": "station"}, "query.of"),
        ({"by": "day", "of": "site", "after": "x"}, "after"),
        ({"by": "day", "of": "site", "colour": "red"}, "query.colour"),
        ({"by": "hour", "of": "site", "from": "2020-01-01T00:00:00Z"}, "from"),
        (
            {"by": "day", "of": "site", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
            "query.to",
        ),
    ],
)
async def test_what_cannot_be_asked(desk: Any, query: dict[str, str], field: str) -> None:
    """A problem that names the field."""
    async with await desk.client() as client:
        answer = await client.get(PATH, params=query)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


async def test_nobody_without_a_key(desk: Any) -> None:
    """401."""
    async with desk.anonymous() as client:
        assert (await client.get(PATH, params={"by": "day", "of": "site"})).status_code == 401
