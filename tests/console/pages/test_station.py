"""Station: connectors, and messages with their answers."""

from csms.console.pages.station import connectors, message_table
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


async def test_connectors(desk: Desk) -> None:
    """State and error as text; none says what to do."""
    visit = await visit_of(desk)
    one = {"evse": 1, "connector": 2, "status": HOSTILE, "error_code": HOSTILE, "since": None}

    made = connectors(visit, {"connectors": [one]})

    assert "1/2" in made
    assert "<img" not in made
    assert visit.words["no_connectors_do"] in connectors(visit, {"connectors": []})


async def test_messages(desk: Desk) -> None:
    """Request and answer side by side, readable, as text."""
    visit = await visit_of(desk)
    one = {
        "at": "2026-01-01T12:00:00Z", "direction": "in", "action": "DataTransfer", "outcome": "answered",
        "latency_ms": None, "request": f'{{"data":"{HOSTILE}"}}', "answer": None,
    }  # fmt: skip

    made = message_table(visit, [one])

    assert "from station" in made
    assert "DataTransfer" in made
    assert "<img" not in made
