"""Audit: who changed what and when."""

from csms.console.details import json_block
from csms.console.exports import export_links
from csms.console.filters import filter_form, filter_values
from csms.console.frame import page_head
from csms.console.listing import PAGE_ROWS, Column, Listing, Record, listing, nothing_found, pager, panel
from csms.console.markup import Content, tag
from csms.console.notices import empty
from csms.console.texts import DASH
from csms.console.visit import Visit

PATH = "/audit"


async def build(visit: Visit) -> None:
    """The log, filtered."""
    words = visit.words
    if not await visit.desk.offers(PATH):
        visit.html(page_head(words["page_audit"]))
        visit.html(panel("", empty(words["not_offered"], words["audit_meanwhile"])))
        return
    values = await filter_values(visit, PATH)
    visit.html(page_head(words["page_audit"], await export_links(visit, "audit", values)))
    visit.html(await filter_form(visit, PATH, ("actor", "action", "subject", "from", "to"), {}))
    page = await visit.desk.get(PATH, after=visit.query.get("after"), limit=PAGE_ROWS, **values)

    def details(one: Record) -> Content:
        found = one.get("details")
        return tag("details", tag("summary", words["details"]), json_block(found)) if found else DASH

    columns = (
        Column(words["when"], "time", lambda one: visit.time(one.get("at"))),
        Column(words["who"], "text", lambda one: one.get("actor") or DASH),
        Column(
            words["action"],
            "text",
            lambda one: words.get(f"audit_{one.get('action')}", str(one.get("action"))),
        ),
        Column(words["subject"], "text", lambda one: one.get("subject") or DASH),
        Column(words["field_remote_address"], "text", lambda one: one.get("address") or DASH),
        Column(words["details"], "wide", details),
    )
    made = Listing(words["page_audit"], nothing_found(visit, empty(words["no_audit"])))
    visit.html(
        panel("", listing(columns, page["items"], made), pager(visit, page.get("next"), len(page["items"])))
    )
