"""The latest of each value, from readings of any make."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.meter import Reading
from csms.reporting.tcec.live import NOTHING, Live, live_of

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def reading(measurand: str, value: int | None, phase: str = "", location: str = "", at: int = 0) -> Reading:
    return Reading(T0 + timedelta(seconds=at), measurand, value, phase, location)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], NOTHING),
        ([reading("energy.active.import.register", 5)], NOTHING),
        ([reading("voltage", None)], NOTHING),
        ([reading("voltage", 1, location="inlet")], NOTHING),
        (
            [reading("current.import", 16_000), reading("voltage", 400_000, "l1-n"), reading("soc", 55_000)],
            Live(T0, 16_000, None, None, 400_000, soc=55_000, power=6_400_000),
        ),
        (
            [reading("current.import", n, f"l{n}") for n in (1, 2, 3)],
            Live(T0, 1, 2, 3),
        ),
        (
            [reading("power.active.import", n * 1000, f"l{n}") for n in (1, 2, 3)],
            Live(T0, power=6000),
        ),
        (
            [reading("power.active.import", 7), reading("power.active.import", 9, "l1")],
            Live(T0, power=7),
        ),
        (
            [
                reading("temperature", 30_000, location="body"),
                reading("temperature", 40_000, location="outlet"),
            ],
            Live(T0, connector_temperature=40_000, equipment_temperature=30_000),
        ),
        ([reading("soc", 1), reading("soc", 2, at=5)], Live(T0 + timedelta(seconds=5), soc=2)),
    ],
)
def test_what_readings_say(readings: list[Reading], expected: Live) -> None:
    """Direct current in A, power from what there is, what is inside left out."""
    assert live_of(readings, T0) == expected


def test_old_readings_say_nothing() -> None:
    """The present is told, or nothing."""
    assert live_of([reading("soc", 1, at=-1), reading("voltage", 2)], T0) == Live(T0, voltage_a=2)
