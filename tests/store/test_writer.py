"""The writer, on both databases: what is acknowledged is stored, once, and a bad row hurts nobody else."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState, evolve
from csms.domain.course import Course, NextReading
from csms.domain.quality import EnergySource
from csms.domain.registers import MeterState
from csms.errors import StaleEpoch, StoreError, StoreUnavailable
from csms.store.database import Database
from csms.store.message_codec import Sent, next_reading_row
from csms.store.records import ConnectorStateRow, ReadingRow, StationEventRow
from csms.store.registry import Registry
from csms.store.session_codec import DUE_LATER, progress_of, records_of
from csms.store.sessions import SessionStore
from csms.store.tables import session_due, session_messages, session_revisions, sessions
from csms.store.times import instant, micros
from csms.store.writer import MOST_PROGRESS, PROGRESS_EVERY_S, AlreadyStored, RowRefused, Write, Writer
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
        await writer.write(
            write_of(station, *records_of(change, station, sent=Sent("", b"", '{"transactionId":1001}')))
        )

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
        *records_of(Change(session, readings=(a_reading(),), message=a_message("m1")), station),
    )

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(again)
        await writer.write(again)

    assert await count(database, "session_messages") == 2
    assert await SessionStore(database).readings_of(session) == [a_reading()]


async def test_the_first_answer_of_a_message_stays(database: Database) -> None:
    """What a station was told once it is told for ever."""
    (station,) = await stations(database)
    session = a_session(station)

    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        for answer in ("first", "second"):
            change = Change(session, message=a_message("m1"))
            await writer.write(write_of(station, *records_of(change, station, sent=Sent("", b"", answer))))

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
    metered = evolve(
        session, energy_wh=500, energy_source=EnergySource.PERIODIC, last_event_at=T0 + MINUTE, heard=1
    )
    change = Change(metered, message=a_message("m1"))
    short = records_of(change, station, before=session)

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
            write_of(station, *records_of(Change(ended, message=a_message("stop")), station, before=session))
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
        await writer.write(write_of(station, *records_of(change, station)))

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
            await writer.write(write_of(station, *records_of(change, station)))

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

    assert row.station_id == station.station_id
    assert await count(database, "readings") == 1


async def test_who_needs_no_task_hears_of_the_commit(database: Database) -> None:
    """`done` is called once, after it, in the order of the writes; and with what was refused."""
    (station,) = await stations(database)
    heard: list[tuple[int, StoreError | None]] = []
    writes = [reading_write(station, n) for n in range(5)]
    writes[3] = Write(station.station_id, 0, [StationEventRow(1, "bad", 2**70, 0, "{}")])

    async with Writer(database) as writer:
        for n, write in enumerate(writes):
            assert writer.submit(write, lambda refusal, n=n: heard.append((n, refusal)))  # type: ignore[misc]
        assert heard == []
        assert writer.waiting == 5
        await writer.write(reading_write(station, 9))

    assert [n for n, _ in heard] == [0, 1, 2, 3, 4]
    assert [type(refusal).__name__ for _, refusal in heard] == ["NoneType"] * 3 + ["RowRefused", "NoneType"]
    assert await count(database, "readings") == 5


async def test_who_is_replaced_hears_it_without_a_task_too(database: Database) -> None:
    """StaleEpoch, as from `write`."""
    (station,) = await stations(database)
    old = await Registry(database).raise_epoch(station.station_id, now=T0)
    await Registry(database).raise_epoch(station.station_id, now=T0)
    heard: list[StoreError | None] = []

    async with Writer(database, fence=True) as writer:
        assert writer.submit(reading_write(station, 1)._replace(epoch=old), heard.append)

    assert isinstance(heard[0], StaleEpoch)
    assert len(heard) == 1


async def test_there_is_not_always_room(database: Database) -> None:
    """Full, away or closing: nothing is taken, and nobody hears anything."""
    (station,) = await stations(database)
    heard: list[StoreError | None] = []
    writer = Writer(database, max_waiting=2)
    writer.start()

    taken = [writer.submit(reading_write(station, n), heard.append) for n in range(3)]
    assert taken == [True, True, False]
    await writer.write(reading_write(station, 5))
    writer.healthy = False
    assert not writer.submit(reading_write(station, 6), heard.append)
    writer.healthy = True
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    assert not writer.submit(reading_write(station, 7), heard.append)
    await closing

    assert heard == [None, None]
    assert await count(database, "readings") == 3


def running(station: ChargingStation, number: int = 1) -> ChargingSession:
    """A session that began with a register of 1 kWh, and was heard once."""
    return a_session(station, number, heard=1, last_event_at=T0, meter=MeterState(start_mwh=1_000_000))


def go_on(course: Course, minutes: int, wh: int) -> Write:
    """The course's next reading, and the write of it."""
    at = micros(T0 + minutes * MINUTE)
    told = NextReading("1001", at, at, wh * 1000, [(5, wh * 1000)])
    step = course.step(told, at)
    assert step is not None
    row = next_reading_row(course, told, step, at, "m", "MeterValues", b'{"n":%d}' % minutes)
    course.take(step)
    return Write(0, 0, [row])


async def heard_of(database: Database, number: int = 1) -> int:
    """How many of the session's messages its row knows of."""
    (row,) = await database.read(select(sessions.c.heard).where(sessions.c.session_id == number))
    return int(row.heard)


async def within(database: Database, heard: int, seconds: float, number: int = 1) -> float:
    """Wait until the row knows of so many messages; how long it took."""
    clock = asyncio.get_running_loop().time
    started = clock()
    while await heard_of(database, number) != heard:
        assert clock() - started < seconds, "the row was not brought up"
        await asyncio.sleep(0.01)
    return clock() - started


async def test_a_row_is_brought_up_to_its_messages_soon(database: Database) -> None:
    """A moment after each message, though nothing else is written."""
    (station,) = await stations(database)
    course = Course(running(station), station)

    async with Writer(database) as writer:
        await writer.write(start_of(station, running(station)))
        for n in (1, 2, 3):
            await writer.write(go_on(course, n, 1000 + n))
            writer.went_on(course)
            await within(database, n + 1, PROGRESS_EVERY_S + 1.5)

    store = SessionStore(database)
    assert await store.by_id(1) == course.session()
    shown = await store.shown(1)
    assert shown is not None
    assert shown["energy_wh"] == 3


async def test_a_row_is_not_rewritten_with_each_message(database: Database) -> None:
    """Many messages in a moment are one update of the row, with the newest state."""
    (station,) = await stations(database)
    course = Course(running(station), station)
    rows: list[int] = []

    async with Writer(database, observe=lambda n, seconds: rows.append(n)) as writer:
        await writer.write(start_of(station, running(station)))
        began = sum(rows)
        for n in range(1, 31):
            await writer.write(go_on(course, n, 1000 + n))
            writer.went_on(course)
        await within(database, 31, PROGRESS_EVERY_S + 1.5)
        spent = sum(rows) - began

    assert 31 <= spent <= 30 + 10
    assert await SessionStore(database).by_id(1) == course.session()


async def test_progress_is_never_put_over_what_is_newer(database: Database) -> None:
    """A message that went the other way meanwhile has written more than the course knew."""
    (station,) = await stations(database)
    course = Course(running(station), station)
    newer = evolve(running(station), heard=9, energy_wh=77, energy_source=EnergySource.PERIODIC)

    async with Writer(database) as writer:
        await writer.write(start_of(station, running(station)))
        await writer.write(go_on(course, 1, 1001))
        writer.went_on(course)
        change = Change(newer, message=a_message("m9"))
        await writer.write(write_of(station, *records_of(change, station)))
        await asyncio.sleep(PROGRESS_EVERY_S + 0.2)
        assert await heard_of(database) == 9
        await writer.write(write_of(station, progress_of(course.session())))

    assert await SessionStore(database).by_id(1) == newer


async def test_closing_brings_rows_up(database: Database) -> None:
    """A clean stop leaves no row behind, whoever waits for his turn."""
    made = await stations(database, 3)
    courses = [Course(running(station, n), station) for n, station in enumerate(made, 1)]
    writer = Writer(database)
    writer.start()
    for station, course in zip(made, courses, strict=True):
        await writer.write(start_of(station, course.session()))
    for n in (1, 2):
        for course in courses:
            await writer.write(go_on(course, n, 1000 + n))
            writer.went_on(course)

    await writer.close()

    assert [await heard_of(database, n) for n in (1, 2, 3)] == [3, 3, 3]
    assert writer._timer is None


async def test_many_rows_are_brought_up_a_few_with_each_commit(database: Database) -> None:
    """Nobody waits for the rows of a hundred sessions, and none of them is forgotten."""
    made = await stations(database, 100)
    courses = [Course(running(station, n), station) for n, station in enumerate(made, 1)]
    rows: list[int] = []
    async with Writer(database, observe=lambda n, seconds: rows.append(n)) as writer:
        for station, course in zip(made, courses, strict=True):
            await writer.write(start_of(station, course.session()))
        began = sum(rows)
        for course in courses:
            await writer.write(go_on(course, 1, 1001))
            writer.went_on(course)
        await within(database, 2, PROGRESS_EVERY_S + 5, number=100)

    # Once each, whenever their turn came.
    assert sum(rows) - began == 100 + 100
    assert max(rows) <= MOST_PROGRESS + 1


async def test_a_session_that_runs_on_anew_is_brought_up_to_its_newest_course(database: Database) -> None:
    """A course that ended while its row was due is not what the row is brought up to."""
    (station,) = await stations(database)
    course = Course(running(station), station)
    async with Writer(database) as writer:
        await writer.write(start_of(station, running(station)))
        await writer.write(go_on(course, 1, 1001))
        writer.went_on(course)
        anew = Course(course.session(), station)
        await writer.write(go_on(anew, 2, 1002))
        writer.went_on(anew)
        await within(database, 3, PROGRESS_EVERY_S + 1.5)

    assert await SessionStore(database).by_id(1) == anew.session()


async def test_progress_that_could_not_be_written_is_written_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage between the messages and what they came to: the next time does it."""
    (station,) = await stations(database)
    course = Course(running(station), station)
    async with Writer(database) as writer:
        await writer.write(start_of(station, running(station)))
        await writer.write(go_on(course, 1, 1001))

        async def refuse(job: object) -> None:
            raise ValueError("not now")

        monkeypatch.setattr(database, "put", refuse)
        monkeypatch.setattr(database, "run", refuse)
        writer.went_on(course)
        await asyncio.sleep(0.05)
        monkeypatch.undo()
        await within(database, 2, PROGRESS_EVERY_S + 1.5)

    assert await SessionStore(database).by_id(1) == course.session()
