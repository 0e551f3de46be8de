"""Stops and readings whose transaction id says nothing."""

from dataclasses import replace

import pytest

from csms.domain.events import PresentedToken, SessionEnded, SessionStarted
from csms.domain.session import (
    ChargingSession,
    Evidence,
    Flag,
    SessionState,
    evolve,
    match_orphan,
    match_running,
    match_stop,
    merge_orphan,
    suspect,
)
from tests.domain.story import (
    A1,
    ACCEPTED,
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
    told,
)

B2 = PresentedToken("B2")


def running(evse: int, wh: int, token: PresentedToken = A1) -> ChargingSession:
    """A session at an EVSE whose register stood at `wh` and has risen by 1000."""
    session = told(started(wh=wh, evse=evse, token=token), metered(10, wh + 1000))
    return evolve(session, session_id=evse)


ONE, TWO = running(1, 5_000), running(2, 800_000, B2)


@pytest.mark.parametrize(
    ("stop", "matched"),
    [
        (ended(30, 6_500), 1),
        (ended(30, 801_500), 2),
        (ended(30, 6_500, token=A1), 1),
        (ended(30, 6_500, token=PresentedToken("a1")), 1),
        (ended(30, 6_500, token=B2), None),
        (ended(30, 900), None),
        (ended(30, 5_900), None),
        (ended(30, 300_000), None),
        (ended(-30, 6_500), None),
        (ended(60 * 24 * 30, 6_500), None),
        (ended(30, None, token=B2), 2),
        (ended(30, None), None),
        (ended(30, None, evse=2), 2),
    ],
)
@pytest.mark.parametrize("transaction_id", ["-1", "0", "4242"])
def test_a_stop_is_matched_by_what_it_says_t08(
    stop: SessionEnded, matched: int | None, transaction_id: str
) -> None:
    """T07-T09: by place, token, register and time, and only when one session fits."""
    event = replace(stop, transaction_id=transaction_id)

    found = match_stop([ONE, TWO], event, STATION.max_power_w)

    assert (found.session_id if found else None) == matched


def test_only_sessions_without_a_stop_are_matched() -> None:
    """An ended session is over; one that was only closed by policy may still get its stop."""
    over = told(started(), ended(20, 2000))
    suspicious = suspect(ONE, Evidence.BOOT, at(15), at(15))
    assert suspicious is not None

    assert match_stop([over], ended(30, 2500)) is None
    assert match_stop([over, suspicious.session], ended(30, 6_500)) is suspicious.session


def test_an_orphan_is_a_session_of_its_own_t07_t14() -> None:
    """T07, T14: ended, flagged, its readings kept, no order owed."""
    stop = ended(30, 3000, token=A1, readings=(register(0, 1000, "transaction.begin"), register(29, 2990)))
    change = begun(stop, transaction_id="4242")

    assert change.session.state is SessionState.ENDED
    assert change.session.flags == (Flag.ORPHAN_STOP,)
    assert (change.session.started_at, change.session.ended_at) == (T0, at(30))
    assert (change.session.token, change.session.meter_stop_wh, change.session.energy_wh) == (
        "A1",
        3000,
        2000,
    )
    assert not change.order_due


def test_a_retried_orphan_stop_is_known() -> None:
    """It has a natural key too."""
    story = Story()
    story.tell(ended(30, 3000))

    assert story.tell(ended(30, 3000), at(40)).is_repeat
    assert begun(ended(30, 3000)).session.start_key == story.now.start_key


def test_an_orphan_is_merged_with_its_start_t14() -> None:
    """T14: the start comes later: one whole session, revised, and now an order."""
    orphan = begun(ended(30, 3000, token=A1, readings=(register(20, 2500),)), transaction_id="-1").session
    start = started(0, wh=1000)
    assert match_orphan([orphan], start) is orphan

    change = merge_orphan(
        orphan,
        start,
        station=STATION,
        transaction_id="77",
        arrived=at(60),
        message=message_of(start),
        verdict=ACCEPTED,
        history=[register(20, 2500)],
    )

    session = change.session
    assert (session.transaction_id, session.start_key) == ("77", begun(start).session.start_key)
    assert (session.started_at, session.ended_at, session.energy_wh) == (T0, at(30), 2000)
    assert (session.evse, session.flags) == (1, (Flag.LATE_DATA,))
    assert change.order_due
    assert change.hours_due
    assert not change.is_new
    assert (session.revision, change.cause) == (2, "late-start")


@pytest.mark.parametrize(
    "start",
    [
        started(0, wh=4000),
        started(31, wh=1000),
        started(0, wh=1000, token=B2),
        started(-60 * 24 * 30, wh=1000),
    ],
)
def test_an_orphan_does_not_fit_every_start(start: SessionStarted) -> None:
    """Register, time and token must allow it."""
    orphan = begun(ended(30, 3000, token=A1)).session

    assert match_orphan([orphan], start) is None


def test_two_orphans_that_fit_are_none() -> None:
    """Nobody guesses."""
    orphans = [begun(ended(30 + n, 3000), session_id=n).session for n in range(2)]

    assert match_orphan(orphans, started(0)) is None


def test_readings_without_a_transaction_belong_to_the_one_running() -> None:
    """If there is exactly one active session at the EVSE."""
    assert match_running([ONE, TWO], 2) is TWO
    assert match_running([ONE, TWO], 3) is None
    assert match_running([ONE, evolve(ONE, session_id=9)], 1) is None
    assert match_running([told(started(), ended(5, 2000))], 1) is None
