"""Commits of several processes in one histogram."""

from csms.store.commit_tallies import CommitTallies


def test_commits_are_added_up() -> None:
    """Counts under each bound and sums, of everybody."""
    one, other, both = CommitTallies(), CommitTallies(), CommitTallies()
    one.observe(1, 0.0004)
    other.observe(3, 0.0004)
    other.observe(1, 30.0)

    both.become([one.told(), other.told()])

    assert (both.rows.counts[0], both.rows.total) == (2, 5.0)
    assert (both.seconds.counts[0], both.seconds.counts[-1], round(both.seconds.total, 6)) == (
        2,
        1,
        30.0008,
    )
