"""Overview: the network now, today against yesterday, what is wrong, what cities were told."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui

from csms.console import blocks
from csms.console.charts import Series, draw
from csms.console.desk import Refused
from csms.console.frame import page_head
from csms.console.listing import panel
from csms.console.markup import Content, Html, joined, tag
from csms.console.notices import empty, not_there
from csms.console.snapshots import REFRESH_S, Seen
from csms.console.symbols import state_mark
from csms.console.texts import ago, energy, grouped
from csms.console.visit import Visit
from csms.store.status import Status

BLOCKS: Sequence[tuple[str, Callable[[Status, dict[str, str]], Html]]] = (
    ("live", blocks.live_table),
    ("ended", blocks.ended_table),
    ("orders", blocks.orders_table),
)
HOUR = timedelta(hours=1)


async def build(visit: Visit) -> None:
    """Lay the page out, already filled; then keep it fresh."""
    words = visit.words
    visit.html(page_head(words["page_overview"]))
    updated = visit.html("", "p", "updated")
    parts: dict[str, ui.html] = {"numbers": visit.html("")}
    if visit.person.is_signed_in:
        await _today(visit)
    with ui.element("section").classes("panel"):
        visit.html(tag("h2", words["stations_by_site"]))
        parts["grid"] = visit.html("")
    with ui.element("div").classes("columns"):
        for name, _ in BLOCKS:
            parts[name] = visit.html("", cls="all" if name == "live" else "")

    drawn: Status | None = None

    def fill(seen: Seen) -> None:
        nonlocal drawn
        updated.classes(replace="updated stale" if seen.is_stale else "updated")
        updated.content = _freshness(visit, seen)
        if seen.status is None or seen.status is drawn:
            return
        drawn = seen.status
        # Windows that show the same share one markup; NiceGUI sends the blocks that differ.
        key = ("overview", visit.person.operator, visit.person.sites, visit.language)
        made = visit.snapshots.made(drawn, key, lambda one: _blocks(one, words))
        for name, part in parts.items():
            if name != "numbers" or visit.person.sites is None:  # they are of the whole operator
                part.content = made[name]

    async def refresh() -> None:
        fill(await visit.status())

    await refresh()
    visit.every(REFRESH_S, refresh)


def _blocks(status: Status, words: dict[str, str]) -> dict[str, Html]:
    """Every block that changes, by its name."""
    made = (("numbers", blocks.numbers), ("grid", blocks.grid), *BLOCKS)
    return {name: block(status, words) for name, block in made}


def _freshness(visit: Visit, seen: Seen) -> Html:
    if seen.is_stale or seen.status is None:
        return tag("span", visit.words["stale"])
    return tag("span", visit.words["updated"].format(t=f"{visit.local(seen.status.at):%Y-%m-%d %H:%M:%S}"))


async def _today(visit: Visit) -> None:
    """What the API says about today: comparison, alarms, cities, charts."""
    midnight = visit.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=1)
    asked = visit.desk.get("/totals", by="hour", of="operator", from_=since.isoformat(), limit=500)
    totals, alarms, cities = await visit.several(asked, _alarms(visit), visit.desk.get("/platforms"))
    hours = [] if isinstance(totals, Refused) else totals["items"]
    with ui.element("div").classes("columns"):
        visit.html(compared(visit, hours, midnight))
        visit.html(joined((alarm_panel(visit, alarms), city_panel(visit, cities))), cls="stack")
        draw(visit, visit.words["mean_power_by_hour"], _power(visit, hours, midnight), ("kW",), is_time=False)
        draw(
            visit,
            visit.words["sessions_by_hour"],
            _sessions(visit, hours, midnight),
            (visit.words["sessions"],),
            is_time=False,
        )


async def _alarms(visit: Visit) -> Any:
    if not await visit.desk.offers("/alarms"):
        return None
    return await visit.desk.get("/alarms", state="open", limit=6)


def by_hour(visit: Visit, hours: Sequence[Mapping[str, Any]], key: str, day: datetime) -> list[int | None]:
    """A total by hour of one local day; None for hours that nothing is known of."""
    sums: list[int | None] = [None] * 24
    for total in hours:
        start = visit.local(total["start"])
        if start is not None and start.date() == day.date():
            sums[start.hour] = (sums[start.hour] or 0) + total[key]
    return sums


def compared(visit: Visit, hours: Sequence[Mapping[str, Any]], midnight: datetime) -> Html:
    """Energy and sessions of the full hours of today, and of the same hours of yesterday."""
    words, now = visit.words, visit.now()
    until = now.hour
    rows = []
    for key, name in (("energy_wh", "energy"), ("sessions", "sessions")):
        today = sum(one or 0 for one in by_hour(visit, hours, key, midnight)[:until])
        before = sum(one or 0 for one in by_hour(visit, hours, key, midnight - HOUR)[:until])
        rows.append(_comparison(words, name, today, before))
    title = words["today_until"].format(t=f"{until:02}:00")
    return panel(title, tag("div", joined(rows), cls="figures"), right=words["against_yesterday"])


def _comparison(words: dict[str, str], name: str, today: int, before: int) -> Html:
    def shown(number: int) -> tuple[str, str]:
        return energy(number) if name == "energy" else (grouped(number), "")

    arrow = "→" if today == before else "↑" if today > before else "↓"
    change = f"{arrow} {(today - before) / before:+.0%} · " if before else ""
    value = tag(
        "div",
        tag("span", shown(today)[0], cls="number"),
        tag("span", shown(today)[1], cls="unit"),
        cls="value",
    )
    below = tag("div", change, words["yesterday"], " ", " ".join(shown(before)).strip(), cls="below")
    return tag("div", tag("div", words[name], cls="name"), value, below, cls="figure")


def alarm_panel(visit: Visit, answer: Any) -> Html:
    """What is wrong now."""
    words = visit.words
    if answer is None or isinstance(answer, Refused):
        return panel(words["alarms"], not_there(answer, words) or empty(words["not_offered"]))
    rows = [
        tag(
            "li",
            state_mark(one["severity"], words),
            " ",
            words.get(f"alarm_{one['kind']}", one["kind"]),
            " · ",
            one["subject"],
        )
        for one in answer["items"]
    ]
    return panel(
        words["alarms"], tag("ul", joined(rows), cls="plain-list") if rows else empty(words["no_alarms"])
    )


def city_panel(visit: Visit, answer: Any) -> Html:
    """Whether cities get what they are owed."""
    words = visit.words
    missing = not_there(answer, words)
    if missing is not None:
        return panel(words["city_delivery"], missing)
    rows = [tag("li", _city(visit, one)) for one in answer["items"]]
    made: Content = (
        tag("ul", joined(rows), cls="plain-list")
        if rows
        else empty(words["no_platforms"], words["no_platforms_do"])
    )
    return panel(words["city_delivery"], made)


def _city(visit: Visit, one: Mapping[str, Any]) -> Html:
    words = visit.words
    state = "paused" if one["paused"] else "dead" if one["dead"] else "good"
    text = {"paused": "paused", "dead": "needs_attention", "good": "in_order"}[state]
    counts = f"{grouped(one['waiting'])} {words['waiting']} · {grouped(one['dead'])} {words['dead']}"
    contact = ago(words, visit.local(one["last_contact_at"]), visit.now())
    name = tag("a", one["name"], href=f"/city/{one['name']}")
    mark = state_mark(state, {state: words[text]})
    return joined((name, " ", mark, " ", tag("span", f"{counts} · {contact}", cls="quiet")))


def _power(visit: Visit, hours: Sequence[Mapping[str, Any]], midnight: datetime) -> list[Series]:
    return _both(visit, hours, midnight, "energy_wh", 1000)


def _sessions(visit: Visit, hours: Sequence[Mapping[str, Any]], midnight: datetime) -> list[Series]:
    return [one._replace(kind="bar") for one in _both(visit, hours, midnight, "sessions", 1)]


def _both(
    visit: Visit, hours: Sequence[Mapping[str, Any]], midnight: datetime, key: str, by: int
) -> list[Series]:
    made = []
    for name, day in (("today", midnight), ("yesterday", midnight - HOUR)):
        values = by_hour(visit, hours, key, day)
        points = [(f"{hour:02}", None if value is None else value / by) for hour, value in enumerate(values)]
        made.append(Series(visit.words[name], points, step=True))
    return made
