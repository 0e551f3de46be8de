"""Records for cities: what they are about."""

import pytest

from csms.console.records import about_text
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


@pytest.mark.parametrize(
    ("kind", "about", "parts"),
    [
        ("charge-order", "28450482151/1", ('href="/sessions/28450482151"', "Session 28450482151")),
        ("charge-order", "28450482151/2", ("Revision 2",)),
        ("charge-status", "28450482151", ('href="/sessions/28450482151"',)),
        (
            "connector-status",
            "CS-0001/2/1/1767268800000000/available",
            ('href="/stations/CS-0001"', "2/1", "available", "2026-01-01 20:00:00"),
        ),
        ("hour-total", "S01/2026-01-01T12:00:00Z/3", ("S01 2026-01-01 20:00 · Revision 3",)),
        ("alarm", HOSTILE, (HOSTILE,)),
        ("charge-order", HOSTILE, (HOSTILE,)),
        ("connector-status", "CS-0001/2", ("CS-0001/2",)),
    ],
)
async def test_about(desk: Desk, kind: str, about: str, parts: tuple[str, ...]) -> None:
    """Times on the clock of the place, links where there is a page; anything else as it is, as text."""
    visit = await visit_of(desk)

    made = str(about_text(visit, kind, about))

    for part in parts:
        assert part in made
