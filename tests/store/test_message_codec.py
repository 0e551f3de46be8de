"""Messages of sessions in their rows: what is left out of a plain one's row follows from the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from csms.domain.charging_session import (
    HASHED,
    METERED,
    Change,
    ChargingSession,
    SessionMessage,
    evolve,
    key_number,
    payload_hash,
)
from csms.domain.course import Course, NextReading, Step
from csms.domain.meter import Reading, kind_number
from csms.domain.recognition import metered_key
from csms.domain.registers import MeterState
from csms.domain.sequence import SequenceState
from csms.store.database import Database
from csms.store.message_codec import (
    NOT_SENT,
    Sent,
    facts_of,
    hash_of,
    key_of,
    message_of,
    message_row,
    next_reading_row,
)
from csms.store.records import ReadingKind
from csms.store.session_codec import records_of
from csms.store.sessions import SessionStore
from csms.store.tables import session_messages
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.given import MINUTE, T0, a_message, a_reading, a_session, start_of, stations, write_of

AT = micros(T0 + MINUTE)
REQUEST = '{"connectorId":1,"transactionId":1001,"meterValue":[{"timestamp":"ä"}]}'.encode()
ENERGY = ReadingKind(
    kind_number("energy.active.import.register", "", "", ""), "energy.active.import.register", "", "", ""
)


def running(station: Any, *, seq: int | None = None, **changes: Any) -> ChargingSession:
    """A session that was heard once: 2.x with a number."""
    numbered = {} if seq is None else {"sequence": SequenceState(highest=seq, lowest=seq)}
    start = {"heard": 1, "last_event_at": T0, "meter": MeterState(start_mwh=1_000_000)}
    return a_session(station, **(start | numbered | changes))


def told(seq: int | None = None, *, wh: int = 1100, taken: int = AT) -> NextReading:
    """The next reading of it."""
    return NextReading("1001", AT, taken, wh * 1000, [(ENERGY.kind_id, wh * 1000), (7, 5, "x")], seq)


def plain_row(session: ChargingSession, station: Any, seq: int | None = None) -> Any:
    course, reading = Course(session, station), told(seq)
    step = course.step(reading, AT)
    assert step is not None
    return next_reading_row(course, reading, step, AT + 5, "m1", "MeterValues", REQUEST)


async def stored_row(database: Database, key: int) -> Any:
    (row,) = await database.read(select(session_messages).where(session_messages.c.key_number == key))
    return row


async def test_a_plain_1_6_message_says_what_a_full_one_would(database: Database) -> None:
    """Its key is that of its payload's hash; hash and facts are not stored, and come back."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        await writer.write(start_of(station, running(station)))
        await writer.write(write_of(station, ENERGY, plain_row(running(station), station)))
    digest = payload_hash(REQUEST)
    key = metered_key(digest)

    row = await stored_row(database, key_number(key))

    assert (row.key, row.payload_hash, row.facts, row.answer) == ("", "", "", None)
    assert (row.nth, row.kind, row.evse, row.action) == (2, METERED, 1, "MeterValues")
    assert row.request == REQUEST.decode()
    assert json.loads(row.samples) == [[AT, [[ENERGY.kind_id, 1_100_000], [7, 5, "x"]]]]
    assert (key_of(row), hash_of(row), facts_of(row)) == (key, digest, {"readings": 2})
    assert message_of(row) == SessionMessage(
        key, METERED, "m1", T0 + MINUTE, message_of(row).received_at, digest, {"readings": 2}
    )
    assert micros(message_of(row).received_at) == AT + 5


async def test_a_plain_2_x_message_has_its_number_for_a_key(database: Database) -> None:
    """As the sequence number is written everywhere."""
    (station,) = await stations(database)
    session = running(station, seq=41)
    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(write_of(station, plain_row(session, station, 42)))

    row = await stored_row(database, 42)

    assert (row.key, key_of(row), hash_of(row)) == ("", "42", payload_hash(REQUEST))
    assert await SessionStore(database).stored_answer(1, "42") == (payload_hash(REQUEST), None)


@pytest.mark.parametrize("seq", [None, 41])
async def test_a_retried_message_is_found_whichever_way_it_came(database: Database, seq: int | None) -> None:
    """By its key, with its hash; and the second delivery is no second row."""
    (station,) = await stations(database)
    session = running(station, seq=seq)
    following = None if seq is None else seq + 1
    key = metered_key(payload_hash(REQUEST)) if seq is None else str(following)
    plain = plain_row(session, station, following)
    message = SessionMessage(
        key, METERED, "m2", T0 + MINUTE, T0 + MINUTE, payload_hash(REQUEST), {"readings": 1}
    )
    full = message_row(evolve(session, heard=2), message, (a_reading(),), Sent("MeterValues", REQUEST))

    for rows in ((plain, full), (full, plain)):
        await database.execute(session_messages.delete())
        async with Writer(database) as writer:
            for row in rows:
                await writer.write(write_of(station, row))
        found = await SessionStore(database).stored_answer(1, key)
        assert found == (payload_hash(REQUEST), None)
        (kept,) = await database.read(select(session_messages))
        assert (kept.message_id, key_of(kept)) == (rows[0].message_id, key)
    assert await SessionStore(database).stored_answer(1, "another") is None
    assert await SessionStore(database).stored_answer(2, key) is None


async def test_a_full_message_is_stored_as_it_is(database: Database) -> None:
    """Key, hash, facts, answer, request; readings of several instants."""
    (station,) = await stations(database)
    session = running(station)
    message = a_message("stop#0123456789abcdef", reason="local", meter_stop_wh=None, readings=2)
    readings = (a_reading(T0, 1000), a_reading(T0 + MINUTE, 1012))
    sent = Sent("StopTransaction", b'{"x":"\xff\xc3\xa4"}', '{"idTagInfo":{}}')
    change = Change(session, readings=readings, message=message)
    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(write_of(station, *records_of(change, station, sent=sent)))

    row = await stored_row(database, key_number(message.key))

    assert message_of(row) == message
    assert (key_of(row), hash_of(row), facts_of(row)) == (message.key, message.payload_hash, message.facts)
    assert (row.action, row.request, row.answer) == ("StopTransaction", '{"x":"\ufffdä"}', '{"idTagInfo":{}}')
    assert await SessionStore(database).readings_of(session) == list(readings)


async def test_a_message_that_is_not_kept_as_sent(database: Database) -> None:
    """One of several changes has the request; the others say only what it meant for them."""
    (station,) = await stations(database)
    row = message_row(running(station), a_message("m"), (), NOT_SENT)

    assert (row.action, row.request, row.answer, row.samples, row.kinds) == ("", "", None, "", ())


def test_keys_as_numbers() -> None:
    """Numbers as they are, start and stop below them, everything else far above."""
    digest = payload_hash(b"x")

    assert [key_number(key) for key in ("start", "stop", "0", "41", "9" * 18)] == [-1, -2, 0, 41, 10**18 - 1]
    hashed = [
        "9" * 19,
        "1.0",
        "1#0123456789abcdef",
        "start#ab",
        "²",
        metered_key(digest),
        f"{metered_key(digest)}#a",
    ]
    numbers = [key_number(key) for key in hashed]
    assert all(HASHED <= number < 2**63 for number in numbers)
    assert len(set(numbers)) == len(hashed)


@given(st.integers(0, 10**18 - 1))
def test_a_sequence_number_comes_back(number: int) -> None:
    """From its key and from its row."""
    assert key_number(str(number)) == number
    assert key_of(Row(key="", key_number=number, request="")) == str(number)


@given(st.binary(max_size=40))
def test_a_payloads_key_is_the_same_from_its_bytes_and_from_its_row(payload: bytes) -> None:
    """1.6: the rules make the key of the hash, the plain row only of the bytes."""
    text = payload.decode("utf-8", "replace")
    key = metered_key(payload_hash(text.encode()))
    step = Step(AT, AT, None, -1, 2)

    row = next_reading_row(Somebody(), told(), step, AT, "m", "MeterValues", text.encode())  # type: ignore[arg-type]

    assert row.key_number == key_number(key)
    assert key_of(Row(key="", key_number=row.key_number, request=row.request)) == key
    assert hash_of(Row(payload_hash="", request=row.request)) == payload_hash(text.encode())


class Somebody:
    """Whose course it is."""

    session_id, evse = 1, 1


class Row:
    """Columns of a row."""

    def __init__(self, **columns: Any) -> None:
        self.__dict__ |= columns


@given(st.lists(st.integers(0, 3), max_size=8))
def test_facts_of_a_plain_row_are_counted(instants: list[int]) -> None:
    """Over all its instants."""
    samples = json.dumps([[n, [[1, 2]] * many] for n, many in enumerate(instants)])

    assert facts_of(Row(facts="", samples=samples)) == {"readings": sum(instants)}


async def test_readings_of_plain_and_full_messages_are_one_series(database: Database) -> None:
    """In order of time, with their words."""
    (station,) = await stations(database)
    course, readings = Course(running(station), station), []
    async with Writer(database) as writer:
        await writer.write(start_of(station, running(station)))
        for n in (1, 2, 3, 4):
            at = T0 + n * MINUTE
            reading = Reading(at, ENERGY.measurand, 1_000_000 + n)
            readings.append(reading)
            next_one = NextReading(
                "1001", micros(at), micros(at), reading.value, [(ENERGY.kind_id, reading.value or 0)]
            )
            step = course.step(next_one, micros(at))
            assert step is not None
            course.take(step)
            if n % 2:
                change = Change(course.session(), readings=(reading,), message=a_message(f"m{n}", at))
                await writer.write(write_of(station, *records_of(change, station)))
            else:
                row = next_reading_row(
                    course, next_one, step, micros(at), "m", "MeterValues", b'{"n":%d}' % n
                )
                await writer.write(write_of(station, row))

    store = SessionStore(database)
    assert await store.readings_of(course.session()) == readings
    page = await store.readings(1, None, 3)
    rest = await store.readings(1, page.next, 3)
    assert [one["value"] for one in page.items + rest.items] == [1000.001, 1000.002, 1000.003, 1000.004]
    assert len(await store.messages_of(1)) == 5
    assert [entry["facts"] for entry in await store.timeline(1)][2] == {"readings": 1}
