"""/reports/totals: figures by day, month and year, by the operators' clocks and by any other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.store.records import SessionDue
from csms.store.reports import ReportStore
from csms.store.times import micros

URL = "/api/v1/reports/totals"
JANUARY = {"from": "2026-01-01", "to": "2026-01-04", "by": "day"}


async def filled(desk: Any) -> None:
    """An hour of 22.5 kWh in the first minutes of three days in Beijing, and one of the other operator."""
    starts = [datetime(2025, 12, 31, 16, 5, tzinfo=UTC) + timedelta(days=n) for n in range(3)]
    for n, at in enumerate(starts):
        await add(desk, n, at, "CS-0001")
    await add(desk, 9, starts[1], "CS-0009")
    desk.clock[0] = datetime(2026, 1, 10, tzinfo=UTC)
    reports = ReportStore(desk.database)
    while await reports.recompute(desk.clock[0], grace=timedelta(minutes=2)):
        pass


async def add(desk: Any, n: int, at: datetime, station: str) -> None:
    start = micros(at)
    times = {"started_at": start, "received_at": start, "ended_at": start + 60_000_000}
    number = await desk.add_session(n, station, **times, last_event_at=start + 60_000_000)
    await desk.write(SessionDue(number, micros(desk.clock[0])))


async def chart(desk: Any, **query: str) -> dict[str, Any]:
    async with await desk.client() as client:
        answer = await client.get(URL, params=JANUARY | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_by_the_operators_clocks(desk_on_each: Any) -> None:
    """Days, months and years of sites, operators and districts."""
    desk = desk_on_each
    await filled(desk)

    sites = await chart(desk, of="site")
    months = await chart(desk, of="operator", by="month", to="2026-03-01")
    years = await chart(desk, of="district", by="year", **{"from": "2025-01-01", "to": "2027-01-01"})
    one = await chart(desk, of="site", id="S09")

    assert sites["periods"] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    figures = {one["id"]: (one["energy_wh"], one["sessions"]) for one in sites["series"]}
    assert figures == {"S01": ([22_500] * 3, [1] * 3), "S09": ([0, 22_500, 0], [0, 1, 0])}
    assert months["periods"] == ["2026-01", "2026-02"]
    assert [(m["id"], m["energy_wh"]) for m in months["series"]] == [
        ("123456789", [67_500, 0]),
        ("987654321", [22_500, 0]),
    ]
    assert years["periods"] == ["2025", "2026"]
    assert [(y["id"], y["energy_wh"], y["sessions"]) for y in years["series"]] == [("", [0, 90_000], [0, 4])]
    assert [each["id"] for each in one["series"]] == ["S09"]


async def test_by_another_clock(desk_on_each: Any) -> None:
    """In UTC each of them is a day earlier."""
    desk = desk_on_each
    await filled(desk)

    found = await chart(desk, of="site", id="S01", tz="UTC", **{"from": "2025-12-31", "to": "2026-01-03"})

    assert found["periods"] == ["2025-12-31", "2026-01-01", "2026-01-02"]
    assert found["time_zone"] == "UTC"
    assert found["series"][0]["energy_wh"] == [22_500] * 3


async def test_of_one_operator_only(desk: Any) -> None:
    """A limited key sees its own."""
    await filled(desk)

    async with await desk.client("viewer", "987654321") as client:
        mine = (await client.get(URL, params=JANUARY | {"of": "operator"})).json()
        theirs = await client.get(URL, params=JANUARY | {"of": "operator", "operator": "123456789"})

    assert [one["id"] for one in mine["series"]] == ["987654321"]
    assert theirs.status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"to": "2025-12-31"},
        {"to": "2028-01-01"},
        {"to": "2026-06-01", "tz": "UTC"},
        {"by": "hour"},
        {"of": "connector"},
        {"tz": "Mars/Base"},
    ],
)
async def test_too_much_or_nothing(desk: Any, query: dict[str, str]) -> None:
    """422."""
    async with await desk.client() as client:
        answer = await client.get(URL, params=JANUARY | {"of": "site"} | query)

    assert answer.status_code == 422
