"""Values by what their names say, JSON, timelines."""

import pytest

from csms.console.details import flags, json_block, timeline, value_text
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("energy_wh", 22_505, "22.505 kWh"),
        ("max_power_w", 60_000, "60.000 kW"),
        ("charging_s", 3723, "1:02:03"),
        ("on_time_rate", 0.975, "97.50%"),
        ("attempts", 1200, "1,200"),
        ("enabled", True, "yes"),
        ("sites", ["a", "b"], "a, b"),
        ("note", "", "–"),
        ("note", None, "–"),
        ("facts", {"a": 1}, '{"a": 1}'),
    ],
)
async def test_values(desk: Desk, name: str, value: object, shown: str) -> None:
    """With their units."""
    assert value_text(await visit_of(desk), name, value) == shown


async def test_times_are_local(desk: Desk) -> None:
    """On the clock of the place."""
    assert "2026-01-01 20:00:00" in str(value_text(await visit_of(desk), "at", "2026-01-01T12:00:00.000Z"))


def test_json() -> None:
    """Readable, escaped; what is no JSON as it is."""
    assert "&quot;a&quot;: 1" in json_block('{"a":1}')
    assert "&lt;img" in json_block(HOSTILE)


async def test_a_timeline(desk: Desk) -> None:
    """Long runs of the same are folded; nothing breaks out."""
    entries = [("2026-01-01T12:00:00Z", "metered", {"energy_wh": n}) for n in range(1, 7)]
    made = timeline(await visit_of(desk), [*entries, (None, HOSTILE, {HOSTILE: HOSTILE})])

    assert "4 more" in made
    assert "<img" not in made
    assert "<img" not in flags([HOSTILE], {})
