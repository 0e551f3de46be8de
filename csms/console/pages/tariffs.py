"""Tariffs: what a kilowatt-hour costs when, as bands of a day; versions and where they apply."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from csms.console.frame import page_head
from csms.console.listing import Column, Listing, facts, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.pages.tariff_desk import assigning, new_tariff, new_version
from csms.console.pages.tariff_picture import day_picture
from csms.console.texts import DASH
from csms.console.visit import Visit


async def build_list(visit: Visit) -> None:
    """Every tariff in scope."""
    words = visit.words
    items = (await visit.desk.get("/tariffs"))["items"]
    names = {one["code"]: one["name"] for one in visit.operators}
    columns = (
        Column(words["tariff"], "text", lambda one: one["name"] or one["code"]),
        Column(words["number"], "text", lambda one: one["code"]),
        Column(words["operator"], "text", lambda one: names.get(one["operator"], one["operator"])),
        Column(words["currency"], "text", lambda one: one["currency"]),
        Column(words["version"], "num", lambda one: one["version"]),
        Column(words["created_at"], "time", lambda one: visit.time(one["created_at"])),
    )
    made = Listing(words["page_tariffs"], empty(words["no_tariffs"], words["no_tariffs_do"]), _href)
    visit.html(page_head(words["page_tariffs"]))
    visit.html(panel("", listing(columns, items, made)))
    if visit.person.is_admin:
        new_tariff(visit)


def _href(one: Mapping[str, Any]) -> str:
    return f"/tariffs/{quote(one['code'], safe='')}?operator={quote(one['operator'])}"


async def build(visit: Visit) -> None:
    """One tariff: the day of each version and season, and where it is assigned."""
    words, code = visit.words, visit.path["tariff"]
    tariff = await visit.desk.get(f"/tariffs/{quote(code, safe='')}", operator=visit.query.get("operator"))
    crumb = tag("a", words["page_tariffs"], href="/tariffs")
    visit.html(page_head(tariff["name"] or code, tag("span", code, cls="quiet"), crumb=crumb))
    shown = visit.html(_shown(visit, tariff), cls="stack")
    if not visit.person.is_admin:
        return

    async def refresh() -> None:
        fresh = await visit.desk.get(f"/tariffs/{quote(code, safe='')}", operator=tariff["operator"])
        shown.content = _shown(visit, fresh)

    new_version(visit, tariff, refresh)
    await assigning(visit, tariff, refresh)


def _shown(visit: Visit, tariff: Mapping[str, Any]) -> Html:
    """All versions, the latest first, and where it applies."""
    words = visit.words
    versions = [_version(visit, one, tariff["currency"]) for one in reversed(tariff["versions"])]
    columns = (
        Column(words["valid_from"], "time", lambda one: visit.time(one["valid_from"])),
        Column(words["level"], "text", lambda one: words.get(f"level_{one['level']}", one["level"])),
        Column(words["site"], "text", lambda one: one["site"] or words["all"]),
        Column(words["station"], "text", lambda one: one["charging_station"] or words["all"]),
        Column(words["connector"], "text", _connector),
    )
    made = Listing(words["assignments"], empty(words["no_assignments"], words["no_assignments_do"]))
    return joined((*versions, panel("", listing(columns, tariff["assignments"], made))))


def _connector(one: Mapping[str, Any]) -> str:
    return f"{one['evse']}/{one['connector']}" if one["evse"] else DASH


def _version(visit: Visit, version: Mapping[str, Any], currency: str) -> Html:
    words = visit.words
    until: Content = visit.time(version["valid_until"]) if version["valid_until"] else words["further_notice"]
    days = [(words["all_year"] if not version["seasons"] else words["otherwise"], version["bands"])]
    days += [(f"{one['name']} {one['first']} – {one['last']}", one["bands"]) for one in version["seasons"]]
    pictures = joined(joined((tag("h3", name), day_picture(bands, words, currency))) for name, bands in days)
    fees = [
        (words[key], _fee(version[key], words, currency))
        for key in ("idle_fee", "parking_fee")
        if version[key]
    ]
    title = f"{words['version']} {version['number']}"
    span = joined((visit.time(version["valid_from"]), " – ", until))
    return panel(title, pictures, facts(fees) if fees else "", right=span)


def _fee(fee: Mapping[str, Any], words: dict[str, str], currency: str) -> str:
    cap = f", ≤ {fee['cap']} {currency}" if fee.get("cap") else ""
    return words["fee_text"].format(money=f"{fee['per_minute']} {currency}", free=fee["free_minutes"]) + cap
