"""The session as a value."""

import pytest

from csms.domain.session import Change, MessageInfo, evolve
from tests.domain.story import started, told

SESSION = told(started())


def test_evolve_is_replace() -> None:
    """Only faster."""
    assert evolve(SESSION) == SESSION
    assert evolve(SESSION, energy_wh=7, flags=()) == SESSION._replace(energy_wh=7, flags=())


def test_evolve_knows_its_fields() -> None:
    """A field that is none is an error, not lost."""
    with pytest.raises(KeyError):
        evolve(SESSION, enrgy_wh=7)


def test_a_session_does_not_change() -> None:
    """What crosses a floor is frozen."""
    with pytest.raises(AttributeError):
        evolve(SESSION).energy_wh = 7  # type: ignore[misc] # what is tested


def test_a_change_says_only_what_it_must() -> None:
    """The rest is false, empty or none."""
    assert Change(SESSION) == Change(SESSION, False, False, (), None, False, False, False, "")
    assert MessageInfo("m", "h").payload_hash == "h"
