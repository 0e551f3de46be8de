"""The writer, on both databases: what is acknowledged is stored, once, and a bad row hurts nobody else."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from csms.domain.charging_session import Change, SessionState, evolve
from csms.domain.quality import EnergySource
from csms.errors import StaleEpoch, StoreUnavailable
from csms.store.database import Database
from csms.store.records import ConnectorStateRow, ReadingRow, StationEventRow
from csms.store.registry import Registry
from csms.store.session_codec import DUE_LATER, records_of
from csms.store.sessions import SessionStore
from csms.store.tables import session_due, session_messages, session_revisions
from csms.store.times import instant
from csms.store.writer import AlreadyStored, RowRefused, Write, Writer
from tests.store.given import (
    MINUTE,
    T0,
    a_message,
    a_reading,
    a_session,
    count,
    reading_write,
    start_of,
    stations,
    write_of,
)


async def test_what_a_message_puts_down_is_read_back(database: Database) -> None:
    """Session, message with its answer, readings and due mark are one commit."""
    (station,) = await stations(database)
    session = a_session(station, energy_wh=12, energy_source=EnergySource.PERIODIC)
    change = Change(
        session,
        is_new=True,
        readings=(a_reading(T0, 1000), a_reading(T0 + MINUTE, 1012)),
        message=a_message(meter_start_wh=1000),
        hours_due=True,
    )

    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(change, '{"transactionId":1001}', station)))

    store = SessionStore(database)
    assert await store.open_sessions(station.station_id) == [session]
    assert await store.readings_of(session) == list(change.readings)
    assert await store.messages_of(1) == [change.message]
    assert await store.stored_answer(1, "start") == ("hash-start", '{"transactionId":1001}')
    assert await count(database, "session_due") == 1


async def test_writes_that_come_together_share_a_commit(database: Database) -> None:
    """A hundred messages are a commit or two, and each is answered."""
    (station,) = await stations(database)
    commits: list[int] = []

    async with Writer(database, observe=lambda rows, seconds: commits.append(rows)) as writer:
        await asyncio.gather(*(writer.write(reading_write(station, n)) for n in range(100)))

    assert sum(commits) == 100
    assert len(commits) <= 2
    assert await count(database, "readings") == 100


async def test_the_same_rows_again_change_nothing(database: Database) -> None:
    """A message that is delivered again, or a commit whose outcome was unknown, stores once."""
    (station,) = await stations(database)
    session = a_session(station)
    again = write_of(
        station,
        *records_of(Change(session, readings=(a_reading(),), message=a_message("m1")), "first", station),
    )

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(again)
        await writer.write(again)

    assert await count(database, "readings") == 1
    assert await count(database, "session_messages") == 2


async def test_the_first_answer_of_a_message_stays(database: Database) -> None:
    """What a station was told once it is told for ever."""
    (station,) = await stations(database)
    session = a_session(station)

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        for answer in ("first", "second"):
            change = Change(session, message=a_message("m1"))
            await writer.write(write_of(station, *records_of(change, answer, station)))

    assert await SessionStore(database).stored_answer(1, "m1") == ("hash-m1", "first")


async def test_two_starts_of_one_key_are_one_session(database: Database) -> None:
    """Of two nodes that store the same start at once, one hears AlreadyStored."""
    (station,) = await stations(database)
    first, second = a_session(station, 1, start_key="same"), a_session(station, 2, start_key="same")

    async with Writer(database) as one, Writer(database) as other:
        outcomes = await asyncio.gather(
            one.write(start_of(station, first)),
            other.write(start_of(station, second)),
            return_exceptions=True,
        )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyStored", "NoneType"]
    assert await count(database, "sessions") == 1
    assert await count(database, "session_messages") == 1


async def test_two_starts_of_one_key_in_one_batch(database: Database) -> None:
    """Even inside one commit the second start is told, and its rows are not stored."""
    (station,) = await stations(database)
    writes = [start_of(station, a_session(station, n, start_key="same")) for n in (1, 2)]

    async with Writer(database) as writer:
        outcomes = await asyncio.gather(*map(writer.write, writes), return_exceptions=True)

    assert outcomes[0] is None
    assert isinstance(outcomes[1], AlreadyStored)
    assert await count(database, "session_messages") == 1


@pytest.mark.parametrize(
    "bad",
    [
        StationEventRow(1, "bad", 2**70, 0, "{}"),
        StationEventRow(1, "\ud800", 0, 0, "{}"),
        StationEventRow(1, None, 0, 0, "{}"),  # type: ignore[arg-type]  # what no caller should do
        StationEventRow("text", "x", 0, 0, "{}"),  # type: ignore[arg-type]  # into an INTEGER column
    ],
    ids=["too-large", "surrogate", "null", "text-for-number"],
)
async def test_a_bad_row_hurts_only_its_own_caller(database: Database, bad: StationEventRow) -> None:
    """The batch it was in is stored without it."""
    (station,) = await stations(database)
    writes = [reading_write(station, n) for n in range(20)]
    writes.insert(7, Write(station.station_id, 0, [bad]))

    async with Writer(database) as writer:
        outcomes = await asyncio.gather(*map(writer.write, writes), return_exceptions=True)

    assert isinstance(outcomes.pop(7), RowRefused)
    assert outcomes == [None] * 20
    assert await count(database, "readings") == 20
    assert await count(database, "reading_kinds") == 1
    assert await count(database, "station_events") == 0


async def test_a_bad_row_takes_its_message_with_it(database: Database) -> None:
    """A message is stored whole or not at all."""
    (station,) = await stations(database)
    good = reading_write(station, 1).records[0]

    async with Writer(database) as writer:
        with pytest.raises(RowRefused):
            await writer.write(write_of(station, good, StationEventRow(1, "x", 2**70, 0, "{}")))

    assert await count(database, "readings") == 0


async def test_kinds_of_a_refused_write_are_written_with_the_next(database: Database) -> None:
    """No reading is ever without the words of its kind."""
    (station,) = await stations(database)
    good = reading_write(station, 1).records[0]

    async with Writer(database) as writer:
        with pytest.raises(RowRefused):
            await writer.write(write_of(station, good, StationEventRow(1, "x", 2**70, 0, "{}")))
        await writer.write(write_of(station, good))

    assert await count(database, "reading_kinds") == 1


async def test_only_progress_is_written_where_nothing_else_changed(database: Database) -> None:
    """The short update and the long one end in the same row."""
    (station,) = await stations(database)
    session = a_session(station)
    metered = evolve(session, energy_wh=500, energy_source=EnergySource.PERIODIC, last_event_at=T0 + MINUTE)
    change = Change(metered, message=a_message("m1"))
    short = records_of(change, None, station, before=session)

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(write_of(station, *short))

    assert type(short[0]).__name__ == "SessionProgress"
    assert await SessionStore(database).by_id(1) == metered


async def test_a_session_ends(database: Database) -> None:
    """Everything a stop changes is stored."""
    (station,) = await stations(database)
    session = a_session(station)
    ended = evolve(
        session,
        state=SessionState.ENDED,
        ended_at=T0 + 30 * MINUTE,
        end_received_at=T0 + 31 * MINUTE,
        meter_stop_wh=5000,
        energy_wh=4000,
        energy_source=EnergySource.REGISTERS,
        stop_reason="local",
    )

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(
            write_of(
                station, *records_of(Change(ended, message=a_message("stop")), None, station, before=session)
            )
        )

    assert await SessionStore(database).by_id(1) == ended


async def test_a_revision_keeps_what_was_before(database: Database) -> None:
    """Late data makes a revision with the energy before and after."""
    (station,) = await stations(database)
    session = a_session(station, energy_wh=4000, state=SessionState.ENDED)
    revised = evolve(session, energy_wh=4100, revision=2)
    change = Change(revised, message=a_message("late"), revised=True, cause="late-data")

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(write_of(station, *records_of(change, None, station)))

    (row,) = await database.read(select(session_revisions))
    assert (row.revision, row.cause, row.old_energy_wh, row.new_energy_wh) == (2, "late-data", 4000, 4100)


async def test_a_due_mark_keeps_its_earliest_time_and_counts(database: Database) -> None:
    """Marked again while it is being computed, a session stays due."""
    (station,) = await stations(database)
    session = a_session(station)

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        for n in (2, 1):
            change = Change(session, message=a_message(f"m{n}", T0 + n * MINUTE), hours_due=True)
            await writer.write(write_of(station, *records_of(change, None, station)))

    (row,) = await database.read(select(session_due))
    assert row.version == 3
    first = min(r.received_at for r in await database.read(select(session_messages.c.received_at)))
    assert instant(row.due_at) == instant(first) + DUE_LATER


async def test_connector_history_has_changes_only(database: Database) -> None:
    """Several states in one commit are all kept; the same one again is not."""
    (station,) = await stations(database)
    states = ["available", "charging", "charging", "available"]
    rows = [
        ConnectorStateRow(station.station_id, 1, 1, status, "", "", "", 100 + n, 200 + n)
        for n, status in enumerate(states)
    ]

    async with Writer(database) as writer:
        await writer.write(write_of(station, *rows))
        await writer.write(write_of(station, rows[-1]))

    assert await count(database, "connector_states") == 3
    assert await count(database, "connectors") == 1


async def test_a_replaced_connection_writes_nothing(database: Database) -> None:
    """With the fence, a write of an older epoch hears StaleEpoch; its neighbours are stored."""
    one, other = await stations(database, 2)
    registry = Registry(database)
    old = await registry.raise_epoch(one.station_id, now=T0)
    new = await registry.raise_epoch(one.station_id, now=T0)
    writes = [
        reading_write(one, 1)._replace(epoch=old),
        reading_write(one, 2)._replace(epoch=new),
        reading_write(other, 3)._replace(epoch=0),
    ]

    async with Writer(database, fence=True) as writer:
        outcomes = await asyncio.gather(*map(writer.write, writes), return_exceptions=True)

    assert isinstance(outcomes[0], StaleEpoch)
    assert outcomes[1:] == [None, None]
    assert await count(database, "readings") == 2


async def test_write_waits_when_very_many_wait(database: Database) -> None:
    """More writes than may wait are all stored, a few at a time."""
    (station,) = await stations(database)

    async with Writer(database, max_waiting=5) as writer:
        await asyncio.gather(*(writer.write(reading_write(station, n)) for n in range(60)))

    assert await count(database, "readings") == 60


async def test_a_caller_that_is_cancelled_disturbs_nobody(database: Database) -> None:
    """Its rows may be stored; the others' are."""
    (station,) = await stations(database)

    async with Writer(database) as writer:
        gone = asyncio.create_task(writer.write(reading_write(station, 1)))
        others = [asyncio.create_task(writer.write(reading_write(station, n))) for n in range(2, 10)]
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(*others)

    assert await count(database, "readings") >= 8


async def test_close_commits_what_waits_and_takes_no_more(database: Database) -> None:
    """A clean stop loses nothing."""
    (station,) = await stations(database)
    writer = Writer(database)
    writer.start()
    waiting = [asyncio.create_task(writer.write(reading_write(station, n))) for n in range(5)]
    await asyncio.sleep(0)

    await writer.close()

    await asyncio.gather(*waiting)
    with pytest.raises(StoreUnavailable):
        await writer.write(reading_write(station, 9))


async def test_readings_without_a_session_belong_to_their_station(database: Database) -> None:
    """They are kept under the station, apart from every session."""
    (station,) = await stations(database)
    row = ReadingRow.of(station.station_id, 2, a_reading(), T0 + timedelta(seconds=1))

    async with Writer(database) as writer:
        await writer.write(write_of(station, row))

    assert row.owner_id == -station.station_id
    assert await count(database, "readings") == 1
