"""Histograms in plain integers."""

import pytest

from csms.store.commit_tallies import CommitTallies, Tally


@pytest.mark.parametrize(
    ("value", "place"), [(0, 0), (1, 0), (1.5, 1), (2, 1), (10, 2), (10.001, 3)], ids=str
)
def test_a_value_falls_under_its_bound(value: float, place: int) -> None:
    """A bound belongs to the bucket it ends."""
    tally = Tally((1, 2, 10))

    tally.observe(value)

    assert tally.counts.index(1) == place
    assert sum(tally.counts) == 1
    assert tally.total == value


def test_a_commit_is_counted_by_rows_and_time() -> None:
    """What the writer tells of each commit."""
    tallies = CommitTallies()

    tallies.observe(3, 0.002)
    tallies.observe(20_000, 60.0)

    assert tallies.rows.total == 20_003
    assert tallies.rows.counts[-1] == 1
    assert tallies.seconds.total == 60.002
    assert tallies.seconds.counts[-1] == 1
