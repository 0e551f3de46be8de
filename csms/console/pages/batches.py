"""Batches: commands given to many stations: each with what came of it at every station, live until done."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from csms.console.blocks import station_href
from csms.console.details import json_block, value_text
from csms.console.frame import page_head
from csms.console.listing import PAGE_ROWS, Column, Listing, listing, nothing_found, pager, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.pages.station_commands import title
from csms.console.symbols import state_mark
from csms.console.texts import DASH, grouped
from csms.console.visit import Visit

PATH = "/command-batches"
FRESH_S = 1.0
OPEN = ("waiting", "sent")  # counts of stations of which nothing is known yet
# Counts that `retry-failed` takes up again.
FAILED = ("rejected", "not-connected", "silent", "not-supported", "failed")


async def build_list(visit: Visit) -> None:
    """The latest first."""
    words = visit.words
    page = await visit.desk.get(PATH, after=visit.query.get("after"), limit=PAGE_ROWS)
    columns = (
        Column(words["created_at"], "time", lambda one: visit.time(one["created_at"])),
        Column(words["action"], "text", lambda one: title(one["command"].get("command", ""), words)),
        Column(words["state"], "text", lambda one: state_mark(one["state"], words)),
        Column(words["who"], "text", lambda one: one["actor"]),
        Column(words["finished_at"], "time", lambda one: visit.time(one["finished_at"])),
    )
    made = Listing(
        "", empty(words["no_batches"], words["no_batches_do"]), lambda one: f"/batches/{one['batch_id']}"
    )
    crumb = tag("a", words["page_stations"], href="/stations")
    visit.html(page_head(words["page_batches"], crumb=crumb))
    table = listing(columns, page["items"], made)
    visit.html(panel("", table, pager(visit, page["next"], len(page["items"]))))


async def build(visit: Visit) -> None:
    """How far it is and what came of it; stop it, send to those that failed again."""
    path = f"{PATH}/{quote(visit.path['batch_id'], safe='')}"
    batch = await visit.desk.get(path)
    visit.html(_head(visit, batch))
    progress, table = visit.html(progress_panel(visit, batch)), visit.html(await _items(visit, path))
    is_over = batch["state"] != "running"

    async def refresh() -> None:
        nonlocal is_over
        fresh = await visit.desk.get(path)
        progress.content, table.content = progress_panel(visit, fresh), await _items(visit, path)
        # What was sent before a batch was stopped is still answered.
        is_over = fresh["state"] != "running" and not fresh["counts"].get("sent")

    async def watch() -> None:
        if not is_over:
            await refresh()

    async def cancel(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{path}/cancel")
        await refresh()
        return visit.words["batch_cancelled"]

    async def retry(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{path}/retry-failed")
        await refresh()
        return visit.words["batch_again"]

    visit.on_act("cancel", cancel)
    visit.on_act("retry", retry)
    visit.every(FRESH_S, watch)


def _head(visit: Visit, batch: Mapping[str, Any]) -> Html:
    words, command = visit.words, batch["command"]
    crumbs = joined(
        (
            tag("a", words["page_stations"], href="/stations"),
            " · ",
            tag("a", words["page_batches"], href="/batches"),
        )
    )
    name = title(command.get("command", ""), words)
    more = ", ".join(
        f"{words.get(f'field_{key}', key)}: {value_text(visit, key, value)}"
        for key, value in command.items()
        if key != "command" and value is not None
    )
    return page_head(name, tag("span", more, cls="quiet"), crumb=crumbs)


def progress_panel(visit: Visit, batch: Mapping[str, Any]) -> Html:
    """A bar, the count of each outcome as a way to the stations, and what can be done now."""
    words, counts = visit.words, batch["counts"]
    total = sum(counts.values())
    done = total - sum(counts.get(name, 0) for name in OPEN)
    bar = tag("progress", value=done, max=max(total, 1), aria_label=words["progress"])
    links = (_count(visit, name, n) for name, n in counts.items() if n)
    text = words["told_of"].format(n=grouped(done), of=grouped(total))
    state = tag("p", state_mark(batch["state"], words), " ", tag("b", text), role="status")
    every = tag("a", words["all"], href=visit.link(result=None, after=None, trail=None), cls="button")
    filters = tag("div", every, joined(links), cls="filters")
    return panel("", state, bar, filters, _buttons(batch, words) if visit.person.may_act else "")


def _count(visit: Visit, name: str, n: int) -> Html:
    return tag(
        "a",
        _mark(name, visit.words),
        " ",
        tag("b", grouped(n)),
        href=visit.link(result=name, after=None, trail=None),
        cls="button",
        aria_current="true" if visit.query.get("result") == name else None,
    )


def _mark(name: str, words: dict[str, str]) -> Html:
    """A station's state: what waits here waits for a charging station, not for a city."""
    return state_mark(name, {**words, f"state_{name}": words[f"batch_{name}"]} if name in OPEN else words)


def _buttons(batch: Mapping[str, Any], words: dict[str, str]) -> Html:
    if batch["state"] == "running":
        return tag(
            "button", words["batch_cancel"], type="button", cls="danger", data_act="cancel",
            data_confirm=words["confirm_batch_cancel"],
        )  # fmt: skip
    again = sum(batch["counts"].get(name, 0) for name in FAILED)
    if not again:
        return Html("")
    text = words["batch_retry"].format(n=grouped(again))
    return tag("button", text, type="button", data_act="retry", data_confirm=words["confirm_batch_retry"])


async def _items(visit: Visit, path: str) -> Html:
    words = visit.words
    asked = {"result": visit.query.get("result"), "after": visit.query.get("after"), "limit": PAGE_ROWS}
    page = await visit.desk.get(f"{path}/items", **asked)
    nothing = nothing_found(visit, empty(words["no_stations_chosen"]))
    table = listing(_columns(visit), page["items"], Listing(words["page_stations"], nothing))
    return panel("", table, pager(visit, page["next"], len(page["items"])))


def _columns(visit: Visit) -> Sequence[Column]:
    words = visit.words
    return (
        Column(
            words["station"],
            "nowrap",
            lambda one: tag("a", one["charging_station"], href=station_href(one["charging_station"])),
        ),
        Column(words["state"], "text", lambda one: _mark(one["result"] or one["state"], words)),
        Column(words["answer"], "wide", lambda one: _said(one, words)),
        Column(words["attempts"], "num", lambda one: one["attempts"]),
        Column(words["when"], "time", lambda one: visit.time(one["finished_at"])),
    )


def _said(one: Mapping[str, Any], words: dict[str, str]) -> Content:
    if not one["detail"]:
        return DASH
    return tag("details", tag("summary", words["details"]), json_block(one["detail"]))
