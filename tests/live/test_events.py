"""An event in JSON and as a server-sent event, and who wants it."""

import json

import pytest

from csms.domain.scope import Scope
from csms.live.events import Wanted, frame_of, json_of
from csms.store.changes import Event

EVENT = Event(7, 1_767_261_600_000_000, "session_ended", "123456789", "S01", "CS-1", 5, '{"a":"x\\n"}')


def test_json() -> None:
    """Numbers as texts, times as everywhere, the body as it was stored."""
    assert json.loads(json_of(EVENT)) == {
        "id": "7", "kind": "session_ended", "at": "2026-01-01T10:00:00.000Z", "operator": "123456789",
        "site": "S01", "charging_station": "CS-1", "session_id": "5", "data": {"a": "x\n"},
    }  # fmt: skip


def test_frames() -> None:
    """Three lines and an empty one; no id for what is not kept, so that a reader's place stays."""
    kept, told = frame_of(EVENT), frame_of(EVENT._replace(number=0))

    assert kept == b"id: 7\nevent: session_ended\ndata: " + json_of(EVENT) + b"\n\n"
    assert kept.count(b"\n") == 4
    assert told.startswith(b"event: session_ended\n")


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (Wanted(), True),
        (Wanted("123456789", frozenset({"session_ended"}), "S01", "CS-1"), True),
        (Wanted("987654321"), False),
        (Wanted(kinds=frozenset({"session_started"})), False),
        (Wanted(site="S02"), False),
        (Wanted(station="CS-2"), False),
        (Wanted(scope=Scope("123456789")), True),
        (Wanted(scope=Scope("987654321")), False),
        (Wanted(scope=Scope("123456789", frozenset({"S01"}))), True),
        (Wanted(scope=Scope("123456789", frozenset({"S02"}))), False),
    ],
)
def test_wanted(wanted: Wanted, takes: bool) -> None:
    """Everything that is asked for must hold."""
    assert wanted.takes(EVENT) is takes
    assert not wanted._replace(operator="123456789").takes(EVENT._replace(operator=None))
    assert not wanted._replace(scope=Scope("123456789", frozenset({"S01"}))).takes(EVENT._replace(site=None))
