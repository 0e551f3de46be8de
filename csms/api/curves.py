"""/sessions/{id}/curve and /charging-stations/{identity}/curve: readings as lines of a chart."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from csms.api.auth import READERS, Own, operation
from csms.api.forms import View, with_examples
from csms.api.id_tokens import instant_text
from csms.api.paging import TimeSpan
from csms.api.parts import Parts
from csms.api.problems import invalid
from csms.api.sessions import SessionId, shown_session
from csms.api.stations import StationPath, station_of
from csms.domain.curve import FEWEST, MOST, USUAL, Line, lines

router = APIRouter(tags=["Sessions"])

LONGEST = timedelta(days=31)
DAY = timedelta(days=1)
Points = Annotated[
    int,
    Query(
        ge=FEWEST, le=MOST, description=f"Most points of a line, beside those of gaps: {FEWEST} to {MOST}."
    ),
]


class CurveLine(View):
    """One line: a measurand of a phase and place."""

    evse: int
    measurand: str
    phase: str = Field(description="Empty: all phases, or it has none.")
    location: str = Field(description="Empty: the outlet.")
    unit: str
    points: list[tuple[str, float | None]] = Field(
        description="Time and value. A null says that nothing was measured from there to the next point."
    )
    read: int = Field(description="Readings that the line was made of.")
    step_s: float | None = Field(description="How they usually follow each other.")
    gaps: int


class Curve(View):
    """Lines of a chart, thinned: of every span the least and the greatest reading stay."""

    complete: bool = Field(description="false: there was more than is looked at; ask for a shorter time.")
    lines: list[CurveLine]

    model_config = with_examples(
        {
            "complete": True,
            "lines": [
                {
                    "evse": 1,
                    "measurand": "power.active.import",
                    "phase": "",
                    "location": "",
                    "unit": "W",
                    "points": [
                        ["2026-01-01T10:00:00.000Z", 22000.0],
                        ["2026-01-01T10:01:00.000Z", 21900.5],
                        ["2026-01-01T10:01:00.000Z", None],
                        ["2026-01-01T10:20:00.000Z", 20100.0],
                    ],
                    "read": 3,
                    "step_s": 60.0,
                    "gaps": 1,
                }
            ],
        }
    )


@router.get(
    "/sessions/{session_id}/curve",
    summary="Readings of a session as lines of a chart",
    response_model=Curve,
    **operation(READERS, 404, by_site=True),
)
async def session_curve(parts: Parts, own: Own, session_id: SessionId, points: Points = USUAL) -> Any:
    """Power, energy, state of charge, current and voltage, by phase. Gaps are told, not drawn over."""
    shown = await shown_session(parts, session_id, own)
    found = await parts.evidence.curves.of_session(int(shown["session_id"]))
    return {"complete": True, "lines": [_shown(line) for line in lines(found, points)]}


@router.get(
    "/charging-stations/{identity}/curve",
    summary="Readings of a station as lines of a chart",
    response_model=Curve,
    **operation(READERS, 404, by_site=True),
)
async def station_curve(
    parts: Parts, own: Own, identity: StationPath, span: TimeSpan, points: Points = USUAL
) -> Any:
    """The last day, or `from` and `to` (31 days at most), in sessions and beside them."""
    station = await station_of(parts, identity, own)
    until = span.until or parts.now()
    since = span.since or until - DAY
    if until - since > LONGEST:
        raise invalid("query.from", "it lies more than 31 days before the end", "Ask for 31 days at most.")
    found, is_all = await parts.evidence.curves.of_station(station.station_id, since, until)
    return {"complete": is_all, "lines": [_shown(line) for line in lines(found, points)]}


def _shown(line: Line) -> dict[str, Any]:
    return {
        "evse": line.evse,
        "measurand": line.measurand,
        "phase": line.phase,
        "location": line.location,
        "unit": line.unit,
        "points": [(instant_text(at), None if value is None else value / 1000) for at, value in line.points],
        "read": line.read,
        "step_s": None if line.step is None else line.step.total_seconds(),
        "gaps": line.gaps,
    }
