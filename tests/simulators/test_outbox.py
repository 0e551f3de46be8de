"""The outbox: order kept, one message at a time, transactions until acknowledged."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.facts import Beat, Began, Booted, Cause, Fact, Sample, Session
from simulators.outbox import Outbox
from simulators.traits import Told
from tests.simulators.talk import T0


def began(name: str) -> Began:
    """A transaction fact that can be told from others."""
    return Began(Session(name, 1, "T", T0, 0), T0, 0, Cause.AUTHORIZED, False, Sample(T0, "", ()))


def make(same_id: bool = True) -> Outbox:
    """An outbox whose words are the fact's kind."""
    numbers = count(1)

    def words(fact: Fact) -> list[Told]:
        return [Told(fact.session.key if isinstance(fact, Began) else type(fact).__name__, {})]

    return Outbox(words, lambda: str(next(numbers)), same_id)


def say(outbox: Outbox) -> str:
    """Send the next message and have it answered."""
    letter = outbox.next()
    assert letter is not None
    assert outbox.answered(letter.message_id) is letter
    return letter.told.action


def test_one_at_a_time_in_order() -> None:
    """Nothing is said while something is pending."""
    outbox = make()
    outbox.put(began("a"), Beat())
    assert outbox.next() is not None
    assert outbox.next() is None
    assert outbox.answered("wrong") is None
    assert len(outbox) == 2
    outbox.answered("1")
    assert say(outbox) == "Beat"
    assert not outbox


@pytest.mark.parametrize("same_id", [True, False])
def test_interruption_keeps_transactions_only(same_id: bool) -> None:
    """What was pending comes first again, with its old id or a new one; the rest is handed back."""
    outbox = make(same_id)
    outbox.put(began("a"), Beat(), began("b"))
    first = outbox.next()
    assert first is not None
    was = first.message_id

    assert outbox.interrupted() == [Beat()]

    outbox.put_first(Booted())
    assert say(outbox) == "Booted"
    again = outbox.next()
    assert again is first
    assert (again.message_id == was) is same_id
    assert again.attempts == 2
    assert outbox.transactional == 2


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 8))
def test_everything_is_acknowledged_once_and_in_order(losses: list[bool], messages: int) -> None:
    """Whatever gets lost, each transaction message is acknowledged once, in the order it happened."""
    outbox = make()
    names = [f"m{number}" for number in range(messages)]
    outbox.put(*map(began, names))
    acknowledged = []
    losing = iter(losses)
    while outbox:
        letter = outbox.next()
        assert letter is not None
        if next(losing, False):
            outbox.interrupted()
        else:
            outbox.answered(letter.message_id)
            acknowledged.append(letter.told.action)
    assert acknowledged == names
