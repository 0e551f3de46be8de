"""Days and months of connectors: what their timelines say, computed again when something is told late."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from csms.domain.assets import ChargingStation
from csms.domain.assets import ConnectorStatus as S
from csms.store.asset_tables import asset_spells, equipment, equipment_connectors
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, StationForm
from csms.store.times import MICROSECOND, instant, micros
from csms.store.uptime_tables import use_periods
from csms.store.use_days import UseDays
from csms.store.use_marks import UseMarks
from tests.store.connector_history import link, state, tell
from tests.store.given import OPERATOR, count, stations

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(minutes=15)
# Days in Shanghai begin at 16:00 UTC.
MIDNIGHT = datetime(2026, 1, 4, 16, tzinfo=UTC)


async def compute(database: Database, now: datetime, most: int = 100) -> int:
    """Everything that is due, as the keeper does."""
    marks, days, done = UseMarks(database), UseDays(database), 0
    while await marks.note_late(now):
        pass
    while step := await days.compute(now, GRACE, most):
        done += step
    return done


async def hours(database: Database, period: str = "day", **where: Any) -> list[dict[str, float]]:
    """States and their hours, of each row in order; those of no length left out."""
    table = use_periods.c
    query = (
        select(use_periods).where(table.period == period).order_by(table.start, table.station_id, table.evse)
    )
    for name, value in where.items():
        query = query.where(table[name] == value)
    return [
        {
            name.removesuffix("_us"): getattr(row, name) * MICROSECOND / HOUR
            for name in use_periods.c.keys()  # noqa: SIM118 - a column collection is no mapping
            if name.endswith("_us") and name != "equipment_us" and getattr(row, name)
        }
        for row in await database.read(query)
    ]


async def registered(database: Database, count_of: int = 1) -> list[ChargingStation]:
    """Stations registered at the first midnight, of 60 kW each."""
    made = await stations(database, count_of)
    for station in made:
        await Registry(database).put_station(
            StationForm(station.identity, "S01", max_power_w=60_000), MIDNIGHT
        )
    return made


def a_day(station: ChargingStation, start: datetime = MIDNIGHT) -> list[Any]:
    """Six hours free, two charging, four off-line, then free; of two connectors one is out of order."""
    return [
        link(station, start, "connected"),
        state(station, start, S.AVAILABLE),
        state(station, start, S.FAULTED, evse=2),
        state(station, start + 6 * HOUR, S.CHARGING),
        state(station, start + 8 * HOUR, S.AVAILABLE),
        link(station, start + 12 * HOUR, "disconnected"),
        link(station, start + 16 * HOUR, "connected"),
    ]


async def test_a_day_is_computed_after_its_end(database: Database) -> None:
    """Not before the grace is over; then once, with rated energy, equipment's time and records."""
    (station,) = await registered(database)
    await tell(database, station, a_day(station))

    assert await compute(database, MIDNIGHT + DAY + GRACE - HOUR / 60) == 0
    assert await compute(database, MIDNIGHT + DAY + GRACE) == 1
    assert await compute(database, MIDNIGHT + DAY + 2 * HOUR) == 0

    assert await hours(database) == [
        {"charging": 2.0, "free": 18.0, "offline": 4.0},
        {"offline": 4.0, "fault": 20.0},
    ]
    rows = await database.read(select(use_periods).where(use_periods.c.period == "day"))
    first, second = sorted(rows, key=lambda row: row.evse)
    assert (instant(first.start), instant(first.until)) == (MIDNIGHT, MIDNIGHT + DAY)
    assert (first.capacity_wh, second.capacity_wh) == (720_000, 720_000)
    assert (first.equipment_us, second.equipment_us) == (micros(MIDNIGHT + DAY) - micros(MIDNIGHT), 0)
    # Three or one told, and three changes of the connection: at two of them it comes with the fault.
    assert (first.records, first.fault_records) == (6, 0)
    assert (second.records, second.fault_records) == (4, 3)


async def test_days_go_on_and_months_are_their_sum(database: Database) -> None:
    """A station's last state holds on; a month is as far as its days are."""
    (station,) = await registered(database)
    await tell(database, station, a_day(station))

    await compute(database, MIDNIGHT + 40 * DAY + GRACE)

    days = await hours(database, evse=1)
    assert len(days) == 40
    assert days[1:] == [{"free": 24.0}] * 39
    # 4 to 31 January, and 1 to 13 February.
    assert await hours(database, "month", evse=1) == [
        {"charging": 2.0, "free": 18.0 + 26 * 24, "offline": 4.0},
        {"free": 13 * 24.0},
    ]
    row = (await database.read(select(use_periods).where(use_periods.c.period == "month")))[-1]
    assert instant(row.until) == MIDNIGHT + 40 * DAY
    assert row.capacity_wh == 13 * 24 * 30_000


async def test_what_is_told_late_is_computed_again(database: Database) -> None:
    """A status of an earlier day, and a connection that was lost then: days and month are restated."""
    (station,) = await registered(database)
    await tell(database, station, a_day(station))
    now = MIDNIGHT + 3 * DAY + GRACE
    await compute(database, now)
    late = state(station, MIDNIGHT + 14 * HOUR, S.FAULTED, arrived=now)
    await tell(database, station, [late])

    assert await compute(database, now + HOUR) == 1

    assert await hours(database, evse=1) == [
        {"charging": 2.0, "free": 10.0, "offline": 4.0, "fault": 8.0},
        {"fault": 24.0},
        {"fault": 24.0},
    ]
    assert (await hours(database, "month", evse=1))[0]["fault"] == 56.0
    assert await compute(database, now + HOUR) == 0


async def test_set_back_meanwhile_is_not_lost(database: Database) -> None:
    """Something late between computing and settling: the days stay due."""
    (station,) = await registered(database)
    await tell(database, station, a_day(station))
    now = MIDNIGHT + 2 * DAY + GRACE
    await UseMarks(database).note_late(now)
    days, look = UseDays(database), database.look

    async def look_and_be_late(job: Any) -> Any:
        found = await look(job)
        if isinstance(found, list) and found and isinstance(found[0], tuple) and len(found[0]) == 2:
            database.look = look  # type: ignore[method-assign]  # only the first time
            await tell(database, station, [state(station, MIDNIGHT - HOUR, S.FAULTED, arrived=MIDNIGHT)])
            await UseMarks(database).note_late(now)
        return found

    database.look = look_and_be_late  # type: ignore[method-assign]  # a message between two steps
    await days.compute(now, GRACE, 10)
    assert await count(database, "use_periods") == 0

    await compute(database, now)

    assert len(await hours(database, evse=1)) == 3


async def test_two_nodes_compute_a_day_once(database: Database) -> None:
    """Whoever comes second finds nothing to do, and the figures are the same."""
    made = await registered(database, 6)
    for station in made:
        await tell(database, station, a_day(station))
    now = MIDNIGHT + 2 * DAY + GRACE

    await asyncio.gather(*(compute(database, now, most=2) for _ in range(3)))

    assert await count(database, "use_periods") == 6 * 2 * 2 + 6 * 2
    assert len({tuple(row.items()) for row in await hours(database, evse=1)}) == 2


async def test_days_with_a_change_of_clocks(database: Database) -> None:
    """23 and 25 hours."""
    (station,) = await registered(database)
    await Registry(database).put_operator(OperatorForm(OPERATOR, "", "Europe/Berlin"))
    start = datetime(2026, 3, 28, 10, tzinfo=UTC)
    await tell(
        database,
        station,
        [link(station, start, "connected"), state(station, start, S.AVAILABLE)],
    )

    await compute(database, datetime(2026, 10, 27, 12, tzinfo=UTC))

    rows = await hours(database)
    assert rows[0] == {"free": 13.0}  # it is in service since it told its first status
    assert rows[1] == {"free": 23.0}
    assert rows[2] == {"free": 24.0}
    assert rows[211] == {"free": 25.0}  # 25 October
    assert len(rows) == 213


async def test_registered_connectors_are_served_by_their_dates(database: Database) -> None:
    """Joined and retired on a day, with a rated power of its own; silent ones count as off-line."""
    (station,) = await registered(database)
    await tell(
        database, station, [link(station, MIDNIGHT, "connected"), state(station, MIDNIGHT, S.AVAILABLE)]
    )
    await tell(database, station, [link(station, MIDNIGHT + 2 * HOUR, "disconnected")])
    await put_asset(database, station, 1, 90_000, MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR)
    await put_asset(database, station, 2, 30_000, MIDNIGHT, None)

    await compute(database, MIDNIGHT + 2 * DAY + GRACE)

    assert await hours(database) == [
        {"free": 1.0, "offline": 1.0},
        {"unknown": 2.0, "offline": 22.0},
        {"offline": 24.0},
    ]
    rows = await database.read(select(use_periods).where(use_periods.c.period == "day"))
    assert sorted(row.capacity_wh for row in rows) == [180_000, 720_000, 720_000]


async def put_asset(
    database: Database,
    station: ChargingStation,
    evse: int,
    power_w: int,
    joined: datetime,
    retired: datetime | None,
) -> None:
    """A connector as the registry of assets has it."""
    at = micros(joined)
    common = {"operator_id": station.operator_id, "station_id": station.station_id, "modified_at": at}
    await database.execute(
        insert(equipment).values(
            equipment_no=evse,
            equipment_id=f"E{evse}",
            site_id=station.site_id,
            charger_class="",
            attributes="{}",
            **common,
        )
    )
    await database.execute(
        insert(equipment_connectors).values(
            connector_no=evse,
            equipment_no=evse,
            connector_id=f"E{evse}-1",
            evse=evse,
            connector=1,
            attributes=f'{{"power_w": {power_w}}}',
            **common,
        )
    )
    await database.execute(
        insert(asset_spells).values(
            level="connectors",
            subject_id=evse,
            since=at,
            until=None if retired is None else micros(retired),
            operator_id=station.operator_id,
            charger_class="",
        )
    )
