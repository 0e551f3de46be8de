"""Sequence numbers: gaps, repeats, restarts."""

import random

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.sequence import (
    MOST_MISSING,
    SequenceState,
    is_next,
    is_taken,
    key_of,
    noted,
    restarted,
)


def seen(*numbers: int) -> SequenceState:
    """The state after these numbers."""
    state = SequenceState()
    for number in numbers:
        state = noted(state, number)
    return state


@given(st.sets(st.integers(0, 60), min_size=1), st.randoms(use_true_random=False))
def test_any_order_of_numbers_leaves_the_same_gaps(numbers: set[int], rnd: random.Random) -> None:
    """E02, E03: what is missing lies between the lowest and the highest."""
    shuffled = list(numbers)
    rnd.shuffle(shuffled)
    state = seen(*shuffled, *shuffled[:2])

    assert (state.lowest, state.highest) == (min(numbers), max(numbers))
    assert set(state.missing) == set(range(min(numbers), max(numbers))) - numbers
    assert all(is_taken(state, number) for number in numbers)
    assert not any(is_taken(state, number) for number in range(-5, 70) if number not in numbers)


def test_the_next_number_is_the_common_case() -> None:
    """One more than the highest."""
    assert is_next(seen(5, 6), 7)
    assert not is_next(seen(5, 6), 8)
    assert not is_next(SequenceState(), 0)


def test_a_wide_gap_is_remembered_in_part() -> None:
    """A station that jumps by a million fills no memory."""
    assert len(seen(0, 10**6).missing) == MOST_MISSING
    assert len(seen(10**6, 0).missing) == MOST_MISSING
    assert len(seen(0, 10**6, 10**9).missing) == MOST_MISSING


def test_a_restart_counts_anew_e06() -> None:
    """E06: with keys of its own, so that 0 is not the 0 of before."""
    before = seen(0, 1)._replace(may_restart=True, token_from=0)

    after = restarted(before, 0)

    assert (after.lowest, after.highest, after.generation, after.may_restart) == (0, 0, 1, False)
    assert (key_of(before, 0), key_of(after, 0), after.token_from) == ("0", "1.0", 0)


def test_a_new_number_ends_the_chance_of_a_restart() -> None:
    """A station that goes on counting after a boot has not restarted; a late one says nothing."""
    state = seen(0, 3)._replace(may_restart=True)

    assert noted(state, 2).may_restart
    assert not noted(state, 4).may_restart
