"""Tokens: cards and other id tokens that may start sessions; register, block, see why one was refused."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from csms.console.filters import filter_form, filter_values, site_options
from csms.console.forms import body_of, resolved, schema_form, worded
from csms.console.frame import page_head
from csms.console.listing import PAGE_ROWS, Column, Listing, listing, nothing_found, pager, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.symbols import state_mark
from csms.console.texts import DASH, grouped
from csms.console.visit import Visit

PATH = "/id-tokens"
FIRST = ("text", "status", "group", "type")


async def build(visit: Visit) -> None:
    """The list; for administrators the form."""
    words = visit.words
    values = await filter_values(visit, PATH)
    page = await visit.desk.get(PATH, after=visit.query.get("after"), limit=PAGE_ROWS, **values)
    visit.html(page_head(words["page_tokens"]))
    form = await filter_form(visit, PATH, FIRST, await site_options(visit))
    visit.html(form)
    nothing = nothing_found(visit, empty(words["no_tokens"], words["no_tokens_do"]))
    table = listing(columns(visit), page["items"], Listing(words["page_tokens"], nothing))
    visit.html(panel("", table, pager(visit, page["next"], len(page["items"]))))
    if await visit.desk.offers(f"{PATH}/{{}}/decision"):
        await _decision(visit)
    if visit.person.is_admin and visit.person.operator is None:
        await _register(visit)


def columns(visit: Visit) -> Sequence[Column]:
    """What the list says of a token."""
    words = visit.words
    return (
        Column(words["token"], "nowrap", lambda one: one["token"]),
        Column(words["state"], "text", lambda one: state_mark(one["status"], words)),
        Column(words["type"], "text", lambda one: one["type"]),
        Column(words["group"], "text", lambda one: one["group"] or DASH),
        Column(words["expires_at"], "time", lambda one: visit.time(one["expires_at"])),
        Column(words["concurrent_limit"], "num", lambda one: grouped(one["concurrent_limit"])),
        Column(words["note"], "text", lambda one: one.get("note") or DASH),
        Column(words["what_to_do"], "text", lambda one: _links(one, visit)),
    )


def _links(one: Mapping[str, Any], visit: Visit) -> Html:
    sessions = tag("a", visit.words["page_sessions"], href=f"/sessions?token={quote(one['token'], safe='')}")
    if not (visit.person.is_admin and visit.person.operator is None):
        return sessions
    is_blocked = one["status"] == "blocked"
    button = tag(
        "button",
        visit.words["unblock" if is_blocked else "block"],
        type="button",
        data_act="block",
        data_token=one["token"],
        data_type=one["type"],
        data_group=one["group"],
        data_expires=one["expires_at"],
        data_limit=one["concurrent_limit"],
        data_status="accepted" if is_blocked else "blocked",
        data_confirm=None if is_blocked else visit.words["confirm_block"].format(token=one["token"]),
    )
    return joined((sessions, " ", button))


async def _register(visit: Visit) -> None:
    words = visit.words
    schemas = await visit.desk.schemas()
    schema = worded(resolved(await visit.desk.body(PATH, "post"), schemas), "id-tokens", words)
    send = tag("button", words["save"], type="submit", cls="primary")
    form = tag("form", schema_form(schema, schemas, words, {}), send, cls="form", data_act="register")
    visit.html(panel(words["register_token"], form))

    async def register(fields: dict[str, Any]) -> Content:
        made = await visit.desk.post(PATH, body_of(schema, schemas, fields))
        return words["token_saved"].format(token=made["token"])

    async def block(fields: dict[str, Any]) -> Content:
        token = str(fields.get("token"))
        if await visit.desk.offers(f"{PATH}/{{}}", method="patch"):
            await visit.desk.patch(f"{PATH}/{quote(token, safe='')}", {"status": fields.get("status")})
        else:
            # The whole record: what is left out would be set back.
            whole = {"token": token, "type": fields.get("type"), "status": fields.get("status")}
            whole |= {"group": fields.get("group"), "expires_at": fields.get("expires")}
            await visit.desk.post(PATH, {**whole, "concurrent_limit": int(fields.get("limit") or 1)})
        return words["token_saved"].format(token=token)

    visit.on_act("register", register)
    visit.on_act("block", block)


async def _decision(visit: Visit) -> None:
    """What a start with a token would be told now, question by question."""
    words, token = visit.words, visit.query.get("decide", "")
    ask = tag(
        "input",
        name="decide",
        value=token,
        aria_label=words["token"],
        placeholder=words["token"],
        required="",
    )
    form = tag("form", ask, tag("button", words["ask"], type="submit"), method="get", cls="filters")
    shown: Content = ""
    if token:
        answer = await visit.desk.get(f"{PATH}/{quote(token, safe='')}/decision")
        shown = joined(
            (tag("p", state_mark(answer["status"], words), " ", answer["reason"]), _checks(answer, words))
        )
    visit.html(panel(words["decision"], form, shown))


def _checks(answer: Mapping[str, Any], words: dict[str, str]) -> Html:
    states = {True: "good", False: "bad", None: "none"}
    texts = {"good": words["passed"], "bad": words["refused"], "none": words["not_reached"]}
    rows = (
        tag(
            "li",
            state_mark(states[one["passed"]], texts),
            " ",
            words.get(f"check_{one['check']}", one["check"]),
            ": ",
            one["detail"],
        )
        for one in answer["checks"]
    )
    return tag("ol", joined(rows))
