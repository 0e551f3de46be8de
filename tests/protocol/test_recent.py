"""What is kept of answered calls."""

import sys

from csms.protocol.recent import RecentAnswers


def test_finds_what_was_kept() -> None:
    """An answer comes back for the same id and the same question, and for no other question."""
    recent = RecentAnswers(4)
    recent.keep("a", 1, b'{"x":1}')

    assert recent.answer(recent.find("a"), 1) == b'{"x":1}'
    assert recent.answer(recent.find("a"), 2) is None
    assert recent.find("b") == -1


def test_forgets_the_oldest() -> None:
    """Of five answers a memory of four keeps the last four."""
    recent = RecentAnswers(4)
    for n in range(5):
        recent.keep(str(n), n, b"{}")

    assert [recent.find(str(n)) >= 0 for n in range(5)] == [False, True, True, True, True]
    assert len(recent) == 4


def test_stays_small() -> None:
    """Ten thousand empty answers cost no more than sixty-four, and those less than 2 kB."""
    recent = RecentAnswers(64)
    for n in range(10_000):
        recent.keep(f"4f1c{n:032x}", n, b"{}")

    assert sys.getsizeof(recent._ring) + sys.getsizeof(recent._answers) < 2_048


def test_hits_across_entries_are_no_hits() -> None:
    """A hash found where no id begins is a coincidence, and the search goes on."""
    recent = RecentAnswers(4)
    recent.keep("other", hash("wanted"), b"{}")

    assert recent.find("wanted") == -1

    recent.keep("wanted", 7, b"{}")

    assert recent.find("wanted") == 1
