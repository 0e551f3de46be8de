"""A session's course and the rules' own way come to the same, whatever was said before and comes next."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from csms.domain.assets import ChargingStation, TokenStatus, TokenVerdict
from csms.domain.charging_session import ChargingSession
from csms.domain.course import Course, NextReading, Step
from csms.domain.events import PresentedToken, SessionMetered
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading, kind_number
from csms.domain.session import Evidence, apply, evolve, suspect
from csms.domain.transitions import _applied, _Delivery
from csms.store.times import micros
from tests.domain.story import STATION, T0, Event, Story, at, ended, message_of, metered, register, started

KOLKATA = replace(STATION, time_zone="Asia/Kolkata")  # its hours begin at half past
UNBOUNDED = replace(STATION, max_power_w=None)
SECOND = timedelta(seconds=1)


def told_of(event: SessionMetered) -> NextReading:
    """What `protocol.plain` makes of the message that `event` was made of."""
    assert event.at is not None
    (taken,) = {reading.at for reading in event.readings} or {event.at}
    registers = [reading.value for reading in event.readings if reading.measurand == ENERGY_IMPORT_REGISTER]
    return NextReading(
        event.transaction_id,
        micros(event.at),
        micros(taken),
        registers[0] if registers else None,
        [(kind_number(r.measurand, r.phase, r.location, r.context), r.value or 0) for r in event.readings],
        event.seq_no,
        event.charging_state,
        event.evse is not None,
    )


def stepped(
    session: ChargingSession, event: SessionMetered, arrived: datetime, station: ChargingStation = STATION
) -> Step | None:
    """What a course of the session says to the event."""
    return Course(session, station).step(told_of(event), micros(arrived))


def assert_as_the_rules_have_it(
    course: Course,
    before: ChargingSession,
    event: SessionMetered,
    arrived: datetime,
    station: ChargingStation,
) -> None:
    """The session of the course is what `event` made of `before`, by the short way and by the long one."""
    message = message_of(event)
    short = apply(before, event, station=station, arrived=arrived, message=message)
    long = _applied(before, before, event, _Delivery(station, arrived, message, None, None))

    for name, found in course.session()._asdict().items():
        assert found == getattr(long.session, name), name
    assert course.session() == short.session == long.session
    assert (course.session_id, course.evse, course.heard) == (
        before.session_id,
        before.evse,
        before.heard + 1,
    )
    for change in (short, long):
        # The hour of the start is due since the start.
        assert not change.hours_due or before.meter.last_at is None
        assert (change.order_due, change.revised, change.is_repeat, change.is_new) == (False,) * 4


ODDITIES = ("l1", "interval", "none", "token", "two", "begin", "boot", "late", "wait", "unreadable", "gap")
PREFIXES = st.lists(
    st.tuples(
        st.integers(1, 20), st.integers(-2_000, 4_000), st.sampled_from(["", "", "", "voltage", *ODDITIES])
    ),
    max_size=5,
)
READINGS = st.lists(
    st.fixed_dictionaries(
        {
            "s": st.sampled_from([1, 5, 30, 60, 61, 300, 900, 0, -30]) | st.integers(1, 1_500),
            "mwh": st.integers(0, 300_000) | st.sampled_from([0, -1, -9_000, -50_000, 5_000_000]),
            "shape": st.sampled_from(["energy", "energy", "energy", "other", "both", "nothing"]),
            "context": st.sampled_from(["", "", "sample.clock", "trigger", "other"]),
            "taken_s": st.sampled_from([0, 0, 0, -1, -3, 1, -600]),
            "late_s": st.sampled_from([0, 0, 0, 0.25, 2, 60, 3600, 86_400 * 401, -5, -660]),
            "skip": st.sampled_from([0, 0, 0, 0, 0, 1, -1]),
            "state": st.sampled_from(["", "", "charging", "charging", "suspended-ev"]),
            "place": st.booleans(),
        }
    ),
    min_size=1,
    max_size=12,
)
BEGINNINGS = st.fixed_dictionaries(
    {
        "seq": st.sampled_from([None, 0, 41]),
        "wh": st.sampled_from([None, 0, 1_000, 999_000]),
        "minute": st.sampled_from([0, 17.5, 29, 58.9]),
        "place": st.sampled_from([(1, 1), (1, 1), (1, 1), (1, None), (None, None)]),
        "token": st.sampled_from([None, PresentedToken("A1", "ISO14443")]),
        "state": st.sampled_from(["", "charging"]),
        "verdict": st.sampled_from([TokenStatus.ACCEPTED] * 5 + [TokenStatus.BLOCKED]),
    }
)


def story_of(
    beginning: dict[str, Any], prefix: list[tuple[int, int, str]], station: ChargingStation
) -> Story:
    """A session that began like this and heard these messages, plain and odd ones."""
    seq, minutes, wh = beginning["seq"], beginning["minute"], beginning["wh"] or 0
    evse, connector = beginning["place"]
    story = Story(station)
    start = started(
        minutes, seq=seq, wh=beginning["wh"], evse=evse, connector=connector, token=beginning["token"]
    )
    start = replace(start, charging_state=beginning["state"] if seq is not None else "")
    story.tell(start, verdict=TokenVerdict(beginning["verdict"]))
    for since, more, kind in prefix:
        minutes, wh = minutes + since, max(wh + more, 0)
        if kind == "boot":
            change = suspect(story.now, Evidence.BOOT, at(minutes), at(minutes))
            if change is not None:  # not suspected already
                story.keep(change)
            continue
        seq = None if seq is None else seq + 1 + (kind == "gap")
        story.tell(odd(kind, minutes, wh, seq), at(minutes))
    return story


def odd(kind: str, minutes: float, wh: int, seq: int | None) -> Event:
    """A message of this kind."""
    energy = register(minutes, wh)
    readings = {
        "l1": (energy._replace(phase="l1"),),
        "interval": (energy._replace(measurand="energy.active.import.interval"),),
        "none": (),
        "two": (energy, register(minutes - 0.5, max(wh - 1, 0))),
        "begin": (energy._replace(context="transaction.begin"),),
        "voltage": (energy._replace(measurand="voltage", value=230_000),),
        "late": (register(minutes - 3, wh),),
        "unreadable": (energy._replace(value=None, raw="n/a"),),
    }.get(kind, (energy,))
    token = PresentedToken("B2") if kind == "token" else None
    return metered(minutes, seq=seq, readings=readings, token=token)


def event_of(told: dict[str, Any], now: datetime, mwh: int, seq: int | None) -> SessionMetered:
    """The message that a generated reading stands for."""
    taken = now + told["taken_s"] * SECOND if seq is not None else now
    energy = Reading(taken, ENERGY_IMPORT_REGISTER, max(mwh, 0), context=told["context"])
    other = Reading(taken, "voltage", 230_000, phase="l1-n")
    readings = {"energy": (energy,), "other": (other,), "both": (other, energy), "nothing": ()}[told["shape"]]
    is_placed = told["place"] or seq is None
    return SessionMetered(
        "TX-1",
        now,
        1 if is_placed else None,
        1 if is_placed else None,
        seq_no=seq,
        readings=readings,
        charging_state=told["state"] if seq is not None else "",
    )


@given(BEGINNINGS, PREFIXES, READINGS, st.sampled_from([STATION, KOLKATA, UNBOUNDED]))
def test_where_a_course_says_something_the_rules_say_the_same(
    beginning: dict[str, Any],
    prefix: list[tuple[int, int, str]],
    readings: list[dict[str, Any]],
    station: ChargingStation,
) -> None:
    """After any beginning, any next readings: what the course refuses goes the long way, and it goes on."""
    story = story_of(beginning, prefix, station)
    assume(Course.can_run(story.now))
    course: Course | None = None

    for told in readings:
        before = story.now
        if not Course.can_run(before):
            break
        course = course or Course(before, station)
        assert before.last_event_at is not None
        total, highest = before.meter.total, before.sequence.highest
        mwh = (total.last if total is not None else before.meter.start_mwh or 0) + told["mwh"]
        seq = None if highest is None else highest + 1 + told["skip"]
        event = event_of(told, before.last_event_at + told["s"] * SECOND, mwh, seq)
        arrived = (event.at or T0) + told["late_s"] * SECOND

        step = course.step(told_of(event), micros(arrived))

        if step is None:
            assert course.session() == before
            story.tell(event, arrived)
            course = None
            continue
        course.take(step)
        assert_as_the_rules_have_it(course, before, event, arrived, station)
        story.tell(event, arrived)
        assert story.now == course.session()


@given(
    st.sampled_from([None, 0]),
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 100_000)), min_size=1, max_size=60),
    st.integers(0, 60),
)
def test_a_course_may_be_taken_up_anywhere(
    first: int | None, steps: list[tuple[int, int]], where: int
) -> None:
    """A chain of readings by one course, or by two with a session between them: the same session."""
    session = begun_with(first)
    whole, parts = Course(session, STATION), Course(session, STATION)
    seconds, mwh = 0, 1_000_000
    for n, (since, more) in enumerate(steps):
        seconds, mwh = seconds + since, mwh + more
        seq = None if first is None else first + 1 + n
        event = metered(seconds / 60, seq=seq, readings=(register(seconds / 60, mwh / 1000),))
        if n == where:
            parts = Course(parts.session(), STATION)
        for course in (whole, parts):
            step = course.step(told_of(event), micros(event.at or T0))
            assert step is not None
            course.take(step)

    assert whole.session() == parts.session()
    assert whole.session().energy_wh == (mwh - 1_000_000 + 500) // 1000
    assert whole.session().heard == 1 + len(steps)


def begun_with(seq: int | None, **other: Any) -> ChargingSession:
    """A session that has only begun, at 1 kWh."""
    story = Story()
    story.tell(started(seq=seq, wh=1000, **other))
    return story.now


def running() -> ChargingSession:
    """A 2.x session with a reading of 2 kWh after ten minutes, charging."""
    story = Story()
    story.tell(started(seq=0, wh=1000))
    story.tell(metered(10, 2000, seq=1, charging_state="charging"))
    return story.now


@pytest.mark.parametrize(
    ("event", "arrived"),
    [
        (metered(20, 2500, seq=2), at(20)),
        (metered(20, 2500, seq=2, charging_state="charging"), at(20)),
        (metered(20, 2500, seq=2, evse=1, connector=1), at(20)),
        (metered(20, 2000, seq=2), at(20)),
        (metered(20, seq=2), at(20)),
        (metered(20, seq=2, readings=(register(19.9, 2500),)), at(20)),
        (metered(29, 2500, seq=2), at(20)),
        (metered(20, 2500, seq=2), at(20 + 399 * 24 * 60)),
        (metered(59.99, 2500, seq=2), at(60)),
    ],
    ids=["plain", "charging", "placed", "flat", "no-value", "taken-before", "ahead", "late", "end-of-hour"],
)
def test_what_a_course_takes(event: SessionMetered, arrived: datetime) -> None:
    """The next in time and number, on a register that rises as it can."""
    before = running()
    course = Course(before, STATION)

    step = course.step(told_of(event), micros(arrived))

    assert step is not None
    assert course.session() is before
    course.take(step)
    assert_as_the_rules_have_it(course, before, event, arrived, STATION)


@pytest.mark.parametrize(
    ("event", "arrived"),
    [
        (metered(9, 2500, seq=2), at(20)),
        (metered(10, 2500, seq=2), at(20)),
        (metered(31, 2500, seq=2), at(20)),
        (metered(20, 2500, seq=2), at(21 + 400 * 24 * 60)),
        (metered(20, 2500, seq=3), at(20)),
        (metered(20, 2500, seq=1), at(20)),
        (metered(20, 2500, seq=2, charging_state="suspended-ev"), at(20)),
        (metered(20, 1999.999, seq=2), at(20)),
        (metered(60, 2500, seq=2), at(60)),
        (metered(20, 40_000, seq=2), at(20)),
        (metered(20, seq=2, readings=(register(10, 2500),)), at(20)),
        (metered(20, seq=2, readings=(register(21, 2500),)), at(20)),
    ],
    ids=[
        "earlier",
        "same-time",
        "clock-ahead",
        "clock-behind",
        "gap",
        "number-again",
        "other-charging-state",
        "falls",
        "next-hour",
        "implausible",
        "taken-before-the-last",
        "taken-in-the-future",
    ],
)
def test_what_a_course_leaves_to_the_rules(event: SessionMetered, arrived: datetime) -> None:
    """Each of these needs a question that a course cannot answer; nothing is changed by asking."""
    before = running()
    course = Course(before, STATION)

    assert course.step(told_of(event), micros(arrived)) is None
    assert course.session() is before


def test_hours_are_those_of_the_operator() -> None:
    """The next hour begins at half past in Kolkata."""
    session = running()

    assert stepped(session, metered(29.9, 2500, seq=2), at(29.9), KOLKATA) is not None
    assert stepped(session, metered(30, 2500, seq=2), at(30), KOLKATA) is None
    assert stepped(session, metered(30, seq=2), at(30), KOLKATA) is not None


def test_a_session_without_a_place_is_told_of_one() -> None:
    """E09: only a reading that names none is plain then."""
    placeless = begun_with(0, evse=None, connector=None)

    assert stepped(placeless, metered(10, 2000, seq=1), at(10)) is not None
    assert stepped(placeless, metered(10, 2000, seq=1, evse=1, connector=1), at(10)) is None


def test_the_first_register_of_a_session_without_one_is_no_plain_reading() -> None:
    """It gives no energy, but where the register began."""
    session = begun_with(None, meter_start_wh=None)

    assert stepped(session, metered(10, 2000), at(10)) is None
    assert stepped(session, metered(10), at(10)) is not None


def test_a_station_that_tells_nothing_of_its_power_is_believed_more() -> None:
    """Half a megawatt, where the registry says nothing."""
    session = begun_with(0)
    much = metered(10, 50_000, seq=1)

    assert stepped(session, much, at(10), STATION) is None
    assert stepped(session, much, at(10), UNBOUNDED) is not None


def test_energy_that_was_too_much_at_first_is_plain_when_there_was_time_for_it() -> None:
    """The bound grows with the session; it is not the one of the course's beginning."""
    course = Course(begun_with(0), STATION)
    for n, (minutes, wh) in enumerate([(1, 2_000), (20, 21_000), (40, 42_000)]):
        step = course.step(told_of(metered(minutes, wh, seq=n + 1)), micros(at(minutes)))
        assert step is not None
        course.take(step)

    assert course.session().energy_wh == 41_000


def _with(**changes: Any) -> ChargingSession:
    return evolve(running(), **changes)


def _told(*events: Event) -> ChargingSession:
    story = Story()
    for event in events:
        story.tell(event)
    return story.now


@pytest.mark.parametrize(
    "session",
    [
        _told(started(seq=0), ended(30, 3000, seq=1)),
        _told(metered(10, 2000, seq=1)),
        _told(started(seq=0), metered(10, 2000, seq=2)),
        _told(started(), metered(10, 500)),
        _told(
            started(seq=0),
            metered(10, 2000, seq=1),
            metered(20, readings=(register(20, 9, phase="l1"),), seq=2),
            metered(30, readings=(register(30, 1), register(30, 0, phase="l1")), seq=3),
        ),
        _told(started(), metered(10, readings=(register(10, 1)._replace(value=None, raw="x"),))),
        _told(started(), metered(10, readings=(register(10, 1)._replace(value=None, raw="5 miles"),))),
        _told(started(seq=0), metered(10, readings=(register(10, 2000, "transaction.end"),), seq=1)),
        _told(started(), metered(1, 900_000)),
        _with(last_event_at=None),
        _with(sequence=running().sequence._replace(may_restart=True)),
        _with(sequence=running().sequence._replace(generation=1)),
        _with(meter=running().meter._replace(stop_mwh=5)),
    ],
    ids=[
        "ended",
        "provisional",
        "gap",
        "reset",
        "reset-of-a-phase",
        "unreadable",
        "unknown-unit",
        "end-value",
        "implausible",
        "never-heard",
        "may-restart",
        "restarted",
        "stop-register",
    ],
)
def test_sessions_that_need_more_than_their_next_reading(session: ChargingSession) -> None:
    """A flag, a doubt or an end: the rules have the word."""
    assert not Course.can_run(session)


def test_a_suspected_session_does_not_run() -> None:
    """A reading may contradict the suspicion."""
    change = suspect(running(), Evidence.CONNECTOR_AVAILABLE, at(30), at(30))

    assert change is not None
    assert not Course.can_run(change.session)


def test_sessions_that_run() -> None:
    """Begun with a register or without, with one reading or more."""
    assert Course.can_run(begun_with(None))
    assert Course.can_run(begun_with(0))
    assert Course.can_run(begun_with(None, meter_start_wh=None))
    assert Course.can_run(running())


def test_a_course_that_took_nothing_is_the_session_itself() -> None:
    """Nothing is made anew for nothing."""
    session = running()

    assert Course(session, STATION).session() is session
