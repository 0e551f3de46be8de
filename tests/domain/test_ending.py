"""Ends without a stop: evidence suspects, time closes, a late stop corrects."""

from datetime import timedelta

import pytest

from csms.domain.session import (
    Change,
    ChargingSession,
    Evidence,
    Flag,
    SessionState,
    close_suspected,
    evolve,
    superseded,
    suspect,
)
from tests.domain.story import HOUR, STATION, Story, at, begun, ended, metered, started, told

DAY = timedelta(days=1)


def suspected(story: Story, evidence: Evidence, minutes: float) -> Change:
    """The story's session after `evidence`."""
    change = suspect(story.now, evidence, at(minutes), at(minutes))
    assert change is not None
    return story.keep(change)


def charging() -> Story:
    """Started at 0, read at 10."""
    story = Story()
    story.tell(started())
    story.tell(metered(10, 2000))
    return story


def closed(session: ChargingSession, minutes: float) -> Change:
    """What the policy closes a day later."""
    change = close_suspected(session, at(minutes) + DAY, station=STATION)
    assert change is not None
    return change


def test_another_start_makes_the_session_before_it_suspect_t10() -> None:
    """T10: both are kept; only those of the same EVSE are suspected."""
    first = told(started(), metered(10, 2000))
    elsewhere = evolve(first, session_id=2, evse=2)
    nowhere = [evolve(first, session_id=n, evse=0) for n in (4, 5)]
    second = begun(started(20, wh=2000), session_id=3).session

    (change,) = superseded([first, elsewhere, second], second, at(20))

    assert superseded(nowhere, nowhere[0], at(20)) == []
    assert change.session.session_id == 1
    assert change.session.state is SessionState.SUSPECTED_ENDED
    assert (change.session.suspected_at, change.session.suspected_by) == (at(20), Evidence.OTHER_START)
    assert change.message is not None
    assert (change.message.kind, change.message.facts) == ("evidence", {"evidence": "other-start"})


def test_a_start_replayed_from_the_past_supersedes_nothing() -> None:
    """An old session told late says nothing of the one running now."""
    running = told(started(60))
    old = begun(started(0), session_id=2).session

    assert superseded([running], old, at(70)) == []


def test_a_stale_id_does_not_raise_a_superseded_session() -> None:
    """EN+ goes on with the old id into the next session: neither state nor energy follow."""
    story = charging()
    suspected(story, Evidence.OTHER_START, 20)

    story.tell(metered(40, 9000))

    assert (story.now.state, story.now.energy_wh) == (SessionState.SUSPECTED_ENDED, 1000)


def test_a_boot_closes_nothing_and_the_late_stop_does_t11() -> None:
    """T11: Stop(PowerLoss) comes when the station is up again (1.6 errata 3.36)."""
    story = charging()
    suspected(story, Evidence.BOOT, 30)
    assert story.now.ended_at is None

    change = story.tell(ended(19, 2500, reason="power-loss"), at(31))

    assert (change.session.state, change.session.ended_at) == (SessionState.ENDED, at(19))
    assert (change.session.energy_wh, change.session.stop_reason) == (1500, "power-loss")
    assert (change.session.flags, change.session.revision) == ((), 1)
    assert change.session.suspected_at is None


def test_what_goes_on_after_a_boot_is_no_longer_suspect() -> None:
    """A session resumed; messages queued before the boot do not show that."""
    story = charging()
    suspected(story, Evidence.BOOT, 30)

    assert story.tell(metered(25, 2200), at(31)).session.state is SessionState.SUSPECTED_ENDED
    assert story.tell(metered(35, 2600)).session.state is SessionState.ACTIVE


def test_a_session_that_never_stops_is_closed_by_policy_t12() -> None:
    """T12: after its time, with what is known; a later stop makes revision 2."""
    story = charging()
    suspected(story, Evidence.BOOT, 30)
    assert close_suspected(story.now, at(30) + HOUR, station=STATION) is None

    change = story.keep(closed(story.now, 30))
    assert (change.session.state, change.session.ended_at) == (SessionState.ENDED, at(10))
    assert change.session.flags == (Flag.ESTIMATED, Flag.NO_STOP)
    assert (change.session.energy_wh, change.session.stop_reason, change.cause) == (1000, "no-stop", "closed")
    assert change.order_due
    assert change.hours_due
    assert not change.revised

    change = story.tell(ended(19, 2500), at(30) + 2 * DAY)
    assert (change.session.energy_wh, change.session.ended_at) == (1500, at(19))
    assert (change.session.revision, change.cause, change.order_due) == (2, "late-stop", True)
    assert change.session.flags == (Flag.LATE_DATA,)


def test_the_hours_of_patience_are_the_callers() -> None:
    """A policy of its own."""
    story = charging()
    suspected(story, Evidence.SILENCE, 30)

    assert close_suspected(story.now, at(91), station=STATION, after=HOUR) is not None
    assert close_suspected(story.now, at(89), station=STATION, after=HOUR) is None


def test_a_free_connector_ended_it_just_before() -> None:
    """Otherwise the last that was heard is the end; if nothing was, the evidence."""
    story = charging()
    suspected(story, Evidence.CONNECTOR_AVAILABLE, 30)
    assert closed(story.now, 30).session.ended_at == at(30)

    silent = Story()
    silent.tell(started())
    suspected(silent, Evidence.OTHER_START, 50)
    assert closed(silent.now, 50).session.ended_at == at(50)


def test_a_closed_session_that_goes_on_has_ended_later() -> None:
    """It was not over; it stays closed until its stop comes, but nothing delivered is lost."""
    story = charging()
    suspected(story, Evidence.SILENCE, 30)
    story.keep(closed(story.now, 30))

    change = story.tell(metered(50, 4000), at(30) + 2 * DAY)

    assert (change.session.energy_wh, change.session.ended_at) == (3000, at(50))
    assert (change.session.state, change.session.revision) == (SessionState.ENDED, 2)


@pytest.mark.parametrize("evidence", list(Evidence))
def test_evidence_that_says_nothing_new_changes_nothing(evidence: Evidence) -> None:
    """Older than the last message, of a session already suspected, or of one that has ended."""
    story = charging()
    assert suspect(story.now, evidence, at(9), at(30)) is None

    suspected(story, Evidence.BOOT, 30)
    assert suspect(story.now, evidence, at(40), at(40)) is None

    story.tell(ended(19, 2500), at(41))
    assert suspect(story.now, evidence, at(50), at(50)) is None
    assert close_suspected(story.now, at(0) + 9 * DAY, station=STATION) is None
