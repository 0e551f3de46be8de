"""Exclusions: kept, changed, removed, and only those of one's own operator exist."""

from dataclasses import replace
from typing import Any

import pytest

from csms.domain.scope import WHOLE, Scope
from csms.domain.timeline import Span
from csms.domain.uptime import Exclusion, Reason
from csms.errors import InvalidInput, NotFound
from csms.store.database import Database
from csms.store.exclusions import ExclusionFilter, ExclusionForm, Exclusions, of_stations
from tests.store.given import HOUR, OPERATOR, T0, stations

FORM = ExclusionForm("CS-0001", 1, Span(T0, T0 + 2 * HOUR), Reason.VANDALISM, "cable cut")


async def test_an_exclusion_is_kept_changed_and_removed(database: Database) -> None:
    """As the API gives it, with who entered it."""
    await stations(database)
    store = Exclusions(database)

    made = await store.add(FORM, WHOLE, "key:1:test", T0)
    assert made == {
        "id": made["id"],
        "operator": OPERATOR,
        "charging_station": "CS-0001",
        "evse": 1,
        "starts_at": "2026-01-05T10:00:00.000Z",
        "ends_at": "2026-01-05T12:00:00.000Z",
        "reason": "vandalism",
        "note": "cable cut",
        "actor": "key:1:test",
        "modified_at": "2026-01-05T10:00:00.000Z",
    }
    number = int(made["id"])
    changed = await store.change(
        number, replace(FORM, evse=0, reason=Reason.UTILITY), Scope(OPERATOR), "b", T0 + HOUR
    )
    assert (changed["id"], changed["evse"], changed["reason"]) == (made["id"], 0, "utility-interruption")
    assert await store.one(number, WHOLE) == changed
    assert await store.remove(number, WHOLE) == changed
    with pytest.raises(NotFound):
        await store.one(number, WHOLE)


async def test_those_of_others_do_not_exist(database: Database) -> None:
    """Neither to read nor to change, remove or add."""
    await stations(database)
    store = Exclusions(database)
    number = int((await store.add(FORM, WHOLE, "a", T0))["id"])

    other = "000000000"
    for refused in (
        store.one(number, Scope(other)),
        store.change(number, FORM, Scope(other), "a", T0),
        store.remove(number, Scope(other)),
        store.add(FORM, Scope(other), "a", T0),
        store.add(replace(FORM, station="CS-0009"), WHOLE, "a", T0),
    ):
        with pytest.raises(NotFound):
            await refused
    assert (await store.find(ExclusionFilter(operator=other))).items == []
    with pytest.raises(InvalidInput):
        await store.add(replace(FORM, span=Span(T0, T0)), WHOLE, "a", T0)


async def test_pages_and_filters(database: Database) -> None:
    """By station and by time: what overlaps is found."""
    one, two = await stations(database, 2)
    store = Exclusions(database)
    for hour in range(3):
        span = Span(T0 + hour * HOUR, T0 + (hour + 1) * HOUR)
        await store.add(replace(FORM, span=span), WHOLE, "a", T0)
    await store.add(replace(FORM, station="CS-0002", evse=0), WHOLE, "a", T0)

    async def starts(**wanted: Any) -> list[str]:
        found, after = [], None
        while True:
            page = await store.find(ExclusionFilter(**wanted), after, 2)
            found += [f"{item['charging_station'][-1]}@{item['starts_at'][11:13]}" for item in page.items]
            after = page.next
            if after is None:
                return found

    assert await starts() == ["1@10", "1@11", "1@12", "2@10"]
    assert await starts(station="CS-0002") == ["2@10"]
    assert await starts(operator=OPERATOR, since=T0 + HOUR, until=T0 + 2 * HOUR) == ["1@11", "2@10"]

    window = Span(T0, T0 + HOUR)
    found = await database.look(
        lambda connection: of_stations([one.station_id, two.station_id], window, connection)
    )
    assert found == {
        one.station_id: [(1, Exclusion(window, Reason.VANDALISM))],
        two.station_id: [(0, Exclusion(FORM.span, Reason.VANDALISM))],
    }
