"""Work queues: what waits for a person, each with the requests that deal with it; and alarms."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from csms.console.blocks import station_href
from csms.console.desk import BASE
from csms.console.details import value_text
from csms.console.frame import page_head
from csms.console.listing import Column, Listing, listing, pager, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.symbols import state_mark
from csms.console.texts import DASH, grouped
from csms.console.visit import Visit

PATH = "/work-queues"
ALARMS = "alarms"


async def build(visit: Visit) -> None:
    """The counts; the chosen queue."""
    words = visit.words
    visit.html(page_head(words["page_queues"]))
    if not await visit.desk.offers(PATH):
        visit.html(panel("", empty(words["not_offered"], words["queues_meanwhile"])))
        return
    counts = (await visit.desk.get(PATH))["items"]
    first = next((one["queue"] for one in counts if one["count"]), counts[0]["queue"] if counts else ALARMS)
    current = visit.query.get("queue", first)
    visit.html(_choices(visit, counts, current))
    if current == ALARMS:
        await _alarms(visit)
    else:
        await _queue(visit, current)


def _choices(visit: Visit, counts: list[dict[str, Any]], current: str) -> Html:
    words = visit.words
    entries: list[tuple[str, str]] = [(ALARMS, words["alarms"])]
    for one in counts:
        number = f"{grouped(one['count'])}{'+' if one['is_more'] else ''}"
        entries.append((one["queue"], f"{words.get('queue_' + one['queue'], one['queue'])} {number}"))
    links = (
        tag(
            "a",
            text,
            href=visit.link(queue=queue, after=None, trail=None),
            aria_current="page" if queue == current else None,
        )
        for queue, text in entries
    )
    return tag("nav", joined(links), cls="tabs", aria_label=words["page_queues"])


async def _queue(visit: Visit, queue: str) -> None:
    words = visit.words
    page = await visit.desk.get(f"{PATH}/{quote(queue, safe='')}", after=visit.query.get("after"), limit=50)
    columns = (
        Column(words["since"], "time", lambda one: visit.time(one["since"])),
        Column(words["station"], "text", _station),
        Column(words["session"], "text", _session),
        Column(words["details"], "wide", lambda one: _facts(visit, one["facts"])),
        Column(words["what_to_do"], "wide", lambda one: _fixes(visit, one)),
    )
    title = words.get(f"queue_{queue}", queue)
    table = listing(columns, page["items"], Listing(title, empty(words["queue_empty"])))
    visit.html(panel("", table, pager(visit, page["next"], len(page["items"]))))

    async def fix(fields: dict[str, Any]) -> Content:
        """Only paths that the API itself named for an item of this page."""
        known = {f["path"]: f for item in page["items"] for f in item["fixes"]}
        chosen = known[str(fields.get("path"))]
        body = {name: value or fields.get(name) for name, value in (chosen["body"] or {}).items()}
        await visit.desk.post(chosen["path"].removeprefix(BASE), body)
        return words["fixed"]

    visit.on_act("fix", fix)


def _station(one: Mapping[str, Any]) -> Content:
    identity = one["charging_station"]
    return tag("a", identity, href=station_href(identity)) if identity else DASH


def _session(one: Mapping[str, Any]) -> Content:
    number = one["session_id"]
    return tag("a", number, href=f"/sessions/{number}") if number else DASH


def _facts(visit: Visit, facts: Mapping[str, Any]) -> Html:
    return joined(
        tag(
            "div",
            visit.words.get(f"field_{name}") or visit.words.get(name) or name,
            ": ",
            value_text(visit, name, value),
        )
        for name, value in facts.items()
    )


def _fixes(visit: Visit, item: Mapping[str, Any]) -> Html:
    if not visit.person.may_act:
        return joined((DASH,))
    return joined(_fix(one, visit.words) for one in item["fixes"] if one["method"] == "POST")


def _fix(fix: Mapping[str, Any], words: dict[str, str]) -> Html:
    asked = [name for name, value in (fix["body"] or {}).items() if value is None]
    fields = joined(
        tag(
            "input",
            name=name,
            required="",
            aria_label=_asked(name, words),
            placeholder=_asked(name, words),
        )
        for name in asked
    )
    go = tag("button", words.get(f"fix_{fix['operation']}", fix["operation"]), type="submit")
    return tag("form", fields, " ", go, cls="filters", data_act="fix", data_path=fix["path"])


def _asked(name: str, words: dict[str, str]) -> str:
    return words.get(name) or words.get(f"field_{name}", name)


async def _alarms(visit: Visit) -> None:
    words, state = visit.words, visit.query.get("state", "open")
    page = await visit.desk.get("/alarms", state=state, after=visit.query.get("after"), limit=50)
    columns = (
        Column(words["severity"], "text", lambda one: state_mark(one["severity"], words)),
        Column(words["kind"], "text", lambda one: words.get(f"alarm_{one['kind']}", one["kind"])),
        Column(words["about"], "text", lambda one: one["subject"]),
        Column(words["since"], "time", lambda one: visit.time(one["raised_at"])),
        Column(words["cleared_at"], "time", lambda one: visit.time(one["cleared_at"])),
        Column(words["details"], "wide", lambda one: _facts(visit, one["details"])),
        Column(words["note"], "wide", lambda one: _acknowledge(one, visit)),
    )
    other = "closed" if state == "open" else "open"
    switch = tag(
        "a", words[f"alarms_{other}"], href=visit.link(state=other, after=None, trail=None), cls="button"
    )
    table = listing(columns, page["items"], Listing(words[f"alarms_{state}"], empty(words["no_alarms"])))
    visit.html(panel("", switch, table, pager(visit, page["next"], len(page["items"]))))

    async def acknowledge(fields: dict[str, Any]) -> Content:
        number = quote(str(fields.get("alarm")), safe="")
        await visit.desk.post(f"/alarms/{number}/acknowledge", {"note": str(fields.get("note", ""))})
        return words["acknowledged"]

    visit.on_act("acknowledge", acknowledge)


def _acknowledge(one: Mapping[str, Any], visit: Visit) -> Content:
    words = visit.words
    if one["acknowledged_at"]:
        return joined((one["acknowledged_by"], ": ", one["note"]))
    if not visit.person.may_act or one["cleared_at"]:
        return DASH
    note = tag(
        "input", name="note", required="", maxlength=200, placeholder=words["note"], aria_label=words["note"]
    )
    go = tag("button", words["acknowledge"], type="submit")
    return tag("form", note, " ", go, cls="filters", data_act="acknowledge", data_alarm=one["id"])
