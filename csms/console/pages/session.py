"""Session: one charging session: what it drew, what it costs and why, how that is known, who was told."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from csms.console.blocks import station_href
from csms.console.curves import session_lines
from csms.console.desk import BASE, Refused
from csms.console.details import flags, json_block, timeline, value_text
from csms.console.frame import page_head
from csms.console.listing import Column, Listing, facts, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty, not_there
from csms.console.pages.running import Curve, stop, stop_button
from csms.console.pages.session_amend import amendments
from csms.console.symbols import state_mark
from csms.console.texts import DASH, duration, energy
from csms.console.visit import Visit

FRESH_S = 5.0
FACTS = (
    "transaction_id", "authorization", "meter_start_wh", "meter_stop_wh", "energy_source", "stop_reason",
    "ocpp_version", "revision", "received_at", "start_charge_seq",
)  # fmt: skip


async def build(visit: Visit) -> None:
    """Every part is asked for at once; one that fails leaves the others."""
    words, number = visit.words, visit.path["session_id"]
    path = f"/sessions/{number}"
    session = await visit.desk.get(path)
    cost, lines, evidence, told, changes = await visit.several(
        visit.desk.get(f"{path}/cost"),
        session_lines(visit, number),
        _evidence(visit, path),
        _told(visit, path),
        _changes(visit, path),
    )
    visit.html(await _head(visit, session))
    figures = visit.html(_figures(visit, session))
    with ui.element("section").classes("panel"):
        visit.html(tag("h2", words["energy_and_power"]))
        curve = Curve(visit)
        if isinstance(lines, Refused) or not curve.show(lines):
            visit.html(empty(words["no_readings"]))
    visit.html(cost_panel(visit, cost))
    await amendments(visit, session)
    visit.html(panel(words["details"], facts(_facts(visit, session))))
    visit.html(_evidence_panel(visit, evidence))
    visit.html(_told_panel(visit, told))
    if session["state"] == "ended":
        visit.html(joined((_changes_panel(visit, changes), _revisions_panel(visit, cost))), cls="stack")
    visit.on_act("reprice", lambda fields: _reprice(visit, path))
    visit.on_act("stop", lambda fields: stop(visit, fields))

    async def refresh() -> None:
        fresh = await visit.desk.get(path)
        if _stage(fresh) != _stage(session):
            ui.navigate.reload()
            return
        figures.content = _figures(visit, fresh)
        curve.show(await session_lines(visit, number))

    if session["state"] != "ended" or session["cost"] is None:
        visit.every(FRESH_S, refresh)


def _stage(session: Mapping[str, Any]) -> tuple[Any, Any]:
    """What the whole page changes with."""
    return session["state"], session["cost"]


async def _head(visit: Visit, session: Mapping[str, Any]) -> Html:
    words, number = visit.words, session["session_id"]
    links: list[Content] = [state_mark(session["state"], words)]
    links.append(stop_button(visit, session))
    if session["state"] == "ended" and await visit.desk.offers("/sessions/{}/receipt"):
        form = urlencode({"format": "html", "lang": visit.language})
        href = f"{BASE}/sessions/{number}/receipt?{form}"
        links.append(tag("a", words["receipt"], href=href, cls="button", target="_blank", rel="noopener"))
    if visit.person.is_admin and session["state"] == "ended":
        links.append(
            tag(
                "button",
                words["reprice"],
                type="button",
                data_act="reprice",
                data_confirm=words["confirm_reprice"],
            )
        )
    crumb = tag("a", words["page_sessions"], href="/sessions")
    return page_head(f"{words['session']} {number}", joined(links), crumb=crumb)


async def _reprice(visit: Visit, path: str) -> Content:
    await visit.desk.post(f"{path}/reprice")
    return visit.words["reprice_done"]


def _figures(visit: Visit, session: Mapping[str, Any]) -> Html:
    words = visit.words
    start, end = visit.local(session["started_at"]), visit.local(session["ended_at"])
    length = duration((end or visit.now()) - start) if start else DASH
    amount, unit = energy(session["energy_wh"])
    made = (
        _figure(
            words["energy"],
            amount,
            unit,
            words.get(f"value_{session['energy_source']}", session["energy_source"]),
        ),
        _figure(words["cost"], session["cost"] or DASH, session["currency"] or "", ""),
        _figure(
            words["duration"],
            length,
            "",
            joined((visit.time(session["started_at"]), " – ", visit.time(session["ended_at"])))
            if end or not start
            else words["today_in"].format(t=f"{start:%Y-%m-%d %H:%M:%S}"),
        ),
        _figure(
            words["station"],
            tag("a", session["charging_station"], href=station_href(session["charging_station"])),
            f"{session['evse']}/{session['connector']}",
            joined(
                (
                    words["token"],
                    ": ",
                    session["id_token"] or DASH,
                    " ",
                    flags(session["quality"], words) if session["quality"] else "",
                )
            ),
        ),
    )
    return tag("div", joined(made), cls="figures")


def _figure(name: str, number: Content, unit: str, below: Content) -> Html:
    value = tag("div", tag("span", number, cls="number"), tag("span", unit, cls="unit"), cls="value")
    return tag("div", tag("div", name, cls="name"), value, tag("div", below, cls="below"), cls="figure")


def _facts(visit: Visit, session: Mapping[str, Any]) -> list[tuple[str, Content]]:
    pairs: list[tuple[str, Content]] = [
        (visit.words["operator"], session["operator"] or DASH),
        (visit.words["site"], session["site"] or DASH),
    ]
    return pairs + [
        (visit.words[f"field_{name}"], value_text(visit, name, session.get(name))) for name in FACTS
    ]


def cost_panel(visit: Visit, answer: Any) -> Html:
    """The cost, line by line as the tariff's periods were met."""
    words = visit.words
    missing = not_there(answer, words)
    if missing is not None:
        return panel(words["cost"], missing)
    cost = answer["cost"]
    if cost is None:
        return panel(words["cost"], empty(words["no_cost"], words["no_cost_do"]))
    table = listing(
        _cost_columns(visit, cost["currency"] or ""),
        cost["lines"],
        Listing(words["cost_lines"], empty(words["no_cost"])),
    )
    fees = [
        (words["elec_money"], cost["elec_money"]),
        (words["service_money"], cost["service_money"]),
        (words["idle_money"], cost["idle_money"]),
        (words["parking_money"], cost["parking_money"]),
        (words["total"], tag("b", f"{cost['total']} {cost['currency'] or ''}", data_total="")),
    ]
    tariff = f"{cost['tariff']} · {words['version']} {cost['tariff_version']}"
    return panel(words["cost"], table, facts([(name, value or DASH) for name, value in fees]), right=tariff)


def _cost_columns(visit: Visit, currency: str) -> Sequence[Column]:
    words, price = visit.words, f"{currency}/kWh"
    return (
        Column(words["from"], "time", lambda one: visit.time(one["start"])),
        Column(words["to"], "time", lambda one: visit.time(one["end"])),
        Column(words["period"], "text", lambda one: words.get(f"period_{one['period']}", one["period"])),
        Column(f"{words['energy']} kWh", "num", lambda one: f"{one['energy_wh'] / 1000:,.3f}"),
        Column(f"{words['elec_price']} {price}", "num", lambda one: one["elec_price"]),
        Column(f"{words['service_price']} {price}", "num", lambda one: one["service_price"]),
        Column(f"{words['elec_money']} {currency}", "num", lambda one: one["elec_money"]),
        Column(f"{words['service_money']} {currency}", "num", lambda one: one["service_money"]),
    )


async def _evidence(visit: Visit, path: str) -> list[tuple[str | None, Content, Mapping[str, Any]]]:
    """Everything that bears on the session where the API has it; else how it came about."""
    words = visit.words
    if await visit.desk.offers("/sessions/{}/evidence"):
        items = (await visit.desk.get(f"{path}/evidence", limit=500))["items"]
        return [
            (
                one["received_at"],
                f"{words.get('source_' + one['source'], one['source'])}: {one['kind']}",
                {**(one["details"].get("facts") or {}), **_without_facts(one["details"])},
            )
            for one in items
        ]
    items = (await visit.desk.get(f"{path}/timeline"))["items"]
    return [
        (one["received_at"], words.get(f"timeline_{one['kind']}", one["kind"]), _entry_facts(one))
        for one in items
    ]


def _without_facts(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name != "facts"}


def _entry_facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts_: dict[str, Any] = dict(entry.get("facts") or {})
    for name in ("revision", "cause", "old_energy_wh", "new_energy_wh", "answer"):
        if entry.get(name) is not None:
            facts_[name] = entry[name]
    return facts_


def _evidence_panel(visit: Visit, evidence: Any) -> Html:
    missing = not_there(evidence, visit.words)
    return panel(visit.words["evidence"], missing or timeline(visit, evidence))


async def _told(visit: Visit, path: str) -> Any:
    if not await visit.desk.offers("/sessions/{}/told"):
        return None
    return (await visit.desk.get(f"{path}/told"))["items"]


def _told_panel(visit: Visit, told: Any) -> Html:
    words = visit.words
    if told is None or isinstance(told, Refused):
        return panel(words["told"], not_there(told, words) or empty(words["not_offered"]))
    columns = (
        Column(words["platform"], "text", lambda one: one["platform"]),
        Column(words["kind"], "text", lambda one: words.get(f"kind_{one['kind']}", one["kind"])),
        Column(words["state"], "text", lambda one: state_mark(one["state"], words)),
        Column(words["attempts"], "num", lambda one: one["attempts"]),
        Column(words["when"], "time", lambda one: visit.time(one["sent_at"] or one["due_at"])),
        Column(words["answer"], "wide", lambda one: _said(one, words)),
    )
    return panel("", listing(columns, told, Listing(words["told"], empty(words["not_told"]))))


def _said(row: Mapping[str, Any], words: dict[str, str]) -> Html:
    short = row["last_error"] or words["details"]
    return tag("details", tag("summary", short), json_block(row["payload"]), json_block(row["answer"]))


def _revisions_panel(visit: Visit, answer: Any) -> Html:
    words = visit.words
    revisions = [] if answer is None or isinstance(answer, Refused) else answer["revisions"]
    columns = (
        Column(words["revision"], "num", lambda one: one["revision"]),
        Column(words["priced_at"], "time", lambda one: visit.time(one["priced_at"])),
        Column(
            f"{words['energy']} kWh",
            "num",
            lambda one: DASH if one["energy_wh"] is None else f"{one['energy_wh'] / 1000:,.3f}",
        ),
        Column(
            words["tariff"], "text", lambda one: f"{one['tariff'] or DASH} / {one['tariff_version'] or DASH}"
        ),
        Column(words["total"], "num", lambda one: f"{one['total'] or DASH} {one['currency'] or ''}"),
    )
    return panel("", listing(columns, revisions, Listing(words["revisions"], empty(words["no_revisions"]))))


async def _changes(visit: Visit, path: str) -> Any:
    if not await visit.desk.offers("/sessions/{}/revisions"):
        return []
    return (await visit.desk.get(f"{path}/revisions"))["session"]


def _changes_panel(visit: Visit, changes: Any) -> Html:
    """What changed of the session after its end: each field before and after."""
    words = visit.words
    missing = not_there(changes, words)
    if missing is not None:
        return panel(words["changes"], missing)
    entries = [
        (
            one["at"],
            f"{words['revision']} {one['revision']}: {one['cause']}",
            _before_and_after(one["changed"]),
        )
        for one in changes
    ]
    return panel(words["changes"], timeline(visit, entries) if entries else empty(words["no_revisions"]))


def _before_and_after(changed: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{before} → {after}" for name, (before, after) in changed.items()}
