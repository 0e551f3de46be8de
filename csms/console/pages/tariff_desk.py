"""What an administrator does to tariffs: make one, give one a new version, say where it applies."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from nicegui import ui

from csms.console.desk import Refused
from csms.console.forms import Problems, choice_field, complaint, input_field, problems_of
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty, problem_banner
from csms.console.pages import tariff_form as form
from csms.console.pages.tariff_picture import day_pictures
from csms.console.visit import Visit, on_clock

Send = Callable[[dict[str, Any]], Awaitable[Content]]


def zone_of(visit: Visit, operator: str) -> ZoneInfo:
    """The clock by which an operator's prices change."""
    found = next((one["time_zone"] for one in visit.operators if one["code"] == operator), None)
    return visit.zone if found is None else ZoneInfo(found)


class Editor:
    """The form of a version in a fold: filled in, drawn as it is filled in, sent, complained about."""

    def __init__(
        self, visit: Visit, title: str, fields: Mapping[str, Any], head: Callable[..., Content]
    ) -> None:
        """`head(fields, problems)`: the fields before those of a version."""
        self._visit, self._head = visit, head
        with ui.element("details").classes("panel") as self._fold:
            visit.html(title, "summary")
            self._form, self._picture = visit.html(""), visit.html("", cls="stack")
        self.show(fields, {})

    def show(self, fields: Mapping[str, Any], problems: Problems) -> None:
        """The form anew, with its picture."""
        words = self._visit.words
        clock = zone_of(self._visit, str(fields.get("operator", ""))).key
        send = tag("button", words["save"], type="submit", cls="primary")
        inner = joined(
            (self._head(fields, problems), form.version_fields(fields, problems, words, clock), send)
        )
        self._form.content = tag(
            "form", inner, id="tariff-form", data_act="tariff", data_preview="tariff-preview",
            data_confirm=words["confirm_tariff"], cls="stack",
        )  # fmt: skip
        self.draw(fields)

    def draw(self, fields: Mapping[str, Any]) -> None:
        """The days as they would be; a band without a start that can be read is left out."""
        body = form.body_of_version(fields, self._visit.zone)
        made = day_pictures(body["bands"], body["seasons"], self._visit.words, "CNY")
        self._picture.content = made if made is not None else empty(self._visit.words["no_bands"])

    def wire(self, send: Send) -> None:
        """What the form's buttons do; `send` gets the fields, and may be refused."""
        on = self._visit.on_act

        async def save(fields: dict[str, Any]) -> Content:
            try:
                return await send(fields)
            except Refused as refusal:
                self.show(fields, problems_of(refusal))
                return problem_banner(refusal, self._visit.words)

        async def changed(fields: dict[str, Any]) -> Content:
            day = int(fields.get("day", 0))
            if fields["act"] == "band-add":
                self.show(form.with_row(fields, day), {})
            elif fields["act"] == "season-add":
                self.show(form.with_season(fields), {})
            elif fields["act"] == "season-drop":
                self.show(form.without_season(fields, day), {})
            else:
                self.draw(fields)
            return None

        on("tariff", save)
        for act in ("band-add", "season-add", "season-drop", "tariff-preview"):
            on(act, changed)


def new_tariff(visit: Visit) -> None:
    """The form of a tariff that is not there yet."""
    words = visit.words

    def head(fields: Mapping[str, Any], problems: Problems) -> Html:
        operators = [(one["code"], one["name"]) for one in visit.operators]
        made = (
            choice_field("operator", operators, fields, words, problems.get("operator")),
            input_field("code", "text", fields, words, problems.get("code"), required="", maxlength=64),
            input_field("name", "text", fields, words, problems.get("name"), required="", maxlength=200),
        )
        return tag("div", joined(made), cls="filters")

    async def send(fields: dict[str, Any]) -> Content:
        operator = str(fields.get("operator", ""))
        named = {name: str(fields.get(name, "")).strip() for name in ("operator", "code", "name")}
        await visit.desk.post("/tariffs", {**named, **form.body_of_version(fields, zone_of(visit, operator))})
        visit.go(f"/tariffs/{quote(named['code'], safe='')}?operator={quote(operator)}")
        return None

    first = visit.operators[0]["code"] if visit.operators else ""
    start = {"operator": first, "valid_from": form.local_now(visit.now())}
    Editor(visit, words["new_tariff"], {**form.NEW_DAY, **start}, head).wire(send)


def new_version(visit: Visit, tariff: Mapping[str, Any], refresh: Callable[[], Awaitable[None]]) -> None:
    """The form of a tariff's next version, which begins as the latest one."""
    operator = tariff["operator"]
    zone, path = zone_of(visit, operator), f"/tariffs/{quote(tariff['code'], safe='')}"

    async def send(fields: dict[str, Any]) -> Content:
        await visit.desk.put(path, form.body_of_version(fields, zone), operator=operator)
        await refresh()
        editor.show({**fields, "operator": operator}, {})
        return visit.words["version_saved"]

    begin = {"operator": operator, "valid_from": form.local_now(visit.now().astimezone(zone))}
    fields = {**form.fields_of(tariff["versions"][-1]), **begin}
    editor = Editor(visit, visit.words["new_version"], fields, lambda fields, problems: "")
    editor.wire(send)


async def assigning(visit: Visit, tariff: Mapping[str, Any], refresh: Callable[[], Awaitable[None]]) -> None:
    """The form that says where a tariff applies, and from when."""
    words, operator = visit.words, tariff["operator"]
    zone, path = zone_of(visit, operator), f"/tariffs/{quote(tariff['code'], safe='')}/assignments"
    sites = (await visit.desk.get("/sites", operator=operator))["items"]
    options = [("", words["all"]), *((one["code"], one["name"] or one["code"]) for one in sites)]
    with ui.element("details").classes("panel"):
        visit.html(words["assign_tariff"], "summary")
        block = visit.html("")

    def show(fields: Mapping[str, Any], problems: Problems) -> None:
        block.content = _assignment(options, fields, problems, words)

    async def assign(fields: dict[str, Any]) -> Content:
        try:
            await visit.desk.post(path, _assignment_body(fields, zone), operator=operator)
        except Refused as refusal:
            show(fields, problems_of(refusal))
            return problem_banner(refusal, words)
        await refresh()
        return words["assigned_done"]

    show({"valid_from": form.local_now(visit.now().astimezone(zone))}, {})
    visit.on_act("assign", assign)


def _assignment(
    sites: Sequence[tuple[str, str]], fields: Mapping[str, Any], problems: Problems, words: dict[str, str]
) -> Html:
    made = [
        input_field("valid_from", "datetime-local", fields, words, problems.get("valid_from"), required=""),
        choice_field("site", sites, fields, words, problems.get("site")),
        input_field("station", "text", fields, words, problems.get("station")),
        input_field("evse", "number", fields, {**words, "evse": "EVSE"}, problems.get("evse"), min=1),
        input_field("connector", "number", fields, words, problems.get("connector"), min=1),
    ]
    send = tag("button", words["assign_tariff"], type="submit", cls="primary")
    hint = tag("p", words["assign_hint"], cls="quiet")
    inner = joined((hint, tag("div", joined(made), send, cls="filters"), complaint(problems.get(""), "")))
    return tag("form", inner, data_act="assign", data_confirm=words["confirm_assign"], cls="stack")


def _assignment_body(fields: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    body: dict[str, Any] = {"valid_from": on_clock(str(fields.get("valid_from", "")), zone)}
    for name in ("site", "station", "evse", "connector"):
        text = str(fields.get(name, "")).strip()
        if text:
            body[name] = int(text) if name in ("evse", "connector") and text.isdecimal() else text
    return body
