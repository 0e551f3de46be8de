"""The statement of an operator's month: what was billed; as a workbook with every session, and to print."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from csms.console.desk import BASE, Refused
from csms.console.listing import Column, Listing, facts, listing, panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty, note_banner, problem_banner
from csms.console.texts import energy, grouped
from csms.console.visit import Visit

PATH = "/reports/statement"


async def statement(visit: Visit) -> None:
    """Operator and month; the sums; the files."""
    words = visit.words
    if not visit.operators:
        visit.html(panel("", empty(words["no_totals"])))
        return
    operator = visit.query.get("operator") or visit.operators[0]["code"]
    month = visit.query.get("month") or _last_month(visit)
    visit.html(_form(visit, operator, month))
    try:
        made = await visit.desk.get(PATH, operator=operator, month=month)
    except Refused as refusal:
        visit.html(problem_banner(refusal, words))
        return
    visit.html(_standing(visit, made))
    visit.html(_sums(visit, made))
    visit.html(joined(_tables(visit, made)), cls="stack")


def _last_month(visit: Visit) -> str:
    return f"{visit.now().replace(day=1) - timedelta(days=1):%Y-%m}"


def _form(visit: Visit, operator: str, month: str) -> Html:
    words = visit.words
    options = joined(
        tag("option", one["name"], value=one["code"], selected="" if one["code"] == operator else None)
        for one in visit.operators
    )
    whose = tag("select", options, id="f-operator", name="operator")
    when = tag("input", id="f-month", name="month", type="month", value=month, required="")
    return tag(
        "form",
        tag("input", type="hidden", name="tab", value="statement"),
        tag("div", tag("label", words["operator"], **{"for": "f-operator"}), whose, cls="field"),
        tag("div", tag("label", words["month"], **{"for": "f-month"}), when, cls="field"),
        tag("button", words["apply"], type="submit", cls="primary"),
        _files(visit, operator, month),
        method="get",
        cls="filters",
    )


def _files(visit: Visit, operator: str, month: str) -> Html:
    """The browser fetches them itself: a workbook to keep, a page to print in a window of its own."""
    asked = {"operator": operator, "month": month, "lang": visit.language}
    book, sheet = (f"{BASE}{PATH}?{urlencode({**asked, 'format': one})}" for one in ("xlsx", "html"))
    return joined(
        (
            tag("a", "↓ XLSX", href=book, cls="button", download="", title=visit.words["export"]),
            tag("a", visit.words["to_print"], href=sheet, cls="button", target="_blank", rel="noopener"),
        )
    )


def _standing(visit: Visit, made: Mapping[str, Any]) -> Html:
    """Whether the month is closed: before that, figures still change."""
    words, when = visit.words, visit.time(made["closes_at"])
    title = words["statement_closed"] if made["is_closed"] else words["statement_open"]
    return note_banner(title, joined((words["statement_closes"], " ", when)))


def _sums(visit: Visit, made: Mapping[str, Any]) -> Html:
    words, sums = visit.words, made["totals"]
    pairs: list[tuple[str, Content]] = [
        (words["sessions"], grouped(sums["sessions"])),
        (words["unpriced"], grouped(sums["unpriced"])),
        (words["energy"], " ".join(energy(sums["energy_wh"]))),
        *((words[name], f"{sums[name]} {made['currency']}") for name in _MONEY),
        (words["total"], tag("b", f"{sums['total']} {made['currency']}")),
        (words["total_when_closed"], f"{made['total_when_closed']} {made['currency']}"),
        (words["corrected"], f"{made['corrected']} {made['currency']}"),
        (words["disputes"], grouped(len(made["disputes"]))),
    ]
    title = f"{made['operator']['name'] or made['operator']['code']} · {made['month']}"
    return panel(title, facts(pairs))


_MONEY = ("elec_money", "service_money", "idle_money", "parking_money")


def _tables(visit: Visit, made: Mapping[str, Any]) -> list[Html]:
    words = visit.words
    nothing = empty(words["no_totals"])
    site = Column(words["site"], "text", lambda one: one["name"] or one["site"] or words["no_site"])
    day = Column(words["day"], "nowrap", lambda one: one["day"])
    return [
        panel("", listing([site, *_billed(words)], made["by_site"], Listing(words["by_site"], nothing))),
        panel("", listing([day, *_billed(words)], made["by_day"], Listing(words["by_day_billed"], nothing))),
        panel("", listing(_periods(words), made["by_period"], Listing(words["by_period"], nothing))),
        panel("", listing(_corrections(visit), made["corrections"], Listing(words["corrections"], nothing))),
    ]


def _billed(words: dict[str, str]) -> Sequence[Column]:
    return (
        Column(words["sessions"], "num", lambda one: grouped(one["sessions"])),
        Column(f"{words['energy']} kWh", "num", _kwh),
        Column(words["elec_money"], "num", lambda one: one["elec_money"]),
        Column(words["service_money"], "num", lambda one: one["service_money"]),
        Column(words["idle_money"], "num", lambda one: one["idle_money"]),
        Column(words["total"], "num", lambda one: one["total"]),
    )


def _periods(words: dict[str, str]) -> Sequence[Column]:
    return (
        Column(words["period"], "text", lambda one: words.get(f"period_{one['period']}", one["period"])),
        Column(f"{words['energy']} kWh", "num", _kwh),
        Column(words["elec_money"], "num", lambda one: one["elec_money"]),
        Column(words["service_money"], "num", lambda one: one["service_money"]),
        Column(words["total"], "num", lambda one: one["money"]),
    )


def _corrections(visit: Visit) -> Sequence[Column]:
    words = visit.words
    return (
        Column(words["session"], "text", _session),
        Column(words["started"], "time", lambda one: visit.time(one["started_at"])),
        Column(words["priced_at"], "time", lambda one: visit.time(one["priced_at"])),
        Column(words["field_revision"], "num", lambda one: one["revision"]),
        Column(words["difference"], "num", lambda one: one["difference"]),
    )


def _session(one: Mapping[str, Any]) -> Html:
    return tag("a", one["session_id"], href=f"/sessions/{one['session_id']}")


def _kwh(one: Mapping[str, Any]) -> str:
    return f"{one['energy_wh'] / 1000:,.3f}"
