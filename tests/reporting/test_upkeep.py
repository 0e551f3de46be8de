"""Sessions nobody ends, over each database: suspicion, closing (T12), the late stop, running hours."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import ChargingStation, ConnectorStatus, OcppVersion
from csms.domain.charging_session import ChargingSession, Evidence, SessionState
from csms.domain.ending import suspect
from csms.domain.events import ConnectorStatusChanged, SessionEnded
from csms.domain.quality import Flag
from csms.handlers import dispatch
from csms.handlers.context import MessageInfo, PlatformRoute, Services
from csms.reporting.totals import Totaller
from csms.reporting.upkeep import Upkeep
from csms.store.database import Database
from csms.store.outbox import Outbox, OutboxFilter
from csms.store.reports import ReportStore, TotalFilter
from csms.store.session_codec import DUE_SOON, records_of
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Write, Writer
from tests.reporting.parts import (
    DAY,
    HOUR,
    MINUTE,
    OPERATOR,
    T0,
    Clock,
    Told,
    cancelled,
    services_of,
    sites,
    until,
)

ROUTE = PlatformRoute("city", OPERATOR, hour_totals=True)
SECOND = timedelta(seconds=1)


@pytest.fixture
def services(database: Database, writer: Writer, clock: Clock) -> Services:
    return services_of(database, writer, clock, (ROUTE,))


@pytest.fixture
async def station(services: Services) -> ChargingStation:
    (made,) = await sites(services)
    return made


@pytest.fixture
def upkeep(services: Services, database: Database) -> Upkeep:
    return Upkeep(services, UpkeepStore(database))


@pytest.fixture
async def told(services: Services, station: ChargingStation) -> Told:
    """A session of which the last thing heard was 5 kWh an hour after its start."""
    tale = Told(services, station, 77)
    await tale.start(T0)
    await tale.meter(T0 + HOUR, 6_000)
    return tale


async def stored(services: Services, number: int = 77) -> ChargingSession:
    found = await services.sessions.by_id(number)
    assert found is not None
    return found


async def suspected(tale: Told, at: datetime, evidence: Evidence = Evidence.BOOT) -> None:
    """What a station's own handler writes when `evidence` comes."""
    change = suspect(tale.now, evidence, at, at)
    assert change is not None
    records = records_of(change, tale.station, tale.now)
    await tale.services.writer.write(Write(tale.station.station_id, 0, records))
    tale.session = change.session


async def orders(services: Services, database: Database) -> list[dict[str, Any]]:
    """Charge orders as owed by now, oldest first."""
    await settled(services, database)
    leased = []
    outbox = Outbox(database)
    while found := await outbox.lease(("city",), T0 + 400 * DAY, 100):
        for entry in found:
            leased.append({"about": entry.about, **entry.payload})
            await outbox.sent(entry.hold, T0)
    return [order for order in leased if "start_charge_seq" in order]


async def settled(services: Services, database: Database) -> None:
    """What is due for soon is settled as well."""
    later = replace(services, now=lambda: services.now() + DUE_SOON)
    while await Totaller(later, ReportStore(database)).compute_due():
        pass


async def test_a_suspected_session_is_closed_after_a_day(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """T12: closed with what the readings say, as estimated; its order is owed and its totals are due."""
    await suspected(told, T0 + 2 * HOUR)
    clock.at = T0 + 26 * HOUR - SECOND
    assert await upkeep.tend() == 0

    clock.at = T0 + 26 * HOUR
    assert await upkeep.tend() == 1
    assert await upkeep.tend() == 0

    session = await stored(services)
    assert (session.state, session.energy_wh, session.ended_at) == (SessionState.ENDED, 5_000, T0 + HOUR)
    assert {Flag.NO_STOP, Flag.ESTIMATED} <= set(session.flags)
    (order,) = await orders(services, database)
    assert (order["energy_wh"], order["revision"], order["stop_reason"]) == (5_000, 1, "no-stop")
    await Totaller(services, ReportStore(database)).compute_due()
    page = await ReportStore(database).totals(TotalFilter("hour", "site"))
    assert sum(item["energy_wh"] for item in page.items) == 5_000


async def test_the_late_stop_is_revision_two(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """T12: the station comes back after two days and still has the stop: the order is corrected."""
    await suspected(told, T0 + 2 * HOUR)
    clock.at = T0 + 2 * DAY
    await upkeep.tend()
    await settled(services, database)
    # A new connection reads its sessions from the store.
    (again,) = await services.sessions.open_sessions(told.station.station_id)

    told.session = again
    session = await told.stop(T0 + 3 * HOUR, 1000 + 17_500, arrived=clock())

    assert (session.revision, session.energy_wh, session.ended_at) == (2, 17_500, T0 + 3 * HOUR)
    assert Flag.NO_STOP not in session.flags
    assert [(o["revision"], o["energy_wh"]) for o in await orders(services, database)] == [
        (1, 5_000),
        (2, 17_500),
    ]


async def test_a_connected_station_has_the_last_word(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, station: ChargingStation, database: Database
) -> None:
    """Its actor may hold the session as suspected when it is closed here: the stop counts all the same."""
    await suspected(told, T0 + 2 * HOUR)
    state = await dispatch.open_station(services, station, OcppVersion.V16, 0, "")
    clock.at = T0 + 2 * DAY
    assert await upkeep.tend() == 1
    await settled(services, database)

    event = SessionEnded("77", T0 + 3 * HOUR, meter_stop_wh=18_500)
    await dispatch.serve(services, state, event, MessageInfo("m", "StopTransaction", "hash", clock()))

    session = await stored(services)
    assert (session.revision, session.energy_wh, session.ended_at) == (2, 17_500, T0 + 3 * HOUR)
    assert [(o["revision"], o["energy_wh"]) for o in await orders(services, database)] == [
        (1, 5_000),
        (2, 17_500),
    ]


async def test_a_stop_that_slips_through_has_the_last_word(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """Computed before the closing and stored after it: database and city have what the station said."""
    await suspected(told, T0 + 2 * HOUR)
    clock.at = T0 + 2 * DAY
    assert await upkeep.tend() == 1
    await settled(services, database)

    # The actor's copy is of before the closing.
    await told.stop(T0 + 3 * HOUR, 18_500, arrived=clock())

    session = await stored(services)
    assert (session.state, session.energy_wh) == (SessionState.ENDED, 17_500)
    assert Flag.NO_STOP not in session.flags
    assert [order["energy_wh"] for order in await orders(services, database)] == [5_000, 17_500]


async def test_what_the_station_said_meanwhile_stays(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """A stop that is stored between our reading and our writing wins: nothing is closed over it."""
    await suspected(told, T0 + 2 * HOUR)
    clock.at = T0 + 2 * DAY
    store = UpkeepStore(database)
    seen: list[ChargingSession] = []

    class Slow(UpkeepStore):
        async def suspected(self, *args: Any, **options: Any) -> list[ChargingSession]:
            found = await store.suspected(*args, **options)
            if found:
                seen.extend(found)
                await told.stop(T0 + 3 * HOUR, 18_500, arrived=clock())
            return found

    assert await Upkeep(services, Slow(database)).tend() == 0

    assert [session.state for session in seen] == [SessionState.SUSPECTED_ENDED]
    session = await stored(services)
    assert (session.energy_wh, session.revision) == (17_500, 1)
    assert [order["energy_wh"] for order in await orders(services, database)] == [17_500]


async def test_two_of_them_close_a_session_once(
    services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """Several nodes tend at once; one order is owed."""
    await suspected(told, T0 + 2 * HOUR)
    clock.at = T0 + 2 * DAY

    done = await asyncio.gather(*(Upkeep(services, UpkeepStore(database)).tend() for _ in range(3)))

    assert sum(done) == 1
    assert len(await orders(services, database)) == 1


async def test_a_session_that_goes_on_is_left_alone(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told
) -> None:
    """A reading after the evidence takes the suspicion back."""
    await suspected(told, T0 + 2 * HOUR)
    await told.meter(T0 + 3 * HOUR, 9_000)
    clock.at = T0 + 20 * HOUR

    assert await upkeep.tend() == 0

    assert (await stored(services)).state is SessionState.ACTIVE


async def test_a_silent_session_is_suspected_then_closed(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """Nothing for a day: suspected. Nothing for another: closed, with an end where the readings ended."""
    clock.at = T0 + HOUR + DAY - SECOND
    assert await upkeep.tend() == 0
    clock.move(SECOND)
    assert await upkeep.tend() == 1
    session = await stored(services)
    assert (session.state, session.suspected_by) == (SessionState.SUSPECTED_ENDED, Evidence.SILENCE)
    messages = await services.sessions.messages_of(77)
    assert messages[-1].facts == {"evidence": "silence"}
    assert await upkeep.tend() == 0

    clock.move(DAY)
    assert await upkeep.tend() == 1
    session = await stored(services)
    assert (session.state, session.ended_at) == (SessionState.ENDED, T0 + HOUR)
    assert len(await orders(services, database)) == 1


async def test_a_connected_stations_session_may_be_silent(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, station: ChargingStation
) -> None:
    """A car parked over the weekend: its station's actor would not know of a suspicion."""
    epoch = await services.registry.raise_epoch(station.station_id, now=T0)
    clock.at = T0 + 3 * DAY
    assert await upkeep.tend() == 0

    await services.registry.note_disconnected(station.station_id, epoch, clock())
    assert await upkeep.tend() == 1


async def test_a_station_that_connects_meanwhile_keeps_its_session(
    services: Services, clock: Clock, told: Told, station: ChargingStation, database: Database
) -> None:
    """It came between our reading and our writing, and has its sessions in memory: no suspicion."""
    clock.at = T0 + 3 * DAY

    class Slow(UpkeepStore):
        async def silent(self, *args: Any, **options: Any) -> list[ChargingSession]:
            found = await super().silent(*args, **options)
            await services.registry.raise_epoch(station.station_id, now=clock())
            return found

    assert await Upkeep(services, Slow(database)).tend() == 0
    assert (await stored(services)).state is SessionState.ACTIVE


async def test_many_are_tended_in_one_go(upkeep: Upkeep, services: Services, clock: Clock) -> None:
    """More than a query brings at once."""
    stations = await sites(services, stations=3)
    tales = [Told(services, stations[n % 3], 1000 + n) for n in range(130)]
    await asyncio.gather(*(tale.start(T0 + n * SECOND, evse=1 + n // 3) for n, tale in enumerate(tales)))
    clock.at = T0 + 2 * DAY

    assert await upkeep.tend() == 130
    clock.move(DAY)
    assert await upkeep.tend() == 130


async def test_an_hour_closes_with_all_that_was_measured_in_it(
    upkeep: Upkeep, services: Services, clock: Clock, station: ChargingStation, database: Database
) -> None:
    """A station falls silent in the middle of an hour: what it said by then is in the hour that is told."""
    totaller = Totaller(services, ReportStore(database))
    tale = Told(services, station, 5)
    await tale.start(T0)
    for minute in (5, 20, 40):
        await tale.meter(T0 + minute * MINUTE, 1000 + 100 * minute)
        clock.at = T0 + minute * MINUTE
        await totaller.compute_due()
    # The start marked the hour and the first reading did: the later ones belong to the same hour.
    clock.at = T0 + HOUR + 61 * SECOND
    await upkeep.tend()
    clock.at = T0 + HOUR + 120 * SECOND

    while await totaller.compute_due():
        pass

    (leased,) = await Outbox(database).lease(("city",), clock())
    assert (leased.kind, leased.payload["energy_wh"], leased.payload["revision"]) == ("hour-total", 4_000, 1)


async def test_it_runs_until_it_is_cancelled(
    services: Services, clock: Clock, told: Told, database: Database
) -> None:
    """An outage and a fault do not end it."""
    await suspected(told, T0 + 2 * HOUR)
    troubles: list[Exception] = [RuntimeError("a fault of ours")]

    class Fickle(UpkeepStore):
        async def suspected(self, *args: Any, **options: Any) -> list[ChargingSession]:
            if troubles:
                raise troubles.pop()
            return await super().suspected(*args, **options)

    quick = services_of(database, services.writer, clock, (ROUTE,), grace_s=0.1)
    clock.at = T0 + 2 * DAY
    running = asyncio.create_task(Upkeep(quick, Fickle(database)).run())

    async def closed() -> bool:
        return (await stored(services)).state is SessionState.ENDED

    await until(closed)
    await cancelled(running)


async def test_the_free_connector_is_evidence_too(
    upkeep: Upkeep, services: Services, clock: Clock, told: Told, station: ChargingStation, database: Database
) -> None:
    """From the status message to the closed session: its end is when the connector was seen free."""
    state = await dispatch.open_station(services, station, OcppVersion.V16, 0, "")
    free = ConnectorStatusChanged(1, 1, ConnectorStatus.AVAILABLE, T0 + 90 * MINUTE)
    clock.at = T0 + 90 * MINUTE
    await dispatch.serve(services, state, free, MessageInfo("m", "StatusNotification", "", clock()))
    clock.at = T0 + 2 * DAY

    assert await upkeep.tend() == 1

    session = await stored(services)
    assert (session.ended_at, session.energy_wh) == (T0 + 90 * MINUTE, 5_000)
    await settled(services, database)
    kinds = {row["kind"] for row in (await Outbox(database).find(OutboxFilter())).items}
    assert kinds == {"connector-status", "charge-order", "hour-total"}
