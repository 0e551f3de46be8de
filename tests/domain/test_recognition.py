"""Whether a message, or a session, was there before."""

from dataclasses import replace

import pytest

from csms.domain.events import PresentedToken
from csms.domain.session import Evidence, MessageInfo, is_known, is_reused, needs_history, start_key, suspect
from tests.domain.story import Event, Story, at, begun, ended, message_of, metered, register, started, told

YEAR = 60 * 24 * 365


def test_a_start_is_known_by_what_it_says_t01_t02() -> None:
    """T01-T04: EVSE, token without case, time, register; nothing of the message around it."""
    key = start_key(started(0, wh=1000))

    assert key == start_key(started(0, wh=1000, token=PresentedToken("a1"), reservation_id=3))
    others = [
        started(0, wh=1001),
        started(1),
        started(evse=2),
        started(token=PresentedToken("B2")),
        started(wh=None),
    ]
    assert len({start_key(other) for other in others} | {key}) == 6


def test_a_start_of_no_time_is_known_by_its_text() -> None:
    """Two starts of the same connector differ even if neither time could be read."""
    unreadable = [replace(started(), at=None, at_raw=text) for text in ("yesterday", "tomorrow")]

    assert start_key(unreadable[0]) != start_key(unreadable[1])


def test_2x_sessions_are_known_by_their_transaction() -> None:
    """Any event names it."""
    events: list[Event] = [started(seq=0), metered(1, seq=1), ended(2, seq=2)]

    assert {start_key(event) for event in events} == {"tx:TX-1"}
    assert begun(events[1]).session.start_key == "tx:TX-1"


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (started(), "start"),
        (metered(20, 2500), None),
        (metered(10, 2000), "metered"),
        (ended(30, 3000), None),
        (started(seq=0), None),
    ],
)
def test_a_1_6_message_is_known_by_its_kind_and_contents(event: Event, key: str | None) -> None:
    """Only what could have come before is looked up."""
    found = is_known(told(started(), metered(10, 2000)), event, message_of(event))

    assert (found is None) == (key is None)
    assert found is None or found.startswith(key or "")


def test_a_stop_is_known_once_it_has_come() -> None:
    """Not while the session was only closed for want of one."""
    assert is_known(told(started(), ended(30, 3000)), ended(30, 3000)) == "stop"
    assert is_known(told(ended(30, 3000)), ended(30, 3000)) == "stop"
    assert is_known(told(ended(30, 3000)), started()) is None


def test_without_its_message_a_reading_is_new() -> None:
    """A caller that has no payload hash cannot ask for it."""
    assert is_known(told(started(), metered(10, 2000)), metered(10, 2000)) is None


def test_a_2x_event_is_known_by_its_number() -> None:
    """Whatever it says: the payload hash tells a repeat from a conflict."""
    session = told(started(seq=0), metered(10, 2000, seq=1), metered(30, 2000, seq=3))

    assert is_known(session, metered(99, seq=1), MessageInfo("m", "h")) == "1"
    assert is_known(session, metered(20, seq=2)) is None
    assert is_known(session, metered(40, seq=4)) is None


@pytest.mark.parametrize(
    ("event", "is_new_one"),
    [
        (started(seq=0), False),
        (started(YEAR, seq=0), True),
        (started(31, seq=0), True),
        (metered(20, seq=1), False),
        (metered(60, seq=9), False),
        (metered(YEAR, seq=9), True),
        (ended(YEAR, seq=9), True),
        (replace(started(seq=0), at=None), False),
    ],
)
def test_a_transaction_id_may_be_used_again_e08(event: Event, is_new_one: bool) -> None:
    """E08: a start after the end, or anything long after it, is another transaction."""
    assert is_reused(told(started(seq=0), ended(30, 3000, seq=2)), event) is is_new_one


def test_an_id_is_not_reused_while_its_start_is_missing_or_its_clock_is_wrong() -> None:
    """Then a later start is the one that was missing, or the same one again."""
    provisional = told(ended(30, 3000, seq=2))
    wrong = Story()
    wrong.tell(started(YEAR, seq=0), at(0))

    assert not is_reused(provisional, started(31, seq=0))
    assert not is_reused(wrong.now, started(YEAR, seq=0))


def test_an_id_reused_while_the_old_session_is_open_e08() -> None:
    """A station that counts from 1 after each boot: the old session is suspected, the new one begins."""
    session = told(started(seq=0), metered(10, 2000, seq=1))
    assert is_reused(session, started(60, seq=0))

    change = suspect(session, Evidence.ID_REUSED, at(60), at(60))
    assert change is not None
    assert change.session.suspected_by is Evidence.ID_REUSED


@pytest.mark.parametrize(
    ("event", "needed"),
    [
        (metered(20, 2500), False),
        (metered(10, 2000), True),
        (metered(5, 1500), True),
        (metered(5), False),
        (metered(5, readings=(register(5, 230)._replace(measurand="voltage"),)), False),
        (metered(20, readings=(register(9, 1900), register(20, 2500))), True),
        (ended(30, 3000), False),
        (ended(2, 3000), True),
        (ended(30, 3000, readings=(register(5, 1500),)), True),
    ],
)
def test_history_is_needed_when_time_does_not_go_on(event: Event, needed: bool) -> None:
    """In order nothing is read back; else everything."""
    assert needs_history(told(started(), metered(10, 2000)), event) is needed


def test_history_is_needed_after_the_end_and_before_the_start() -> None:
    """When there is any."""
    assert needs_history(told(started(), metered(10, 2000), ended(30, 3000)), metered(40))
    assert not needs_history(told(started(), ended(30, 3000)), metered(40))
    assert needs_history(told(metered(10, 2000, seq=1)), started(seq=0))
    assert not needs_history(told(metered(10, seq=1)), started(seq=0))
