"""The live parts of the overview as HTML: numbers, grid, tables. Pure: a status in, markup out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from csms.console.markup import Content, Html, joined, table, tag
from csms.console.notices import empty
from csms.console.symbols import STATES, symbol
from csms.console.texts import DASH, ago, clock, duration, energy, grouped, power
from csms.store.status import OrderLine, SessionLine, SiteCells, StationCell, Status

Words = dict[str, str]

ROWS = 12  # tables keep their height, however many rows they have
MOST_SITES = 120  # drawn one by one
VERSION_NAMES = {"ocpp1.6": "OCPP 1.6", "ocpp2.0.1": "2.0.1", "ocpp2.1": "2.1"}


def numbers(status: Status, words: Words) -> Html:
    """The five figures one looks at first."""
    zone = ZoneInfo(status.zone)
    versions = joined(
        tag("span", f"{VERSION_NAMES.get(version, version)} ", tag("b", grouped(n)), cls="version")
        for version, n in status.online.items()
    )
    registered = words["of_registered"].format(n=grouped(status.stations))
    contact = ago(words, status.city_contact, status.at) if status.has_platform else words["no_city"]
    watts, kilowatthours = power(status.power_w), energy(status.energy_today_wh)
    return tag(
        "div",
        _figure(
            words["stations_online"],
            grouped(sum(status.online.values())),
            "",
            joined((tag("div", registered), versions)),
        ),
        _figure(words["live_sessions"], grouped(status.live_sessions), "", _newest(status, words)),
        _figure(words["power_now"], *watts, words["power_from"].format(n=grouped(status.metered_sessions))),
        _figure(
            words["energy_today"],
            *kilowatthours,
            words["today_in"].format(t=f"{status.since.astimezone(zone):%m-%d %H:%M}"),
        ),
        _figure(
            words["orders"], grouped(status.orders_sent), words["sent_today"], _owed(status, words, contact)
        ),
        cls="figures",
    )


def _figure(name: str, number: str, unit: str, below: Content) -> Html:
    value = tag("div", tag("span", number, cls="number"), tag("span", unit, cls="unit"), cls="value")
    return tag("section", tag("h2", name), value, tag("div", below, cls="below"), cls="figure")


def _newest(status: Status, words: Words) -> str:
    if not status.live:
        return DASH
    newest = status.live[0].started_at.astimezone(ZoneInfo(status.zone))
    return words["charging_since"].format(t=clock(newest))


def _owed(status: Status, words: Words, contact: str) -> Html:
    waiting = tag("span", tag("b", grouped(status.orders_waiting)), f" {words['waiting']}", cls="version")
    dead = tag("span", tag("b", grouped(status.orders_dead)), f" {words['dead']}", cls="version alarm")
    last = tag("span", f"{words['city_contact']}: {contact}", cls="version")
    return joined((waiting, dead if status.orders_dead else "", last))


def grid(status: Status, words: Words) -> Html:
    """Every charging station as a shape, by site, with a legend that counts."""
    if not status.sites:
        return empty(words["no_stations"], words["no_stations_do"])
    shown = [site for site in status.sites if site.cells][:MOST_SITES]
    hidden = len(status.sites) - len(shown)
    more = tag("p", words["and_more_sites"].format(n=grouped(hidden)), cls="more") if hidden else ""
    sites = tag("div", *(_site(site, words) for site in shown), cls="sites")
    return joined((_legend(shown, words), sites, more))


def _legend(sites: Iterable[SiteCells], words: Words) -> Html:
    counts = dict.fromkeys(STATES, 0)
    for site in sites:
        for cell in site.cells:
            counts[cell.state] += 1
    entries = (
        tag("li", symbol(state), tag("span", words[state]), tag("b", grouped(n)))
        for state, n in counts.items()
        if n
    )
    return tag("ul", joined(entries), cls="legend")


def _site(site: SiteCells, words: Words) -> Html:
    name = site.name or site.code or words["no_site"]
    head = tag(
        "div",
        tag("a", name, href=f"/stations?site={quote(site.code)}", cls="name", title=site.code)
        if site.code
        else tag("span", name, cls="name"),
        tag("span", f"{grouped(site.online)} / {grouped(site.total)}", cls="share"),
        cls="head",
    )
    hidden = site.total - len(site.cells)
    more = tag("span", words["and_more"].format(n=grouped(hidden)), cls="more") if hidden > 0 else ""
    shapes = joined(_cell(cell, words) for cell in site.cells)
    return tag("div", head, tag("div", shapes, more, cls="cells"), cls="site")


def _cell(cell: StationCell, words: Words) -> Html:
    name = f"{cell.identity} · {words[cell.state]}"
    return tag(
        "a", symbol(cell.state), href=station_href(cell.identity), cls="cell", title=name, aria_label=name
    )


def station_href(identity: str) -> str:
    """The page of a charging station."""
    return f"/stations/{quote(identity, safe='')}"


def live_table(status: Status, words: Words) -> Html:
    """Sessions that run."""
    heads = [
        (words["station"], "text"),
        (words["connector"], "text short"),
        (words["token"], "text"),
        (words["started"], "num"),
        (words["duration"], "num"),
        (words["energy"] + " kWh", "num"),
        (words["power"] + " kW", "num"),
    ]
    zone = ZoneInfo(status.zone)
    rows = [
        (
            *_who(line),
            clock(line.started_at.astimezone(zone)),
            tag("a", duration(status.at - line.started_at), href=f"/sessions/{line.session_id}"),
            _kilo(line.energy_wh, 2),
            _kilo(line.power_w, 1),
        )
        for line in status.live
    ]
    return _filled(heads, rows, words["live"], words["no_live"])


def ended_table(status: Status, words: Words) -> Html:
    """Sessions that ended last."""
    heads = [
        (words["station"], "text"),
        (words["connector"], "text short"),
        (words["token"], "text"),
        (words["ended_at"], "num"),
        (words["duration"], "num"),
        (words["energy"] + " kWh", "num"),
        (words["quality"], "text"),
    ]
    zone = ZoneInfo(status.zone)
    rows = [
        (
            *_who(line),
            clock(line.ended_at and line.ended_at.astimezone(zone)),
            tag(
                "a",
                duration((line.ended_at or line.started_at) - line.started_at),
                href=f"/sessions/{line.session_id}",
            ),
            _kilo(line.energy_wh, 2),
            ", ".join(line.flags) or DASH,
        )
        for line in status.ended
    ]
    return _filled(heads, rows, words["ended"], words["no_ended"])


def orders_table(status: Status, words: Words) -> Html:
    """What city platforms were told last, and what they are still owed."""
    heads = [
        (words["order"], "text wide"),
        (words["platform"], "text"),
        (words["state"], "text"),
        (words["attempts"], "num short"),
        (words["when"], "num"),
    ]
    rows = [_order(line, words, status.at, ZoneInfo(status.zone)) for line in status.orders]
    return _filled(heads, rows, words["latest_orders"], words["no_orders"])


def _order(line: OrderLine, words: Words, now: datetime, zone: ZoneInfo) -> tuple[Content, ...]:
    state = tag("span", symbol(line.state), words[f"orders_{line.state}"], cls="state")
    return line.about, line.platform, state, line.attempts, clock(line.at.astimezone(zone))


def _who(line: SessionLine) -> tuple[Content, Content, Content]:
    station = tag("a", line.station, href=station_href(line.station))
    return station, f"{line.evse}/{line.connector}", line.token or DASH


def _kilo(value: int | None, digits: int) -> str:
    return DASH if value is None else f"{value / 1000:,.{digits}f}"


def _filled(
    heads: list[tuple[str, str]], rows: Sequence[tuple[Content, ...]], caption: str, nothing: str
) -> Html:
    """A table of always as many rows, so that nothing below it moves."""
    blank = tuple("\N{NO-BREAK SPACE}" for _ in heads)
    filler = [blank] * (ROWS - len(rows))
    made = table(heads, [*rows, *filler], caption=caption)
    scroll = tag("div", made, cls="scroll steady", role="region", tabindex=0, aria_label=caption)
    return tag("section", scroll, "" if rows else tag("div", empty(nothing), cls="over"), cls="panel")
