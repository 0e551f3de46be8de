"""Stations: every charging station in scope, filtered and sorted; several picked and told the same."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from csms.console.blocks import station_href
from csms.console.filters import filter_form, filter_values, saved_views, site_options
from csms.console.frame import page_head
from csms.console.listing import PAGE_ROWS, Column, Listing, listing, nothing_found, pager, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.pages.station_bulk import bulk_form, tell_many
from csms.console.symbols import state_mark, symbol
from csms.console.texts import DASH, ago, grouped
from csms.console.visit import Visit

PATH = "/charging-stations"
FIRST = ("text", "search", "prefix", "site", "state", "connector", "has_fault", "operator", "sort")


async def build(visit: Visit) -> None:
    """The list; actions on what is picked."""
    words = visit.words
    asked = visit.desk.get(
        PATH, after=visit.query.get("after"), limit=PAGE_ROWS, **await filter_values(visit, PATH)
    )
    page, options = await asyncio.gather(asked, site_options(visit))
    visit.html(page_head(words["page_stations"]))
    visit.html(joined((await filter_form(visit, PATH, FIRST, options), saved_views(visit))), cls="stack")
    sites = dict(options["site"])
    table = listing(columns(visit, sites), page["items"], _listing(visit))
    bulk = await bulk_form(visit) if visit.person.may_act and page["items"] else ""
    visit.html(
        tag("form", panel("", bulk, table, pager(visit, page["next"], len(page["items"]))), id="picked-form")
    )
    visit.on_act("bulk", lambda fields: tell_many(visit, fields))


def _listing(visit: Visit) -> Listing:
    words = visit.words
    nothing = nothing_found(visit, empty(words["no_stations"], words["no_stations_do"]))
    picked = (lambda one: str(one["identity"])) if visit.person.may_act else None
    return Listing(
        words["page_stations"], nothing, lambda one: station_href(one["identity"]), picked, words["pick_all"]
    )


def columns(visit: Visit, sites: Mapping[str, str]) -> Sequence[Column]:
    """What the list says of a station."""
    words, now = visit.words, visit.now()
    return (
        Column(words["station"], "nowrap", lambda one: one["identity"]),
        Column(words["state"], "text", lambda one: state_mark(one["state"], words)),
        Column(words["connectors"], "text", lambda one: connector_states(one, words)),
        Column(words["site"], "text", lambda one: sites.get(one["site"] or "", one["site"]) or DASH),
        Column(words["live_sessions"], "num", lambda one: grouped(len(one["live_sessions"]))),
        Column("OCPP", "text", lambda one: (one["ocpp_version"] or DASH).removeprefix("ocpp")),
        Column(
            words["model"], "text", lambda one: f"{one['vendor'] or ''} {one['model'] or ''}".strip() or DASH
        ),
        Column(words["firmware"], "text", lambda one: one["firmware_version"] or DASH),
        Column(
            f"{words['power']} kW",
            "num",
            lambda one: f"{one['max_power_w'] / 1000:,.0f}" if one["max_power_w"] else DASH,
        ),
        Column(words["last_seen"], "num", lambda one: ago(words, visit.local(one["last_seen_at"]), now)),
    )


def connector_states(station: Mapping[str, Any], words: dict[str, str]) -> Content:
    """How many connectors are in which state, as shapes with words for those who do not see them."""
    counts = Counter(one["status"] for one in station["connectors"])
    if not counts:
        return DASH
    return joined(joined((_count(status, n, words), " ")) for status, n in counts.items())


def _count(status: str, n: int, words: dict[str, str]) -> Html:
    name = words.get(f"state_{status}") or words.get(status) or status
    return tag("span", symbol(status), tag("span", name, cls="unseen"), str(n), cls="state", title=name)
