"""What is done to many stations at once: the ones picked, or all that the filters leave.

The API's command batches do the work; they outlive this window. Whoever sees some sites only may give
none: for them each picked station is told by itself.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from csms.console.desk import Desk, Refused
from csms.console.filters import filter_values
from csms.console.forms import body_of, resolved, schema_form
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import note_banner
from csms.console.pages.station_commands import command_schemas, title
from csms.console.symbols import state_mark
from csms.console.texts import grouped
from csms.console.visit import Visit

PATH = "/charging-stations"
BATCHES = "/command-batches"
# What several stations can be told at once without asking for more.
BULK: Mapping[str, Mapping[str, Any]] = {
    "refresh": {"command": "TriggerMessage", "message": "StatusNotification"},
    "inoperative": {"command": "ChangeAvailability", "operative": False},
    "operative": {"command": "ChangeAvailability", "operative": True},
    "reset_soft": {"command": "Reset", "kind": "soft"},
    "clear_cache": {"command": "ClearCache"},
}
ONE_STATION = ("StopSession", "AskTransaction")  # what the API gives to one station only
AT_ONCE = 8
LONGEST = 10_000  # stations of one batch
AT_A_TIME = 1_000


async def bulk_form(visit: Visit) -> Html:
    """What may be told, to whom; behind a fold the commands that ask for more."""
    words = visit.words
    known = {name: one for name, one in (await command_schemas(visit)).items() if name not in ONE_STATION}
    chosen = visit.query.get("bulk", "")
    options = [tag("option", words[f"bulk_{name}"], value=name) for name in BULK]
    if chosen in known:
        options.insert(0, tag("option", title(chosen, words), value="form", selected=""))
    choice = tag("select", joined(options), name="what", aria_label=words["bulk"])
    everyone = await _everyone(visit) if visit.person.sites is None else Html("")
    row = tag("div", choice, everyone, _go(words), _batches(visit), cls="filters")
    return joined((row, await _fields(visit, known, chosen), _more(visit, known, chosen)))


def _go(words: dict[str, str]) -> Html:
    return tag(
        "button",
        words["tell_picked"],
        type="button",
        data_act="bulk",
        data_form="picked-form",
        data_confirm=words["confirm_bulk"],
        data_confirm_all=words["confirm_bulk_all"],
    )


def _batches(visit: Visit) -> Html:
    if visit.person.sites is not None:
        return Html("")
    return tag("a", visit.words["page_batches"], href="/batches", cls="button plain")


async def _everyone(visit: Visit) -> Html:
    """A box for all that the filters leave, with how many these are now."""
    counts = await visit.desk.get(f"{PATH}/counts", **await _filters(visit))
    text = visit.words["all_of_filter"].format(n=grouped(sum(counts["stations"].values())))
    return tag("label", tag("input", type="checkbox", name="all", value="yes"), " ", text, cls="check")


async def _filters(visit: Visit) -> dict[str, str]:
    values = await filter_values(visit, PATH)
    return {name: value for name, value in values.items() if name != "sort"}


async def _fields(visit: Visit, known: Mapping[str, Any], chosen: str) -> Html:
    if chosen not in known:
        return Html("")
    fields = schema_form(known[chosen], await visit.desk.schemas(), visit.words, visit.query)
    return tag("fieldset", tag("legend", title(chosen, visit.words)), fields, cls="form")


def _more(visit: Visit, known: Mapping[str, Any], chosen: str) -> Html:
    links = (
        tag(
            "a",
            title(name, visit.words),
            href=visit.link(bulk=name),
            cls="button",
            aria_current="true" if name == chosen else None,
        )
        for name in known
    )
    return tag(
        "details", tag("summary", visit.words["more_commands"]), tag("div", joined(links), cls="filters")
    )


async def tell_many(visit: Visit, fields: Mapping[str, Any]) -> Content:
    """Give those chosen the command chosen, and lead to how it goes. Raises what `Desk` raises."""
    command = await _command(visit, fields)
    picked = fields.get("picked") or []
    identities = [picked] if isinstance(picked, str) else list(picked)
    is_all = fields.get("all") == "yes" and visit.person.sites is None
    if command is None or not (identities or is_all):
        return note_banner(visit.words["nothing_picked"], visit.words["nothing_picked_do"])
    if visit.person.sites is not None:
        return await _tell_each(visit, identities, command)
    who = await _selection(visit) if is_all else {"stations": identities}
    batch = await visit.desk.post(BATCHES, {"command": command, **who})
    visit.go(f"/batches/{batch['batch_id']}")
    return None


async def _command(visit: Visit, fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if fields.get("what") != "form":
        return BULK.get(str(fields.get("what")))
    schema = (await command_schemas(visit)).get(visit.query.get("bulk", ""))
    return None if schema is None else body_of(schema, await visit.desk.schemas(), fields)


async def _selection(visit: Visit) -> dict[str, Any]:
    """All of the list: by filter where batches know every one of its filters, else one by one."""
    values, schemas = await _filters(visit), await visit.desk.schemas()
    taken = resolved({"$ref": "#/components/schemas/StationsFilter"}, schemas)
    if all(name in taken.get("properties", {}) for name in values):
        return {"filter": body_of(taken, schemas, values)}
    return {"stations": await _identities(visit.desk, values)}


async def _identities(desk: Desk, values: Mapping[str, str]) -> list[str]:
    """Every station of a list; one more than a batch takes is left to the API to refuse."""
    found: list[str] = []
    after: str | None = None
    while len(found) <= LONGEST:
        page = await desk.get(PATH, after=after, limit=AT_A_TIME, **values)
        found += [one["identity"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    return found


async def _tell_each(visit: Visit, identities: Sequence[str], command: Mapping[str, Any]) -> Html:
    """Tell one station after the other, some at a time; say how far it is and what came of it."""
    results: dict[str, str] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(identity: str) -> None:
        async with gate:
            results[identity] = await tell(visit.desk, identity, command)
            visit.say(_progress(visit.words, len(results), len(identities)))

    await asyncio.gather(*(one(identity) for identity in identities))
    return _outcomes(visit.words, results)


async def tell(desk: Desk, identity: str, command: Mapping[str, Any]) -> str:
    """What came of one command, in one word or the API's own."""
    try:
        return str((await desk.post(f"{PATH}/{quote(identity, safe='')}/commands", dict(command)))["result"])
    except Refused as refusal:
        return refusal.detail


def _progress(words: dict[str, str], done: int, of: int) -> Html:
    bar = tag("progress", value=done, max=of, aria_label=words["progress"])
    return tag("div", tag("b", words["told_of"].format(n=done, of=of)), bar, cls="banner note", role="status")


def _outcomes(words: dict[str, str], results: Mapping[str, str]) -> Html:
    counts = Counter(results.values())
    summary = joined(
        tag("li", state_mark(result, words), " ", grouped(n)) for result, n in counts.most_common()
    )
    failed = [
        tag("li", identity, ": ", state_mark(result, words))
        for identity, result in results.items()
        if result != "accepted"
    ]
    more = tag("details", tag("summary", words["which"]), tag("ul", joined(failed))) if failed else ""
    kind = "note" if failed else "done"
    return tag(
        "div",
        tag("b", words["told_of"].format(n=len(results), of=len(results))),
        tag("ul", summary, cls="plain-list"),
        more,
        cls=f"banner {kind}",
        role="status",
    )
