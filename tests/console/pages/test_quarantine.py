"""Quarantine: who tried to connect, as text."""

from csms.console.pages.quarantine import _table
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


async def test_rows(desk: Desk) -> None:
    """What a stranger sent can say anything; sending away is asked first."""
    visit = await visit_of(desk)
    one = {
        "identity": HOSTILE, "first_seen_at": None, "last_seen_at": None, "attempts": 3,
        "remote_address": "192.0.2.1", "reason": HOSTILE, "headers": {HOSTILE: HOSTILE},
    }  # fmt: skip

    made = _table(visit, [one])

    assert "<img" not in made
    assert "data-confirm=" in made
    assert visit.words["no_strangers"] in _table(visit, [])
