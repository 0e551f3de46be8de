"""Reports: energy by day and month, the yearbook, availability by regime; as charts, tables and files."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from csms.console.charts import Series, draw
from csms.console.exports import export_links
from csms.console.frame import page_head
from csms.console.listing import Column, Listing, listing, nothing_found, panel, tabs
from csms.console.markup import Html, joined, tag
from csms.console.notices import empty
from csms.console.pages.report_statement import statement
from csms.console.pages.report_uptime import uptime
from csms.console.texts import DASH, duration, grouped
from csms.console.visit import Visit

TABS = ("totals", "statement", "yearbook", "uptime")
SPANS = {"hour": 2, "day": 31, "month": 366, "year": 3660}  # days looked back when nothing is chosen
MOST_LINES = 5  # subjects drawn one by one
MOST = 1000


async def build(visit: Visit) -> None:
    """The chosen report."""
    current = visit.query.get("tab", TABS[0])
    visit.html(page_head(visit.words["page_reports"]))
    visit.html(tabs(visit, TABS, current))
    await PARTS.get(current, _totals)(visit)


async def _totals(visit: Visit) -> None:
    words = visit.words
    by, of = visit.query.get("by", "day"), visit.query.get("of", "operator")
    since, until = _span(visit, by)
    asked = {
        "by": by,
        "of": of,
        "id": visit.query.get("id"),
        "from_": since.isoformat(),
        "to": until.isoformat(),
    }
    page = await visit.desk.get("/totals", **asked, limit=MOST)
    values = {k.rstrip("_"): v for k, v in asked.items() if v}
    visit.html(
        joined((await _totals_form(visit, by, of), await export_links(visit, "totals", values))),
        cls="filters",
    )
    items = page["items"]
    if items:
        draw(visit, words["energy_by_" + by], chart(items, visit, by), ("kWh",), is_time=False)
    more = tag("p", words["more_than_shown"].format(n=MOST), cls="quiet") if page["next"] else ""
    made = Listing(
        words["tab_totals"], nothing_found(visit, empty(words["no_totals"], words["no_totals_do"]))
    )
    visit.html(panel("", more, listing(_columns(visit, by), list(reversed(items)), made)))


def _span(visit: Visit, by: str) -> tuple[datetime, datetime]:
    midnight = visit.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since, until = _day(visit, "from"), _day(visit, "to")
    return (
        since or midnight - timedelta(days=SPANS.get(by, 31)),
        (until or midnight) + timedelta(days=1),
    )


def _day(visit: Visit, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(visit.query.get(name, "")).replace(tzinfo=visit.zone)
    except ValueError:
        return None


async def _totals_form(visit: Visit, by: str, of: str) -> Html:
    operation = await visit.desk.operation("/totals") or {}
    choices = {one["name"]: one["schema"].get("enum", ()) for one in operation.get("parameters", ())}
    words = visit.words
    fields = [
        _select("by", choices.get("by", ()), by, words),
        _select("of", choices.get("of", ()), of, words),
        _input("id", "search", words["number"], visit),
        _input("from", "date", words["from"], visit),
        _input("to", "date", words["to"], visit),
    ]
    go = tag("button", words["apply"], type="submit", cls="primary")
    return tag("form", *fields, go, method="get", cls="filters", role="search", aria_label=words["filters"])


def _select(name: str, values: Sequence[str], chosen: str, words: dict[str, str]) -> Html:
    options = joined(
        tag("option", words.get(f"{name}_{one}", one), value=one, selected="" if one == chosen else None)
        for one in values
    )
    label = tag("label", words[f"report_{name}"], **{"for": f"f-{name}"})
    return tag("div", label, tag("select", options, id=f"f-{name}", name=name), cls="field")


def _input(name: str, kind: str, text: str, visit: Visit) -> Html:
    label = tag("label", text, **{"for": f"f-{name}"})
    field = tag("input", id=f"f-{name}", name=name, type=kind, value=visit.query.get(name, ""))
    return tag("div", label, field, cls="field")


def chart(items: Sequence[Mapping[str, Any]], visit: Visit, by: str) -> list[Series]:
    """Bars of energy, the greatest subjects in colours of their own, the others together."""
    sums: dict[str, int] = {}
    for one in items:
        sums[one["id"]] = sums.get(one["id"], 0) + one["energy_wh"]
    drawn = sorted(sums, key=lambda name: -sums[name])[:MOST_LINES]
    names = {one["code"]: one["name"] for one in visit.operators}
    points: dict[str, dict[str, float]] = {name: {} for name in drawn}
    if len(sums) > MOST_LINES:
        points[visit.words["others"]] = {}
    periods = list(dict.fromkeys(_period(visit, one["start"], by) for one in items))
    for one in items:
        line = points[one["id"] if one["id"] in drawn else visit.words["others"]]
        period = _period(visit, one["start"], by)
        line[period] = line.get(period, 0.0) + one["energy_wh"] / 1000
    return [
        Series(
            names.get(name, name), [(period, line.get(period, 0.0)) for period in periods], "bar", stack="all"
        )
        for name, line in points.items()
    ]


def _period(visit: Visit, start: str, by: str) -> str:
    local = visit.local(start)
    shapes = {"hour": "%m-%d %H:00", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
    return local.strftime(shapes.get(by, "%Y-%m-%d")) if local else DASH


def _columns(visit: Visit, by: str) -> Sequence[Column]:
    words = visit.words
    names = {one["code"]: one["name"] for one in visit.operators}
    return (
        Column(words["from"], "nowrap", lambda one: _period(visit, one["start"], by)),
        Column(words["subject"], "text", lambda one: names.get(one["id"], one["id"])),
        Column(f"{words['energy']} kWh", "num", lambda one: f"{one['energy_wh'] / 1000:,.3f}"),
        Column(words["sessions"], "num", lambda one: grouped(one["sessions"])),
        Column(words["charging_time"], "num", lambda one: duration(timedelta(seconds=one["charging_s"]))),
        Column(words["revision"], "num", lambda one: one["revision"]),
        Column(words["computed_at"], "time", lambda one: visit.time(one["computed_at"])),
    )


async def _yearbook(visit: Visit) -> None:
    words = visit.words
    as_of = visit.query.get("as_of") or f"{visit.now():%Y-%m-%d}"
    book = await visit.desk.get("/reports/yearbook", as_of=as_of, operator=visit.query.get("operator"))
    hidden = tag("input", type="hidden", name="tab", value="yearbook")
    label = tag("label", words["as_of"], **{"for": "f-as_of"})
    field = tag("input", id="f-as_of", name="as_of", type="date", value=as_of, required="")
    go = tag("button", words["apply"], type="submit", cls="primary")
    day = tag("div", label, field, cls="field")
    visit.html(tag("form", hidden, day, _operators(visit), go, method="get", cls="filters"))
    rows = (
        Column(words["subject"], "text", lambda one: words.get(f"yearbook_{one['name']}", one["name"])),
        Column(words["now"], "num", lambda one: _amount(one["name"], one["now"])),
        Column(words["a_year_before"], "num", lambda one: _amount(one["name"], one["before"])),
        Column(words["added"], "num", lambda one: _amount(one["name"], one["added"])),
        Column(
            words["growth"],
            "num",
            lambda one: DASH if one["growth_percent"] is None else f"{one['growth_percent']} %",
        ),
    )
    visit.html(
        panel("", listing(rows, book["rows"], Listing(words["tab_yearbook"], empty(words["no_totals"]))))
    )
    classes = (
        Column(words["charger_class"], "text", lambda one: words.get(f"class_{one['name']}", one["name"])),
        Column(words["chargers"], "num", lambda one: grouped(one["chargers"])),
        Column(words["ten_thousands"], "num", lambda one: one["ten_thousands"]),
    )
    visit.html(
        panel("", listing(classes, book["chargers_by_class"], Listing(words["chargers_by_class"], empty(""))))
    )
    visit.html(
        tag("p", words["unclassified"].format(n=book["unclassified"], m=book["unentered"]), cls="quiet")
    )


def _operators(visit: Visit) -> Html:
    """Of whom the figures are; nothing to choose for whoever sees one operator."""
    if len(visit.operators) < 2:
        return Html("")
    chosen = visit.query.get("operator")
    options = joined(
        tag("option", one["name"], value=one["code"], selected="" if one["code"] == chosen else None)
        for one in visit.operators
    )
    select = tag(
        "select", tag("option", visit.words["scope_all"], value=""), options, id="f-operator", name="operator"
    )
    label = tag("label", visit.words["operator"], **{"for": "f-operator"})
    return tag("div", label, select, cls="field")


def _amount(name: str, number: int) -> str:
    return f"{number / 1000:,.2f} kWh" if name == "energy" else grouped(number)


PARTS: Mapping[str, Callable[[Visit], Awaitable[None]]] = {
    "totals": _totals,
    "statement": statement,
    "yearbook": _yearbook,
    "uptime": uptime,
}
