"""City: how a platform fares."""

from csms.console.pages.city import platform_state, rate
from csms.console.texts import TEXTS


def test_state() -> None:
    """Paused, something for a person, or in order."""
    fine = {"paused": False, "dead": 0, "open_disputes": 0}

    assert "in order" in platform_state(fine, TEXTS["en"])
    assert "needs attention" in platform_state({**fine, "open_disputes": 1}, TEXTS["en"])
    assert "paused" in platform_state({**fine, "paused": True, "dead": 3}, TEXTS["en"])
    assert (rate(0.975), rate(None)) == ("97.5%", "–")
