"""What an event says, as fields of a session."""

from dataclasses import replace

from csms.domain.assets import TokenStatus, TokenVerdict
from csms.domain.events import PresentedToken
from csms.domain.facts import evidence_of, place_of, progress_of, readings_of, time_of, token_of
from csms.domain.session import Flag, MessageInfo, SessionState, evolve
from tests.domain.story import ACCEPTED, T0, at, ended, metered, register, started, told

SESSION = told(started(seq=0), metered(10, 2000, seq=1))


def test_a_believable_time_is_kept() -> None:
    """However late it is told, and also a few seconds before the start."""
    assert time_of(SESSION, metered(20, seq=2), at(600)) == (at(20), False)
    assert time_of(SESSION, ended(-0.1, seq=0), at(600)) == (at(-0.1), False)


def test_a_time_that_only_the_readings_have_is_the_events() -> None:
    """1.6 MeterValues have no time of their own."""
    event = metered(0, seq=2, readings=(register(20, 1), register(25, 2)))

    assert time_of(SESSION, replace(event, at=None), at(30)) == (at(25), False)


def test_readings_stay_where_they_can() -> None:
    """A wrong time of the stop does not move sound transaction data."""
    sound = (register(20, 2500), register(25, 2600))

    assert readings_of(SESSION, ended(-60, readings=sound), at(30), True, at(30)) == sound
    assert readings_of(SESSION, ended(30), at(30), False, at(30)) == ()


def test_place_and_token_are_taken_once() -> None:
    """E01.FR.16; a bad number is kept and flagged."""
    unknown = evolve(SESSION, evse=0, connector=0, token="")

    assert place_of(SESSION, metered(1, evse=5, connector=5)) == {}
    assert place_of(unknown, metered(1, evse=2, connector=1)) == {"evse": 2, "connector": 1}
    assert place_of(unknown, metered(1, evse=-5)) == {"evse": -5, "flags": (Flag.BAD_CONNECTOR,)}
    assert token_of(SESSION, metered(1, seq=2, token=PresentedToken("B")), ACCEPTED) == {}
    found = token_of(
        unknown, metered(1, token=PresentedToken("B", "eMAID")), TokenVerdict(TokenStatus.INVALID, "why")
    )
    assert found == {
        "token": "B",
        "token_type": "eMAID",
        "authorization": TokenStatus.INVALID,
        "authorization_reason": "why",
    }


def test_each_kind_of_event_moves_the_session_on() -> None:
    """A start that is known says nothing more; a stop ends; a stop that is known does not."""
    over = told(started(), ended(30, 3000))

    assert progress_of(SESSION, started(5, seq=0), at(5), at(5)) == {}
    assert progress_of(SESSION, metered(20), at(20), at(20)) == {}
    assert progress_of(SESSION, ended(30, 1), at(30), at(31))["state"] is SessionState.ENDED
    assert progress_of(over, ended(31, 1), at(31), at(31)) == {}


def test_evidence_says_what_was_said_and_how_it_was_taken() -> None:
    """For the timeline."""
    event = ended(30, 3000, reason="remote")

    found = evidence_of(event, "stop", at(35), at(36), MessageInfo("m-9", "h"))

    assert (found.key, found.kind, found.message_id, found.payload_hash) == ("stop", "ended", "m-9", "h")
    assert (found.at, found.received_at) == (at(30), at(36))
    assert found.facts == {
        "readings": 0,
        "meter_stop_wh": 3000,
        "reason": "remote",
        "taken_as": "2026-01-01T10:35:00+00:00",
        "at_raw": None,
    }
    assert evidence_of(started(), "start", T0, T0, MessageInfo("m", "h")).facts["meter_start_wh"] == 1000
