"""One record of the settings: what of it may be changed, what else may be done with it, how it fared."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from nicegui import ui

from csms.console.desk import Refused
from csms.console.details import value_text
from csms.console.forms import (
    NO_PROBLEMS,
    Problems,
    body_of,
    changes_of,
    complaint,
    problems_of,
    resolved,
    schema_form,
    worded,
)
from csms.console.listing import Column, Listing, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty, problem_banner
from csms.console.visit import Visit

Refresh = Callable[[], Awaitable[None]]
Send = Callable[[dict[str, Any]], Awaitable[Content]]
SECRETS = ("password", "key", "secret")  # shown once in the answer to whoever makes the record
MOST_PAGES = 20


class Resource(NamedTuple):
    """A kind of record. `key`: the field that names one in its path, below `path`, or below its operator's
    where a key is one only within it."""

    path: str
    key: str
    columns: Sequence[str]
    is_of_operator: bool = False

    @property
    def one(self) -> str:
        """The path of one record, as the API's document has it."""
        return f"/operators/{{}}{self.path}/{{}}" if self.is_of_operator else f"{self.path}/{{}}"

    def way(self, key: str, operator: str) -> str:
        """The path of this record."""
        own = f"/operators/{quote(operator, safe='')}" if self.is_of_operator else ""
        return f"{own}{self.path}/{quote(key, safe='')}"


class Deed(NamedTuple):
    """Something done with one record beside changing it. `asks`: a field of its body."""

    name: str
    path: str
    method: str = "post"
    asks: str = ""


DEEDS: Mapping[str, Sequence[Deed]] = {
    "users": (Deed("password", "/password"), Deed("forget-codes", "/one-time-codes", "delete")),
    "webhooks": (
        Deed("resume", "/resume"),
        Deed("test", "/test"),
        Deed("replay", "/replay", asks="after"),
        Deed("secret", "/secret"),
    ),
    "schedules": (Deed("run", "/run"),),
}
# What a record's deliveries are listed with.
DELIVERED: Mapping[str, Sequence[str]] = {
    "webhooks": ("at", "first", "last", "events", "attempt", "status", "error", "took_ms"),
    "schedules": (
        "period", "state", "attempts", "due_at", "delivered_at", "file_name", "bytes", "last_error",
    ),
}  # fmt: skip


async def way_to_change(visit: Visit, resource: Resource) -> str | None:
    """`put` or `patch`, as the API has it; None where a record cannot be changed."""
    for method in ("put", "patch"):
        if await visit.desk.offers(resource.one, method=method):
            return method
    return None


async def edit(visit: Visit, current: str, resource: Resource, refresh: Refresh) -> None:
    """The form of the record that the address names, what else can be done, its deliveries."""
    key, method = visit.query.get("edit", ""), await way_to_change(visit, resource)
    if not key or method is None or not visit.person.is_admin:
        return
    record = await _record(visit, resource, key)
    path = resource.way(key, visit.query.get("whose", ""))
    schema, schemas = await body_schema(visit, resource.one, method), await visit.desk.schemas()

    async def change(fields: dict[str, Any]) -> Content:
        nonlocal record
        made = body_of if method == "put" else partial(changes_of, before=record)
        body = made(schema, schemas, fields)
        if not body:
            return visit.words["nothing_changed"]
        await getattr(visit.desk, method)(path, body)
        record = await _record(visit, resource, key)
        await refresh()
        return visit.words["saved"]

    title = visit.words["edit_title"].format(key=key)
    close = tag("a", visit.words["close_form"], href=visit.link(edit=None, whose=None), cls="button")
    known = {name: value for name, value in record.items() if name not in SECRETS}
    with ui.element("section").classes("panel"):
        visit.html(tag("div", tag("h2", title), tag("div", close, cls="right"), cls="panel-head"))
        form = RecordForm(visit, schema, schemas, "change")
        form.show(known)
        visit.on_act("change", form.sending(change))
        visit.html(_deeds(visit, current, key))
        history = visit.html(await _deliveries(visit, current, path))

    async def deed(fields: dict[str, Any]) -> Content:
        said = await _do(visit, current, path, fields)
        history.content = await _deliveries(visit, current, path)
        await refresh()
        return said

    visit.on_act("deed", deed)


class RecordForm:
    """A form made from a schema; what the API does not take is told beside its field."""

    def __init__(self, visit: Visit, schema: Mapping[str, Any], schemas: Mapping[str, Any], act: str) -> None:
        self._visit, self._schema, self._schemas, self._act = visit, schema, schemas, act
        self._block = visit.html("")

    def show(self, values: Mapping[str, Any], problems: Problems = NO_PROBLEMS) -> None:
        """The form anew."""
        words = self._visit.words
        fields = schema_form(self._schema, self._schemas, words, values, problems)
        send = tag("button", words["save"], type="submit", cls="primary")
        wrong = complaint(problems.get(""), "")
        self._block.content = tag("form", fields, wrong, send, cls="form", data_act=self._act)

    def sending(self, send: Send) -> Send:
        """The action of the form: `send`, and its refusal where it belongs."""

        async def act(fields: dict[str, Any]) -> Content:
            try:
                return await send(fields)
            except Refused as refusal:
                self.show(fields, problems_of(refusal))
                return problem_banner(refusal, self._visit.words)

        return act


async def body_schema(visit: Visit, path: str, method: str) -> Mapping[str, Any]:
    """What the API takes there, behind its reference, in the words of the reader's language."""
    schema = resolved(await visit.desk.body(path, method), await visit.desk.schemas())
    return worded(schema, path.split("/")[1], visit.words)


async def _record(visit: Visit, resource: Resource, key: str) -> Mapping[str, Any]:
    """One record; from the list where the API gives none by itself. Raises Refused."""
    if await visit.desk.offers(resource.one):
        path = resource.way(key, visit.query.get("whose", ""))
        return await visit.desk.get(path)  # type: ignore[no-any-return]  # JSON
    after: str | None = None
    for _ in range(MOST_PAGES):
        page = await visit.desk.get(resource.path, after=after, limit=1000)
        for one in page["items"]:
            if str(one[resource.key]) == key:
                return one  # type: ignore[no-any-return]  # JSON
        after = page.get("next")
        if after is None:
            break
    raise Refused(404, {"detail": key})


def _deeds(visit: Visit, current: str, key: str) -> Html:
    return tag("div", joined(_deed(one, key, visit.words) for one in DEEDS.get(current, ())), cls="filters")


def _deed(deed: Deed, key: str, words: dict[str, str]) -> Html:
    asked: Content = ""
    if deed.asks:
        label = words[f"field_{deed.asks}"]
        asked = tag("input", name=deed.asks, required="", placeholder=label, aria_label=label, size=28)
    confirm = words.get(f"confirm_deed_{deed.name}")
    go = tag("button", words[f"deed_{deed.name}"], type="submit")
    return tag(
        "form", asked, " ", go, data_act="deed", data_deed=deed.name,
        data_confirm=confirm and confirm.format(key=key),
    )  # fmt: skip


async def _do(visit: Visit, current: str, path: str, fields: Mapping[str, Any]) -> Content:
    deed = next(one for one in DEEDS.get(current, ()) if one.name == fields.get("deed"))
    body = {deed.asks: str(fields.get(deed.asks, "")).strip()} if deed.asks else None
    if deed.method == "delete":
        await visit.desk.delete(path + deed.path)
        return visit.words["saved"]
    return once(await visit.desk.post(path + deed.path, body), visit.words)


def once(answer: Any, words: dict[str, str]) -> str:
    """That it was done, with what is shown this once."""
    shown = [
        f"{words.get(name, name)}: {answer[name]}"
        for name in SECRETS
        if isinstance(answer, dict) and answer.get(name)
    ]
    return " · ".join([words["saved"], *shown, *([words["shown_once"]] if shown else [])])


async def _deliveries(visit: Visit, current: str, path: str) -> Html:
    names = DELIVERED.get(current)
    if names is None:
        return Html("")
    items = (await visit.desk.get(f"{path}/deliveries", limit=20))["items"]
    words = visit.words
    columns = [
        Column(words.get(f"field_{name}") or words.get(name, name), "text", partial(_value, visit, name))
        for name in names
    ]
    return panel("", listing(columns, items, Listing(words["deliveries"], empty(words["no_deliveries"]))))


def _value(visit: Visit, name: str, one: Mapping[str, Any]) -> Content:
    return value_text(visit, name, one.get(name))
