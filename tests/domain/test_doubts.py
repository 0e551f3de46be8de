"""Doubts about a session: when its station is asked, and what its word makes of the session."""

from datetime import timedelta

import pytest

from csms.domain.commands import TransactionSaid
from csms.domain.doubts import ASK_AGAIN, QUIET_FOR, ask_after, ask_on_return, stated
from csms.domain.session import (
    ChargingSession,
    Evidence,
    Flag,
    SessionState,
    close_suspected,
    evolve,
    suspect,
)
from tests.domain.story import STATION, Story, at, ended, metered, started, told

OVER = TransactionSaid(is_ongoing=False, is_queued=False)
GOES_ON = TransactionSaid(is_ongoing=True, is_queued=False)
RUNNING = told(started(seq=0), metered(10, 2000, seq=1))
GAPPY = told(started(seq=0), metered(10, 2000, seq=2))


def suspected(by: Evidence, minutes: float = 20) -> ChargingSession:
    """The running session after evidence of its end."""
    change = suspect(RUNNING, by, at(minutes), at(minutes))
    assert change is not None
    return change.session


def test_a_gap_is_asked_about_once() -> None:
    """When it is first seen; not while it lasts, nor when it grows."""
    wider = told(started(seq=0), metered(10, 2000, seq=2), metered(20, 3000, seq=9))

    asked = ask_after(RUNNING, GAPPY, at(10))

    assert asked == evolve(GAPPY, asked_at=at(10))
    assert ask_after(GAPPY, wider, at(20)) is None
    assert ask_after(RUNNING, RUNNING, at(20)) is None


def test_a_gap_that_comes_and_goes_is_not_asked_about_each_time() -> None:
    """Queued and new events in turn close and open gaps; an hour later it is another matter."""
    healed = evolve(RUNNING, asked_at=at(10))
    again = evolve(GAPPY, asked_at=at(10))

    assert ask_after(healed, again, at(10) + ASK_AGAIN - timedelta(seconds=1)) is None
    assert ask_after(healed, again, at(10) + ASK_AGAIN) == evolve(again, asked_at=at(10) + ASK_AGAIN)


def test_a_gap_that_the_end_shows_is_asked_about() -> None:
    """0, 1, 3 and that is the end: 2 may still wait in the station's queue."""
    over = told(started(seq=0), metered(10, 2000, seq=1), ended(20, 3000, seq=3))

    assert over.state is SessionState.ENDED
    assert ask_after(RUNNING, over, at(20)) is not None


def test_a_session_without_its_start_is_asked_about() -> None:
    """E04: its start may be queued."""
    assert ask_after(None, told(metered(10, 2000, seq=3)), at(10)) is not None
    assert ask_after(None, told(started(seq=0)), at(0)) is None


@pytest.mark.parametrize("by", list(Evidence))
def test_an_end_that_the_station_may_deny_is_asked_about(by: Evidence) -> None:
    """Not when nothing is plugged in, its id names another session, or it was the one to say so."""
    is_unsure = by in (Evidence.OTHER_START, Evidence.BOOT, Evidence.SILENCE)

    assert (ask_after(RUNNING, suspected(by), at(20)) is not None) is is_unsure
    assert (ask_on_return(suspected(by), at(20)) is not None) is is_unsure


def test_16_is_never_asked() -> None:
    """It has no question for it: its messages have no numbers."""
    silent = told(started(), metered(10, 2000))
    booted = suspect(silent, Evidence.BOOT, at(20), at(20))
    assert booted is not None

    assert ask_after(silent, booted.session, at(20)) is None
    assert ask_on_return(silent, at(10) + QUIET_FOR) is None


def test_who_comes_back_is_asked_about_what_is_left_open() -> None:
    """Sessions with a gap, and those of which nothing was heard for long; no others, and no ended ones."""
    over = told(started(seq=0), ended(20, 3000, seq=3))

    assert ask_on_return(GAPPY, at(11)) == evolve(GAPPY, asked_at=at(11))
    assert ask_on_return(RUNNING, at(11)) is None
    assert ask_on_return(RUNNING, at(10) + QUIET_FOR) is not None
    assert ask_on_return(over, at(20) + QUIET_FOR) is None


def test_who_comes_back_often_is_not_asked_each_time() -> None:
    """A connection that flaps asks nothing new."""
    assert ask_on_return(evolve(GAPPY, asked_at=at(10)), at(69)) is None
    assert ask_on_return(evolve(GAPPY, asked_at=at(10)), at(70)) is not None


def test_over_and_nothing_queued_is_evidence_of_the_end() -> None:
    """The session is suspected as by other evidence; a day later it is closed with what is known."""
    change = stated(GAPPY, OVER, at(20))

    session = change.session
    assert (session.state, session.suspected_by) == (SessionState.SUSPECTED_ENDED, Evidence.STATION_SAYS)
    assert session.suspected_at == at(20)
    closed = close_suspected(session, at(20) + timedelta(days=1), station=STATION)
    assert closed is not None
    assert (closed.session.ended_at, closed.session.energy_wh) == (at(10), 1000)
    assert {Flag.NO_STOP, Flag.ESTIMATED, Flag.GAP} <= set(closed.session.flags)


@pytest.mark.parametrize(
    ("is_ongoing", "is_queued"), [(False, True), (True, True), (True, False), (None, True), (None, False)]
)
def test_anything_else_changes_nothing_of_a_running_session(is_ongoing: bool | None, is_queued: bool) -> None:
    """What waits in the queue will say more. That it was said is kept all the same."""
    change = stated(GAPPY, TransactionSaid(is_ongoing, is_queued), at(20))

    assert change.session == GAPPY
    assert change.message is not None
    assert (change.message.kind, change.message.at) == ("evidence", at(20))
    assert change.message.facts == {
        "evidence": "station-says", "ongoing": is_ongoing, "queued": is_queued,
    }  # fmt: skip


@pytest.mark.parametrize("by", [one for one in Evidence if one is not Evidence.OTHER_START])
def test_ongoing_clears_a_suspicion(by: Evidence) -> None:
    """The station's word is as good as a message of the session."""
    session = stated(suspected(by), GOES_ON, at(21)).session

    assert (session.state, session.suspected_at, session.suspected_by) == (SessionState.ACTIVE, None, None)


def test_ongoing_does_not_raise_a_superseded_session() -> None:
    """Some models go on with the old id into the next session."""
    session = suspected(Evidence.OTHER_START)

    assert stated(session, GOES_ON, at(21)).session == session


def test_a_suspicion_is_not_renewed() -> None:
    """What is suspected already keeps its time: the policy's day runs from there."""
    session = suspected(Evidence.BOOT)

    assert stated(session, OVER, at(50)).session == session


def test_an_ended_session_stays_as_it_is() -> None:
    """Only what was said is kept."""
    over = told(started(seq=0), ended(20, 3000, seq=3))

    assert all(stated(over, said, at(30)).session == over for said in (OVER, GOES_ON))


def test_a_clock_that_runs_ahead_does_not_outrun_the_answer() -> None:
    """The events before it are dated later than our clock; the answer came after them."""
    assert stated(RUNNING, OVER, at(9)).session.suspected_at == at(10)


def test_a_late_stop_ends_it_properly() -> None:
    """The station found its message after all."""
    story = Story()
    story.tell(started(seq=0))
    story.keep(stated(story.now, OVER, at(20)))

    story.tell(ended(15, 3000, seq=1), arrived=at(40))

    assert (story.now.state, story.now.ended_at, story.now.flags) == (SessionState.ENDED, at(15), ())
