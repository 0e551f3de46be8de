"""Records as people read them: values by what their names say they are, JSON, timelines."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from csms.console.markup import Content, Html, joined, tag
from csms.console.texts import DASH, duration, grouped
from csms.console.visit import Visit

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def value_text(visit: Visit, name: str, value: Any) -> Content:
    """A value, with the unit that its name ends in."""
    if value is None or value in ("", [], {}):
        return DASH
    if isinstance(value, bool):
        return visit.words["value_true" if value else "value_false"]
    if isinstance(value, str) and INSTANT.match(value):
        return visit.time(value)
    if isinstance(value, int | float):
        return _number(name, value)
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return visit.words.get(f"value_{value}", str(value))


def _number(name: str, value: float) -> str:
    for ending, by, unit in (("_wh", 1000, "kWh"), ("_w", 1000, "kW"), ("_ms", 1, "ms")):
        if name.endswith(ending):
            return f"{value / by:,.3f} {unit}" if by > 1 else f"{value:,.1f} {unit}"
    if name.endswith("_s"):
        return duration(timedelta(seconds=value))
    if name.endswith("_rate"):
        return f"{value:.2%}"
    return grouped(value) if isinstance(value, int) and not name.endswith(("id", "code")) else f"{value:g}"


def json_block(value: Any) -> Html:
    """JSON with its lines broken; a text that is none as it is."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
        text = json.dumps(read, ensure_ascii=False, indent=2)
    except ValueError:
        text = str(value)
    return tag("pre", text, cls="json", tabindex=0)


Entry = tuple[str | None, Content, Mapping[str, Any]]
RUN = 4  # as many of a kind one after another are folded


def timeline(visit: Visit, entries: Iterable[Entry]) -> Html:
    """What happened when: (time, what, facts). Long runs of the same are folded between first and last."""
    items: list[Html] = []
    for _, grouped_ in groupby(entries, key=lambda entry: entry[1]):
        run = [_entry(visit, entry) for entry in grouped_]
        if len(run) < RUN:
            items += run
        else:
            more = visit.words["n_more"].format(n=len(run) - 2)
            fold = tag("details", tag("summary", more), tag("ol", joined(run[1:-1]), cls="timeline"))
            items += [run[0], tag("li", fold), run[-1]]
    return tag("ol", joined(items), cls="timeline")


def _entry(visit: Visit, entry: Entry) -> Html:
    at, what, facts = entry
    line = tag("div", _facts_line(visit, facts), cls="facts-line")
    return tag("li", visit.time(at), tag("b", what), line)


def _facts_line(visit: Visit, facts: Mapping[str, Any]) -> Html:
    pairs = [(name, value) for name, value in facts.items() if value not in (None, "", [], {})]
    return joined(
        joined(
            (
                " · " if n else "",
                visit.words.get(f"field_{name}") or visit.words.get(name) or name,
                ": ",
                value_text(visit, name, value),
            )
        )
        for n, (name, value) in enumerate(pairs)
    )


def flags(names: Iterable[str], words: dict[str, str]) -> Html:
    """Quality flags, in words."""
    made = [tag("span", words.get(f"flag_{name}", name), cls="flag", title=name) for name in names]
    return joined(made) if made else joined((DASH,))
