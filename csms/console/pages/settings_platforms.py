"""City platforms among the settings: which are told, which rest; the way to what each is owed."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from csms.console.listing import Column, Listing, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.pages.city import platform_state
from csms.console.texts import DASH, grouped
from csms.console.visit import Visit


async def platforms(visit: Visit) -> None:
    """The list; pause and resume."""
    words = visit.words
    block = visit.html("")

    async def refresh() -> None:
        items = (await visit.desk.get("/platforms"))["items"]
        nothing = empty(words["no_platforms"], words["no_platforms_do"])
        block.content = panel("", listing(_columns(visit), items, Listing(words["page_city"], nothing)))

    async def pause(fields: dict[str, Any]) -> Content:
        path = f"/platforms/{quote(str(fields.get('platform')), safe='')}"
        await visit.desk.post(f"{path}/pause", {"reason": str(fields.get("reason", ""))})
        await refresh()
        return words["paused_done"]

    async def resume(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"/platforms/{quote(str(fields.get('platform')), safe='')}/resume")
        await refresh()
        return words["resumed_done"]

    await refresh()
    visit.on_act("pause", pause)
    visit.on_act("resume", resume)


def _columns(visit: Visit) -> list[Column]:
    words, names = visit.words, {one["code"]: one["name"] for one in visit.operators}
    return [
        Column(words["platform"], "nowrap", lambda one: _link(one, one["name"], "")),
        Column(words["state"], "text", lambda one: platform_state(one, words)),
        Column(words["operator"], "text", lambda one: names.get(one["operator"], one["operator"])),
        Column(words["profile"], "text", lambda one: one["profile"]),
        Column(words["waiting"], "num", lambda one: grouped(one["waiting"])),
        Column(words["dead"], "num", lambda one: grouped(one["dead"])),
        Column(words["paused_because"], "text", lambda one: one["paused_because"] or DASH),
        Column(words["what_to_do"], "wide", lambda one: _switch(visit, one)),
    ]


def _link(one: Mapping[str, Any], text: str, query: str) -> Html:
    return tag("a", text, href=f"/city/{quote(one['name'])}{query}")


def _switch(visit: Visit, one: Mapping[str, Any]) -> Html:
    words, name = visit.words, one["name"]
    queue = _link(one, words["see_queue"], "?tab=outbox")
    if not visit.person.may_act:
        return queue
    if one["paused"]:
        go = tag("button", words["resume"], type="button", data_act="resume", data_platform=name)
        return joined((go, " ", queue))
    reason = tag(
        "input", name="reason", required="", maxlength=200, placeholder=words["reason"],
        aria_label=f"{words['reason']} {name}",
    )  # fmt: skip
    go = tag("button", words["pause"], type="submit", cls="danger")
    form = tag(
        "form", reason, " ", go, cls="filters", data_act="pause", data_platform=name,
        data_confirm=words["confirm_pause"],
    )  # fmt: skip
    return joined((form, queue))
