"""Reports: totals as bars."""

from csms.console.pages.reports import chart
from tests.api.conftest import MINE, Desk
from tests.console.kit import visit_of


async def test_bars(desk: Desk) -> None:
    """By local day; the greatest by name, the others together; every bar has every period."""
    items = [
        {"id": name, "start": start, "energy_wh": 1000 * n}
        for start in ("2026-01-01T16:00:00Z", "2026-01-02T16:00:00Z")
        for n, name in enumerate((MINE, "b", "c", "d", "e", "f", "g"), 1)
    ]

    made = chart(items, await visit_of(desk), "day")

    assert [one.name for one in made] == ["g", "f", "e", "d", "c", "others"]
    assert made[0].points == [("2026-01-02", 7.0), ("2026-01-03", 7.0)]
    assert made[-1].points == [("2026-01-02", 3.0), ("2026-01-03", 3.0)]
    assert chart(items[:1], await visit_of(desk), "month")[0].name == f"Operator {MINE}"
