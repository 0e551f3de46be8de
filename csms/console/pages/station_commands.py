"""Commands to one charging station: a form made from the API's schema, and what came of it."""

from collections.abc import Mapping
from typing import Any

from csms.console.details import json_block
from csms.console.forms import body_of, resolved, schema_form, worded
from csms.console.listing import panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty
from csms.console.symbols import state_mark
from csms.console.visit import Visit

DANGEROUS = ("Reset", "ChangeAvailability", "StopSession", "UnlockConnector", "SetVariables", "ClearCache")
PATH = "/charging-stations/{}/commands"


async def commands(visit: Visit, path: str) -> None:
    """The commands there are; the form of the chosen one; its result."""
    words = visit.words
    if not visit.person.may_act:
        visit.html(panel(words["tab_commands"], empty(words["read_only"], words["hint_403"])))
        return
    schemas = await visit.desk.schemas()
    known = await command_schemas(visit)
    chosen = visit.query.get("command", "")
    visit.html(panel(words["tab_commands"], _choices(visit, known, chosen)))
    if chosen in known:
        schema = known[chosen]
        form = schema_form(schema, schemas, words, visit.query)
        visit.html(panel(title(chosen, words), _form(chosen, form, schema, words)))
    result = visit.html("")

    async def give(fields: dict[str, Any]) -> Content:
        name = str(fields.get("command"))
        body = body_of(known[name], schemas, fields)
        answer = await visit.desk.post(f"{path}/commands", body)
        result.content = outcome(answer, words)
        return None

    visit.on_act("command", give)


async def command_schemas(visit: Visit) -> dict[str, Mapping[str, Any]]:
    """Each command's schema by its name, as the API's document has them."""
    schemas = await visit.desk.schemas()
    mapping = (await visit.desk.body(PATH, "post")).get("discriminator", {}).get("mapping", {})
    return {
        name: worded(resolved({"$ref": reference}, schemas), f"command_{name}", visit.words)
        for name, reference in mapping.items()
    }


def title(command: str, words: dict[str, str]) -> str:
    """What people call a command."""
    return words.get(f"command_{command}", command)


def _choices(visit: Visit, known: Mapping[str, Any], chosen: str) -> Html:
    links = (
        tag(
            "a",
            title(name, visit.words),
            href=visit.link(tab="commands", command=name),
            cls="button",
            aria_current="true" if name == chosen else None,
        )
        for name in known
    )
    return tag("div", joined(links), cls="filters")


def _form(name: str, fields: Html, schema: Mapping[str, Any], words: dict[str, str]) -> Html:
    about = tag("p", words.get(f"about_command_{name}") or schema.get("description", ""), cls="quiet")
    send = tag("button", words["send"], type="submit", cls="primary")
    confirm = words["confirm_command"].format(command=title(name, words)) if name in DANGEROUS else None
    return tag(
        "form", about, fields, send, cls="form", data_act="command", data_command=name, data_confirm=confirm
    )


def outcome(answer: Mapping[str, Any], words: dict[str, str]) -> Html:
    """What came of a command: the station's verdict, and all it said."""
    result = str(answer["result"])
    hint = words.get(f"result_{result}", "")
    head = tag("b", state_mark(result, words))
    detail = ""
    if answer.get("detail"):
        detail = tag("details", tag("summary", words["details"]), json_block(answer["detail"]))
    kind = "done" if result == "accepted" else "note"
    number = tag("p", f"{words['command_number']} {answer['command_id']}", cls="quiet")
    return tag("div", head, tag("p", hint), detail, number, cls=f"banner {kind}", role="status")
