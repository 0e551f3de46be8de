"""What a person says of a session: that it is over; that a stop without a start is its, or nobody's."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from csms.console.desk import Refused
from csms.console.forms import NO_PROBLEMS, Problems, complaint, input_field, problems_of
from csms.console.listing import Column, Listing, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import done_banner, empty, problem_banner
from csms.console.texts import DASH
from csms.console.visit import Visit, on_clock

ORPHANS = "/orphan-stops"
ORPHAN = "orphan-stop"
# Ended without its own stop: one that is found later may still be its.
STOPLESS = frozenset({"no-stop", "closed-by-hand"})
SAID = ("closed", "attached", "dismissed")
MOST = 20


async def amendments(visit: Visit, session: Mapping[str, Any]) -> None:
    """What may be said of this session now, and what was said of it just now."""
    said = visit.query.get("said")
    if said in SAID:
        visit.say(done_banner(visit.words[f"said_{said}"], visit.words))
    if not visit.person.may_act:
        return
    if session["state"] != "ended":
        _closing(visit, session)
    if ORPHAN in session["quality"]:
        await _whose(visit, session)
    elif session["state"] != "ended" or STOPLESS & set(session["quality"]):
        await _stops(visit, session)


def _lead(visit: Visit, number: str, said: str) -> None:
    """The session's page anew: all of it may have changed."""
    visit.go(visit.link(f"/sessions/{number}", said=said))


def _closing(visit: Visit, session: Mapping[str, Any]) -> None:
    words, number = visit.words, session["session_id"]
    with ui.element("details").classes("panel"):
        visit.html(words["close_by_hand"], "summary")
        block = visit.html(closing_form(words, {}))

    async def close(fields: dict[str, Any]) -> Content:
        try:
            await visit.desk.post(f"/sessions/{number}/close", _close_body(visit, fields))
        except Refused as refusal:
            block.content = closing_form(words, fields, problems_of(refusal))
            return problem_banner(refusal, words)
        _lead(visit, number, "closed")
        return None

    visit.on_act("close", close)


def closing_form(words: dict[str, str], fields: Mapping[str, Any], problems: Problems = NO_PROBLEMS) -> Html:
    """Why, and what is known of the end."""
    named = {**words, "ended_at": words["close_ended_at"], "meter_stop_wh": words["close_meter_stop_wh"]}
    made = (
        input_field("reason", "text", fields, named, problems.get("reason"), required="", maxlength=200),
        input_field("ended_at", "datetime-local", fields, named, problems.get("ended_at"), step=1),
        input_field("meter_stop_wh", "number", fields, named, problems.get("meter_stop_wh"), min=0),
    )
    send = tag("button", words["close_by_hand"], type="submit", cls="danger")
    hint = tag("p", words["close_hint"], cls="quiet")
    inner = joined((hint, *made, complaint(problems.get(""), ""), send))
    return tag("form", inner, cls="form", data_act="close", data_confirm=words["confirm_close"])


def _close_body(visit: Visit, fields: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"reason": str(fields.get("reason", "")).strip()}
    if fields.get("ended_at"):
        body["ended_at"] = on_clock(str(fields["ended_at"]), visit.zone)
    meter = str(fields.get("meter_stop_wh", "")).strip()
    if meter:
        body["meter_stop_wh"] = int(meter) if meter.isdecimal() else meter
    return body


async def _stops(visit: Visit, session: Mapping[str, Any]) -> None:
    """Stops of the same station that found no session: one may be this one's."""
    words, number = visit.words, session["session_id"]
    items = (await _orphans(visit, session))[:MOST]
    if not items:
        return
    columns = (
        Column(words["session"], "nowrap", _link),
        Column(words["ended_at"], "time", lambda one: visit.time(one["ended_at"])),
        Column(words["token"], "text", lambda one: one["id_token"] or DASH),
        Column(words["field_transaction_id"], "text", lambda one: one["transaction_id"]),
        Column(words["field_meter_stop_wh"], "num", _meter),
        Column(words["reason"], "text", lambda one: one["stop_reason"] or DASH),
        Column(
            words["what_to_do"],
            "wide",
            lambda one: _say_why(words, "attach", words["attach_here"], stop=one["session_id"], to=number),
        ),
    )
    visit.html(panel("", listing(columns, items, Listing(words["orphan_stops"], empty("")))))
    _on_attach(visit)


async def _whose(visit: Visit, session: Mapping[str, Any]) -> None:
    """This is such a stop itself: the sessions it may be of, or that it belongs to nothing."""
    words, number = visit.words, session["session_id"]
    found = [one for one in await _orphans(visit, session) if one["session_id"] == number]
    if not found:
        return
    ways = [_candidate(words, number, one) for one in found[0]["candidates"]]
    listed: Content = tag("ul", joined(ways), cls="plain-list") if ways else empty(words["no_candidates"])
    gone = _say_why(words, "dismiss-stop", words["dismiss_stop"], stop=number, to="")
    visit.html(panel(words["orphan_candidates"], listed, gone))
    _on_attach(visit)

    async def dismiss(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{ORPHANS}/{number}/dismiss", {"reason": _reason(fields)})
        _lead(visit, number, "dismissed")
        return None

    visit.on_act("dismiss-stop", dismiss)


def _candidate(words: dict[str, str], stop: str, session: str) -> Html:
    text = words["attach_to"].format(session=session)
    way = tag("a", session, href=f"/sessions/{session}")
    return tag("li", way, " ", _say_why(words, "attach", text, stop=stop, to=session))


def _say_why(words: dict[str, str], act: str, text: str, *, stop: str, to: str) -> Html:
    """A button that asks for a reason, and whether one is sure."""
    reason = tag(
        "input", name="reason", required="", maxlength=200, placeholder=words["reason"],
        aria_label=f"{words['reason']} {stop} {to}".strip(),
    )  # fmt: skip
    confirm = words["confirm_attach" if act == "attach" else "confirm_dismiss_stop"]
    return tag(
        "form", reason, " ", tag("button", text, type="submit"), cls="filters", data_act=act,
        data_stop=stop, data_to=to, data_confirm=confirm,
    )  # fmt: skip


def _on_attach(visit: Visit) -> None:
    async def attach(fields: dict[str, Any]) -> Content:
        stop, to = str(fields.get("stop")), str(fields.get("to"))
        body = {"session_id": to, "reason": _reason(fields)}
        await visit.desk.post(f"{ORPHANS}/{int(stop)}/attach", body)
        _lead(visit, to, "attached")
        return None

    visit.on_act("attach", attach)


def _reason(fields: Mapping[str, Any]) -> str:
    return str(fields.get("reason", "")).strip()


async def _orphans(visit: Visit, session: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    page = await visit.desk.get(ORPHANS, station=session["charging_station"], limit=100)
    return page["items"]  # type: ignore[no-any-return]  # JSON


def _link(one: Mapping[str, Any]) -> Html:
    return tag("a", one["session_id"], href=f"/sessions/{one['session_id']}")


def _meter(one: Mapping[str, Any]) -> str:
    wh = one["meter_stop_wh"]
    return DASH if wh is None else f"{wh / 1000:,.3f} kWh"
