"""The bench of an open Overview runs, from start to figure. No time is asserted."""

import pytest

from tests.bench.live import measure


@pytest.mark.slow
async def test_a_small_run() -> None:
    """Few stations, one pair of stretches; the page has lived, and both stretches cost something."""
    found = await measure(seconds=1.0, rounds=1, stations=5, per_s=20.0)

    assert found.per_s == 20.0
    assert len(found.rounds) == 1
    assert found.with_page > 0
