"""The city in small: every charger is served, and what was acknowledged is stored. No time is asserted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.bench.city.__main__ import Result, measure, show
from tests.bench.city.quarter import CHARGING_OF


@pytest.mark.slow
async def test_a_small_city() -> None:
    """Two workers, 40 chargers, both versions; a value in twelve of its seconds falls due."""
    said: list[str] = []

    found, wrong = await measure(chargers=40, workers=2, seconds=12.0, say=said.append)

    assert wrong == []
    assert (found.chargers, found.errors, found.differences) == (40, 0, 0)
    assert found.sessions == 40 // CHARGING_OF
    assert found.values > 0
    assert found.energy_wh > 0
    assert said[1] == "40 chargers are connected"


def test_an_aim_that_is_missed_is_shown_and_told() -> None:
    """Any of them; what is wrong is listed."""
    good = Result(1, 2, 1.0, 7.0, 1.0, 19.0, 30.0, 0.4, 3.0, 1, 5, 600, 0, 0)
    said = io.StringIO()
    console = Console(file=said, width=100)

    assert show(good, [], console)
    for name, value in (("p99_ms", 20.1), ("cores", 0.41), ("memory_gb", 3.1), ("errors", 1)):
        bad = {**{field: getattr(good, field) for field in Result.__slots__}, name: value}
        assert not show(Result(**bad), ["CITY-000001: lost"], console), name
    assert "CITY-000001: lost" in said.getvalue()
