"""Properties of sessions: order and repetition do not matter, energy is never negative, an end stays one."""

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from csms.domain import session as rules
from csms.domain.events import PresentedToken
from csms.domain.registers import key_of
from csms.domain.session import Evidence, Flag, SessionState
from tests.domain.story import (
    HOUR,
    STATION,
    Event,
    Story,
    at,
    ended,
    essence,
    metered,
    register,
    started,
)

STEPS = st.lists(
    st.tuples(
        st.integers(1, 30),  # minutes since the event before
        st.integers(-3_000, 9_000),  # Wh since the event before; a fall is a reset
        st.sampled_from(["", "", "", "l1", "token", "none"]),
    ),
    max_size=7,
)


def events_of(steps: list[tuple[int, int, str]], first_seq: int | None) -> list[Event]:
    """A whole session as its station would tell it: in order, with a sound clock."""
    seq = first_seq
    minutes, wh = 0, 5_000
    events: list[Event] = [started(0, seq=seq, wh=wh)]
    for since, more, kind in steps:
        minutes, wh = minutes + since, max(wh + (more if seq is not None else abs(more)), 0)
        seq = None if seq is None else seq + 1
        readings = () if kind == "none" else (register(minutes, wh, phase="l1" if kind == "l1" else ""),)
        token = PresentedToken("B2") if kind == "token" else None
        events.append(metered(minutes, seq=seq, readings=readings, token=token))
    seq = None if seq is None else seq + 1
    return [*events, ended(minutes + 5, wh + 10, seq=seq)]


def arrived_late(events: list[Event]) -> Story:
    """These events in this order, all of them hours after they happened."""
    story = Story()
    for n, event in enumerate(events):
        story.tell(event, at(24 * 60) + n * HOUR / 60)
    return story


@given(STEPS, st.integers(0, 60), st.randoms(use_true_random=False))
def test_any_order_of_2x_events_makes_the_same_session(
    steps: list[tuple[int, int, str]], first_seq: int, rnd: random.Random
) -> None:
    """Late, early, and some of them twice: the session is the one of the right order (E01, E02, E04, E07)."""
    events = events_of(steps, first_seq)
    expected = arrived_late(events)
    delivered = events + [event for event in events if rnd.random() < 0.3]
    rnd.shuffle(delivered)

    found = arrived_late(delivered)

    assert essence(found.now) == essence(expected.now)
    assert set(found.readings) == set(expected.readings)


@given(STEPS, st.randoms(use_true_random=False))
def test_any_order_of_1_6_messages_after_the_start_makes_the_same_session(
    steps: list[tuple[int, int, str]], rnd: random.Random
) -> None:
    """Without numbers the start comes first (its answer names the transaction); the rest may come anyhow."""
    start, *rest = events_of(steps, None)
    expected = arrived_late([start, *rest])
    delivered = rest + [event for event in rest if rnd.random() < 0.3]
    rnd.shuffle(delivered)

    found = arrived_late([start, *delivered])

    assert essence(found.now) == essence(expected.now)


@given(STEPS, st.sampled_from([None, 0, 9]))
def test_every_event_twice_is_once(steps: list[tuple[int, int, str]], first_seq: int | None) -> None:
    """The second delivery is known, whatever came between."""
    events = events_of(steps, first_seq)

    found = arrived_late([copy for event in events for copy in (event, event)])

    assert essence(found.now) == essence(arrived_late(events).now)
    assert found.now.revision == 1
    assert sum(change.is_repeat for change in found.changes) == len(events)


@given(STEPS, st.sampled_from([None, 0]))
def test_a_session_heard_live_is_the_one_heard_late(
    steps: list[tuple[int, int, str]], first_seq: int | None
) -> None:
    """When a message arrives does not matter while its clock can be right."""
    events = events_of(steps, first_seq)
    live = Story()
    for event in events:
        live.tell(event)

    assert essence(live.now) == essence(arrived_late(events).now)


class SessionLife(RuleBasedStateMachine):
    """A station that loses, repeats and delays its messages, boots, and frees its connector unasked."""

    @initialize(seq=st.sampled_from([0, 40]))
    def plug_in(self, seq: int) -> None:
        """The station's own truth, and what has been sent of it."""
        self.story = Story()
        self.seq, self.minutes, self.wh = seq, 0.0, 1_000
        self.sent: list[Event] = []
        self.held: list[Event] = [started(0, seq=seq, wh=self.wh)]
        self.is_over = False
        self.revision = 1
        self.had_ended = False

    def _next(self, minutes: float) -> None:
        self.seq += 1
        self.minutes += minutes

    def _deliver(self, event: Event) -> None:
        self.sent.append(event)
        self.story.tell(event, at(self.minutes) + HOUR)

    @precondition(lambda self: not self.is_over)
    @rule(minutes=st.integers(1, 20), wh=st.integers(0, 2_000))
    def charge(self, minutes: int, wh: int) -> None:
        """Another reading, not yet sent."""
        self._next(minutes)
        self.wh += wh
        self.held.append(metered(self.minutes, self.wh, seq=self.seq))

    @precondition(lambda self: not self.is_over)
    @rule(minutes=st.integers(1, 20))
    def unplug(self, minutes: int) -> None:
        """The end, not yet sent."""
        self._next(minutes)
        self.held.append(ended(self.minutes, self.wh, seq=self.seq))
        self.is_over = True

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 50))
    def send(self, which: int) -> None:
        """Any of the messages held back."""
        self._deliver(self.held.pop(which % len(self.held)))

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 50))
    def send_again(self, which: int) -> None:
        """A message whose answer was lost: nothing changes."""
        before = self.story.now
        self._deliver(self.sent[which % len(self.sent)])
        assert self.story.changes[-1].is_repeat
        assert self.story.now == before

    @precondition(lambda self: self.story.session is not None)
    @rule(evidence=st.sampled_from([Evidence.BOOT, Evidence.CONNECTOR_AVAILABLE, Evidence.SILENCE]))
    def look_over(self, evidence: Evidence) -> None:
        """Something speaks for an end."""
        change = rules.suspect(self.story.now, evidence, at(self.minutes), at(self.minutes) + HOUR)
        if change is not None:
            self.story.keep(change)

    @precondition(lambda self: self.story.session is not None)
    @rule(hours=st.integers(1, 40))
    def lose_patience(self, hours: int) -> None:
        """The policy closes what has been suspected for long."""
        change = rules.close_suspected(self.story.now, at(self.minutes) + hours * HOUR, station=STATION)
        if change is not None:
            self.story.keep(change)

    @invariant()
    def the_session_makes_sense(self) -> None:
        """Whatever came, in whatever order."""
        session = self.story.session
        if session is None:
            return
        assert session.energy_wh is None or session.energy_wh >= 0
        assert session.ended_at is None or session.ended_at >= session.started_at
        assert (session.state is SessionState.ENDED) == (session.ended_at is not None)
        assert session.state is SessionState.ENDED or not self.had_ended
        assert session.revision >= self.revision
        assert len({key_of(reading) for reading in self.story.readings}) == len(self.story.readings)
        assert list(session.flags) == sorted(set(session.flags))
        self.revision = session.revision
        self.had_ended = session.state is SessionState.ENDED

    @invariant()
    def an_order_is_owed_for_each_reported_end(self) -> None:
        """Once per revision, and only of closed sessions whose start is known."""
        owed = [change.session for change in self.story.changes if change.order_due]
        assert len({session.revision for session in owed}) == len(owed)
        assert all(session.state is SessionState.ENDED for session in owed)
        assert not any(Flag.PROVISIONAL in session.flags for session in owed)

    def teardown(self) -> None:
        """In the end everything arrives: the session is the one its station told."""
        if not self.sent or not self.is_over:
            return
        for event in self.held:
            self._deliver(event)
        ordered = sorted(self.sent, key=lambda event: event.seq_no or 0)
        plain = Story()
        for event in ordered:
            plain.tell(event, at(self.minutes) + HOUR)
        assert essence(self.story.now) == essence(plain.now)
        assert any(change.order_due for change in self.story.changes)


SessionLife.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow], deadline=None
)
TestSessionLife: Any = SessionLife.TestCase


def test_every_name_that_is_promised_is_there() -> None:
    """Handlers and stores import from here only."""
    assert all(hasattr(rules, name) for name in rules.__all__)


def test_a_session_is_a_value() -> None:
    """Equal when told the same."""
    one, other = arrived_late([started()]), arrived_late([started()])

    assert one.now == other.now
    assert one.now._replace(energy_wh=1) != other.now
