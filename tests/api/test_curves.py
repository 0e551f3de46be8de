"""Curves over HTTP: of a session, and of a station in sessions and beside them. On both databases."""

from datetime import timedelta
from typing import Any

import pytest

from csms.domain.meter import Reading
from csms.store.records import ReadingRow
from csms.store.times import micros
from tests.api.conftest import FIRST_SESSION, NOW, OTHER
from tests.store.given import told_row

START = NOW - timedelta(hours=2)
MINUTE = timedelta(minutes=1)
SESSION = f"/api/v1/sessions/{FIRST_SESSION}/curve"
STATION = "/api/v1/charging-stations/CS-0001/curve"


async def fill(desk: Any) -> None:
    """Half an hour of power and charge, a gap, ten minutes more; and power before the session."""
    number = await desk.add_session(0)
    for n in (*range(30), *range(60, 70)):
        at = START + n * MINUTE
        told = [
            Reading(at, "power.active.import", 22_000_000 + n),
            Reading(at, "soc", n * 1000, location="ev"),
        ]
        await desk.write(told_row(number, told, at))
    beside = Reading(START - MINUTE, "power.active.import", 500)
    await desk.write(*ReadingRow.packed(1, 1, [beside], micros(START)))


async def test_the_curve_of_a_session(desk_on_each: Any) -> None:
    """A line for each measurand; the gap is a null, and what is thinned keeps its ends."""
    await fill(desk_on_each)
    async with await desk_on_each.client("viewer") as client:
        shown = (await client.get(SESSION, params={"points": 50})).json()

    power, charge = shown["lines"]
    assert (power["measurand"], power["unit"], power["read"], power["gaps"]) == (
        "power.active.import",
        "W",
        40,
        1,
    )
    assert power["step_s"] == 60.0
    assert power["points"][0] == ["2026-01-01T10:00:00.000Z", 22000.0]
    assert ["2026-01-01T10:29:00.000Z", None] in power["points"]
    assert (charge["measurand"], charge["location"], charge["points"][-1][1]) == ("soc", "ev", 69.0)
    assert shown["complete"]


async def test_the_curve_of_a_station(desk_on_each: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions and what was measured beside them; cut where there is too much, and it says so."""
    await fill(desk_on_each)
    async with await desk_on_each.client("viewer") as client:
        day = (await client.get(STATION)).json()
        part = (
            await client.get(STATION, params={"from": "2026-01-01T10:05:00Z", "to": "2026-01-01T10:10:00Z"})
        ).json()
        monkeypatch.setattr("csms.store.curve_queries.MOST_ROWS", 10)
        cut = (await client.get(STATION)).json()

    assert day["lines"][0]["read"] == 41
    assert day["lines"][0]["points"][0] == ["2026-01-01T09:59:00.000Z", 0.5]
    assert [at for at, _ in part["lines"][0]["points"]] == [
        f"2026-01-01T10:0{n}:00.000Z" for n in range(5, 10)
    ]
    assert (cut["complete"], cut["lines"][0]["read"]) == (False, 11)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"points": 49}, "query.points"),
        ({"points": 2001}, "query.points"),
        ({"from": "2025-01-01T00:00:00Z"}, "query.from"),
    ],
)
async def test_what_cannot_be_asked(desk: Any, query: dict[str, Any], field: str) -> None:
    """422 names the parameter."""
    async with await desk.client() as client:
        answer = await client.get(STATION, params=query)

    assert answer.json()["errors"][0]["field"] == field


async def test_of_another_operator_there_is_none(desk: Any) -> None:
    """404, as for everything of others."""
    await fill(desk)
    async with await desk.client("viewer", OTHER) as client:
        assert (await client.get(SESSION)).status_code == 404
        assert (await client.get(STATION)).status_code == 404
