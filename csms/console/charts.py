"""Charts with axes, units and legends, in the colours of the page."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui

from csms.console.markup import tag
from csms.console.visit import Visit

LIGHT = {
    "text": "#55626f",
    "line": "#dde3e8",
    "panel": "#ffffff",
    "colours": ["#0b7a6f", "#3a72a6", "#86681a", "#b93226", "#6b5ca5"],
}
DARK = {
    "text": "#9aa8b5",
    "line": "#2a3540",
    "panel": "#1c252e",
    "colours": ["#45c4b4", "#6fa8dc", "#d9b65a", "#f4877b", "#b3a4ec"],
}
MINUTE = timedelta(minutes=1)
DASHES = ("solid", "dashed", "dotted", "solid", "dashed")  # lines differ without colour, too


class Series(NamedTuple):
    """One line or row of bars. `points`: (time or category, number or None); `axis`: 0 left, 1 right."""

    name: str
    points: Sequence[tuple[Any, float | None]]
    kind: str = "line"
    axis: int = 0
    stack: str | None = None
    step: bool = False


def options(
    series: Sequence[Series], units: Sequence[str], *, is_dark: bool, is_time: bool
) -> dict[str, Any]:
    """ECharts options. `units`: of the left and perhaps the right axis."""
    look: Mapping[str, Any] = DARK if is_dark else LIGHT
    text = {"color": look["text"]}
    lines = {"lineStyle": {"color": look["line"]}}
    across: dict[str, Any] = {
        "type": "time" if is_time else "category",
        "axisLabel": {**text, "hideOverlap": True},
        "axisLine": lines,
        **(_room(series) if is_time else {}),
    }
    return {
        "color": look["colours"],
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "grid": {"left": 8, "right": 12, "top": 52, "bottom": 8, "containLabel": True},
        "legend": {"show": True, "top": 0, "left": "center", "textStyle": text, "itemHeight": 10},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": look["panel"],
            "borderColor": look["line"],
            "textStyle": text,
            "renderMode": "richText",  # never markup: names come from stations
        },
        "xAxis": across,
        "yAxis": [
            {
                "type": "value",
                "name": unit,
                "nameTextStyle": {**text, "align": "left" if place == 0 else "right"},
                "axisLabel": text,
                "splitLine": lines if place == 0 else {"show": False},
                "scale": place == 1,
            }
            for place, unit in enumerate(units)
        ],
        "series": [_series(one, place) for place, one in enumerate(series)],
    }


def _room(series: Sequence[Series]) -> dict[str, str]:
    """Two minutes around the only time there is: left to itself the axis would show two days."""
    times = {str(at) for one in series for at, _ in one.points if at}
    if len(times) != 1:
        return {}
    at = datetime.fromisoformat(times.pop())
    return {"min": (at - MINUTE).isoformat(), "max": (at + MINUTE).isoformat()}


def _series(one: Series, place: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": one.name,
        "type": one.kind,
        "data": [list(point) for point in one.points],
        "yAxisIndex": one.axis,
    }
    if one.kind == "line":
        made |= {
            "showSymbol": len(one.points) < 2,
            "connectNulls": False,
            "lineStyle": {"type": DASHES[place % 5], "width": 2},
        }
        made |= {"step": "end"} if one.step else {}
    if one.kind == "bar":
        made |= {"barMaxWidth": 34, "barMinHeight": 1}
    if one.stack:
        made |= {"stack": one.stack}
    return made


def draw(
    visit: Visit, title: str, series: Sequence[Series], units: Sequence[str], *, is_time: bool = True
) -> ui.echart:
    """A chart in a panel of its own, under its title."""
    with ui.element("section").classes("panel"):
        visit.html(tag("h2", title))
        return chart(visit, title, series, units, is_time=is_time)


def chart(
    visit: Visit, title: str, series: Sequence[Series], units: Sequence[str], *, is_time: bool = True
) -> ui.echart:
    """A chart, with a text that says what it shows."""
    made = ui.echart(options(series, units, is_dark=visit.is_dark, is_time=is_time)).classes("chart")
    made.props(f'role="img" aria-label="{_plain(title)}: {_plain(", ".join(one.name for one in series))}"')
    recolour(visit, made, partial(options, series, units, is_time=is_time))
    return made


def redraw(visit: Visit, drawn: ui.echart, series: Sequence[Series], units: Sequence[str]) -> None:
    """The same chart with what is known now; its axis is time."""
    drawn.options.update(options(series, units, is_dark=visit.is_dark, is_time=True))
    drawn.update()
    recolour(visit, drawn, partial(options, series, units, is_time=True))


def recolour(visit: Visit, drawn: ui.echart, made: Callable[..., dict[str, Any]]) -> None:
    """Draw a chart again when the window turns out to be of the other scheme."""

    def again() -> None:
        drawn.options.clear()
        drawn.options.update(made(is_dark=visit.is_dark))
        drawn.update()

    visit.on_scheme(drawn, again)


def _plain(text: str) -> str:
    """Text that cannot end an attribute."""
    return "".join(" " if character in "\"'\\`=" else character for character in text)
