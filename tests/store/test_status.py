"""What the status page shows: each number, each list, for everyone and for one operator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from csms.domain.assets import ConnectorStatus, OcppVersion
from csms.domain.charging_session import Change, SessionState
from csms.domain.events import ConnectorStatusChanged
from csms.domain.meter import Reading
from csms.errors import NotFound
from csms.store.database import Database
from csms.store.records import ConnectorStateRow, OutboxRow
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.session_codec import records_of
from csms.store.status import StatusReader, midnight
from csms.store.tables import outbox, totals
from csms.store.times import micros
from csms.store.writer import Write, Writer
from tests.store.given import HOUR, MINUTE, OPERATOR, T0, a_session, stations, told_row

OTHER = "987654321"


async def connect(database: Database, station_id: int, version: OcppVersion) -> int:
    """A connection of a station; its epoch."""
    return await Registry(database).raise_epoch(station_id, now=T0 - HOUR, version=version)


async def put(database: Database, *records: Any, station_id: int = 1) -> None:
    """Rows as messages would put them down."""
    async with Writer(database, fence=False) as writer:
        await writer.write(Write(station_id, 0, list(records)))


def reader(database: Database) -> StatusReader:
    """One platform for the first operator."""
    return StatusReader(database, (("beijing", OPERATOR),))


async def test_nothing_at_all(database: Database) -> None:
    """Zeros, and no platform for an operator that has none."""
    status = await StatusReader(database, ()).read(None, T0)

    assert (status.stations, status.online, status.live_sessions, status.power_w) == (0, {}, 0, 0)
    assert (status.energy_today_wh, status.orders_sent, status.city_contact) == (0, 0, None)
    assert (status.has_platform, status.sites, status.live, status.ended, status.orders) == (
        False,
        (),
        (),
        (),
        (),
    )


async def test_stations_by_state(database: Database) -> None:
    """One word for each station, the one that matters most; online by version."""
    made = await stations(database, 7)
    statuses = [None, None, "faulted", "charging", "preparing", "unavailable", "available"]
    for station, status in zip(made, statuses, strict=True):
        if station.identity != "CS-0001":
            version = OcppVersion.V16 if station.identity < "CS-0005" else OcppVersion.V21
            epoch = await connect(database, station.station_id, version)
            if station.identity == "CS-0002":
                await Registry(database).note_disconnected(station.station_id, epoch, T0)
        if status is not None:
            event = ConnectorStatusChanged(1, 1, ConnectorStatus(status), T0)
            await put(database, ConnectorStateRow.of(station.station_id, event, T0))

    status = await reader(database).read(None, T0)

    (site,) = status.sites
    assert [cell.state for cell in site.cells] == [
        "never-seen",
        "offline",
        "faulted",
        "charging",
        "occupied",
        "unavailable",
        "available",
    ]
    assert (site.code, site.total, site.online) == ("S01", 7, 5)
    assert status.online == {"ocpp1.6": 2, "ocpp2.1": 3}


async def test_sessions_and_power(database: Database) -> None:
    """Running ones with their latest power if it is fresh, ended ones by their end."""
    first, second = await stations(database, 2)
    await connect(database, second.station_id, OcppVersion.V16)
    started, ended = T0 - HOUR, SessionState.ENDED
    sessions = [
        a_session(first, 1, started_at=started, energy_wh=5000),
        a_session(second, 2, started_at=started + MINUTE, token="<b>"),
        a_session(first, 3, started_at=T0 - 9 * HOUR, state=ended, ended_at=T0 - 2 * HOUR),
        a_session(first, 4, started_at=T0 - 5 * HOUR, state=ended, ended_at=T0 - 4 * HOUR),
    ]
    for session in sessions:
        await put(database, *records_of(Change(session, is_new=True), first))
    power = "power.active.import"
    for at, value in ((T0 - 2 * MINUTE, 50_000_000), (T0 - MINUTE, 7_400_000)):
        await put(database, told_row(1, [Reading(at, power, value)], at))
    await put(database, told_row(2, [Reading(T0 - HOUR, power, 9_000_000)], T0))

    status = await reader(database).read(None, T0)

    assert (status.live_sessions, status.metered_sessions, status.power_w) == (2, 1, 7400)
    assert [(line.session_id, line.power_w, line.energy_wh) for line in status.live] == [
        (2, None, None),
        (1, 7400, 5000),
    ]
    assert [line.session_id for line in status.ended] == [3, 4]
    (site,) = status.sites
    assert site.cells[1].state == "charging"


async def test_energy_of_the_local_day(database: Database) -> None:
    """Hours since the operator's midnight, and only those of operators in scope."""
    await stations(database)
    registry = Registry(database)
    await registry.put_operator(OperatorForm(OTHER, "Other", "UTC"))
    begins = midnight(T0, "Asia/Shanghai")
    rows = [
        total(operator, start, 1000)
        for operator in (1, 2)
        for start in (begins - HOUR, begins, begins + HOUR, T0.replace(hour=1))
    ]
    await database.run(lambda connection: connection.execute(insert(totals), rows))

    assert begins == datetime(2026, 1, 4, 16, tzinfo=UTC)
    assert (await reader(database).read(OPERATOR, T0)).energy_today_wh == 3000
    assert (await reader(database).read(OTHER, T0)).energy_today_wh == 1000
    assert (await reader(database).read(None, T0)).energy_today_wh == 4000


def total(operator: int, start: datetime, energy_wh: int) -> dict[str, Any]:
    """An operator's hour."""
    return {
        "period": "hour",
        "level": "operator",
        "subject_id": operator,
        "evse": 0,
        "connector": 0,
        "start": micros(start),
        "until": micros(start + HOUR),
        "operator_id": operator,
        "energy_wh": energy_wh,
        "sessions": 1,
        "charging_s": 60,
        "revision": 1,
        "computed_at": micros(T0),
    }


async def test_orders_at_the_city(database: Database) -> None:
    """Sent today, waiting since whenever, set aside; the last time anything was taken."""
    await stations(database)
    for n, at in enumerate((T0 - timedelta(days=2), T0 - timedelta(days=2), T0, T0, T0)):
        await put(database, OutboxRow.of("beijing", "charge-order", str(n), f"order {n}", {}, at))
    await put(database, OutboxRow.of("beijing", "connector-status", "s", "status", {}, T0))
    for about, state in (("order 0", "sent"), ("order 2", "sent"), ("order 3", "dead"), ("status", "sent")):
        changed = (
            update(outbox).where(outbox.c.about == about).values(state=state, sent_at=micros(T0 + MINUTE))
        )
        await database.execute(changed)

    status = await reader(database).read(OPERATOR, T0 + HOUR)

    assert (status.orders_sent, status.orders_waiting, status.orders_dead) == (1, 2, 1)
    assert status.city_contact == T0 + MINUTE
    assert [(line.about, line.state) for line in status.orders] == [
        ("order 4", "waiting"),
        ("order 3", "dead"),
        ("order 2", "sent"),
        ("order 1", "waiting"),
        ("order 0", "sent"),
    ]


async def test_one_operator_sees_its_own(database: Database) -> None:
    """No station, session, site or order of another; an operator nobody knows is not found."""
    (mine,) = await stations(database)
    registry = Registry(database)
    await registry.put_operator(OperatorForm(OTHER, "Other", "UTC"))
    await registry.put_site(SiteForm("S09", OTHER, "Theirs"))
    await registry.put_station(StationForm("CS-0009", "S09"), T0)
    theirs = await registry.station("CS-0009")
    assert theirs is not None
    for n, station in enumerate((mine, theirs), 1):
        await put(database, *records_of(Change(a_session(station, n), is_new=True), station))
    await put(database, OutboxRow.of("beijing", "charge-order", "k", "order", {}, T0))

    status = await reader(database).read(OTHER, T0)

    assert (status.stations, status.live_sessions, status.orders, status.has_platform) == (1, 1, (), False)
    assert [site.code for site in status.sites] == ["S09"]
    assert [line.station for line in status.live] == ["CS-0009"]
    with pytest.raises(NotFound):
        await reader(database).read("000000000", T0)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", datetime(2026, 3, 29, tzinfo=UTC)),
        ("Asia/Shanghai", datetime(2026, 3, 28, 16, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC)),  # clocks went forward on this day
    ],
)
def test_midnight(zone: str, expected: datetime) -> None:
    """When the local day began, with a change of clocks in it."""
    assert midnight(datetime(2026, 3, 29, 12, tzinfo=UTC), zone) == expected
