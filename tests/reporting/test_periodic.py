"""What is told without cause, over each database: in turn, once, in pieces, and never piled up."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from structlog.testing import capture_logs

from csms.domain.assets import ConnectorStatus
from csms.domain.events import ConnectorStatusChanged
from csms.domain.meter import Reading
from csms.reporting.periodic import Periodic
from csms.reporting.routes import Route, tick_of
from csms.reporting.tcec.schema import Repeat
from csms.store.database import Database
from csms.store.live_states import LiveStates
from csms.store.outbox import Outbox, OutboxFilter
from csms.store.platforms import PlatformStore
from csms.store.records import ConnectorStateRow
from csms.store.tables import charging_stations
from csms.store.writer import Write, Writer
from tests.reporting.cityparts import FakeInventory, route_of, site_there
from tests.reporting.parts import MINUTE, T0, Clock, Told, services_of, sites
from tests.store.given import told_row


async def payloads(outbox: Outbox, kind: str) -> list[dict[str, Any]]:
    """What waits of a kind, oldest first."""
    entries = await outbox.lease(["city"], T0 + timedelta(days=30), 1000)
    for entry in entries:
        await outbox.give_back(entry.hold)
    return [entry.payload for entry in entries if entry.kind == kind]


def _connect(station_id: int, connection: Connection) -> None:
    connection.execute(
        charging_stations.update().where(charging_stations.c.station_id == station_id).values(connected_at=1)
    )


async def network(database: Database, writer: Writer, clock: Clock) -> tuple[Told, Periodic, FakeInventory]:
    """A site with two charging stations, one of which is charging at 6 kW."""
    services = services_of(database, writer, clock)
    stations = await sites(services, stations=2)
    for station in stations:
        event = ConnectorStatusChanged(1, 1, ConnectorStatus.CHARGING, T0)
        row = ConnectorStateRow.of(station.station_id, event, T0)
        await writer.write(Write(station.station_id, 0, [row]))
        await database.run(partial(_connect, station.station_id))
    told = Told(services, stations[0], 4711)
    await told.start(T0)
    await told.meter(T0 + MINUTE, 1100)
    inventory = FakeInventory({1: site_there(1, ["S01-1", "S01-2"], T0)})
    return told, Periodic((), LiveStates(database), PlatformStore(database)), inventory


def test_turns_begin_after_chinas_midnight() -> None:
    """Every three hours from 1:30 on."""
    every = Repeat(every_s=10_800, offset_s=5_400)
    half_past_one = datetime(2026, 1, 4, 17, 30, tzinfo=UTC)

    assert tick_of(half_past_one, every) == tick_of(half_past_one - timedelta(seconds=1), every) + 1
    assert tick_of(half_past_one + timedelta(hours=2, minutes=59), every) == tick_of(half_past_one, every)


async def test_sessions_under_way(database: Database, writer: Writer, outbox: Outbox, clock: Clock) -> None:
    """Every turn once, however many nodes look; a later turn takes the place of one that was not told."""
    _, periodic, inventory = await network(database, writer, clock)
    route = route_of("tcec102-2016", clock, inventory)
    clock.move(2 * MINUTE)

    done = await asyncio.gather(*(periodic.look(route) for _ in range(3)))
    (status,) = await payloads(outbox, "charge-status")
    assert sum(done) == 1
    assert (status["start_charge_seq"], status["energy_wh"]) == ("123456789" + f"{4711:018d}", 100)
    assert status["site_code"] == "S01"

    clock.move(50 * (MINUTE / 60))
    await periodic.look(route)
    (later,) = await payloads(outbox, "charge-status")
    assert later["at"] > status["at"]


async def test_all_statuses(database: Database, writer: Writer, outbox: Outbox, clock: Clock) -> None:
    """Of connectors that are told of; a station that is away is off-line."""
    _, periodic, inventory = await network(database, writer, clock)
    route = route_of("beijing", clock, inventory)

    await periodic.look(route)
    found = {one["identity"]: one["status"] for one in await payloads(outbox, "connector-status")}

    assert set(found) == {"S01-1", "S01-2"}
    assert await periodic.look(route) == 0
    clock.move(timedelta(hours=3))
    await periodic.look(route)
    assert len(await payloads(outbox, "connector-status")) == 2  # the first ones were not told yet


async def test_sites_once_for_each_change(
    database: Database, writer: Writer, outbox: Outbox, clock: Clock
) -> None:
    """All of them at first; then those that changed."""
    _, periodic, inventory = await network(database, writer, clock)
    route = route_of("zhejiang", clock, inventory)

    await periodic.look(route)
    (first,) = await payloads(outbox, "station-info")
    assert (first["site"]["station_id"], len(first["equipment"])) == ("ST-1", 2)
    clock.move(10 * MINUTE)
    await periodic.look(route)
    assert len(await payloads(outbox, "station-info")) == 1
    inventory.there[1].changed_at = clock()
    clock.move(10 * MINUTE)
    await periodic.look(route)
    waiting = await outbox.find(OutboxFilter(kind="station-info"))
    assert len(waiting.items) == 2


async def test_power(database: Database, writer: Writer, outbox: Outbox, clock: Clock) -> None:
    """Every connector, in watts; one without a session draws none."""
    told, periodic, inventory = await network(database, writer, clock)
    reading = Reading(T0 + MINUTE, "power.active.import", 6_000_000)
    row = told_row(told.session_id, [reading], T0)
    await writer.write(Write(told.station.station_id, 0, [row]))
    route = route_of("zhejiang", clock, inventory)
    clock.move(2 * MINUTE)

    await periodic.look(route)
    (power,) = await payloads(outbox, "power")

    (site,) = power["sites"]
    assert (site["site_code"], len(site["equipment"])) == ("S01", 2)
    assert [plug["power_w"] for one in site["equipment"] for plug in one["connectors"]] == [6000, 0]


async def test_a_session_of_which_nothing_is_new(
    database: Database, writer: Writer, outbox: Outbox, clock: Clock
) -> None:
    """Zhejiang hears nothing of it, the standard hears zeros."""
    _, periodic, inventory = await network(database, writer, clock)
    clock.move(timedelta(hours=1))

    await periodic.look(route_of("zhejiang", clock, inventory))
    assert await payloads(outbox, "charge-status") == []
    await periodic.look(route_of("tcec102-2016", clock, inventory))
    (status,) = await payloads(outbox, "charge-status")
    assert status["live"]["current_a"] is None


async def test_it_goes_on_after_trouble(
    database: Database, writer: Writer, outbox: Outbox, clock: Clock
) -> None:
    """One platform's trouble is not another's."""
    _, _, inventory = await network(database, writer, clock)

    class Broken(FakeInventory):
        async def changed_sites(self, operator: str, since: datetime | None = None) -> list[int]:
            raise RuntimeError("no inventory")

    bad, good = route_of("beijing", clock, Broken()), route_of("beijing", clock, inventory)
    good = Route("city", good.operator_code, good.profile, good.places, clock)
    bad = Route("other", bad.operator_code, bad.profile, bad.places, clock)
    with capture_logs() as lines:
        task = asyncio.create_task(Periodic((bad, good), LiveStates(database), PlatformStore(database)).run())
        async with asyncio.timeout(10):
            while not (await outbox.find(OutboxFilter(platform="city"))).items:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert {line["platform"] for line in lines if line["log_level"] == "error"} == {"other"}
