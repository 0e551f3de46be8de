"""Availability of connectors in a month, by each regime's own definition."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from csms.console.blocks import station_href
from csms.console.desk import BASE
from csms.console.listing import PAGE_ROWS, Column, Listing, listing, nothing_found, pager, panel
from csms.console.markup import Html, joined, tag
from csms.console.notices import empty
from csms.console.texts import DASH
from csms.console.visit import Visit

REGIMES = ("cn", "nevi", "uk")
PATH = "/reports/uptime"
# Word of a figure, and where the API has it: the regime first.
RATES = (
    ("cn_online", ("cn", "own", "online_rate")),
    ("cn_use", ("cn", "own", "time_use_rate")),
    ("nevi_month", ("nevi", "month", "uptime")),
    ("nevi_year", ("nevi", "twelve_months", "uptime")),
    ("uk_month", ("uk", "month", "reliability")),
)


async def uptime(visit: Visit) -> None:
    """The table of one month."""
    words = visit.words
    month = visit.query.get("month") or f"{visit.now():%Y-%m}"
    asked = {"month": month, "station": visit.query.get("station"), "regime": visit.query.get("regime")}
    page = await visit.desk.get(PATH, **asked, after=visit.query.get("after"), limit=PAGE_ROWS)
    # Files are fetched by the browser itself: that needs a person's own session.
    has_files = await visit.desk.offers("/me")
    visit.html(_form(visit, month, _files(visit) if has_files else Html("")))
    made = Listing(words["tab_uptime"], nothing_found(visit, empty(words["no_uptime"])))
    table = listing(_columns(visit), page["items"], made)
    meanings = tag("dl", joined(_meanings(page["definitions"])), cls="facts")
    fold = tag("details", tag("summary", words["definitions"]), meanings)
    visit.html(panel("", table, pager(visit, page["next"], len(page["items"])), fold))


def _meanings(definitions: Mapping[str, Any], before: str = "") -> list[Html]:
    """Each regime's words, whatever they are nested in."""
    made: list[Html] = []
    for name, text in definitions.items():
        if isinstance(text, Mapping):
            made += _meanings(text, f"{before}{name} · ")
        else:
            made.append(tag("div", tag("dt", before + name), tag("dd", str(text))))
    return made


def _form(visit: Visit, month: str, files: Html) -> Html:
    words = visit.words
    hidden = tag("input", type="hidden", name="tab", value="uptime")
    when = tag("input", id="f-month", name="month", type="month", value=month, required="")
    station = tag("input", id="f-station", name="station", value=visit.query.get("station", ""))
    return tag(
        "form",
        hidden,
        tag("div", tag("label", words["month"], **{"for": "f-month"}), when, cls="field"),
        tag("div", tag("label", words["station"], **{"for": "f-station"}), station, cls="field"),
        tag("div", tag("label", words["regime"], **{"for": "f-regime"}), _regimes(visit), cls="field"),
        tag("button", words["apply"], type="submit", cls="primary"),
        files,
        method="get",
        cls="filters",
    )


def _regimes(visit: Visit) -> Html:
    chosen = visit.query.get("regime", "")
    options = (
        tag("option", visit.words[f"regime_{one}"], value=one, selected="" if one == chosen else None)
        for one in REGIMES
    )
    every = tag("option", visit.words["all"], value="")
    return tag("select", every, joined(options), id="f-regime", name="regime")


def _files(visit: Visit) -> Html:
    asked = urlencode({"quarter": _quarter(visit)})
    return joined(
        tag("a", f"↓ {visit.words[name]}", href=f"{BASE}/reports/{name}?{asked}", cls="button", download="")
        for name in ("nevi-sessions", "nevi-outages")
    )


def _quarter(visit: Visit) -> str:
    """The last quarter that is over."""
    last = visit.now().replace(day=1) - timedelta(days=1)
    while last.month % 3:
        last = last.replace(day=1) - timedelta(days=1)
    return f"{last.year}Q{last.month // 3}"


def _columns(visit: Visit) -> Sequence[Column]:
    words = visit.words
    return (
        Column(
            words["station"],
            "nowrap",
            lambda one: tag("a", one["charging_station"], href=station_href(one["charging_station"])),
        ),
        Column(words["connector"], "text", lambda one: f"{one['evse']}/{one['connector']}"),
        Column(f"{words['charging']} h", "num", lambda one: _hours(one, "charging")),
        Column(f"{words['offline']} h", "num", lambda one: _hours(one, "offline")),
        Column(f"{words['faulted']} h", "num", lambda one: _hours(one, "fault")),
        Column(f"{words['unknown']} h", "num", lambda one: _hours(one, "unknown")),
        *(
            Column(words[name], "num", partial(_share, names))
            for name, names in RATES
            if _is_asked(visit, names)
        ),
    )


def _is_asked(visit: Visit, names: Sequence[str]) -> bool:
    """Whether a figure's regime is the chosen one, or all are."""
    return visit.query.get("regime", names[0]) == names[0]


def _share(names: Sequence[str], one: Mapping[str, Any]) -> str:
    return _of(one, *names)


def _hours(port: Mapping[str, Any], name: str) -> str:
    return f"{port['minutes'][name] / 60:,.1f}"


def _of(port: Mapping[str, Any], *names: str) -> str:
    """A share in per cent, as the regime has it."""
    value: Any = port
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return DASH if value is None else f"{value:,.2f} %"
