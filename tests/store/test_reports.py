"""Totals: the sum of their sessions, revised only when a closed one changes, on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState, evolve
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.records import OutboxRow
from csms.store.registry import OperatorForm, Registry, StationForm
from csms.store.reports import ReportStore, SiteHour, TotalFilter
from csms.store.session_codec import DUE_SOON, records_of
from csms.store.writer import Writer
from tests.store.given import (
    HOUR,
    MINUTE,
    OPERATOR,
    T0,
    a_message,
    a_session,
    count,
    start_of,
    stations,
    write_of,
)

GRACE = timedelta(minutes=2)


def ended(station: ChargingStation, number: int, energy_wh: int, **changes: Any) -> ChargingSession:
    """A session from 10:00 to 11:00 UTC with this energy."""
    fields = {
        "state": SessionState.ENDED,
        "energy_wh": energy_wh,
        "ended_at": T0 + HOUR,
        "end_received_at": T0 + HOUR,
        "last_event_at": T0 + HOUR,
    }
    return a_session(station, number, **(fields | changes))


async def put(database: Database, station: ChargingStation, *sessions: ChargingSession) -> None:
    """Store new sessions and mark them due."""
    async with Writer(database) as writer:
        for session in sessions:
            await writer.write(start_of(station, session))


async def change(database: Database, station: ChargingStation, session: ChargingSession, key: str) -> None:
    """Store what late data made of a session, and mark it due."""
    told = Change(session, message=a_message(key, T0 + 3 * HOUR), hours_due=True)
    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(told, station)))


async def recompute(database: Database, at: datetime, most: int = 200, owed: Any = None) -> int:
    """Until nothing is due."""
    store, taken = ReportStore(database), 0
    while step := await store.recompute(at, grace=GRACE, most=most, owed=owed):
        taken += step
    return taken


async def energies(database: Database, by: str, of: str, **wanted: Any) -> dict[tuple[str, str], int]:
    """Energy by id and start."""
    page = await ReportStore(database).totals(TotalFilter(by, of, **wanted))
    return {(item["id"], item["start"]): item["energy_wh"] for item in page.items}


async def one_total(database: Database, by: str = "hour", of: str = "site") -> dict[str, Any]:
    """The only total of its kind."""
    (item,) = (await ReportStore(database).totals(TotalFilter(by, of))).items
    return item


async def test_every_level_and_period_is_the_sum_of_its_sessions(database: Database) -> None:
    """D11: connectors, stations, sites, operators; hours, local days, months."""
    one, other = await stations(database, 2)
    await put(database, one, ended(one, 1, 1000), ended(one, 2, 500, evse=2))
    await put(database, other, ended(other, 3, 70, started_at=T0 + HOUR, ended_at=T0 + 3 * HOUR))

    await recompute(database, T0 + 4 * HOUR)

    ten, eleven, twelve = (f"2026-01-05T{hour}:00:00.000Z" for hour in (10, 11, 12))
    assert await energies(database, "hour", "connector") == {
        ("CS-0001/1/1", ten): 1000,
        ("CS-0001/2/1", ten): 500,
        ("CS-0002/1/1", eleven): 35,
        ("CS-0002/1/1", twelve): 35,
    }
    assert await energies(database, "hour", "station", id="CS-0001") == {("CS-0001", ten): 1500}
    sites = {("S01", ten): 1500, ("S01", eleven): 35, ("S01", twelve): 35}
    assert await energies(database, "hour", "site") == sites
    assert await energies(database, "hour", "operator") == {
        (OPERATOR, at): wh for (_, at), wh in sites.items()
    }
    # Days and months of Asia/Shanghai begin at 16:00 UTC.
    assert await energies(database, "day", "operator") == {(OPERATOR, "2026-01-04T16:00:00.000Z"): 1570}
    assert await energies(database, "month", "operator") == {(OPERATOR, "2025-12-31T16:00:00.000Z"): 1570}
    day = await one_total(database, "day", "site")
    assert (day["sessions"], day["charging_s"]) == (3, 4 * 3600)


async def test_filters_of_totals(database: Database) -> None:
    """By id, time and whose they are; a page at a time."""
    (station,) = await stations(database)
    await put(database, station, ended(station, 1, 300, ended_at=T0 + 3 * HOUR))
    await recompute(database, T0 + 4 * HOUR)
    store, found, after = ReportStore(database), [], None

    while True:
        page = await store.totals(TotalFilter("hour", "connector", id="CS-0001/1/1"), after, 1)
        found += page.items
        after = page.next
        if after is None:
            break

    assert [item["energy_wh"] for item in found] == [100, 100, 100]
    since = {"since": T0 + HOUR, "until": T0 + 2 * HOUR}
    assert list(await energies(database, "hour", "site", **since)) == [("S01", "2026-01-05T11:00:00.000Z")]
    assert await energies(database, "hour", "site", scope=Scope("000000000")) == {}
    # An operator's totals tell of sites that are out of sight.
    here, elsewhere = Scope(OPERATOR, frozenset({"S01"})), Scope(OPERATOR, frozenset({"S02"}))
    for of in ("site", "station", "connector"):
        everything = await energies(database, "day", of)
        assert everything
        assert await energies(database, "day", of, scope=here) == everything
        assert await energies(database, "day", of, scope=elsewhere) == {}
    assert await energies(database, "day", "operator", scope=here) == {}
    assert await energies(database, "hour", "site", scope=Scope(OPERATOR), id="S02") == {}
    for wrong in (
        TotalFilter("week", "site"),
        TotalFilter("day", "x"),
        TotalFilter("day", "connector", id="a"),
    ):
        with pytest.raises(InvalidInput):
            await store.totals(wrong)


async def test_hours_of_connectors_are_summed_when_asked_for(database: Database) -> None:
    """None is stored; they are paged, filtered and named as stored totals are."""
    one, other = await stations(database, 2)
    await put(database, one, *(ended(one, n, 100, evse=1 + n % 2) for n in range(1, 5)))
    await put(database, other, ended(other, 9, 7, ended_at=T0 + 2 * HOUR))
    await recompute(database, T0 + 4 * HOUR)
    store, found, after = ReportStore(database), [], None

    while True:
        page = await store.totals(TotalFilter("hour", "connector", scope=Scope(OPERATOR)), after, 2)
        found += page.items
        after = page.next
        if after is None:
            break

    assert [(item["id"], item["start"][11:13], item["energy_wh"], item["sessions"]) for item in found] == [
        ("CS-0001/1/1", "10", 200, 2),
        ("CS-0001/2/1", "10", 200, 2),
        ("CS-0002/1/1", "10", 4, 1),
        ("CS-0002/1/1", "11", 3, 0),
    ]
    assert found[0] == {
        "by": "hour",
        "of": "connector",
        "id": "CS-0001/1/1",
        "operator": OPERATOR,
        "start": "2026-01-05T10:00:00.000Z",
        "energy_wh": 200,
        "sessions": 2,
        "charging_s": 7200,
        "revision": 1,
        "computed_at": None,
    }
    assert await energies(database, "hour", "station", since=T0 + HOUR) == {
        ("CS-0002", "2026-01-05T11:00:00.000Z"): 3
    }
    assert await energies(database, "hour", "connector", scope=Scope("000000000")) == {}


async def test_hours_do_not_close_before_what_is_marked_for_later(database: Database) -> None:
    """A running session's mark waits a minute; the hour that ends meanwhile has its energy all the same."""
    (station,) = await stations(database)
    running = a_session(station, 1, energy_wh=100, last_event_at=T0 + 10 * MINUTE)
    await put(database, station, running)
    await recompute(database, T0 + 11 * MINUTE)
    late = evolve(running, energy_wh=200, last_event_at=T0 + 59 * MINUTE)
    told = Change(late, message=a_message("m2", T0 + HOUR + GRACE), hours_due=True)
    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(told, station)))

    await ReportStore(database).recompute(T0 + HOUR + GRACE, grace=GRACE)

    total = await one_total(database)
    assert (total["energy_wh"], total["revision"]) == (200, 1)
    assert await count(database, "session_due") == 0


async def test_an_open_hour_changes_without_revision(database: Database) -> None:
    """A running session is totalled again and again; nobody was told yet."""
    (station,) = await stations(database)
    running = a_session(station, 1, energy_wh=100, last_event_at=T0 + 10 * MINUTE)
    await put(database, station, running)
    await recompute(database, T0 + 11 * MINUTE)
    await change(database, station, evolve(running, energy_wh=200, last_event_at=T0 + 20 * MINUTE), "m2")

    await recompute(database, T0 + 61 * MINUTE)
    before = await one_total(database)
    await ReportStore(database).recompute(T0 + 3 * HOUR, grace=GRACE)

    assert before["energy_wh"] == 100
    total = await one_total(database)
    assert (total["energy_wh"], total["revision"]) == (200, 1)
    assert await count(database, "total_revisions") == 0


async def test_a_closed_hour_that_changes_is_revised(database: Database) -> None:
    """D10: a new revision, and what was said before is kept."""
    (station,) = await stations(database)
    session = ended(station, 1, 1000)
    await put(database, station, session)
    await recompute(database, T0 + 2 * HOUR)

    await change(database, station, evolve(session, energy_wh=1100), "late")
    await recompute(database, T0 + 4 * HOUR)

    total = await one_total(database)
    assert (total["energy_wh"], total["revision"]) == (1100, 2)
    store = ReportStore(database)
    (before,) = await store.revisions(TotalFilter("hour", "site"))
    assert (before["energy_wh"], before["revision"]) == (1000, 1)
    # The day was not over: it is corrected, not revised.
    day = await one_total(database, "day")
    assert (day["energy_wh"], day["revision"]) == (1100, 1)


async def test_the_same_figures_are_no_revision(database: Database) -> None:
    """Computed again without a difference, nothing is written."""
    (station,) = await stations(database)
    session = ended(station, 1, 1000)
    await put(database, station, session)
    await recompute(database, T0 + 2 * HOUR)
    before = await one_total(database)

    await change(database, station, session, "again")
    taken = await recompute(database, T0 + 5 * HOUR)

    assert taken >= 1
    assert await one_total(database) == before


async def test_energy_that_moves_leaves_its_hour(database: Database) -> None:
    """A session whose times or connector are corrected is counted once, where it belongs."""
    (station,) = await stations(database)
    session = ended(station, 1, 1000)
    await put(database, station, session)
    await recompute(database, T0 + 2 * HOUR)

    moved = evolve(session, started_at=T0 + HOUR, ended_at=T0 + 2 * HOUR, evse=2)
    await change(database, station, moved, "moved")
    await recompute(database, T0 + 4 * HOUR)

    assert list((await energies(database, "hour", "site")).values()) == [0, 1000]
    assert await energies(database, "day", "connector") == {
        ("CS-0001/1/1", "2026-01-04T16:00:00.000Z"): 0,
        ("CS-0001/2/1", "2026-01-04T16:00:00.000Z"): 1000,
    }


async def test_a_mark_made_meanwhile_is_not_lost(database: Database) -> None:
    """Marked again between computing and settling, the session stays due."""
    (station,) = await stations(database)
    session = ended(station, 1, 1000)
    await put(database, station, session)
    store = ReportStore(database)
    look = database.look

    async def look_and_be_late(job: Any) -> Any:
        found = await look(job)
        # What was computed: hours and orders. Before it came the question whether anything is due.
        if isinstance(found[0], list):
            await change(database, station, evolve(session, energy_wh=900), "late")
            database.look = look  # type: ignore[method-assign]  # only the first time
        return found

    database.look = look_and_be_late  # type: ignore[method-assign]  # a message between the two steps
    await store.recompute(T0 + 4 * HOUR, grace=GRACE)
    assert await count(database, "session_due") == 1

    await recompute(database, T0 + 4 * HOUR)
    assert (await one_total(database))["energy_wh"] == 900


async def test_since_when_a_session_is_due(database: Database) -> None:
    """The longest; none when all is settled."""
    (station,) = await stations(database)
    store = ReportStore(database)
    assert await store.due_since() is None
    await put(database, station, ended(station, 1, 1000), ended(station, 2, 1000, started_at=T0 - HOUR))

    assert await store.due_since() == T0 - HOUR + DUE_SOON

    await recompute(database, T0 + 4 * HOUR)
    assert await store.due_since() is None


class Told:
    """Owes nothing, and remembers the hours it was told of."""

    def __init__(self) -> None:
        self.hours: list[SiteHour] = []

    def __call__(self, hours: Sequence[SiteHour]) -> list[OutboxRow]:
        self.hours += hours
        return []


def owe(hours: Sequence[SiteHour]) -> list[OutboxRow]:
    """As reporting does: one row a closed hour and revision."""
    return [
        OutboxRow.of(
            "city",
            "hour-total",
            hour.site_code,
            f"{hour.site_code}/{hour.hour.isoformat()}/{hour.revision}",
            hour._asdict(),
            T0,
        )
        for hour in hours
    ]


async def test_closed_hours_are_owed_once_a_revision(database: Database) -> None:
    """Not before the grace is over, whatever is computed meanwhile; with energy by connector."""
    (station,) = await stations(database)
    first = ended(station, 1, 1000)
    await put(database, station, first, ended(station, 2, 1, evse=2))
    at = T0 + HOUR + MINUTE
    assert await recompute(database, at, owed=owe) == 2
    assert await count(database, "outbox") == 0

    await asyncio.gather(*(recompute(database, at + GRACE, owed=owe) for _ in range(3)))
    assert await count(database, "outbox") == 1
    await change(database, station, evolve(first, energy_wh=1100), "late")
    await recompute(database, at + 3 * HOUR, owed=owe)
    await recompute(database, at + 4 * HOUR, owed=owe)

    assert await count(database, "outbox") == 2
    told = Told()
    await change(database, station, evolve(first, energy_wh=1200), "later")
    await recompute(database, at + 5 * HOUR, owed=told)
    assert told.hours == [
        SiteHour(
            OPERATOR,
            "S01",
            T0,
            1201,
            2,
            3,
            [
                {
                    "identity": "CS-0001",
                    "energy_wh": 1201,
                    "connectors": [
                        {"evse": 1, "connector": 1, "energy_wh": 1200},
                        {"evse": 2, "connector": 1, "energy_wh": 1},
                    ],
                }
            ],
        )
    ]


async def test_hours_are_not_closed_while_sessions_are_due(database: Database) -> None:
    """A backlog is worked off first: no hour is reported half."""
    (station,) = await stations(database)
    await put(database, station, *(ended(station, n, 10) for n in range(1, 8)))
    store, told = ReportStore(database), Told()

    while await store.recompute(T0 + 4 * HOUR, grace=GRACE, most=3, owed=told):
        pass

    assert [(hour.energy_wh, hour.sessions, hour.revision) for hour in told.hours] == [(70, 7, 1)]


async def test_days_with_a_change_of_clocks(database: Database) -> None:
    """D11: 23 and 25 hours; the day is the sum of its hours to the Wh."""
    (station,) = await stations(database)
    await Registry(database).put_operator(OperatorForm(OPERATOR, "", "Europe/Berlin"))
    for number, day in enumerate([datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)], 1):
        start = day - timedelta(hours=3)
        await put(
            database,
            station,
            ended(station, number, 10_007, started_at=start, ended_at=start + timedelta(hours=30)),
        )

    await recompute(database, datetime(2027, 1, 1, tzinfo=UTC))

    hours = (await ReportStore(database).totals(TotalFilter("hour", "site"))).items
    days = (await ReportStore(database).totals(TotalFilter("day", "site"))).items
    assert sum(item["energy_wh"] for item in hours) == sum(item["energy_wh"] for item in days) == 2 * 10_007
    assert [(item["start"], item["charging_s"]) for item in days] == [
        ("2026-03-27T23:00:00.000Z", 2 * 3600),
        ("2026-03-28T23:00:00.000Z", 23 * 3600),
        ("2026-03-29T22:00:00.000Z", 5 * 3600),
        ("2026-10-23T22:00:00.000Z", 3600),
        ("2026-10-24T22:00:00.000Z", 25 * 3600),
        ("2026-10-25T23:00:00.000Z", 4 * 3600),
    ]


async def test_a_station_without_a_site_has_totals_too(database: Database) -> None:
    """Its connector and itself; no site, no operator."""
    registry = Registry(database)
    await registry.put_station(StationForm("X"), T0)
    station = await registry.station("X")
    assert station is not None
    await put(database, station, ended(station, 1, 5))

    await recompute(database, T0 + 4 * HOUR, owed=owe)

    assert await energies(database, "day", "station") == {("X", "2026-01-05T00:00:00.000Z"): 5}
    assert await energies(database, "day", "site") == {}
    assert await count(database, "outbox") == 0
