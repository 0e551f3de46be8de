"""Work queues: what can be done about an item is what the API names."""

from csms.console.pages.queues import _facts, _fixes
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


async def test_fixes(desk: Desk) -> None:
    """A form each, asking for what is to be filled in; none for whoever may only look."""
    fix = {"operation": "resolve", "method": "POST", "path": "/api/v1/x/1/resolve", "body": {"note": None}}
    look = {"operation": "inspect", "method": "GET", "path": "/api/v1/x/1", "body": None}
    item = {"fixes": [fix, look]}

    made = _fixes(await visit_of(desk), item)

    assert 'data-path="/api/v1/x/1/resolve"' in made
    assert made.count("<form") == 1
    assert 'name="note" required=""' in made
    assert "<form" not in _fixes(await visit_of(desk, role="viewer"), item)


async def test_facts(desk: Desk) -> None:
    """With units, as text."""
    made = _facts(await visit_of(desk), {"energy_wh": 22_500, HOSTILE: HOSTILE})

    assert "22.500 kWh" in made
    assert "<img" not in made
