"""Settings: people, keys, webhooks, schedules, operators and sites, as the API has them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nicegui import ui

from csms.console.details import value_text
from csms.console.forms import body_of
from csms.console.frame import page_head
from csms.console.listing import PAGE_ROWS, Column, Listing, listing, pager, panel, tabs
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty, note_banner
from csms.console.pages.settings_edit import (
    RecordForm,
    Refresh,
    Resource,
    body_schema,
    edit,
    once,
    way_to_change,
)
from csms.console.pages.settings_platforms import platforms
from csms.console.visit import Visit

RESOURCES: Mapping[str, Resource] = {
    "operators": Resource("/operators", "code", ("code", "name", "time_zone")),
    "sites": Resource("/sites", "code", ("code", "name", "operator", "latitude", "longitude"), True),
    "stations": Resource(
        "/charging-stations", "identity", ("identity", "site", "enabled", "security_profile", "boot_status")
    ),
    "users": Resource(
        "/users", "name", ("name", "role", "operator", "sites", "enabled", "one_time_codes", "signed_in_at")
    ),
    "keys": Resource(
        "/api-keys", "key_id", ("name", "role", "operator", "created_at", "last_used_at", "revoked_at")
    ),
    "webhooks": Resource(
        "/webhooks",
        "id",
        ("id", "url", "kinds", "operator", "enabled", "paused_because", "last_delivered_at", "last_error"),
    ),
    "schedules": Resource(
        "/schedules", "id", ("id", "name", "report", "format", "every", "enabled", "next_at", "last_at")
    ),
}
PLATFORMS = "platforms"  # they are made in config.yaml


async def build(visit: Visit) -> None:
    """The chosen kind of record: those there are, and the form for another."""
    words = visit.words
    current = visit.query.get("tab", "operators")
    current = current if current in (*RESOURCES, PLATFORMS) else "operators"
    visit.html(page_head(words["page_settings"]))
    visit.html(tabs(visit, (*RESOURCES, PLATFORMS), current))
    if current == PLATFORMS:
        await platforms(visit)
        return
    resource = RESOURCES[current]
    if not await visit.desk.offers(resource.path):
        visit.html(panel("", empty(words["not_offered"])))
        return
    block = visit.html("", cls="stack")
    is_admin = visit.person.is_admin
    can_remove = is_admin and await visit.desk.offers(resource.one, method="delete")
    can_change = is_admin and await way_to_change(visit, resource) is not None

    async def refresh() -> None:
        takes = await visit.desk.offers(resource.path, "after")
        paging = {"after": visit.query.get("after"), "limit": PAGE_ROWS} if takes else {}
        page = await visit.desk.get(resource.path, **paging)
        columns = _columns(visit, resource, page["items"], can_remove, can_change)
        table = listing(columns, page["items"], _made(words, current))
        shown = panel("", table, pager(visit, page.get("next"), len(page["items"])))
        block.content = joined((lost_note(page["items"], words), shown))

    await refresh()
    # One form at a time: their fields have the same names.
    if visit.query.get("edit"):
        await edit(visit, current, resource, refresh)
    else:
        await _form(visit, resource, refresh)

    async def remove(fields: dict[str, Any]) -> Content:
        await visit.desk.delete(resource.way(str(fields.get("key")), str(fields.get("whose", ""))))
        await refresh()
        return words["removed"]

    visit.on_act("remove", remove)


def lost_note(items: Sequence[Mapping[str, Any]], words: dict[str, str]) -> Html:
    """Which webhooks stood still for so long that events for them are gone, and what to do; else nothing."""
    lost = [f"{one['id']} ({one['url']})" for one in items if one.get("has_lost")]
    if not lost:
        return Html("")
    return note_banner(words["webhooks_lost"].format(names=", ".join(lost)), words["webhooks_lost_do"])


def _made(words: dict[str, str], current: str) -> Listing:
    return Listing(words[f"tab_{current}"], empty(words["nothing_yet"], words["nothing_yet_do"]))


def _columns(
    visit: Visit,
    resource: Resource,
    items: Sequence[Mapping[str, Any]],
    can_remove: bool,
    can_change: bool = False,
) -> list[Column]:
    """The columns we know, of those that the API really gives."""
    given = items[0].keys() if items else ()
    names = [name for name in resource.columns if name in given] or list(given)[:8]
    words = visit.words
    columns = [
        Column(words.get(f"field_{name}") or words.get(name) or name, "text", partial(_value, visit, name))
        for name in names
    ]
    if can_remove or can_change:
        columns.append(
            Column(
                words["what_to_do"],
                "text",
                lambda one: joined(
                    (
                        _change(visit, resource, one) if can_change else "",
                        " ",
                        _remove(words, resource, one) if can_remove else "",
                    )
                ),
            )
        )
    return columns


def _value(visit: Visit, name: str, one: Mapping[str, Any]) -> Content:
    return (
        one[name]
        if name in ("id", "key_id", "code", "name", "identity")
        else value_text(visit, name, one.get(name))
    )


def _change(visit: Visit, resource: Resource, one: Mapping[str, Any]) -> Html:
    href = visit.link(edit=one.get(resource.key), whose=_whose(resource, one))
    return tag("a", visit.words["edit"], href=href, cls="button")


def _whose(resource: Resource, one: Mapping[str, Any]) -> Any:
    """The operator, where a key is one only within it."""
    return one.get("operator") if resource.is_of_operator else None


def _remove(words: dict[str, str], resource: Resource, one: Mapping[str, Any]) -> Html:
    key = str(one.get(resource.key))
    return tag(
        "button",
        words["remove"],
        type="button",
        cls="danger",
        data_act="remove",
        data_key=key,
        data_whose=_whose(resource, one),
        data_confirm=words["confirm_remove"].format(key=key),
    )


async def _form(visit: Visit, resource: Resource, refresh: Refresh) -> None:
    if not visit.person.is_admin or not await visit.desk.offers(resource.path, method="post"):
        return
    schemas = await visit.desk.schemas()
    schema = await body_schema(visit, resource.path, "post")

    async def enter(values: dict[str, Any]) -> Content:
        answer = await visit.desk.post(resource.path, body_of(schema, schemas, values))
        await refresh()
        return once(answer, visit.words)

    with ui.element("section").classes("panel"):
        visit.html(tag("h2", visit.words["enter_or_change"]))
        form = RecordForm(visit, schema, schemas, "enter")
        form.show({})
    visit.on_act("enter", form.sending(enter))
