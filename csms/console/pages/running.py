"""Sessions that run: what each draws now, kept fresh, and the button that stops it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nicegui import ui

from csms.console.charts import chart, redraw
from csms.console.curves import Line, curve_series, last_value, session_lines
from csms.console.desk import Refused
from csms.console.listing import facts
from csms.console.markup import Content, Html, joined, tag
from csms.console.pages.station_commands import outcome
from csms.console.symbols import state_mark
from csms.console.texts import DASH, duration, energy, power
from csms.console.visit import Visit

MOST = 4
Session = Mapping[str, Any]


def stop_button(visit: Visit, session: Session) -> Content:
    """What stops a session; nothing when it has ended or the person may not."""
    if session["state"] == "ended" or not visit.person.may_act:
        return None
    words, station = visit.words, session["charging_station"]
    return tag(
        "button",
        words["stop_session"],
        type="button",
        cls="danger",
        data_act="stop",
        data_session=session["session_id"],
        data_station=station,
        data_confirm=words["confirm_stop"].format(token=session["id_token"] or DASH, station=station),
    )


async def stop(visit: Visit, fields: Mapping[str, Any]) -> Html:
    """Ask the station to end a session; what came of it. Raises what `Desk` raises."""
    path = f"/charging-stations/{quote(str(fields.get('station')), safe='')}/commands"
    answer = await visit.desk.post(path, {"command": "StopSession", "session_id": fields.get("session")})
    return outcome(answer, visit.words)


class RunningSessions:
    """The sessions that run at one station, a panel each."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._block = ui.element("div").classes("stack")
        self._panels: dict[str, _Panel] = {}

    async def refresh(self, session_ids: Sequence[str]) -> None:
        """Show these as they are now, and no others. One that cannot be read stays as it was."""
        shown = session_ids[:MOST]
        for gone in self._panels.keys() - set(shown):
            self._panels.pop(gone).element.delete()
        for session_id in shown:
            session, lines = await self._visit.several(
                self._visit.desk.get(f"/sessions/{session_id}"), session_lines(self._visit, session_id)
            )
            if isinstance(session, Refused) or isinstance(lines, Refused):
                continue
            if session_id not in self._panels:
                with self._block:
                    self._panels[session_id] = _Panel(self._visit)
            self._panels[session_id].show(session, lines)


class _Panel:
    """One session that runs: figures, the button, the curve."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        with ui.element("section").classes("panel") as self.element:
            self._head = visit.html("")
            self._curve = Curve(visit)

    def show(self, session: Session, lines: Sequence[Line]) -> None:
        content = live_figures(self._visit, session, lines)
        self._head.content = content
        self._curve.show(lines)


class Curve:
    """A chart of power and energy, there once something is known of them."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._place = ui.element("div")
        self._chart: ui.echart | None = None

    def show(self, lines: Sequence[Line]) -> bool:
        """Draw, or draw again; whether there is anything."""
        series, units = curve_series(self._visit, lines)
        if not series:
            return False
        if self._chart is None:
            with self._place:
                self._chart = chart(self._visit, self._visit.words["energy_and_power"], series, units)
        else:
            redraw(self._visit, self._chart, series, units)
        return True


def live_figures(visit: Visit, session: Session, lines: Sequence[Line]) -> Html:
    """Whose it is and what it draws at this moment."""
    words, number = visit.words, session["session_id"]
    started = visit.local(session["started_at"])
    title = tag("a", f"{words['session']} {number}", href=f"/sessions/{number}")
    head = tag(
        "div",
        tag("h2", title, " ", state_mark(session["state"], words)),
        tag("div", stop_button(visit, session), cls="right"),
        cls="panel-head",
    )
    charged = last_value(lines, "soc")
    pairs: list[tuple[str, Content]] = [
        (words["energy"], _amount("energy", *energy(session["energy_wh"]))),
        (words["power"], _amount("power", *power(last_value(lines, "power.active.import")))),
        (words["duration"], _amount("duration", duration(visit.now() - started) if started else DASH, "")),
        (words["soc"], DASH if charged is None else _amount("soc", str(charged), "%")),
        (words["connector"], f"{session['evse']}/{session['connector']}"),
        (words["token"], session["id_token"] or DASH),
    ]
    return joined((head, tag("div", facts(pairs), cls="live")))


def _amount(what: str, number: str, unit: str) -> Html:
    return tag("span", tag("b", number), " ", unit, data_live=what)
