"""City: what city platforms are told: lag, timeliness, queue, what was set aside, disputes."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from csms.console.details import json_block
from csms.console.frame import page_head
from csms.console.listing import Column, Listing, facts, listing, nothing_found, pager, panel, tabs
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.records import about_text
from csms.console.symbols import state_mark
from csms.console.texts import DASH, ago, grouped
from csms.console.visit import Visit

TABS = ("kinds", "outbox", "disputes", "checks")
STATES = ("", "waiting", "dead", "sent", "dropped")
FRESH_S = 10.0


async def build_list(visit: Visit) -> None:
    """Every platform in scope."""
    words = visit.words
    visit.html(page_head(words["page_city"]))
    block = visit.html("")

    async def refresh() -> None:
        items = (await visit.desk.get("/platforms"))["items"]
        nothing = empty(words["no_platforms"], words["no_platforms_do"])
        made = Listing(words["page_city"], nothing, lambda one: f"/city/{quote(one['name'])}")
        block.content = panel("", listing(_columns(visit), items, made))

    await refresh()
    visit.every(FRESH_S, refresh)


def _columns(visit: Visit) -> Sequence[Column]:
    words, names = visit.words, {one["code"]: one["name"] for one in visit.operators}
    return (
        Column(words["platform"], "nowrap", lambda one: one["name"]),
        Column(words["state"], "text", lambda one: platform_state(one, words)),
        Column(words["operator"], "text", lambda one: names.get(one["operator"], one["operator"])),
        Column(
            words["city_contact"],
            "num",
            lambda one: ago(words, visit.local(one["last_contact_at"]), visit.now()),
        ),
        Column(words["on_time"], "num", lambda one: rate(one["on_time_rate"])),
        Column(words["order_upload"], "num", lambda one: rate(one["order_upload_rate"])),
        Column(words["waiting"], "num", lambda one: grouped(one["waiting"])),
        Column(words["dead"], "num", lambda one: grouped(one["dead"])),
        Column(words["disputes"], "num", lambda one: grouped(one["open_disputes"])),
    )


def rate(share: float | None) -> str:
    """A share in per cent."""
    return DASH if share is None else f"{share:.1%}"


def platform_state(one: Mapping[str, Any], words: dict[str, str]) -> Html:
    """In order, paused, or something for a person."""
    if one["paused"]:
        return state_mark("paused", words)
    state = "bad" if one["dead"] or one["open_disputes"] else "good"
    return state_mark(state, {"bad": words["needs_attention"], "good": words["in_order"]})


async def build(visit: Visit) -> None:
    """One platform; pause, resume, send again, settle."""
    words, name = visit.words, visit.path["name"]
    path = f"/platforms/{quote(name, safe='')}"
    platform = await visit.desk.get(path)
    crumb = tag("a", words["page_city"], href="/city")
    head = visit.html(page_head(name, platform_state(platform, words), crumb=crumb))
    summary = visit.html(_summary(visit, platform))

    async def refresh() -> None:
        fresh = await visit.desk.get(path)
        head.content = page_head(name, platform_state(fresh, words), crumb=crumb)
        summary.content = _summary(visit, fresh)

    current = visit.query.get("tab", TABS[0])
    visit.html(tabs(visit, TABS, current))
    if current == "outbox":
        await _outbox(visit, name, platform["kinds"])
    elif current == "disputes":
        await _disputes(visit, path)
    else:
        visit.html(_checks(visit, platform) if current == "checks" else _kinds(visit, platform))
    _actions(visit, path, refresh)
    visit.every(FRESH_S, refresh)


def _actions(visit: Visit, path: str, refresh: Any) -> None:
    words = visit.words

    async def pause(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{path}/pause", {"reason": str(fields.get("reason", ""))})
        await refresh()
        return words["paused_done"]

    async def resume(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{path}/resume")
        await refresh()
        return words["resumed_done"]

    async def resend(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{path}/outbox/{quote(str(fields.get('row')), safe='')}/resend")
        return words["resend_done"]

    async def resolve(fields: dict[str, Any]) -> Content:
        number = quote(str(fields.get("dispute")), safe="")
        await visit.desk.post(f"{path}/disputes/{number}/resolve", {"note": str(fields.get("note", ""))})
        return words["resolved_done"]

    for action, do in (("pause", pause), ("resume", resume), ("resend", resend), ("resolve", resolve)):
        visit.on_act(action, do)


def _summary(visit: Visit, one: Mapping[str, Any]) -> Html:
    words = visit.words
    pairs: list[tuple[str, Content]] = [
        (words["city_contact"], ago(words, visit.local(one["last_contact_at"]), visit.now())),
        (words["on_time"], rate(one["on_time_rate"])),
        (words["order_upload"], rate(one["order_upload_rate"])),
        (words["waiting"], grouped(one["waiting"])),
        (words["dead"], grouped(one["dead"])),
        (words["disputes"], grouped(one["open_disputes"])),
        (words["profile"], one["profile"]),
        (words["operator"], one["operator"]),
    ]
    because = tag("p", words["paused_because"], ": ", one["paused_because"]) if one["paused"] else ""
    return panel("", facts(pairs), because, _switch(one, words) if visit.person.may_act else "")


def _switch(one: Mapping[str, Any], words: dict[str, str]) -> Html:
    if one["paused"]:
        return tag("button", words["resume"], type="button", cls="primary", data_act="resume")
    reason = tag(
        "input",
        name="reason",
        required="",
        maxlength=200,
        placeholder=words["reason"],
        aria_label=words["reason"],
    )
    go = tag("button", words["pause"], type="submit", cls="danger")
    return tag("form", reason, go, cls="filters", data_act="pause", data_confirm=words["confirm_pause"])


def _kinds(visit: Visit, platform: Mapping[str, Any]) -> Html:
    words = visit.words
    items = [{"kind": kind, **values} for kind, values in platform["kinds"].items()]
    columns = [Column(words["kind"], "text", lambda one: words.get(f"kind_{one['kind']}", one["kind"]))]
    columns.append(
        Column(
            f"{words['within']} s",
            "num",
            lambda one: DASH if one["within_s"] is None else f"{one['within_s']:g}",
        )
    )
    columns.append(Column(words["on_time"], "num", lambda one: rate(one["on_time_rate"])))
    for key in ("due", "on_time", "sent", "accepted", "disputed", "waiting", "dead"):
        columns.append(Column(words[f"count_{key}"], "num", partial(_count, key)))
    title = words["kinds_of_days"].format(n=platform["days"])
    return panel("", listing(columns, items, Listing(title, empty(words["nothing_owed"]))))


def _count(key: str, one: Mapping[str, Any]) -> str:
    return grouped(one[key])


def _checks(visit: Visit, platform: Mapping[str, Any]) -> Html:
    words = visit.words
    columns = (
        Column(words["day"], "text", lambda one: one["day"]),
        Column(words["number"], "text", lambda one: one["check_order_seq"]),
        Column(words["orders_count"], "num", lambda one: grouped(one["orders"])),
        Column(f"{words['energy']} kWh", "num", lambda one: f"{one['energy_wh'] / 1000:,.2f}"),
        Column(words["cost"], "num", lambda one: one["money"]),
        Column(words["answered_at"], "time", lambda one: visit.time(one["answered_at"])),
        Column(
            words["disputes"],
            "num",
            lambda one: DASH if one["disputes"] is None else grouped(one["disputes"]),
        ),
    )
    return panel(
        "",
        listing(columns, platform["order_checks"], Listing(words["tab_checks"], empty(words["no_checks"]))),
    )


async def _outbox(visit: Visit, name: str, kinds: Iterable[str]) -> None:
    words, state = visit.words, visit.query.get("state", "")
    kind = visit.query.get("kind", "")
    page = await visit.desk.get(
        "/outbox", platform=name, state=state, kind=kind, after=visit.query.get("after"), limit=50
    )
    states = [(one, words["all"] if one == "" else words[f"orders_{one}"]) for one in STATES]
    sorts = [(one, words["all"] if one == "" else words.get(f"kind_{one}", one)) for one in ("", *kinds)]
    columns: tuple[Column, ...] = (
        Column(words["kind"], "nowrap", lambda one: words.get(f"kind_{one['kind']}", one["kind"])),
        Column(words["about"], "wide", lambda one: about_text(visit, one["kind"], one["about"])),
        Column(words["state"], "text", lambda one: state_mark(one["state"], words)),
        Column(words["attempts"], "num", lambda one: one["attempts"]),
        Column(words["due"], "time", lambda one: visit.time(one["due_at"])),
        Column(words["sent_at"], "time", lambda one: visit.time(one["sent_at"])),
        Column(words["answer"], "wide", lambda one: _answer(one, words)),
    )
    if any(one["state"] == "dead" for one in page["items"]):
        columns = (*columns, Column(words["what_to_do"], "text", lambda one: _resend(one, visit)))
    nothing = nothing_found(visit, empty(words["nothing_owed"]))
    table = listing(columns, page["items"], Listing(words["tab_outbox"], nothing))
    visit.html(
        panel(
            "",
            tag("div", _switches(visit, "state", states), _switches(visit, "kind", sorts), cls="stack"),
            table,
            pager(visit, page["next"], len(page["items"])),
        )
    )


def _switches(visit: Visit, name: str, choices: Sequence[tuple[str, str]]) -> Html:
    """Links for each value of a filter. `choices`: (value, text)."""
    links = (
        tag(
            "a",
            text,
            href=visit.link(**{name: value, "after": None, "trail": None}),
            cls="button",
            aria_current="true" if value == visit.query.get(name, "") else None,
        )
        for value, text in choices
    )
    return tag(
        "nav",
        tag("span", visit.words[name], cls="quiet"),
        joined(links),
        cls="filters switches",
        aria_label=visit.words[name],
    )


def _answer(row: Mapping[str, Any], words: dict[str, str]) -> Content:
    if not (row["answer"] or row["last_error"]):
        return DASH
    short = str(row["last_error"] or words["answered"])[:80]
    return tag("details", tag("summary", short), json_block(row["answer"] or row["last_error"]))


def _resend(row: Mapping[str, Any], visit: Visit) -> Content:
    if row["state"] == "waiting" or not visit.person.may_act:
        return None
    return tag("button", visit.words["resend"], type="button", data_act="resend", data_row=row["id"])


async def _disputes(visit: Visit, path: str) -> None:
    words = visit.words
    page = await visit.desk.get(f"{path}/disputes", after=visit.query.get("after"), limit=50)
    columns = (
        Column(words["raised_at"], "time", lambda one: visit.time(one["raised_at"])),
        Column(words["about"], "wide", lambda one: one["start_charge_seq"] or one["about"]),
        Column(words["reason"], "text", lambda one: one["reason"] if one["reason"] is not None else DASH),
        Column(
            words["theirs"],
            "num",
            lambda one: f"{one['their_power'] or DASH} kWh / {one['their_money'] or DASH}",
        ),
        Column(
            words["ours"], "num", lambda one: f"{_kwh(one['our_energy_wh'])} kWh / {one['our_money'] or DASH}"
        ),
        Column(words["state"], "wide", lambda one: _verdict(one, visit)),
    )
    made = Listing(words["disputes"], empty(words["no_disputes"]))
    visit.html(
        panel("", listing(columns, page["items"], made), pager(visit, page["next"], len(page["items"])))
    )


def _kwh(wh: int | None) -> str:
    return DASH if wh is None else f"{wh / 1000:,.3f}"


def _verdict(one: Mapping[str, Any], visit: Visit) -> Content:
    words = visit.words
    if one["resolved_at"] or not visit.person.may_act:
        return joined((state_mark("resolved" if one["resolved_at"] else "open", words), " ", one["note"]))
    note = tag(
        "input", name="note", required="", maxlength=200, placeholder=words["note"], aria_label=words["note"]
    )
    go = tag("button", words["settle"], type="submit")
    return tag("form", note, " ", go, data_act="resolve", data_dispute=one["id"])
