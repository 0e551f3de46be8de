"""Ended sessions are priced and told when they are settled: once, durably, on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState, evolve
from csms.domain.meter import Reading
from csms.domain.quality import Flag
from csms.domain.registers import MeterState
from csms.domain.tariff import Tariff, TimeFee
from csms.store.database import Database, InlineDatabase
from csms.store.jsontext import value_of
from csms.store.pricing import NO_ORDERS, Order, Orders
from csms.store.records import OutboxRow
from csms.store.reports import ReportStore
from csms.store.session_codec import records_of
from csms.store.tables import outbox
from csms.store.tariff_tables import session_costs
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from csms.store.writer import Writer
from tests.domain.prices import BEIJING, band
from tests.store.given import (
    HOUR,
    MINUTE,
    OPERATOR,
    T0,
    a_message,
    a_reading,
    a_session,
    count,
    stations,
    write_of,
)

GRACE = timedelta(minutes=2)
LATER = T0 + 9 * HOUR
EARLIER = T0 - timedelta(days=30)


def owe(orders: Sequence[Order]) -> list[OutboxRow]:
    """As reporting does."""
    return [
        OutboxRow.of(
            "city",
            "charge-order",
            str(one.session_id),
            f"{one.session_id}/{one.revision}",
            one.payload,
            T0,
        )
        for one in orders
    ]


WANTED = Orders(frozenset({OPERATOR}), owe)


def ended(station: ChargingStation, number: int = 1, **changes: Any) -> ChargingSession:
    """From 18:00 to 24:00 in Beijing, 50 kWh."""
    fields: dict[str, Any] = {
        "state": SessionState.ENDED,
        "energy_wh": 50_000,
        "ended_at": T0 + 6 * HOUR,
        "end_received_at": T0 + 6 * HOUR,
        "last_event_at": T0 + 6 * HOUR,
        "meter": MeterState(start_mwh=1_000_000),
    }
    return a_session(station, number, **(fields | changes))


async def put(
    database: Database, station: ChargingStation, session: ChargingSession, *readings: Reading, key: str = ""
) -> None:
    """Store a new session, or under `key` what late data made of one, and mark it due."""
    message = a_message(key or "start", T0 + 6 * HOUR)
    told = Change(session, is_new=not key, message=message, readings=readings, hours_due=True)
    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(told, station)))


async def settle(database: Database, orders: Orders = WANTED, now: datetime = LATER) -> None:
    """Until nothing is due."""
    reports = ReportStore(database)
    while await reports.recompute(now, grace=GRACE, orders=orders):
        pass


async def assigned(database: Database, tariff: Tariff = BEIJING, code: str = "T1") -> TariffStore:
    """The operator's tariff."""
    store = TariffStore(database)
    await store.add(OPERATOR, code, "Tariff", VersionForm(tariff, EARLIER), T0)
    await store.assign(code, OPERATOR, PlaceForm(), EARLIER, T0)
    return store


async def owed(database: Database) -> list[dict[str, Any]]:
    """Payloads as owed, in order, with what they are about."""
    rows = await database.read(select(outbox).where(outbox.c.kind == "charge-order").order_by("outbox_id"))
    return [{"about": row.about, **value_of(row.payload)} for row in rows]


async def costs(database: Database) -> list[tuple[int, int, str | None]]:
    """Session, revision and total."""
    rows = await database.read(select(session_costs).order_by("session_id", "revision"))
    return [(row.session_id, row.revision, row.total) for row in rows]


async def test_an_ended_session_is_priced_and_told(database: Database) -> None:
    """By the tariff at its start, split by its readings; one row of each, and nothing more the next time."""
    (station,) = await stations(database)
    await assigned(database)
    readings = [a_reading(T0 + n * HOUR, 1000 + wh) for n, wh in ((4, 40_000), (5, 49_000))]
    await put(database, station, ended(station), *readings)

    await settle(database)
    await settle(database)

    (order,) = await owed(database)
    assert (order["about"], order["revision"], order["energy_wh"]) == ("1/1", 1, 50_000)
    assert (order["elec_money"], order["service_money"], order["money"]) == ("55.40", "39.80", "95.20")
    assert [(line["period"], line["energy_wh"]) for line in order["details"]] == [
        ("peak", 40_000),
        ("flat", 9_000),
        ("valley", 1_000),
    ]
    assert order["operator_id"] == OPERATOR
    assert (order["site_code"], order["identity"]) == ("S01", "CS-0001")
    (cost,) = await TariffStore(database).costs(1)
    assert (cost["tariff"], cost["tariff_version"], cost["total"]) == ("T1", 1, "95.20")
    assert [line["energy_wh"] for line in cost["lines"]] == [40_000, 9_000, 1_000]


async def test_a_late_reading_that_changes_the_energy_is_another_order(database: Database) -> None:
    """With its cost; the one before stays."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, ended(station))
    await settle(database)

    await put(database, station, ended(station, energy_wh=60_000, revision=2), key="late")
    await settle(database)

    told = [(order["about"], order["energy_wh"], order["money"]) for order in await owed(database)]
    assert told == [("1/1", 50_000, "88.28"), ("1/2", 60_000, "105.94")]
    assert await costs(database) == [(1, 1, "88.28"), (1, 2, "105.94")]
    first, second = await TariffStore(database).costs(1)
    assert (first["session_revision"], second["session_revision"]) == (1, 2)


async def test_energy_that_moves_between_periods_is_another_order(database: Database) -> None:
    """The total is the same, and so is the session's revision; the money is not."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, ended(station))
    await settle(database)

    reading = a_reading(T0 + 200 * MINUTE, 51_000)
    await put(database, station, ended(station), reading, key="late")
    await settle(database)

    told = [(one["revision"], one["energy_wh"], one["elec_money"]) for one in await owed(database)]
    assert told == [(1, 50_000, "49.95"), (2, 50_000, "59.54")]


async def test_late_data_that_changes_nothing_is_told_to_nobody(database: Database) -> None:
    """Marked and settled again, with another flag: what was told still holds."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, ended(station))
    await settle(database)

    await put(database, station, ended(station, flags=(Flag.LATE_DATA,)), key="late")
    await settle(database)

    assert len(await owed(database)) == 1
    assert len(await costs(database)) == 1
    assert await count(database, "session_due") == 0


async def test_without_a_tariff_there_is_an_order_without_money(database: Database) -> None:
    """And its revisions are counted all the same; a tariff that comes later prices what is settled again."""
    (station,) = await stations(database)
    await put(database, station, ended(station))
    await settle(database)
    store = await assigned(database)

    await store.mark_due(1, T0)
    await settle(database)

    told = [(order["revision"], order["money"], len(order["details"])) for order in await owed(database)]
    assert told == [(1, None, 0), (2, "88.28", 3)]
    assert await costs(database) == [(1, 1, None), (1, 2, "88.28")]


async def test_what_nobody_wants_and_nothing_applies_to_leaves_no_trace(database: Database) -> None:
    """Neither an order nor a cost; a tariff alone is kept, and told to nobody."""
    (station,) = await stations(database)
    await put(database, station, ended(station))
    await settle(database, NO_ORDERS)
    assert await costs(database) == []

    await assigned(database)
    await put(database, station, ended(station, 2))
    await settle(database, NO_ORDERS)

    assert await costs(database) == [(2, 1, "88.28")]
    assert await owed(database) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"state": SessionState.ACTIVE, "ended_at": None},
        {"flags": (Flag.ORPHAN_STOP,)},
        {"flags": (Flag.PROVISIONAL,)},
    ],
    ids=["running", "orphan", "provisional"],
)
async def test_what_is_no_order_has_no_cost(database: Database, changes: dict[str, Any]) -> None:
    """Not yet ended, or its start is unknown."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, ended(station, **changes))

    await settle(database)

    assert (await owed(database), await costs(database)) == ([], [])


async def test_two_nodes_settle_a_session_once(database_url: str) -> None:
    """Each with its own connections, at the same time: one order, one cost, each revision."""
    opened = [await Database.open(database_url) for _ in range(3)]
    (station,) = await stations(opened[0])
    await assigned(opened[0])
    for number in range(1, 21):
        await put(opened[0], station, ended(station, number))

    await asyncio.gather(*(settle(database) for database in opened))
    for number in range(1, 21):
        late = ended(station, number, energy_wh=60_000, revision=2)
        await put(opened[0], station, late, key="late")
    await asyncio.gather(*(settle(database) for database in opened))

    wanted = sorted(f"{number}/{revision}" for number in range(1, 21) for revision in (1, 2))
    assert sorted(order["about"] for order in await owed(opened[0])) == wanted
    assert len(await costs(opened[0])) == 40
    for database in opened:
        await database.close()


async def test_a_death_in_the_middle_of_settling_loses_and_doubles_nothing(database: Database) -> None:
    """Nothing of the transaction stays but the mark: order, cost and hours come with the next one."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, ended(station))

    def die(orders: Sequence[Order]) -> list[OutboxRow]:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await settle(database, Orders(frozenset({OPERATOR}), die))
    assert [await count(database, name) for name in ("session_costs", "outbox", "session_hours")] == [0, 0, 0]
    assert await count(database, "session_due") == 1

    await settle(database)
    assert [order["about"] for order in await owed(database)] == ["1/1"]


async def test_what_was_priced_before_a_message_came_is_not_told(database: Database) -> None:
    """Marked again between pricing and settling: the next turn tells what is true then, as order 1."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, ended(station))
    look = database.look

    async def look_and_be_late(job: Any) -> Any:
        found = await look(job)
        if isinstance(found[0], list):
            database.look = look  # type: ignore[method-assign]  # only the first time
            await put(database, station, ended(station, energy_wh=40_000, revision=2), key="late")
        return found

    database.look = look_and_be_late  # type: ignore[method-assign]  # a message between the two steps
    await settle(database)

    assert [(one["revision"], one["energy_wh"]) for one in await owed(database)] == [(1, 40_000)]


async def test_the_tariff_is_that_of_the_place_and_the_start(database: Database) -> None:
    """A version that begins while the session runs is for the next one; a connector's own comes first."""
    (station,) = await stations(database)
    store = await assigned(database, Tariff((band(0, elec="1.0000"),)))
    dearer = VersionForm(Tariff((band(0, elec="2.0000"),)), T0 + HOUR)
    assert await store.add_version("T1", OPERATOR, dearer, T0) == 2
    own = VersionForm(Tariff((band(0, elec="3.0000"),)), EARLIER)
    await store.add(OPERATOR, "OWN", "Connector", own, T0)
    await store.assign("OWN", OPERATOR, PlaceForm(None, "CS-0001", 2, 1), EARLIER, T0)
    starts = [T0, T0 + HOUR, T0]
    for number, (started_at, evse) in enumerate(zip(starts, (1, 1, 2), strict=True), start=1):
        # A connector that nobody named is the only one.
        await put(database, station, ended(station, number, started_at=started_at, evse=evse, connector=0))

    await settle(database)

    told = {order["about"]: order["elec_money"] for order in await owed(database)}
    assert told == {"1/1": "50.00", "2/1": "100.00", "3/1": "150.00"}


async def test_an_idle_fee_looks_at_readings_also_within_one_price(database: Database) -> None:
    """Full after an hour and plugged in for six."""
    (station,) = await stations(database)
    tariff = Tariff((band(0),), idle_fee=TimeFee(Decimal("0.1"), 30))
    await assigned(database, tariff)
    await put(database, station, ended(station), a_reading(T0 + HOUR, 51_000))

    await settle(database)

    (order,) = await owed(database)
    assert order["idle_money"] == "27.00"
    assert await costs(database) == [(1, 1, str(Decimal(order["money"]) + 27))]


async def test_a_new_tariff_is_seen_by_a_store_that_knows_the_old_ones(database: Database) -> None:
    """What it remembers is read again once anything was written, by whomever."""
    (station,) = await stations(database)
    reports = ReportStore(database)
    store = await assigned(database, Tariff((band(0, elec="1.0000"),)))
    await put(database, station, ended(station, 1))
    await reports.recompute(LATER, grace=GRACE, orders=WANTED)

    await store.add_version("T1", None, VersionForm(Tariff((band(0, elec="2.0000"),)), EARLIER), T0)
    await put(database, station, ended(station, 2))
    await reports.recompute(LATER, grace=GRACE, orders=WANTED)

    assert [order["elec_money"] for order in await owed(database)] == ["50.00", "100.00"]


async def test_pricing_asks_as_often_for_many_as_for_one(inline_database: InlineDatabase) -> None:
    """And without platform and tariff it is one question for all of them."""
    database = inline_database
    (station,) = await stations(database)

    async def statements(orders: Orders, *numbers: int) -> int:
        for number in numbers:
            await put(database, station, ended(station, number))
        seen = 0

        def note(connection: Connection, *_: object) -> None:
            nonlocal seen
            seen += 1

        event.listen(database._engine, "before_cursor_execute", note)
        await ReportStore(database).recompute(T0 + 7 * HOUR, grace=GRACE, orders=orders)
        event.remove(database._engine, "before_cursor_execute", note)
        return seen

    await statements(NO_ORDERS, 1)  # the first closes hours
    plain = await statements(NO_ORDERS, 2)
    assert await statements(NO_ORDERS, *range(3, 40)) == plain
    wanted = await statements(WANTED, 40)
    assert await statements(WANTED, *range(41, 80)) == wanted
    assert wanted - plain <= 7
    await assigned(database)
    priced = await statements(WANTED, 80)
    assert await statements(WANTED, *range(81, 120)) - priced <= 0


async def test_a_session_of_no_operator_is_nobodys_order(database: Database) -> None:
    """A station that belongs to no site."""
    (station,) = await stations(database)
    await assigned(database)
    await put(database, station, evolve(ended(station), site_id=None, operator_id=None))

    await settle(database)

    assert (await owed(database), await costs(database)) == ([], [])
