"""Hours of due sessions: computed for a mark, put down where they changed, on both databases."""

from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState, evolve
from csms.domain.registers import MeterState
from csms.store.database import Database
from csms.store.records import SessionDue
from csms.store.session_codec import DUE_LATER, DUE_SOON, records_of
from csms.store.session_hours import Due, DueHours
from csms.store.tables import session_hours
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.given import HOUR, MINUTE, T0, a_message, a_reading, a_session, count, stations, write_of

LATE = micros(T0 + 9 * HOUR)


def ended(station: ChargingStation, number: int, after: timedelta, **changes: Any) -> ChargingSession:
    """A session of 3 kWh that began at 10:00 UTC."""
    at = T0 + after
    end = {"state": SessionState.ENDED, "energy_wh": 3000, "ended_at": at, "end_received_at": at}
    return a_session(station, number, meter=MeterState(start_mwh=1_000_000), **(end | changes))


async def told(database: Database, station: ChargingStation, change: Change) -> None:
    """Store what a message made of a session."""
    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(change, station)))


async def hours_of(database: Database) -> list[tuple[int, int, int]]:
    """Session, hours since 10:00 and energy."""
    rows = await database.read(select(session_hours).order_by("session_id", "hour"))
    return [(row.session_id, (row.hour - micros(T0)) // 3_600_000_000, row.energy_wh) for row in rows]


async def settle(database: Database, found: list[Due] | None = None) -> list[Any]:
    """Compute what is due, or take `found`, and put it down."""
    hours = DueHours(database.dialect_of)
    if found is None:
        found = await database.look(partial(hours.compute, LATE, 10))
    still = found
    return await database.run(lambda connection: hours.put_down(hours.held(still, connection), connection))


async def test_readings_say_which_hour_energy_belongs_to(database: Database) -> None:
    """Several sessions in one batch; one that lasts less than an hour needs no reading."""
    (station,) = await stations(database)
    readings = tuple(a_reading(T0 + n * 30 * MINUTE, 1000 + wh) for n, wh in ((1, 500), (2, 2000), (4, 3000)))
    for number, lasts in ((1, 2 * HOUR), (2, 40 * MINUTE), (3, 2 * HOUR)):
        session = ended(station, number, lasts)
        change = Change(session, is_new=True, message=a_message(), readings=readings, hours_due=True)
        await told(database, station, change)

    touched = await settle(database)

    expected = [(1, 0, 2000), (1, 1, 1000), (2, 0, 3000), (3, 0, 2000), (3, 1, 1000)]
    assert await hours_of(database) == expected
    assert len(touched) == 5
    assert await count(database, "session_due") == 0


async def test_only_what_changed_is_written_and_named(database: Database) -> None:
    """A later end changes the last hour and adds one; a moved start takes one away."""
    (station,) = await stations(database)
    running = a_session(station, 1, energy_wh=1000, last_event_at=T0 + HOUR)
    await told(database, station, Change(running, is_new=True, message=a_message(), hours_due=True))
    await settle(database)
    await told(database, station, Change(running, message=a_message("same"), hours_due=True))
    assert await settle(database) == []

    moved = evolve(running, started_at=T0 + HOUR, last_event_at=T0 + 90 * MINUTE)
    await told(database, station, Change(moved, message=a_message("moved"), hours_due=True))
    touched = await settle(database)

    assert await hours_of(database) == [(1, 1, 1000)]
    assert sorted((row[1] - micros(T0)) // 3_600_000_000 for row in touched) == [0, 1]


async def test_what_was_computed_for_another_mark_is_left(database: Database) -> None:
    """Marked again, or computed and marked anew by another: the older figures are not put down."""
    (station,) = await stations(database)
    session = ended(station, 1, 40 * MINUTE)
    await told(database, station, Change(session, is_new=True, message=a_message(), hours_due=True))
    old = await database.look(partial(DueHours(database.dialect_of).compute, LATE, 10))
    await settle(database)
    again = a_message("again", T0 + MINUTE)
    await told(database, station, Change(evolve(session, energy_wh=7), message=again, hours_due=True))

    assert await settle(database, old) == []
    assert await count(database, "session_due") == 1

    await settle(database)
    assert await hours_of(database) == [(1, 0, 7)]


async def test_when_a_session_is_due(inline_database: Database) -> None:
    """Running ones late, ended and revised ones soon, at once when no message was the cause."""
    (station,) = await stations(inline_database)
    running, over = a_session(station, 1), ended(station, 2, HOUR)
    changes = [
        Change(running, message=a_message(), hours_due=True),
        Change(running, message=a_message(), hours_due=True, revised=True),
        Change(over, message=a_message(), hours_due=True),
        Change(over, hours_due=True),
    ]

    records = [record for change in changes for record in records_of(change, station)]
    due = [record.due_at for record in records if isinstance(record, SessionDue)]

    wanted = [T0 + DUE_LATER, T0 + DUE_SOON, T0 + DUE_SOON, T0 + HOUR]
    assert due == list(map(micros, wanted))
