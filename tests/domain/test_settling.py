"""What follows from new facts: flags, revisions, what is owed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from csms.domain.assets import TokenStatus
from csms.domain.session import Flag, SessionState, evolve
from csms.domain.settling import entered_hour, is_order_due, ran_for, reported, settle, with_flags
from tests.domain.story import STATION, at, ended, metered, started, told

OPEN = told(started(), metered(10, 2000))
CLOSED = told(started(), ended(30, 3000))


@pytest.mark.parametrize(
    ("fields", "is_due"),
    [
        ({}, True),
        ({"state": SessionState.ACTIVE}, False),
        ({"state": SessionState.SUSPECTED_ENDED}, False),
        ({"flags": (Flag.ORPHAN_STOP,)}, False),
        ({"flags": (Flag.PROVISIONAL,)}, False),
        ({"flags": (Flag.GAP, Flag.NO_STOP)}, True),
        ({"authorization": TokenStatus.NOT_PRESENTED}, True),
        ({"authorization": TokenStatus.BLOCKED}, True),
        ({"authorization": TokenStatus.BLOCKED, "energy_wh": 0}, False),
        ({"authorization": TokenStatus.BLOCKED, "energy_wh": None}, False),
        ({"energy_wh": None}, True),
    ],
)
def test_an_order_is_owed_of_what_was_sold(fields: dict[str, object], is_due: bool) -> None:
    """Not while the start is unknown, not for a refused session that took nothing."""
    assert is_order_due(evolve(CLOSED, **fields)) is is_due


def test_a_change_of_what_is_reported_makes_a_revision() -> None:
    """D10: the city keeps the highest; a flag alone is no news for it."""
    more = CLOSED.meter._replace(stop_mwh=3_500_000)
    change = settle(CLOSED, evolve(CLOSED, meter=more), station=STATION, message=None, cause="late-data")
    assert (change.session.revision, change.session.energy_wh, change.cause) == (2, 2500, "late-data")
    assert change.revised
    assert change.order_due
    assert change.hours_due

    same = settle(
        CLOSED,
        evolve(CLOSED, flags=(Flag.LATE_DATA,)),
        station=STATION,
        message=None,
        cause="late-data",
    )
    assert (same.session.revision, same.revised, same.order_due, same.hours_due) == (1, False, False, False)
    assert same.cause == ""


def test_a_start_that_is_found_makes_an_order_of_its_end() -> None:
    """Though nothing that is reported became different."""
    provisional = evolve(CLOSED, flags=(Flag.PROVISIONAL,))

    change = settle(provisional, CLOSED, station=STATION, message=None, cause="late-start")

    assert (change.order_due, change.revised, change.session.revision) == (True, False, 1)
    assert change.hours_due  # the mark by which the order is made


def test_an_open_session_is_never_revised() -> None:
    """What it said so far was not final."""
    change = settle(OPEN, evolve(OPEN, token="B2"), station=STATION, message=None, cause="x")

    assert (change.session.revision, change.revised) == (1, False)


def test_reported_is_what_others_see() -> None:
    """Quality and course are ours."""
    assert reported(CLOSED) == reported(evolve(CLOSED, flags=(Flag.GAP,), charging_state="x", revision=9))
    assert reported(CLOSED) != reported(evolve(CLOSED, stop_reason="x"))


def test_flags_are_a_sorted_set() -> None:
    """So that equal sessions are equal."""
    flags = with_flags((Flag.GAP,), [Flag.CLOCK, Flag.GAP], remove=[Flag.PROVISIONAL])

    assert flags == (Flag.CLOCK, Flag.GAP)


def test_a_session_of_an_unsure_clock_may_have_run_long() -> None:
    """An offline session of 1970 arrives within a second: its energy is no less plausible."""
    assert ran_for(CLOSED, None) == timedelta(minutes=30)
    assert ran_for(evolve(CLOSED, flags=(Flag.CLOCK,)), None) == timedelta(hours=24)
    assert ran_for(OPEN, at(25)) == timedelta(minutes=25)


def test_an_hour_is_entered_by_the_operators_clock() -> None:
    """The first reading enters one too."""
    kathmandu = replace(STATION, time_zone="Asia/Kathmandu")  # hours change at a quarter past

    assert entered_hour(None, at(1), STATION)
    assert not entered_hour(None, None, STATION)
    assert not entered_hour(at(14), at(16), STATION)
    assert entered_hour(at(14), at(16), kathmandu)
    assert entered_hour(at(59), at(60), STATION)
