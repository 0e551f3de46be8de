"""A process that dies between messages and what they came to: every reader sees the session as it is."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState, evolve
from csms.domain.course import Course, NextReading
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading, kind_number
from csms.domain.quality import Flag
from csms.domain.registers import MeterState
from csms.domain.sequence import SequenceState
from csms.domain.transitions import apply
from csms.store import resuming
from csms.store.database import Database
from csms.store.message_codec import next_reading_row
from csms.store.records import ReadingKind
from csms.store.resuming import FIRST, RUNNING, catch_up, resumed
from csms.store.session_codec import records_of
from csms.store.sessions import SessionStore
from csms.store.tables import sessions
from csms.store.times import micros
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Writer
from tests.domain.story import metered
from tests.store.given import HOUR, MINUTE, T0, a_message, a_session, count, start_of, stations, write_of

EACH = pytest.mark.parametrize("seq", [None, 41], ids=["1.6", "2.x"])
POWER = kind_number("power.active.import", "", "", "")
WORDS = ReadingKind(POWER, "power.active.import", "", "", "")


def begun(station: ChargingStation, seq: int | None, number: int = 1, **other: Any) -> ChargingSession:
    """A session that was heard once, with a register of 1 kWh at its start."""
    meter = MeterState(start_mwh=1_000_000)
    numbered = {} if seq is None else {"sequence": SequenceState(highest=seq, lowest=seq, token_from=seq)}
    fields = {"heard": 1, "last_event_at": T0, "meter": meter, "meter_start_wh": 1000} | numbered
    return a_session(station, number, **(fields | other))


@dataclass
class Dying:
    """A process that writes messages, and dies before it brings its sessions' rows up."""

    database: Database
    station: ChargingStation
    session: ChargingSession
    minutes: int = 0
    course: Course = field(init=False)

    def __post_init__(self) -> None:
        self.course = Course(self.session, self.station)

    async def start(self) -> "Dying":
        """The session's row, with its first message."""
        async with Writer(self.database) as writer:
            await writer.write(start_of(self.station, self.session))
            await writer.write(write_of(self.station, *self._kinds()))
        return self

    def _kinds(self) -> list[ReadingKind]:
        contexts = ("", "sample.clock", "trigger", "other")
        energy = [
            ReadingKind(
                kind_number(ENERGY_IMPORT_REGISTER, "", "", context), ENERGY_IMPORT_REGISTER, "", "", context
            )
            for context in contexts
        ]
        return [WORDS, *energy]

    async def say(self, *readings: tuple[int | None, str], taken_s: int = 0) -> None:
        """Readings of the register in Wh (None: of power only), each a minute later: plain messages."""
        rows = []
        for wh, context in readings:
            self.minutes += 1
            at = micros(T0 + self.minutes * MINUTE)
            highest = self.course.session().sequence.highest
            samples: list[Any] = [(POWER, 7_000_000)]
            if wh is not None:
                samples.append((kind_number(ENERGY_IMPORT_REGISTER, "", "", context), wh * 1000))
            energy = None if wh is None else wh * 1000
            seq = None if highest is None else highest + 1
            told = NextReading("1001", at, at - taken_s * 1_000_000, energy, samples, seq)
            step = self.course.step(told, at)
            assert step is not None
            payload = b'{"s":%d,"n":%d}' % (self.session.session_id, self.minutes)
            rows.append(
                next_reading_row(self.course, told, step, at, f"m{self.minutes}", "MeterValues", payload)
            )
            self.course.take(step)
        async with Writer(self.database) as writer:
            await writer.write(write_of(self.station, *rows))

    @property
    def now(self) -> ChargingSession:
        """The session as the process knew it."""
        return self.course.session()


async def heard_of(database: Database, number: int = 1) -> int:
    """How many messages a session's row knows of."""
    (row,) = await database.read(select(sessions.c.heard).where(sessions.c.session_id == number))
    return int(row.heard)


async def dead(database: Database, seq: int | None) -> Dying:
    """One that has died after three readings."""
    (station,) = await stations(database)
    process = await Dying(database, station, begun(station, seq)).start()
    await process.say((1100, ""), (None, ""), (1200, "sample.clock"))
    assert await heard_of(database) == 1
    return process


@EACH
async def test_whoever_asks_for_a_session_gets_it_as_it_is(database: Database, seq: int | None) -> None:
    """By number, transaction, key and station, although its row is behind."""
    process = await dead(database, seq)
    store, now = SessionStore(database), process.now
    assert (now.energy_wh, now.heard) == (200, 4)

    assert await store.by_id(1) == now
    assert await store.open_sessions(process.station.station_id) == [now]
    assert await store.by_transaction(process.station.station_id, "1001") == now
    assert await store.by_start_key(process.station.station_id, "start:1") == now
    assert await store.active_by_token("a1") == [now]


@EACH
async def test_a_session_is_resumed_as_the_rules_would_have_made_it(
    database: Database, seq: int | None
) -> None:
    """Message by message, from its row and what was said since."""
    process = await dead(database, seq)
    session = process.session
    for n, wh in ((1, 1100), (2, None), (3, 1200)):
        at = T0 + n * MINUTE
        value = [] if wh is None else [Reading(at, ENERGY_IMPORT_REGISTER, wh * 1000)]
        event = metered(0, seq=None if seq is None else seq + n, at=at, readings=tuple(value))
        told = a_message("x")
        session = apply(session, event, station=process.station, arrived=at, message=told).session

    assert await SessionStore(database).by_id(1) == session


@EACH
async def test_upkeep_decides_about_sessions_as_they_are(database: Database, seq: int | None) -> None:
    """It is shown them as they are, and replaces none of which it knows less."""
    process = await dead(database, seq)
    upkeep = UpkeepStore(database)
    suspected = evolve(process.now, state=SessionState.SUSPECTED_ENDED, suspected_at=T0 + HOUR)
    records = records_of(Change(suspected), process.station)

    assert await upkeep.silent(T0 + HOUR) == [process.now]
    assert not await upkeep.replace(process.session, records)
    assert await SessionStore(database).by_id(1) == process.now
    assert await upkeep.replace(process.now, records)
    assert await SessionStore(database).by_id(1) == suspected
    assert await upkeep.suspected(T0 + HOUR) == [suspected]


@EACH
async def test_catching_up_brings_rows_up(database: Database, seq: int | None) -> None:
    """At the start of a process; what the API reads off the rows is right then. Again, it does nothing."""
    process = await dead(database, seq)
    store = SessionStore(database)
    shown = await store.shown(1)
    assert shown is not None
    assert shown["energy_wh"] is None

    for _ in range(2):
        await store.catch_up()

        assert await heard_of(database) == 4
        assert await store.by_id(1) == process.now
        shown = await store.shown(1)
        assert shown is not None
        assert shown["energy_wh"] == 200


@EACH
async def test_many_sessions_are_caught_up_a_few_at_a_time(
    database: Database, seq: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every one that is behind, and none of those that are not, or have ended."""
    monkeypatch.setattr(resuming, "RUNNING", resuming.RUNNING.limit(2))
    made = await stations(database, 7)
    processes = []
    for n, station in enumerate(made, 1):
        state = SessionState.ENDED if n == 4 else SessionState.ACTIVE
        processes.append(
            await Dying(database, station, begun(station, seq, n, state=SessionState.ACTIVE)).start()
        )
        if n % 2:
            await processes[-1].say((1000 + n, ""))
        if state is SessionState.ENDED:
            change = Change(evolve(processes[-1].now, state=state, ended_at=T0), message=a_message("stop"))
            async with Writer(database) as writer:
                await writer.write(write_of(station, *records_of(change, station)))

    await SessionStore(database).catch_up()

    assert [await heard_of(database, n) for n in range(1, 8)] == [2, 1, 2, 1, 2, 1, 2]
    for n in (1, 2, 3, 5, 6, 7):
        assert await SessionStore(database).by_id(n) == processes[n - 1].now


async def test_catching_up_reads_no_history(sqlite_url: str) -> None:
    """It begins with what runs, in the order of its index, however many sessions there ever were."""
    database = await Database.open(sqlite_url)
    query = RUNNING.compile(dialect=database.dialect_of, compile_kwargs={"render_postcompile": True})
    sql = str(query).replace("?", "1")

    plan = [row.detail for row in await database.read(text(f"EXPLAIN QUERY PLAN {sql}"))]

    assert len(plan) == 1
    assert "USING INDEX ix_sessions_unended (" in plan[0]
    await database.close()


async def test_catching_up_where_there_is_nothing(database: Database) -> None:
    """A new installation."""
    assert await database.run(partial(catch_up, FIRST)) is None
    await SessionStore(database).catch_up()


@EACH
async def test_a_new_process_goes_on_with_it(database: Database, seq: int | None) -> None:
    """It dies too; the next one sees what both heard."""
    first = await dead(database, seq)
    session = await SessionStore(database).by_id(1)
    assert session is not None
    second = Dying(database, first.station, session, minutes=3)

    await second.say((1300, ""), (1300, "trigger"))

    found = await SessionStore(database).by_id(1)
    assert found == second.now
    assert (second.now.energy_wh, second.now.heard) == (300, 6)
    assert await count(database, "session_messages") == 6


@EACH
async def test_a_message_that_went_the_long_way_is_counted_once(database: Database, seq: int | None) -> None:
    """Its row was brought up with it; only what came after is carried on."""
    process = await dead(database, seq)
    at = T0 + 10 * MINUTE
    odd = evolve(process.now, heard=5, last_event_at=at)
    if seq is not None:
        odd = evolve(odd, sequence=odd.sequence._replace(highest=seq + 4))
    change = Change(odd, message=a_message("odd" if seq is None else str(seq + 4), at))
    async with Writer(database) as writer:
        await writer.write(write_of(process.station, *records_of(change, process.station, process.now)))
    assert await SessionStore(database).by_id(1) == odd

    later = Dying(database, process.station, odd, minutes=10)
    await later.say((1400, ""))

    assert await SessionStore(database).by_id(1) == later.now
    assert later.now.energy_wh == 400


async def test_a_reading_may_be_taken_before_its_message(database: Database) -> None:
    """2.x has two times; the meter's is the reading's."""
    (station,) = await stations(database)
    process = await Dying(database, station, begun(station, 0)).start()
    await process.say((1100, ""), taken_s=20)

    found = await SessionStore(database).by_id(1)

    assert found == process.now
    assert found.meter.last_at == T0 + MINUTE - timedelta(seconds=20)


@EACH
async def test_a_session_that_cannot_run_is_what_its_row_says(database: Database, seq: int | None) -> None:
    """Plain readings come to running sessions only: nothing can be behind it."""
    (station,) = await stations(database)
    flagged = begun(station, seq, flags=(Flag.CLOCK,))
    async with Writer(database) as writer:
        await writer.write(start_of(station, flagged))

    assert await SessionStore(database).by_id(1) == flagged


@EACH
async def test_a_row_that_is_not_behind_is_left_alone(database: Database, seq: int | None) -> None:
    """The session of a row that knows all is that row's."""
    (station,) = await stations(database)
    process = await Dying(database, station, begun(station, seq)).start()

    def job(connection: Connection) -> ChargingSession:
        return resumed(connection.execute(select(sessions)).one(), connection)

    assert await database.look(job) == process.session


SAID = st.lists(
    st.tuples(st.none() | st.integers(0, 900), st.sampled_from(["", "sample.clock", "trigger", "other"]))
)


@pytest.mark.parametrize("seq", [None, 7])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=SAID, cut=st.integers(0, 10))
async def test_whatever_was_said_is_resumed(
    inline_database: Database, seq: int | None, said: list[tuple[int | None, str]], cut: int
) -> None:
    """Any readings in any contexts, and a row that is anywhere behind them."""
    for table in reversed(sessions.metadata.sorted_tables):
        await inline_database.execute(table.delete())
    (station,) = await stations(inline_database)
    process = await Dying(inline_database, station, begun(station, seq)).start()
    rising, wh = [], 1000
    for more, context in said[:50]:
        wh += more or 0
        rising.append((None if more is None else wh, context))
    await process.say(*rising[:cut])
    await SessionStore(inline_database).catch_up()
    await process.say(*rising[cut:])

    assert await SessionStore(inline_database).by_id(1) == process.now
