"""What stations tell us: values in no version's words."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

from csms.domain import events
from csms.domain.events import Event, PresentedToken, SessionMetered


def test_every_kind_of_event_is_a_frozen_value() -> None:
    """What crosses a floor is frozen, and equal when it says the same."""
    assert all(is_dataclass(kind) for kind in get_args(Event))
    assert SessionMetered("1", None, 1) == SessionMetered("1", None, 1)
    with pytest.raises(FrozenInstanceError):
        PresentedToken("A").text = "B"  # type: ignore[misc] # what is tested


def test_every_event_class_is_an_event() -> None:
    """None is forgotten in the union that handlers are found by."""
    parts = {"PresentedToken", "VariableReported", "MonitorEvent"}
    kinds = {
        name
        for name, value in vars(events).items()
        if is_dataclass(value) and value.__module__ == events.__name__
    }

    assert kinds - parts == {kind.__name__ for kind in get_args(Event)}


def test_no_event_speaks_a_versions_words() -> None:
    """No camel case above the dialect."""
    assert all(item.name == item.name.lower() for kind in get_args(Event) for item in fields(kind))
