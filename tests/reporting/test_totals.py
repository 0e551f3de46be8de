"""Totals from sessions and what cities are owed of them, over each database (rows D10, D11)."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from csms.domain.assets import ChargingStation
from csms.errors import StoreUnavailable
from csms.handlers.context import PlatformRoute, Services
from csms.reporting.outbox import Deliverer
from csms.reporting.tcec.client import PlatformClient
from csms.reporting.tcec.messages import HourTotal
from csms.reporting.totals import Totaller
from csms.store.database import Database
from csms.store.outbox import Outbox, OutboxFilter
from csms.store.reports import ReportStore, TotalFilter
from csms.store.writer import Writer
from simulators.city import CityPlatform
from tests.reporting.parts import (
    DAY,
    HOUR,
    MINUTE,
    OPERATOR,
    T0,
    Clock,
    Told,
    cancelled,
    reporting,
    services_of,
    sites,
    until,
)

ROUTE = PlatformRoute("city", OPERATOR, hour_totals=True)
GRACE = timedelta(seconds=120)


class House:
    """Services, totals and the totaller of one test."""

    def __init__(self, database: Database, writer: Writer, clock: Clock, *routes: PlatformRoute) -> None:
        self.database, self.clock = database, clock
        self.services: Services = services_of(database, writer, clock, routes)
        self.reports = ReportStore(database)
        self.totaller = Totaller(self.services, self.reports)
        self.outbox = Outbox(database)
        self._number = 0

    def told(self, station: ChargingStation) -> Told:
        """A session yet to be told."""
        self._number += 1
        return Told(self.services, station, self._number)

    async def settle(self) -> int:
        """Compute until nothing is due; how often something was."""
        rounds = 0
        while await self.totaller.compute_due():
            rounds += 1
        return rounds

    async def totals(self, by: str, of: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Totals by subject and start."""
        items: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = await self.reports.totals(TotalFilter(by, of), after, 500)
            items += page.items
            after = page.next
            if after is None:
                return {(item["id"], item["start"]): item for item in items}

    async def owed(self) -> list[dict[str, Any]]:
        """Outbox rows of hours, oldest first."""
        page = await self.outbox.find(OutboxFilter(kind="hour-total"), most=1000)
        return list(reversed(page.items))


@pytest.fixture
def house(database: Database, writer: Writer, clock: Clock) -> House:
    return House(database, writer, clock, ROUTE)


def energies(totals: dict[tuple[str, str], dict[str, Any]]) -> dict[tuple[str, str], int]:
    return {key: item["energy_wh"] for key, item in totals.items()}


async def test_a_session_is_in_the_totals_of_everything_it_belongs_to(house: House) -> None:
    """Two hours and a half at one connector: hours, day and month of connector, station, site, operator."""
    (station,) = await sites(house.services)
    session = await house.told(station).whole(T0 + 30 * MINUTE, 2 * HOUR, 24_000)
    house.clock.at = T0 + 6 * HOUR

    await house.settle()

    assert session.energy_wh == 24_000
    hours = energies(await house.totals("hour", "site"))
    assert hours == {
        ("S01", "2026-01-05T10:00:00.000Z"): 6_000,
        ("S01", "2026-01-05T11:00:00.000Z"): 12_000,
        ("S01", "2026-01-05T12:00:00.000Z"): 6_000,
    }
    subjects = {"connector": "S01-1/1/1", "station": "S01-1", "site": "S01", "operator": OPERATOR}
    for level, subject in subjects.items():
        # The operator's clock is eight hours ahead.
        assert energies(await house.totals("day", level)) == {(subject, "2026-01-04T16:00:00.000Z"): 24_000}
        (month,) = (await house.totals("month", level)).values()
        assert (month["energy_wh"], month["sessions"], month["charging_s"]) == (24_000, 1, 7_200)
        assert month["start"] == "2025-12-31T16:00:00.000Z"


async def test_everything_adds_up(house: House) -> None:
    """Many sessions of all lengths: every level and every period has the same sum, to the watt-hour."""
    stations = await sites(house.services, sites=3, stations=2)
    chance = random.Random(7)
    total, starts = 0, Counter[str]()
    for n in range(60):
        station = stations[n % len(stations)]
        told = house.told(station)
        begin = T0 + timedelta(minutes=chance.randrange(40 * 24 * 60), seconds=chance.randrange(60))
        wh = 1000
        await told.start(begin, wh)
        at = begin
        for _ in range(chance.randrange(6)):
            at += timedelta(minutes=chance.randrange(1, 50))
            wh += chance.randrange(9_000)
            await told.meter(at, wh)
        session = await told.stop(
            at + timedelta(seconds=chance.randrange(1, 4000)), wh + chance.randrange(300)
        )
        total += session.energy_wh or 0
        starts[station.site_code] += 1
    house.clock.at = T0 + 60 * DAY

    await house.settle()

    for by in ("hour", "day", "month"):
        for of in ("connector", "station", "site", "operator"):
            found = (await house.totals(by, of)).values()
            assert sum(item["energy_wh"] for item in found) == total, (by, of)
            assert sum(item["sessions"] for item in found) == 60, (by, of)
            assert all(item["revision"] == 1 for item in found)
    by_site = Counter[str]()
    for (site, _), item in (await house.totals("hour", "site")).items():
        by_site[site] += item["sessions"]
    assert by_site == starts


async def test_twice_changes_nothing(house: House) -> None:
    """A second run finds nothing due, and a session marked again for nothing makes no revision."""
    (station,) = await sites(house.services)
    told = house.told(station)
    await told.whole(T0, 3 * HOUR, 9_000)
    house.clock.at = T0 + DAY
    assert await house.settle() > 0
    before = await house.totals("hour", "site"), await house.owed()

    assert await house.totaller.compute_due() == 0
    # A late message that says nothing new marks the session all the same.
    await told.meter(T0 + 90 * MINUTE, 1000 + 4_500, arrived=house.clock.at)
    house.clock.move(MINUTE)
    await house.settle()

    assert (await house.totals("hour", "site"), await house.owed()) == before


async def test_late_data_makes_a_revision(house: House) -> None:
    """D10: a reading that comes after the report moves energy between hours; both get revision 2."""
    (station,) = await sites(house.services)
    told = house.told(station)
    await told.whole(T0, 2 * HOUR, 10_000)
    house.clock.at = T0 + 5 * HOUR
    await house.settle()
    assert sorted(energies(await house.totals("hour", "site")).values()) == [5_000, 5_000]

    await told.meter(T0 + HOUR, 1000 + 8_000, arrived=house.clock.at)
    house.clock.move(MINUTE)
    await house.settle()

    first, second = sorted((await house.totals("hour", "site")).values(), key=lambda item: item["start"])
    assert (first["energy_wh"], first["revision"]) == (8_000, 2)
    assert (second["energy_wh"], second["revision"]) == (2_000, 2)
    # The day's figure is as it was.
    (day,) = (await house.totals("day", "site")).values()
    assert (day["energy_wh"], day["revision"]) == (10_000, 1)
    abouts = [row["about"] for row in await house.owed()]
    assert sorted(abouts) == [
        "S01/2026-01-05T10:00:00Z/1",
        "S01/2026-01-05T10:00:00Z/2",
        "S01/2026-01-05T11:00:00Z/1",
        "S01/2026-01-05T11:00:00Z/2",
    ]
    earlier = await house.reports.revisions(TotalFilter("hour", "site"))
    assert [item["energy_wh"] for item in earlier] == [5_000, 5_000]


async def test_an_hour_is_owed_once_it_has_ended(house: House) -> None:
    """While it runs it is totalled and not told; after its grace it is told once, whole."""
    (station,) = await sites(house.services)
    told = house.told(station)
    await told.start(T0)
    for minute in range(0, 70, 10):
        house.clock.at = T0 + minute * MINUTE
        await told.meter(house.clock.at, 1000 + 100 * minute)
        await house.settle()
        assert await house.owed() == []
    house.clock.at = T0 + HOUR + GRACE - timedelta(seconds=1)
    await house.settle()
    assert await house.owed() == []

    house.clock.at = T0 + HOUR + GRACE
    await house.settle()

    (row,) = await house.owed()
    assert (row["about"], row["state"]) == ("S01/2026-01-05T10:00:00Z/1", "waiting")
    (leased,) = await house.outbox.lease(("city",), house.clock())
    total = HourTotal.from_payload(leased.payload)
    assert (leased.key, total.operator_id, total.site_code) == ("S01/2026-01-05T10:00:00Z", OPERATOR, "S01")
    assert (total.hour, total.energy_wh, total.sessions, total.revision) == (T0, 6_000, 1, 1)
    (of_station,) = total.stations
    assert (of_station.identity, of_station.energy_wh) == ("S01-1", 6_000)
    assert [(c.evse, c.connector, c.energy_wh) for c in of_station.connectors] == [(1, 1, 6_000)]


async def test_only_the_operators_platforms_are_owed(
    database: Database, writer: Writer, clock: Clock
) -> None:
    """A platform of another operator, or one that takes no hours, gets none."""
    others = (
        PlatformRoute("other", "987654321", hour_totals=True),
        PlatformRoute("orders-only", OPERATOR),
        PlatformRoute("second", OPERATOR, hour_totals=True),
    )
    house = House(database, writer, clock, ROUTE, *others)
    (station,) = await sites(house.services)
    await house.told(station).whole(T0, HOUR, 1_000)
    clock.at = T0 + DAY

    await house.settle()

    assert sorted(row["platform"] for row in await house.owed()) == ["city", "second"]


async def test_without_platforms_totals_are_kept_all_the_same(
    database: Database, writer: Writer, clock: Clock
) -> None:
    """Nobody is owed anything."""
    house = House(database, writer, clock)
    (station,) = await sites(house.services)
    await house.told(station).whole(T0, HOUR, 1_000)
    clock.at = T0 + DAY

    await house.settle()

    assert list(energies(await house.totals("hour", "site")).values()) == [1_000]
    assert await house.owed() == []


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)],
    ids=["spring", "autumn", "plain"],
)
async def test_days_of_summer_time_are_exact(house: House, day: str, hours: int) -> None:
    """D11: 1 kW for a day is as many kWh as it has hours; what passes midnight is split there."""
    (station,) = await sites(house.services, zone="Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    midnight = datetime.fromisoformat(day).replace(tzinfo=berlin).astimezone(UTC)
    lasts = timedelta(hours=hours + 2)
    await house.told(station).whole(midnight - HOUR, lasts, (hours + 2) * 1_000)
    house.clock.at = midnight + 3 * DAY

    await house.settle()

    days = energies(await house.totals("day", "site"))
    assert [days[key] for key in sorted(days)] == [1_000, hours * 1_000, 1_000]
    starts = [key[1] for key in sorted(days)]
    assert starts[1] == midnight.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    of_hours = energies(await house.totals("hour", "site"))
    assert len(of_hours) == hours + 2
    assert set(of_hours.values()) == {1_000}


async def test_two_totallers_are_harmless(house: House, writer: Writer) -> None:
    """Side by side on one database: no figure is lost, no revision made, no hour owed twice."""
    stations = await sites(house.services, stations=3)
    sessions = [
        await house.told(stations[n % 3]).whole(T0 + n * MINUTE, 2 * HOUR, 1_000 + n) for n in range(90)
    ]
    house.clock.at = T0 + DAY
    second = Totaller(house.services, ReportStore(house.database))

    async def work(totaller: Totaller) -> None:
        while await totaller.compute_due():
            pass

    await asyncio.gather(work(house.totaller), work(second))
    await house.settle()

    total = sum(session.energy_wh or 0 for session in sessions)
    for of in ("connector", "station", "site", "operator"):
        found = await house.totals("day", of)
        assert sum(energies(found).values()) == total, of
    owed = await house.owed()
    assert len(owed) == len({row["about"] for row in owed})
    hours = await house.totals("hour", "site")
    assert sum(energies(hours).values()) == total
    # What was owed last is what stands.
    last = {row["about"].rpartition("/")[0]: int(row["about"].rpartition("/")[2]) for row in owed}
    assert last == {f"S01/{item['start'][:19]}Z": item["revision"] for item in hours.values()}


async def test_two_totallers_over_a_session_that_goes_on(house: House) -> None:
    """While both compute, sessions go on and late data comes; in the end all figures are the sessions'."""
    stations = await sites(house.services, stations=4)
    tales = [house.told(station) for station in stations for _ in range(3)]
    for n, tale in enumerate(tales):
        await tale.start(T0 + n * timedelta(seconds=1), evse=1 + n % 3)
    house.clock.at = T0 + 3 * DAY
    second = Totaller(house.services, ReportStore(house.database))
    done = False

    async def work(totaller: Totaller) -> None:
        while not done:
            await totaller.compute_due()
            await asyncio.sleep(0)

    workers = [asyncio.create_task(work(totaller)) for totaller in (house.totaller, second)]
    for step in range(1, 9):
        for tale in tales:
            await tale.meter(T0 + step * 25 * MINUTE, 1000 + 1_000 * step)
    for tale in tales:
        await tale.stop(T0 + 4 * HOUR, 10_777)
        await tale.meter(T0 + 30 * MINUTE, 2_500, arrived=T0 + 5 * HOUR)
    done = True
    await asyncio.gather(*workers)
    await house.settle()

    total = sum(tale.now.energy_wh or 0 for tale in tales)
    assert total == 12 * 9_777
    for by in ("hour", "day", "month"):
        assert sum(energies(await house.totals(by, "site")).values()) == total, by
        assert sum(energies(await house.totals(by, "connector")).values()) == total, by


class Held:
    """A database whose next write transaction waits until it is let go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.arrived, self.go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def run(self, job: Any) -> Any:
        self.arrived.set()
        await self.go.wait()
        return await self._database.run(job)


async def test_a_slow_totaller_does_not_bring_back_old_figures(house: House) -> None:
    """One has read a session and is held up; it goes on and another computes it; the first writes last."""
    (station,) = await sites(house.services)
    told = house.told(station)
    await told.start(T0)
    await told.meter(T0 + 30 * MINUTE, 3_000)
    house.clock.at = T0 + DAY
    held = Held(house.database)
    slow = Totaller(house.services, ReportStore(held))  # type: ignore[arg-type]  # it does what a database does
    first = asyncio.create_task(slow.compute_due())
    await held.arrived.wait()
    await told.stop(T0 + 90 * MINUTE, 10_000)
    await house.settle()

    held.go.set()
    await first
    await house.settle()

    assert sum(energies(await house.totals("hour", "site")).values()) == 9_000
    assert [row["about"][-1] for row in await house.owed()] == ["1", "1"]


async def test_the_city_ends_up_with_the_last_revision(
    house: House, city: CityPlatform, client: PlatformClient
) -> None:
    """From messages to the city's ledger: its hours add up to the sessions, whatever was restated."""
    stations = await sites(house.services, sites=2, stations=2)
    deliveries = Deliverer(house.outbox, {"city": client}, reporting(), house.clock)
    tales = [house.told(station) for station in stations]
    for tale in tales:
        await tale.whole(T0 + 10 * MINUTE, 2 * HOUR, 12_345)
    house.clock.at = T0 + 6 * HOUR
    await house.settle()
    await deliveries.deliver_due()
    for tale in tales[:2]:
        await tale.meter(T0 + 50 * MINUTE, 1000 + 11_000, arrived=house.clock.at)
    house.clock.move(MINUTE)
    await house.settle()
    await deliveries.deliver_due()

    summary = city.ledger.summary()
    assert summary["hours"]["energy_wh"] == summary["orders"]["energy_wh"] == 4 * 12_345
    assert (summary["hours"]["accepted"], summary["hours"]["corrections"]) == (6, 3)
    assert {entry["operator"] for entry in city.ledger.hours()} == {OPERATOR}


async def test_backfilled_history_is_computed_in_batches(house: House) -> None:
    """A thousand sessions of last month at once: in bounded batches, each hour owed once."""
    stations = await sites(house.services, sites=5, stations=2)
    await asyncio.gather(
        *(
            house.told(stations[n % 10]).whole(T0 + (n // 10) * 6 * HOUR, 90 * MINUTE, 6_000, evse=1 + n % 7)
            for n in range(1_000)
        )
    )
    house.clock.at = T0 + 40 * DAY

    rounds = await house.settle()

    assert rounds >= 5
    hours = await house.totals("hour", "site")
    assert sum(energies(hours).values()) == 6_000_000
    assert all(item["revision"] == 1 for item in hours.values())
    assert len(await house.owed()) == min(len(hours), 1000)


class Fickle(ReportStore):
    """A store that is away, then broken, then there."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.troubles: list[Exception] = [StoreUnavailable(), RuntimeError("a fault of ours")]

    async def recompute(self, *args: Any, **options: Any) -> int:
        if self.troubles:
            raise self.troubles.pop(0)
        return await super().recompute(*args, **options)


async def test_it_goes_on_after_an_outage(house: House) -> None:
    """Neither a database that is away nor a fault of ours ends the work."""
    (station,) = await sites(house.services)
    await house.told(station).whole(T0, HOUR, 1_000)
    house.clock.at = T0 + DAY

    running = asyncio.create_task(Totaller(house.services, Fickle(house.database)).run())
    await until(lambda: is_owed(house))
    await cancelled(running)

    assert list(energies(await house.totals("hour", "site")).values()) == [1_000]


async def is_owed(house: House) -> bool:
    return bool(await house.owed())
