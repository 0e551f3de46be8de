"""Filters of a list, made from what the API takes: the form, and the values as the API wants them.

The filters are the address's parameters, so a view can be shared, saved and opened again. A filter that the
API does not take (yet) is not shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from csms.console.forms import resolved
from csms.console.markup import Html, joined, tag
from csms.console.visit import Visit, on_clock

Options = Mapping[str, Sequence[tuple[str, str]]]


# Parameters that are no filters of their own.
PAGING = ("after", "limit")


async def filter_values(visit: Visit, path: str, fixed: Sequence[str] = ()) -> dict[str, str]:
    """What of the address's parameters the API takes, times in UTC. `fixed`: set by the page itself."""
    return {
        name: on_clock(visit.query[name], visit.zone) if _kind(one) == "datetime-local" else visit.query[name]
        for name, one in (await _parameters(visit, path)).items()
        if visit.query.get(name) and name not in (*PAGING, *fixed)
    }


async def filter_form(visit: Visit, path: str, first: Sequence[str], options: Options) -> Html:
    """The form: the filters of `first` at once, all others that the API takes behind a button.

    `options` gives (value, text) of filters whose values are records: sites, operators.
    """
    words = visit.words
    offered = {k: v for k, v in (await _parameters(visit, path)).items() if k not in PAGING}
    shown = [_field(visit, name, offered[name], options.get(name)) for name in first if name in offered]
    rest = [name for name in offered if name not in first and name not in visit.path]
    more = [_field(visit, name, offered[name], options.get(name)) for name in rest]
    if not shown and not more:
        return Html("")
    is_used = any(visit.query.get(name) for name in rest)
    fold = tag(
        "details",
        tag("summary", words["more_filters"]),
        tag("div", joined(more), cls="filters"),
        open="" if is_used else None,
    )
    is_set = any(visit.query.get(name) for name in offered)
    apply = tag("button", words["apply"], type="submit", cls="primary")
    clear = tag("a", words["clear_filters"], href=visit.address, cls="button plain")
    form = tag(
        "form",
        joined(shown),
        apply,
        clear,
        fold if more else "",
        method="get",
        action=visit.address,
        cls="filters",
        role="search",
        aria_label=words["filters"],
    )
    summary = tag("summary", words["filters"])
    return tag("details", summary, form, cls="fold", open="", data_used="" if is_set else None)


def saved_views(visit: Visit) -> Html:
    """Views that this browser keeps under a name."""
    words = visit.words
    name = tag(
        "input", id="view-name", placeholder=words["view_name"], aria_label=words["view_name"], maxlength=40
    )
    save = tag("button", words["save_view"], type="button", data_save_view="")
    views = tag("ul", data_views="", data_drop=words["drop_view"], aria_label=words["saved_views"])
    return tag("div", views, name, save, cls="views")


async def _parameters(visit: Visit, path: str) -> dict[str, dict[str, Any]]:
    operation, schemas = await visit.desk.operation(path) or {}, await visit.desk.schemas()
    return {
        one["name"]: {**one, "schema": resolved(one.get("schema", {}), schemas)}
        for one in operation.get("parameters", ())
        if one["in"] == "query"
    }


def _kind(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    if schema.get("format") == "date-time" or parameter["name"] in ("from", "to", "ended_from", "ended_to"):
        return "datetime-local"
    if schema.get("type") == "boolean":
        return "boolean"
    return "number" if schema.get("type") in ("integer", "number") else "search"


def _field(
    visit: Visit, name: str, parameter: Mapping[str, Any], options: Sequence[tuple[str, str]] | None
) -> Html:
    words, value, kind = visit.words, visit.query.get(name, ""), _kind(parameter)
    enum = parameter["schema"].get("enum")
    if options is None and enum:
        options = [(str(one), _word(str(one), words)) for one in enum]
    if kind == "boolean":
        options = [("true", words["only_these"])]
    label = tag("label", words.get(f"filter_{name}") or words.get(name) or name, **{"for": f"f-{name}"})
    if options is not None:
        every = tag("option", words["usual_order" if name == "sort" else "all"], value="")
        made = joined(
            tag("option", text, value=one, selected="" if one == value else None) for one, text in options
        )
        return tag("div", label, tag("select", every, made, id=f"f-{name}", name=name), cls="field")
    hint = parameter.get("description")
    field = tag("input", id=f"f-{name}", name=name, type=kind, value=value, title=hint)
    return tag("div", label, field, cls="field")


def _word(value: str, words: dict[str, str]) -> str:
    """What people call a value of a filter."""
    return next((words[key] for key in (f"state_{value}", f"flag_{value}", value) if key in words), value)


async def site_options(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Options for filters by site and by operator."""
    sites = (await visit.desk.get("/sites"))["items"]
    return {
        "site": [(one["code"], one["name"] or one["code"]) for one in sites],
        "operator": [(one["code"], one["name"]) for one in visit.operators],
    }
