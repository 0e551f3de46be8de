"""What a session drew, as lines."""

from csms.console.curves import curve_series, last_value, lines_of, session_lines
from tests.api.conftest import FIRST_SESSION, Desk
from tests.console.kit import visit_of


async def test_lines(desk: Desk) -> None:
    """Power in kW, energy from zero in kWh, on the clock of the place."""
    at = "2026-01-01T12:00:00.000Z"
    readings = [
        {"measurand": "energy.active.import.register", "phase": "", "at": at, "value": 1000},
        {"measurand": "energy.active.import.register", "phase": "", "at": at, "value": 3500},
        {"measurand": "power.active.import", "phase": "", "at": at, "value": 7400},
        {"measurand": "power.active.import", "phase": "L1", "at": at, "value": 1},
        {"measurand": "voltage", "phase": "", "at": at, "value": 230},
    ]
    visit = await visit_of(desk)

    series, units = curve_series(visit, lines_of(readings))

    assert units == ["kW", "kWh"]
    assert series[0].points == [("2026-01-01T20:00:00.000", 7.4)]
    assert [value for _, value in series[1].points] == [0.0, 2.5]
    assert await session_lines(visit, str(FIRST_SESSION)) == []


def test_what_was_measured_last() -> None:
    """The last number there is, rounded; nothing of what was not measured."""
    lines = [("soc", [("t1", 40.0), ("t2", 41.6), ("t3", None)])]

    assert last_value(lines, "soc") == 42
    assert last_value(lines, "power.active.import") is None
