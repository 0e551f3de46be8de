"""Station: one charging station: what it is and does now; its history, configuration, commands, messages."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui

from csms.console.details import json_block, timeline, value_text
from csms.console.frame import page_head
from csms.console.listing import Column, Listing, facts, listing, nothing_found, pager, panel, tabs
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.pages.running import RunningSessions, stop
from csms.console.pages.station_commands import commands
from csms.console.symbols import state_mark
from csms.console.texts import DASH, ago
from csms.console.visit import Visit

TABS = ("events", "configuration", "commands", "messages")
FRESH_S = 5.0
FACTS = (
    "ocpp_version", "security_profile", "vendor", "model", "serial_number", "firmware_version", "boot_status",
    "max_power_w", "remote_address", "connected_at", "disconnected_at", "last_seen_at",
)  # fmt: skip


async def build(visit: Visit) -> None:
    """The page, kept fresh where it is live."""
    words, identity = visit.words, visit.path["identity"]
    path = f"/charging-stations/{quote(identity, safe='')}"
    station = await visit.desk.get(path)
    crumb = tag("a", words["page_stations"], href="/stations")
    head, approval = visit.html(""), visit.html("")
    with ui.element("div").classes("columns"):
        with ui.element("div").classes("stack"):
            live = visit.html("")
            running = RunningSessions(visit)
        about = visit.html("")

    async def show(fresh: Mapping[str, Any]) -> None:
        head.content = page_head(identity, _state(visit, fresh), crumb=crumb)
        approval.content = _approval(visit, fresh)
        approval.set_visibility(bool(approval.content))
        live.content = connectors(visit, fresh)
        about.content = panel(words["station"], facts(_facts(visit, fresh)))
        await running.refresh(fresh["live_sessions"])

    await show(station)
    current = visit.query.get("tab", TABS[0])
    visit.html(tabs(visit, TABS, current))
    await PARTS.get(current, _events)(visit, path)

    async def refresh() -> None:
        await show(await visit.desk.get(path))

    async def decide(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{path}/{'approve' if fields.get('verdict') == 'approve' else 'reject'}")
        await refresh()
        return words["saved"]

    async def stop_session(fields: dict[str, Any]) -> Content:
        said = await stop(visit, fields)
        await refresh()
        return said

    visit.on_act("decide", decide)
    visit.on_act("stop", stop_session)
    visit.every(FRESH_S, refresh)


def _state(visit: Visit, station: Mapping[str, Any]) -> Html:
    seen = ago(visit.words, visit.local(station["last_seen_at"]), visit.now())
    off = "" if station["enabled"] else tag("span", visit.words["disabled"], cls="flag")
    mark = state_mark(station["state"], visit.words)
    return joined((mark, off, tag("span", f"{visit.words['last_seen']}: {seen}", cls="quiet")))


def _approval(visit: Visit, station: Mapping[str, Any]) -> Html:
    """For one that was here and was told to wait. One that never was has nothing to wait for."""
    words, waits = visit.words, station["boot_status"] == "pending" and station["connected_at"]
    if not (waits and visit.person.is_admin):
        return Html("")
    yes = tag(
        "button", words["approve"], type="button", cls="primary", data_act="decide", data_verdict="approve"
    )
    no = tag(
        "button", words["reject"], type="button", cls="danger", data_act="decide", data_verdict="reject",
        data_confirm=words["confirm_reject"],
    )  # fmt: skip
    return tag("div", tag("b", words["waits_for_approval"]), tag("div", yes, " ", no), cls="banner note")


def _facts(visit: Visit, station: Mapping[str, Any]) -> list[tuple[str, Content]]:
    words = visit.words
    site = (
        tag("a", station["site"], href=f"/stations?site={quote(station['site'])}")
        if station["site"]
        else DASH
    )
    pairs: list[tuple[str, Content]] = [
        (words["site"], site),
        (words["operator"], station["operator"] or DASH),
    ]
    known = dict(station) if station["connected_at"] else {**station, "boot_status": None}
    return pairs + [(words[f"field_{name}"], value_text(visit, name, known.get(name))) for name in FACTS]


def connectors(visit: Visit, station: Mapping[str, Any]) -> Html:
    """Each connector with its state and since when."""
    words = visit.words
    columns = (
        Column(words["connector"], "nowrap", lambda one: f"{one['evse']}/{one['connector']}"),
        Column(words["state"], "text", lambda one: state_mark(one["status"], words)),
        Column(words["error_code"], "text", lambda one: one["error_code"] or DASH),
        Column(words["since"], "time", lambda one: visit.time(one["since"])),
    )
    nothing = empty(words["no_connectors"], words["no_connectors_do"])
    return panel("", listing(columns, station["connectors"], Listing(words["connectors"], nothing)))


async def _events(visit: Visit, path: str) -> None:
    """What happened, latest first; the first page stays fresh."""
    block = visit.html("")

    async def refresh() -> None:
        page = await visit.desk.get(f"{path}/events", after=visit.query.get("after"), limit=50)
        entries = [
            (one["received_at"], visit.words.get(f"event_{one['kind']}", one["kind"]), one["details"] or {})
            for one in page["items"]
        ]
        made = timeline(visit, entries) if entries else empty(visit.words["no_events"])
        block.content = panel("", made, pager(visit, page["next"], len(entries)))

    await refresh()
    if "after" not in visit.query:
        visit.every(FRESH_S, refresh)


async def _configuration(visit: Visit, path: str) -> None:
    words = visit.words
    items = (await visit.desk.get(f"{path}/variables"))["items"]
    columns = (
        Column(words["component"], "text", lambda one: one["component"] or DASH),
        Column(words["variable"], "text", lambda one: one["variable"]),
        Column(words["attribute"], "text", lambda one: one["attribute"]),
        Column(words["value"], "text", lambda one: one["value"]),
        Column(words["mutability"], "text", lambda one: one["mutability"]),
        Column(words["received_at"], "time", lambda one: visit.time(one["received_at"])),
    )
    read = tag("a", words["read_configuration"], href=visit.link(tab="commands", command="GetVariables"))
    nothing = empty(words["no_variables"], read)
    visit.html(panel("", listing(columns, items, Listing(words["tab_configuration"], nothing))))


async def _messages(visit: Visit, path: str) -> None:
    page = await visit.desk.get(f"{path}/messages", after=visit.query.get("after"), limit=50)
    visit.html(panel("", message_table(visit, page["items"]), pager(visit, page["next"], len(page["items"]))))


def message_table(visit: Visit, items: list[dict[str, Any]]) -> Html:
    """Requests, each with its answer."""
    words = visit.words
    columns = (
        Column(words["when"], "time", lambda one: visit.time(one["at"])),
        Column(words["direction"], "text", lambda one: words[f"direction_{one['direction']}"]),
        Column(words["action"], "text", lambda one: one["action"]),
        Column(words["outcome"], "text", lambda one: state_mark(one["outcome"], words)),
        Column("ms", "num", lambda one: DASH if one["latency_ms"] is None else f"{one['latency_ms']:,.1f}"),
        Column(words["request_and_answer"], "wide", lambda one: _pair(one, words)),
    )
    return listing(
        columns, items, Listing(words["tab_messages"], nothing_found(visit, empty(words["no_messages"])))
    )


def _pair(message: Mapping[str, Any], words: dict[str, str]) -> Html:
    short = (message["request"] or "")[:70]
    parts = (tag("h3", words["request"]), json_block(message["request"]), tag("h3", words["answer"]))
    return tag("details", tag("summary", tag("code", short)), *parts, json_block(message["answer"] or DASH))


PARTS: Mapping[str, Callable[[Visit, str], Awaitable[None]]] = {
    "events": _events,
    "configuration": _configuration,
    "commands": commands,
    "messages": _messages,
}
