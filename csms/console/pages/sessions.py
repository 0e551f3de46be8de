"""Sessions: every charging session in scope, filtered; what they add up to; as a file."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from csms.console.blocks import station_href
from csms.console.desk import Refused
from csms.console.details import flags
from csms.console.exports import export_links
from csms.console.filters import filter_form, filter_values, saved_views, site_options
from csms.console.frame import page_head
from csms.console.listing import PAGE_ROWS, Column, Listing, listing, nothing_found, pager, panel
from csms.console.markup import Html, joined, tag
from csms.console.notices import empty
from csms.console.symbols import state_mark
from csms.console.texts import DASH, duration, energy, grouped
from csms.console.visit import Visit

PATH = "/sessions"
FIRST = ("text", "from", "to", "site", "station", "token", "state", "quality")


async def build(visit: Visit) -> None:
    """Filters, totals, the list."""
    words = visit.words
    values = await filter_values(visit, PATH)
    asked = visit.desk.get(PATH, after=visit.query.get("after"), limit=PAGE_ROWS, **values)
    page, options, totals = await asyncio.gather(asked, site_options(visit), _totals(visit, values))
    visit.html(page_head(words["page_sessions"], await export_links(visit, "sessions", values)))
    form = await filter_form(visit, PATH, FIRST, options)
    visit.html(joined((tag("div", periods(visit), saved_views(visit), cls="filters"), form)), cls="stack")
    if totals is not None:
        visit.html(totals_line(visit, totals))
    table = listing(columns(visit), page["items"], _listing(visit))
    visit.html(panel("", table, pager(visit, page["next"], len(page["items"]))))


def periods(visit: Visit) -> Html:
    """Links to days one often looks at; the other filters stay."""
    midnight = visit.now().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = {"today": (0, 1), "yesterday": (-1, 0), "last_7_days": (-6, 1)}
    asked = (visit.query.get("from"), visit.query.get("to"))
    links = []
    for name, bounds in days.items():
        since, until = (f"{midnight + timedelta(days=day):%Y-%m-%dT%H:%M}" for day in bounds)
        link = visit.link(**{"from": since, "to": until, "after": None, "trail": None})
        chosen = "true" if asked == (since, until) else None
        links.append(tag("a", visit.words[name], href=link, cls="button", aria_current=chosen))
    return tag("nav", joined(links), cls="filters", aria_label=visit.words["periods"])


async def _totals(visit: Visit, values: Mapping[str, str]) -> Any:
    if not await visit.desk.offers("/sessions/totals"):
        return None
    taken = {
        name: value
        for name, value in values.items()
        if name != "sort" and await visit.desk.offers("/sessions/totals", name)
    }
    try:
        return await visit.desk.get("/sessions/totals", **taken)
    except Refused:
        return None


def totals_line(visit: Visit, totals: Mapping[str, Any]) -> Html:
    """What the sessions of the filter add up to, and whether that is all of them."""
    words = visit.words
    money = ", ".join(f"{one['total']} {one['currency']}" for one in totals.get("money") or ()) or DASH
    exact = "" if totals.get("exact", True) else tag("span", words["not_exact"], cls="flag")
    parts = (
        (words["sessions"], grouped(totals["sessions"])),
        (words["energy"], " ".join(energy(totals["energy_wh"]))),
        (words["duration"], duration(timedelta(minutes=totals.get("minutes", 0)))[:-3] + " h"),
        (words["cost"], money),
    )
    made = joined(tag("span", name, " ", tag("b", value), cls="version") for name, value in parts)
    return tag("p", words["in_total"], ": ", made, exact, cls="below")


def _listing(visit: Visit) -> Listing:
    nothing = nothing_found(visit, empty(visit.words["no_sessions"], visit.words["no_sessions_do"]))
    return Listing(visit.words["page_sessions"], nothing, lambda one: f"/sessions/{one['session_id']}")


def columns(visit: Visit) -> Sequence[Column]:
    """What the list says of a session."""
    words = visit.words
    return (
        Column(words["started"], "time", lambda one: visit.time(one["started_at"])),
        Column(words["duration"], "num", lambda one: _length(visit, one)),
        Column(
            words["station"],
            "text",
            lambda one: tag("a", one["charging_station"], href=station_href(one["charging_station"])),
        ),
        Column(words["connector"], "text", lambda one: f"{one['evse']}/{one['connector']}"),
        Column(words["token"], "text", lambda one: one["id_token"] or DASH),
        Column(f"{words['energy']} kWh", "num", lambda one: _kwh(one["energy_wh"])),
        Column(words["cost"], "num", lambda one: f"{one['cost']} {one['currency']}" if one["cost"] else DASH),
        Column(words["state"], "text", lambda one: state_mark(one["state"], words)),
        Column(words["quality"], "text", lambda one: flags(one["quality"], words)),
    )


def _length(visit: Visit, session: Mapping[str, Any]) -> str:
    start, end = visit.local(session["started_at"]), visit.local(session["ended_at"])
    return duration((end or visit.now()) - start) if start else DASH


def _kwh(wh: int | None) -> str:
    return DASH if wh is None else f"{wh / 1000:,.3f}"
