"""Starts and stops in no doubt: the short way comes to what the rules come to, and knows its limits."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.assets import TokenStatus, TokenVerdict
from csms.domain.events import PresentedToken, SessionEnded, SessionStarted
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.ordinary import begin_ordinary, end_ordinary
from csms.domain.recognition import start_key
from csms.domain.session import Change, ChargingSession, Evidence, Flag, SessionState, evolve, suspect
from csms.domain.transitions import _applied, _Delivery
from tests.domain.story import (
    A1,
    ACCEPTED,
    BLOCKED,
    STATION,
    T0,
    Story,
    at,
    begun,
    ended,
    message_of,
    metered,
    register,
    started,
)

DAY = timedelta(days=1)


def values(*contexts: str) -> st.SearchStrategy[list[Any]]:
    """Readings with what they measure, Wh, context, phase, place and how far off their message's time."""
    return st.lists(
        st.tuples(
            st.sampled_from(
                [ENERGY_IMPORT_REGISTER, ENERGY_IMPORT_REGISTER, "energy.active.import.interval", "voltage"]
            ),
            st.integers(-1, 4_000) | st.none(),
            st.sampled_from(contexts),
            st.sampled_from(["", "", "", "l1", "l2"]),
            st.sampled_from(["", "", "cable"]),
            st.sampled_from([0, 0, 0, 0, 0, 0, -30, 30]),
        ),
        max_size=4,
    )


PLACES = st.sampled_from([1, 1, 1, 64, 65, 0, -1, None])
SHIFTS = st.sampled_from([timedelta(0)] * 4 + [timedelta(minutes=9), -timedelta(hours=2), DAY, -401 * DAY])
STARTS = st.fixed_dictionaries(
    {
        "seq": st.sampled_from([None, 0, 7]),
        "wh": st.sampled_from([None, 0, 1_000, -1]),
        "evse": PLACES,
        "connector": st.sampled_from([1, 1, 2, 0, None]),
        "token": st.sampled_from([A1, A1, PresentedToken(""), None]),
        "status": st.sampled_from([ACCEPTED, ACCEPTED, BLOCKED, TokenVerdict(TokenStatus.UNKNOWN), None]),
        "readings": values("", "transaction.begin", "sample.clock"),
        "shift": SHIFTS,
        "has_time": st.sampled_from([True] * 7 + [False]),
        "state": st.sampled_from(["", "charging"]),
    }
)
STOPS = st.fixed_dictionaries(
    {
        "minutes": st.sampled_from([5, 30, 30, 200, 0, -1]),
        "wh": st.sampled_from([None, 3_000, 3_000, 999, 995, 10, -1, 10**7]),
        "skip": st.sampled_from([0, 0, 0, 0, 1, -1]),
        "token": st.sampled_from([None, None, A1, PresentedToken("B2")]),
        "readings": values("", "transaction.begin", "transaction.end", "sample.clock"),
        "shift": SHIFTS,
        "has_time": st.sampled_from([True] * 7 + [False]),
    }
)
BETWEEN = st.lists(
    st.tuples(
        st.integers(1, 20),
        st.sampled_from([0, 0, 100, 1_000, -5, -500]),
        st.sampled_from(["", "", "", "relative", "l1", "boot", "gap", "end", "token"]),
    ),
    max_size=4,
)


def readings_of(told: list[Any], when: datetime) -> tuple[Reading, ...]:
    """Generated values at a time."""
    return tuple(
        Reading(
            when + timedelta(seconds=seconds),
            measurand,
            None if wh is None else wh * 1000,
            phase,
            location,
            context,
            "n/a" if wh is None else None,
        )
        for measurand, wh, context, phase, location, seconds in told
    )


def blank_of(event: SessionStarted, arrived: datetime) -> ChargingSession:
    """What `begin` makes before anything is known of the session."""
    return ChargingSession(
        session_id=1,
        station_id=STATION.station_id,
        site_id=STATION.site_id,
        operator_id=STATION.operator_id,
        ocpp_version="ocpp1.6" if event.seq_no is None else "ocpp2.0.1",
        transaction_id="TX-1",
        start_key=start_key(event),
        evse=0,
        connector=0,
        token="",
        token_type="",
        authorization=TokenStatus.NOT_PRESENTED,
        authorization_reason="",
        state=SessionState.ACTIVE,
        started_at=arrived,
        received_at=arrived,
        flags=(Flag.PROVISIONAL,),
    )


def assert_same(short: Change, long: Change) -> None:
    """Field by field, so that a difference has a name."""
    for name, found in short.session._asdict().items():
        assert found == getattr(long.session, name), name
    assert short == long


def both_begin(
    event: SessionStarted, arrived: datetime, verdict: TokenVerdict | None
) -> tuple[Change | None, Change]:
    """What the short way and the long one make of a start."""
    blank, message = blank_of(event, arrived), message_of(event)
    return (
        begin_ordinary(event, blank, STATION, verdict, message),
        _applied(None, blank, event, _Delivery(STATION, arrived, message, verdict, None)),
    )


def both_end(
    session: ChargingSession, event: SessionEnded, arrived: datetime
) -> tuple[Change | None, Change]:
    """What the short way and the long one make of a stop."""
    message = message_of(event)
    return (
        end_ordinary(session, event, STATION, arrived, message),
        _applied(session, session, event, _Delivery(STATION, arrived, message, None, None)),
    )


def start_of(told: dict[str, Any]) -> SessionStarted:
    """A generated start."""
    event = started(
        seq=told["seq"],
        wh=told["wh"],
        evse=told["evse"],
        connector=told["connector"],
        token=told["token"],
        readings=readings_of(told["readings"], T0) if told["seq"] is not None else (),
        charging_state=told["state"] if told["seq"] is not None else "",
    )
    return event if told["has_time"] else replace(event, at=None, at_raw="?")


@given(STARTS)
def test_a_start_in_no_doubt_is_what_the_rules_make_of_it(told: dict[str, Any]) -> None:
    """Any place, token, register, readings and clock: where the short way says something, it is the same."""
    event, arrived = start_of(told), T0 + told["shift"]

    short, long = both_begin(event, arrived, told["status"])

    if short is not None:
        assert_same(short, long)


def between(story: Story, told: list[tuple[int, int, str]], seq: int | None) -> tuple[float, int | None]:
    """Tell a begun session these messages; when the last came, and its number."""
    minutes, wh = 0.0, 1_000
    for since, more, kind in told:
        minutes, wh = minutes + since, max(wh + more, 0)
        if kind == "boot":
            change = suspect(story.now, Evidence.BOOT, at(minutes), at(minutes))
            if change is not None:
                story.keep(change)
            continue
        seq = None if seq is None else seq + 1 + (kind == "gap")
        value = register(minutes, wh - 1_000 if kind == "relative" and wh >= 1_000 else wh)
        value = value._replace(
            phase="l1" if kind == "l1" else "", context="transaction.end" * (kind == "end")
        )
        token = PresentedToken("C3") if kind == "token" else None
        story.tell(metered(minutes, seq=seq, readings=(value,), token=token), at(minutes))
    return minutes, seq


@given(STARTS, BETWEEN, STOPS)
def test_a_stop_in_no_doubt_is_what_the_rules_make_of_it(
    began: dict[str, Any], told: list[tuple[int, int, str]], stop: dict[str, Any]
) -> None:
    """Any session before it, relative registers, gaps and boots among them: the same, where it is said."""
    story = Story()
    start = start_of(began | {"shift": timedelta(0), "has_time": True})
    story.tell(start, T0, began["status"] or ACCEPTED)
    minutes, seq = between(story, told, start.seq_no)
    when = at(minutes + stop["minutes"])
    event = ended(
        minutes + stop["minutes"],
        stop["wh"],
        seq=None if seq is None else seq + 1 + stop["skip"],
        token=stop["token"],
        readings=readings_of(stop["readings"], when),
    )
    event = event if stop["has_time"] else replace(event, at=None, at_raw="?")
    session, arrived, message = story.now, when + stop["shift"], message_of(event)

    short = end_ordinary(session, event, STATION, arrived, message)

    if short is not None:
        assert_same(short, both_end(session, event, arrived)[1])


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (started(), ACCEPTED),
        (started(seq=0), ACCEPTED),
        (started(seq=41, charging_state="charging"), ACCEPTED),
        (started(token=None), None),
        (started(seq=0, token=None, wh=None), ACCEPTED),
        (started(meter_start_wh=None), ACCEPTED),
        (started(meter_start_wh=-1), ACCEPTED),
        (started(seq=0, connector=None), ACCEPTED),
        (started(seq=0, remote_start_id=9, reservation_id=3), ACCEPTED),
        (
            started(seq=0, readings=(register(0, 1000, "transaction.begin"), register(0, 9, phase="l1"))),
            ACCEPTED,
        ),
    ],
)
def test_what_begins_a_session_the_short_way(event: SessionStarted, verdict: TokenVerdict | None) -> None:
    """A sound time and place, a token that is accepted or none."""
    short, long = both_begin(event, T0, verdict)

    assert short is not None
    assert_same(short, long)


@pytest.mark.parametrize(
    ("event", "arrived", "verdict"),
    [
        (started(at=None), T0, ACCEPTED),
        (started(), T0 - timedelta(minutes=11), ACCEPTED),
        (started(), T0 + 401 * DAY, ACCEPTED),
        (started(evse=0), T0, ACCEPTED),
        (started(evse=-3), T0, ACCEPTED),
        (started(evse=65), T0, ACCEPTED),
        (started(seq=0, evse=None), T0, ACCEPTED),
        (started(), T0, BLOCKED),
        (started(), T0, TokenVerdict(TokenStatus.EXPIRED)),
        (started(seq=0, readings=(register(-1, 1000),)), T0, ACCEPTED),
        (started(seq=0, readings=(register(0, 1000), register(0, 1001))), T0, ACCEPTED),
        (started(seq=0, readings=(register(0, 1)._replace(value=None, raw="?"),)), T0, ACCEPTED),
    ],
    ids=[
        "no-time",
        "clock-ahead",
        "clock-behind",
        "evse-0",
        "evse-below-0",
        "evse-65",
        "no-evse",
        "blocked",
        "expired",
        "reading-before",
        "reading-twice",
        "unreadable-value",
    ],
)
def test_starts_that_are_left_to_the_rules(
    event: SessionStarted, arrived: datetime, verdict: TokenVerdict | None
) -> None:
    """Each has a question to ask."""
    assert both_begin(event, arrived, verdict)[0] is None


def running(seq: int | None = 0, wh: int = 2_000, **other: Any) -> ChargingSession:
    """A session with a reading of 2 kWh after ten minutes."""
    story = Story()
    story.tell(started(seq=seq, **other))
    story.tell(metered(10, wh, seq=None if seq is None else seq + 1))
    return story.now


@pytest.mark.parametrize(
    ("session", "event"),
    [
        (running(None), ended(30, 3_000)),
        (running(0), ended(30, 3_000, seq=2)),
        (running(0), ended(30, seq=2)),
        (running(None), ended(30, meter_stop_wh=None)),
        (running(None), ended(10, 2_000)),
        (running(None), ended(30, 3_000, readings=(register(30, 3_000), register(30, 1, phase="l1")))),
        (begun(started()).session, ended(30, 3_000)),
        (begun(started()).session, ended(0, 1_000)),
        (running(0), ended(30, 3_000, seq=2, token=PresentedToken("B2"), evse=1, connector=1)),
        (running(None), ended(30, 995)),
    ],
    ids=[
        "1.6",
        "2.x",
        "no-register",
        "no-stop-register",
        "with-the-last-reading",
        "with-values",
        "no-reading",
        "at-once",
        "other-token",
        "a-watt-hour-below",
    ],
)
def test_what_ends_a_session_the_short_way(session: ChargingSession, event: SessionEnded) -> None:
    """It follows all that is known and agrees with it."""
    short, long = both_end(session, event, event.at or T0)

    assert short is not None
    assert_same(short, long)
    assert short.session.state is SessionState.ENDED
    assert short.hours_due
    assert short.order_due


NOBODYS = running(0, token=None)
NOWHERE = running(0, evse=None, connector=None)


@pytest.mark.parametrize(
    ("session", "event", "arrived"),
    [
        (evolve(running(), state=SessionState.ENDED), ended(30, 3000, seq=2), at(30)),
        (evolve(running(), state=SessionState.SUSPECTED_ENDED), ended(30, 3000, seq=2), at(30)),
        (evolve(running(), flags=(Flag.GAP,)), ended(30, 3000, seq=2), at(30)),
        (evolve(running(), last_event_at=None), ended(30, 3000, seq=2), at(30)),
        (running(), ended(30, 3000, seq=2, at=None), at(30)),
        (running(), ended(9, 3000, seq=2), at(30)),
        (running(), ended(41, 3000, seq=2), at(30)),
        (running(), ended(30, 3000, seq=2), at(31) + 400 * DAY),
        (running(), ended(30, 3000, seq=3), at(30)),
        (running(), ended(30, 3000, seq=1), at(30)),
        (
            evolve(running(), sequence=running().sequence._replace(may_restart=True)),
            ended(30, 3000, seq=2),
            at(30),
        ),
        (evolve(running(), sequence=running().sequence._replace(generation=1)), ended(30, seq=2), at(30)),
        (NOBODYS, ended(30, 3000, seq=2, token=A1), at(30)),
        (NOWHERE, ended(30, 3000, seq=2), at(30)),
        (running(), ended(30, seq=2, readings=(register(29, 3000),)), at(30)),
        (running(), ended(10, seq=2, readings=(register(10, 2000, "transaction.end"),)), at(30)),
        (running(), ended(30, seq=2, readings=(register(30, 3000), register(30, 3001))), at(30)),
        (running(None), ended(30, 100), at(30)),
        (running(None), ended(30, 10**6), at(30)),
    ],
    ids=[
        "ended",
        "suspected",
        "flagged",
        "never-heard",
        "no-time",
        "before-the-last",
        "clock-ahead",
        "clock-behind",
        "gap",
        "number-again",
        "may-restart",
        "restarted",
        "first-token",
        "no-place",
        "value-before",
        "value-with-the-last",
        "value-twice",
        "below-the-start",
        "implausible",
    ],
)
def test_stops_that_are_left_to_the_rules(
    session: ChargingSession, event: SessionEnded, arrived: datetime
) -> None:
    """Each has a question to ask."""
    assert end_ordinary(session, event, STATION, arrived, message_of(event)) is None


def test_a_relative_register_is_left_to_the_rules() -> None:
    """T17: the samples fell below the start; the figure and its flag are not simple."""
    story = Story()
    story.tell(started(wh=4_076_000))
    for n, wh in enumerate((0, 1500, 3000)):
        story.tell(metered(n + 10, wh))

    assert end_ordinary(story.now, ended(30, 4_079_500), STATION, at(30), message_of(ended(30))) is None
