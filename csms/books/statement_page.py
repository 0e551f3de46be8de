"""A statement as a printable page."""

from typing import Any

from csms.books.fields import Language
from csms.books.page import Cell, document, facts, heading, number, paragraph, table, text
from csms.books.statement import MONEY
from csms.books.words import Words, clock, cny, kwh
from csms.domain.local_time import zone


def statement_page(shown: dict[str, Any], language: Language) -> bytes:
    """HTML of a statement as `Statements.make` shows it; times by the operator's clock."""
    say = Words(language)
    person, local = shown["operator"], zone(shown["time_zone"])
    title = f"{say('statement')} {shown['month']}"
    parts = [
        heading(title, 1),
        paragraph(person["name"]),
        *([] if shown["is_closed"] else [paragraph(say("open"), "mark")]),
        facts(
            [
                (say("code"), person["code"]),
                (say("month"), shown["month"]),
                (say("uscid"), person["uscid"]),
                (say("time_zone"), shown["time_zone"]),
                (say("tel"), person["tel"]),
                (say("as_of"), clock(shown["as_of"], local)),
                (say("total_when_closed"), cny(shown["total_when_closed"])),
                (say("closes_at"), clock(shown["closes_at"], local)),
            ]
        ),
        heading(say("summary")),
        _sums(say, (), [((), shown["totals"])]),
        heading(say("by_period")),
        _periods(say, shown),
        heading(say("by_site")),
        _sums(
            say,
            ("site", "name"),
            [((one["site"], one["name"]), one) for one in shown["by_site"]],
            shown["totals"],
        ),
        heading(say("by_day")),
        _sums(say, ("day",), [((one["day"],), one) for one in shown["by_day"]], shown["totals"]),
        *_corrections(say, shown),
        *_disputes(say, shown),
        paragraph(
            f"{person['name']} · {title} · {clock(shown['as_of'], local)} {shown['time_zone']}", "footer"
        ),
    ]
    return document(language, f"{title} {person['name']}", parts)


def _sums(
    say: Words,
    keys: tuple[str, ...],
    rows: list[tuple[tuple[str, ...], dict[str, Any]]],
    total: dict[str, Any] | None = None,
) -> str:
    titles = [text(say(key)) for key in keys]
    titles += [number(say(name)) for name in ("sessions", "unpriced", "energy", *MONEY)]
    last = [] if total is None else [text(say("sum")), *[text("")] * (len(keys) - 1), *_figures(total)]
    return table(titles, [[*map(text, names), *_figures(sums)] for names, sums in rows], last)


def _figures(sums: dict[str, Any]) -> list[Cell]:
    return [
        number(sums["sessions"]),
        number(sums["unpriced"]),
        number(kwh(sums["energy_wh"])),
        *(number(cny(sums[name])) for name in MONEY),
    ]


def _periods(say: Words, shown: dict[str, Any]) -> str:
    names = ("energy", "elec_money", "service_money", "money")
    rows = [
        [
            text(say(one["period"])),
            number(kwh(one["energy_wh"])),
            *(number(cny(one[name])) for name in names[1:]),
        ]
        for one in shown["by_period"]
    ]
    return table([text(say("period")), *(number(say(name)) for name in names)], rows)


def _corrections(say: Words, shown: dict[str, Any]) -> list[str]:
    if not shown["corrections"]:
        return []
    local, notes = zone(shown["time_zone"]), list[str]()
    names = ("session", "site", "started", "priced")
    titles = [
        *(text(say(name)) for name in names),
        *map(number, map(say, ("revision", "before", "now", "difference"))),
    ]
    rows = [
        [
            text(one["session_id"]),
            text(one["site"]),
            text(clock(one["started_at"], local)),
            text(clock(one["priced_at"], local)),
            number(one["revision"]),
            *(number(cny(one[name])) for name in ("total_before", "total", "difference")),
        ]
        for one in shown["corrections"]
    ]
    if shown["corrections_in_all"] > len(rows):
        notes = [paragraph(say("many", n=len(rows)))]
    last = [text(say("sum")), *[text("")] * 6, number(cny(shown["corrected"]))]
    return [heading(say("corrections")), *notes, table(titles, rows, last)]


def _disputes(say: Words, shown: dict[str, Any]) -> list[str]:
    if not shown["disputes"]:
        return []
    local = zone(shown["time_zone"])
    names = ("platform", "order", "raised", "resolved", "reason")
    titles = [*(text(say(name)) for name in names), number(say("their_money")), number(say("our_money"))]
    rows = [
        [
            text(one["platform"]),
            text(one["start_charge_seq"]),
            text(clock(one["raised_at"], local)),
            text(clock(one["resolved_at"], local)),
            text(one["reason"]),
            number(one["their_money"]),
            number(one["our_money"]),
        ]
        for one in shown["disputes"]
    ]
    return [heading(say("disputes")), table(titles, rows)]
