"""What a session drew, as lines of a chart. Takes the API's curve where there is one, else its readings."""

from collections.abc import Mapping, Sequence
from typing import Any

from csms.console.charts import Series
from csms.console.visit import Visit

MOST_READINGS = 1000
# measurand -> (key of its name, what it is divided by, unit)
SHOWN = {
    "power.active.import": ("power", 1000, "kW"),
    "energy.active.import.register": ("energy", 1000, "kWh"),
    "soc": ("soc", 1, "%"),
}

Line = tuple[str, list[tuple[str, float | None]]]


async def session_lines(visit: Visit, session_id: str) -> list[Line]:
    """(measurand, points) of power, energy and state of charge. Raises what `Desk` raises."""
    if await visit.desk.offers("/sessions/{}/curve"):
        curve = await visit.desk.get(f"/sessions/{session_id}/curve")
        return [
            (one["measurand"], [(at, value) for at, value in one["points"]])
            for one in curve["lines"]
            if one["measurand"] in SHOWN and not one["phase"]
        ]
    readings = await visit.desk.get(f"/sessions/{session_id}/readings", limit=MOST_READINGS)
    return lines_of(readings["items"])


def lines_of(readings: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Readings sorted by what they measure."""
    lines: dict[str, list[tuple[str, float | None]]] = {}
    for one in readings:
        if one["measurand"] in SHOWN and not one["phase"] and one["value"] is not None:
            lines.setdefault(one["measurand"], []).append((one["at"], one["value"]))
    return [(name, lines[name]) for name in SHOWN if name in lines]


def last_value(lines: Sequence[Line], measurand: str) -> int | None:
    """What was measured last, in the measurand's unit, rounded; None where nothing was."""
    points = next((points for name, points in lines if name == measurand), [])
    return next((round(value) for _, value in reversed(points) if value is not None), None)


def curve_series(visit: Visit, lines: Sequence[Line]) -> tuple[list[Series], list[str]]:
    """Series and the units of their axes: power (or what there is) left, energy right."""
    series: list[Series] = []
    units: list[str] = []
    for measurand, points in lines[:2]:
        key, by, unit = SHOWN[measurand]
        # A register counts from the factory on: what the session drew is what it grew by.
        base = next((value for _, value in points if value is not None), 0) if key == "energy" else 0
        scaled = [
            (_clock(visit, at), None if value is None else (value - (base or 0)) / by) for at, value in points
        ]
        series.append(Series(visit.words[key], scaled, axis=len(units)))
        units.append(unit)
    return series, units


def _clock(visit: Visit, at: str) -> str:
    """The clock of the place without its zone: charts take it for the browser's own."""
    local = visit.local(at)
    return "" if local is None else f"{local:%Y-%m-%dT%H:%M:%S.%f}"[:23]
