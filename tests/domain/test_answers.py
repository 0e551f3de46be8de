"""What we answer to events."""

from typing import get_args

from csms.domain.answers import DONE, Answer, Done, SessionAnswer


def test_answers_are_values() -> None:
    """Equal when they say the same."""
    assert Done() == DONE
    assert SessionAnswer("7") == SessionAnswer("7", None)
    assert Done in get_args(Answer)
