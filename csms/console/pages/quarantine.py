"""Quarantine: stations that tried to connect and are not registered; let them in or send them away."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui

from csms.console.details import json_block
from csms.console.filters import site_options
from csms.console.forms import body_of, resolved, schema_form, worded
from csms.console.frame import page_head
from csms.console.listing import Column, Listing, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.visit import Visit

PATH = "/quarantine"
MOST = 200


async def build(visit: Visit) -> None:
    """The list, and the form of the one to be let in."""
    words, chosen = visit.words, visit.query.get("identity")
    visit.html(page_head(words["page_quarantine"]))
    block = visit.html("")

    async def refresh() -> None:
        items = (await visit.desk.get(PATH, limit=MOST))["items"]
        block.content = _table(visit, items)

    await refresh()
    if chosen:
        await _approve(visit, chosen)

    async def deny(fields: dict[str, Any]) -> Content:
        await visit.desk.post(f"{PATH}/{quote(str(fields.get('identity')), safe='')}/deny")
        await refresh()
        return words["denied"]

    visit.on_act("deny", deny)
    visit.every(10.0, refresh)


def _table(visit: Visit, items: list[dict[str, Any]]) -> Html:
    words = visit.words
    columns = (
        Column(words["station"], "nowrap", lambda one: one["identity"]),
        Column(words["reason"], "text", lambda one: words.get(f"quarantine_{one['reason']}", one["reason"])),
        Column(words["attempts"], "num", lambda one: one["attempts"]),
        Column(words["first_seen"], "time", lambda one: visit.time(one["first_seen_at"])),
        Column(words["last_seen"], "time", lambda one: visit.time(one["last_seen_at"])),
        Column(words["field_remote_address"], "text", lambda one: one["remote_address"]),
        Column(words["details"], "wide", lambda one: _headers(one, words)),
        Column(words["what_to_do"], "text", lambda one: _verdict(one, visit)),
    )
    made = Listing(words["page_quarantine"], empty(words["no_strangers"], words["no_strangers_do"]))
    return panel("", listing(columns, items, made))


def _headers(one: Mapping[str, Any], words: dict[str, str]) -> Html:
    return tag("details", tag("summary", words["headers"]), json_block(one["headers"]))


def _verdict(one: Mapping[str, Any], visit: Visit) -> Html:
    words, identity = visit.words, one["identity"]
    let_in = tag("a", words["let_in"], href=visit.link(identity=identity), cls="button")
    away = tag(
        "button",
        words["send_away"],
        type="button",
        cls="danger",
        data_act="deny",
        data_identity=identity,
        data_confirm=words["confirm_deny"].format(identity=identity),
    )
    return joined((let_in, " ", away))


async def _approve(visit: Visit, identity: str) -> None:
    words = visit.words
    schemas = await visit.desk.schemas()
    schema = resolved(await visit.desk.body(f"{PATH}/{{}}/approve", "post"), schemas)
    send = tag("button", words["let_in"], type="submit", cls="primary")
    told, sites = worded(schema, "charging-stations", words), await site_options(visit)
    fields_ = schema_form(told, schemas, words, {}, options=sites)
    form = tag("form", fields_, send, cls="form", data_act="approve")
    visit.html(panel(words["let_in_title"].format(identity=identity), form))

    async def approve(fields: dict[str, Any]) -> Content:
        path = f"{PATH}/{quote(identity, safe='')}/approve"
        answer = await visit.desk.post(path, body_of(schema, schemas, fields))
        if answer.get("password"):
            return _password(identity, str(answer["password"]), words)
        ui.navigate.to(f"/stations/{quote(identity, safe='')}")
        return None

    visit.on_act("approve", approve)


def _password(identity: str, password: str, words: dict[str, str]) -> Html:
    shown = tag("p", words["password_once"], " ", tag("code", password))
    link = tag("a", identity, href=f"/stations/{quote(identity, safe='')}")
    return tag("div", tag("b", words["done"]), shown, link, cls="banner done", role="status")
