"""A burst at once, then so many a second."""

from hypothesis import given
from hypothesis import strategies as st

from csms.reporting.tcec.server.rate import Rate


def test_a_burst_then_the_rate() -> None:
    """Five at once, the sixth when a fifth of a second has passed."""
    rate = Rate(5, 5)

    assert [rate.take(100.0) for _ in range(6)] == [True] * 5 + [False]
    assert not rate.take(100.1)
    assert rate.take(100.21)


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_never_more_than_burst_and_rate(steps: list[float]) -> None:
    """Whenever they come."""
    rate, now, taken = Rate(10, 4), 0.0, 0
    for step in steps:
        now += step
        taken += rate.take(now)

    assert taken <= 4 + 10 * now + 1e-6
