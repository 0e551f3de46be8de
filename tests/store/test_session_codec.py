"""A session to its row and back, and what a change puts down."""

from types import SimpleNamespace

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, Evidence, SessionState, evolve
from csms.domain.quality import Flag
from csms.domain.registers import MeterState
from csms.domain.sequence import SequenceState
from csms.store.message_codec import Sent
from csms.store.reading_rows import unpack
from csms.store.records import (
    SessionDue,
    SessionInsert,
    SessionMessageRow,
    SessionProgress,
    SessionUpdate,
    kind_of,
)
from csms.store.session_codec import flags_of, flags_text, records_of, session_of
from csms.store.times import micros
from tests.store.given import HOUR, MINUTE, T0, a_message, a_reading, a_session

STATION = ChargingStation(7, "CS-7", site_id=2, operator_id=3)
SESSION = a_session(
    STATION,
    9,
    state=SessionState.SUSPECTED_ENDED,
    ended_at=T0 + HOUR,
    end_received_at=T0 + HOUR,
    meter_stop_wh=2000,
    energy_wh=1000,
    flags=(Flag.CLOCK, Flag.GAP),
    remote_start_id=5,
    last_event_at=T0 + MINUTE,
    sequence=SequenceState(4, (1, 3)),
    meter=MeterState(start_mwh=1, last_at=T0),
    suspected_at=T0 + MINUTE,
    suspected_by=Evidence.BOOT,
    asked_at=T0 + MINUTE,
)


def test_a_session_comes_back_as_it_went() -> None:
    """Every field, the energy engine's state among them."""
    (row, *_) = records_of(Change(SESSION, is_new=True), STATION)
    assert isinstance(row, SessionInsert)

    assert session_of(SimpleNamespace(**row._asdict())) == SESSION


def test_a_repeat_puts_down_nothing() -> None:
    """What was applied before is not applied again."""
    assert records_of(Change(SESSION, is_repeat=True, readings=(a_reading(),)), STATION) == []


def test_everything_of_a_change_is_put_down() -> None:
    """Session, evidence with its readings, the due mark."""
    change = Change(
        SESSION, readings=(a_reading(), a_reading(T0 + MINUTE)), message=a_message(), hours_due=True
    )

    sent = Sent("StopTransaction", b'{"a":1}', '{"b":2}')
    session, told, due, *_ = records_of(change, STATION, sent=sent)

    assert isinstance(session, SessionUpdate)
    assert isinstance(told, SessionMessageRow)
    assert isinstance(due, SessionDue)
    assert (told.action, told.request, told.answer) == ("StopTransaction", '{"a":1}', '{"b":2}')
    assert [at for at, _ in unpack(told.samples)] == [micros(T0), micros(T0 + MINUTE)]


def test_the_short_update_is_for_progress_only() -> None:
    """Whatever writes an index, or is shown in another column, takes the long one."""
    metered = evolve(SESSION, energy_wh=1, last_event_at=T0 + HOUR, sequence=SequenceState(5))
    (short, _) = records_of(Change(metered, message=a_message()), STATION, before=SESSION)
    (unsure, *_) = records_of(Change(metered, message=a_message()), STATION)
    (untold,) = records_of(Change(metered), STATION, before=SESSION)

    assert isinstance(short, SessionProgress)
    assert isinstance(unsure, SessionUpdate)
    assert isinstance(untold, SessionUpdate)  # progress is known by the number of its message
    for changed in (
        evolve(SESSION, state=SessionState.ENDED),
        evolve(SESSION, flags=()),
        evolve(SESSION, token="B"),
        evolve(SESSION, evse=2),
        evolve(SESSION, started_at=T0 + MINUTE),
        evolve(SESSION, transaction_id="x"),
        evolve(SESSION, start_key="x"),
        evolve(SESSION, meter_stop_wh=1),
    ):
        (row, *_) = records_of(Change(changed), STATION, before=SESSION)
        assert isinstance(row, SessionUpdate)


def test_a_change_without_a_message_has_a_time() -> None:
    """When a session is closed by other evidence, the due mark has the time of its end."""
    records = records_of(Change(SESSION, hours_due=True), STATION)

    (due,) = [record for record in records if isinstance(record, SessionDue)]
    assert due.due_at == 1_767_610_800_000_000


def test_flags_can_be_searched_for_whole() -> None:
    """Between commas, so that no flag is found inside another."""
    assert flags_text((Flag.CLOCK, Flag.GAP)) == ",clock,gap,"
    assert flags_of(",clock,gap,") == ["clock", "gap"]
    assert flags_of(flags_text(())) == []


def test_kinds_of_readings_have_numbers_of_their_own() -> None:
    """The same in every process, another for every difference, and never negative."""
    words = ("energy", "l1", "outlet", "sample")
    others = {kind_of(*words[:n], "x", *words[n + 1 :]).kind_id for n in range(4)}

    assert kind_of(*words).kind_id == kind_of(*words).kind_id
    assert len(others | {kind_of(*words).kind_id}) == 5
    assert kind_of("", "", "", "").kind_id == 76_689_667_955_191
    assert 0 <= kind_of(*words).kind_id < 2**47
