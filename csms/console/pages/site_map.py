"""Map: where sites are and how their stations fare. On tiles where a server of them is configured; else on
plain coordinates with distance rings, which need no map server.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import cos, hypot, radians
from typing import Any, NamedTuple
from urllib.parse import quote

from csms.console.frame import page_head
from csms.console.listing import Column, Listing, listing, panel
from csms.console.markup import Html, joined, tag
from csms.console.notices import empty
from csms.console.symbols import STATES, symbol
from csms.console.texts import grouped
from csms.console.tiles import DEEPEST, View, about, fitting, ground
from csms.console.visit import Visit
from csms.store.status import SiteCells, Status

WIDTH, HEIGHT, EDGE = 1000.0, 620.0, 70.0
KM_PER_DEGREE = 111.32
NEAR = 46.0  # sites nearer to each other than this many points are drawn as one
RINGS_KM = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
FRESH_S = 5.0


class Spot(NamedTuple):
    """One or several sites at a place of the picture. `states` counts charging stations."""

    x: float
    y: float
    codes: tuple[str, ...]
    names: tuple[str, ...]
    states: Counter[str]

    @property
    def worst(self) -> str:
        """The state that someone looks for first."""
        return next((state for state in STATES if self.states[state]), "none")


async def build(visit: Visit) -> None:
    """The picture, and the same as a table."""
    words = visit.words
    sites = (await visit.desk.get("/sites"))["items"]
    visit.html(page_head(words["page_map"]))
    block = visit.html("", cls="stack")

    async def refresh() -> None:
        seen = await visit.status()
        if seen.status is not None:
            block.content = picture(visit, sites, seen.status)

    await refresh()
    visit.every(FRESH_S, refresh)


def picture(visit: Visit, sites: Sequence[Mapping[str, Any]], status: Status) -> Html:
    """Everything that changes."""
    words = visit.words
    placed = [one for one in sites if one["latitude"] is not None and one["longitude"] is not None]
    cells = {one.code: one for one in status.sites}
    nowhere = empty(words["no_places"], words["no_places_do"])
    drawn = _drawn(visit, placed, cells) if placed else nowhere
    missing = len(sites) - len(placed)
    note = tag("p", words["sites_without_place"].format(n=grouped(missing)), cls="quiet") if missing else ""
    return joined((panel("", _legend(status, words), drawn, note), panel("", _table(sites, cells, words))))


def _legend(status: Status, words: dict[str, str]) -> Html:
    counts = Counter(cell.state for site in status.sites for cell in site.cells)
    made = (tag("li", symbol(one), tag("span", words[one]), tag("b", grouped(counts[one]))) for one in STATES)
    return tag("ul", joined(made), cls="legend")


class Plane(NamedTuple):
    """How coordinates become points: equirectangular about the middle, the same scale both ways."""

    latitude: float
    longitude: float
    points_per_km: float

    def point(self, latitude: float, longitude: float) -> tuple[float, float]:
        """x and y of a place."""
        east = (longitude - self.longitude) * KM_PER_DEGREE * cos(radians(self.latitude))
        north = (latitude - self.latitude) * KM_PER_DEGREE
        return WIDTH / 2 + east * self.points_per_km, HEIGHT / 2 - north * self.points_per_km


def plane_of(placed: Sequence[Mapping[str, Any]]) -> Plane:
    """The plane in which all sites fit."""
    latitudes = [one["latitude"] for one in placed]
    longitudes = [one["longitude"] for one in placed]
    middle = (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2
    high = (max(latitudes) - min(latitudes)) * KM_PER_DEGREE
    wide = (max(longitudes) - min(longitudes)) * KM_PER_DEGREE * cos(radians(middle[0]))
    # One site alone, or all at one place: two kilometres about it.
    per_km = min((WIDTH - 2 * EDGE) / max(wide, 2.0), (HEIGHT - 2 * EDGE) / max(high, 2.0))
    return Plane(*middle, per_km)


def spots_of(
    placed: Sequence[Mapping[str, Any]], cells: Mapping[str, SiteCells], plane: Plane | View
) -> list[Spot]:
    """Sites as spots; those too near to be told apart are one."""
    spots: list[Spot] = []
    for one in placed:
        x, y = plane.point(one["latitude"], one["longitude"])
        site = cells.get(one["code"])
        states = Counter(cell.state for cell in site.cells) if site else Counter()
        mine = Spot(x, y, (one["code"],), (one["name"] or one["code"],), states)
        near = next((n for n, spot in enumerate(spots) if hypot(spot.x - x, spot.y - y) < NEAR), None)
        if near is None:
            spots.append(mine)
        else:
            old = spots[near]
            spots[near] = Spot(
                old.x, old.y, old.codes + mine.codes, old.names + mine.names, old.states + states
            )
    return spots


def _drawn(visit: Visit, placed: Sequence[Mapping[str, Any]], cells: Mapping[str, SiteCells]) -> Html:
    if visit.tiles is None:
        plane = plane_of(placed)
        return _svg(_rings(plane), spots_of(placed, cells, plane), visit.words)
    view = view_of(visit.query, placed)
    spots = [spot for spot in spots_of(placed, cells, view) if view.holds(spot.x, spot.y)]
    drawn = _svg(ground(view, visit.tiles), spots, visit.words)
    credit = tag("p", visit.tiles.attribution, cls="quiet") if visit.tiles.attribution else ""
    return joined((_ways(visit, view), drawn, credit))


def view_of(query: Mapping[str, str], placed: Sequence[Mapping[str, Any]]) -> View:
    """The view that the address names, else one that has all sites in it."""
    latitude, _, longitude = query.get("at", "").partition(",")
    try:
        place = float(latitude), float(longitude)
        zoom = int(query["zoom"])
    except (ValueError, KeyError):
        return fitting(placed, WIDTH, HEIGHT, EDGE)
    if not (abs(place[0]) <= 90 and abs(place[1]) <= 540):
        return fitting(placed, WIDTH, HEIGHT, EDGE)
    return about(*place, zoom, WIDTH, HEIGHT)


MOVES = (("←", -0.4, 0.0), ("↑", 0.0, -0.4), ("↓", 0.0, 0.4), ("→", 0.4, 0.0))


def _ways(visit: Visit, view: View) -> Html:
    """Nearer, farther, to a side, all: each is an address, so a view can be shared."""
    words = visit.words
    links = [
        _way(visit, "+", words["map_nearer"], view.middle, view.zoom + 1),
        _way(visit, "−", words["map_farther"], view.middle, view.zoom - 1),
        *(_way(visit, sign, words[f"map_{sign}"], view.moved(x, y), view.zoom) for sign, x, y in MOVES),
        tag("a", words["map_all"], href=visit.link(at=None, zoom=None), cls="button"),
    ]
    return tag("nav", joined(links), cls="filters", aria_label=words["map_view"])


def _way(visit: Visit, sign: str, name: str, middle: tuple[float, float], zoom: int) -> Html:
    href = visit.link(at=f"{middle[0]:.5f},{middle[1]:.5f}", zoom=max(1, min(DEEPEST, zoom)))
    return tag("a", sign, href=href, cls="button", title=name, aria_label=name)


def _svg(below: Html, spots: Sequence[Spot], words: dict[str, str]) -> Html:
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    label = words["page_map"]
    made = joined(_spot(one, words) for one in spots)
    drawn = tag("svg", below, made, cls="map", viewBox=box, role="group", aria_label=label)
    return tag("div", drawn, cls="scroll", role="region", tabindex=0, aria_label=label)


def _rings(plane: Plane) -> Html:
    made = []
    for km in RINGS_KM:
        radius = km * plane.points_per_km
        if 60 < radius < WIDTH / 2:
            x, y = f"{WIDTH / 2:g}", f"{HEIGHT / 2:g}"
            made.append(tag("circle", cx=x, cy=y, r=f"{radius:.1f}", cls="ring"))
            made.append(tag("text", f"{km:g} km", x=x, y=f"{HEIGHT / 2 - radius + 16:.1f}"))
    return joined(made[-8:])


def _spot(spot: Spot, words: dict[str, str]) -> Html:
    name = spot.names[0] if len(spot.codes) == 1 else words["n_sites"].format(n=grouped(len(spot.codes)))
    total = spot.states.total()
    counts = ", ".join(f"{spot.states[one]} {words[one]}" for one in STATES if spot.states[one])
    # It begins with what is to be seen, so that who speaks to the browser can say it.
    label = f"{name} {grouped(total)}: {counts or words['no_stations']}"
    left, top = spot.x, spot.y
    shape = tag("use", href=f"#s-{spot.worst}", x=f"{left - 8:.1f}", y=f"{top - 14:.1f}", width=16, height=16)
    parts = (
        tag("title", "、".join(spot.names[:8]) + " · " + (counts or "0")),
        tag("circle", cx=f"{left:.1f}", cy=f"{top:.1f}", r=20, cls="spot"),
        tag("g", shape, cls=f"sym {spot.worst}"),
        tag("text", name, x=f"{left:.1f}", y=f"{top + 36:.1f}", **{"text-anchor": "middle"}),
        tag("text", grouped(total), x=f"{left:.1f}", y=f"{top + 15:.1f}", **{"text-anchor": "middle"}),
    )
    href = f"/stations?site={quote(spot.codes[0])}" if len(spot.codes) == 1 else "#sites"
    return tag("a", *parts, href=href, aria_label=label)


def _table(sites: Sequence[Mapping[str, Any]], cells: Mapping[str, SiteCells], words: dict[str, str]) -> Html:
    columns = (
        Column(words["site"], "text", lambda one: one["name"] or one["code"]),
        Column(words["online"], "num", lambda one: _share(cells.get(one["code"]))),
        Column(words["state"], "text", lambda one: _states(cells.get(one["code"]), words)),
        Column(words["place"], "num", lambda one: _place(one, words)),
    )
    made = Listing(
        words["sites"],
        empty(words["no_sites"], words["no_sites_do"]),
        lambda one: f"/stations?site={quote(one['code'])}",
    )
    return tag("div", listing(columns, sites, made), id="sites")


def _place(site: Mapping[str, Any], words: dict[str, str]) -> str:
    if site["latitude"] is None or site["longitude"] is None:
        return words["no_place"]
    return f"{site['latitude']:.4f}, {site['longitude']:.4f}"


def _share(site: SiteCells | None) -> str:
    return "0 / 0" if site is None else f"{grouped(site.online)} / {grouped(site.total)}"


def _states(site: SiteCells | None, words: dict[str, str]) -> Html:
    counts = Counter(cell.state for cell in site.cells) if site else Counter()
    made = (
        tag(
            "span",
            symbol(one),
            tag("span", words[one], cls="unseen"),
            grouped(counts[one]),
            cls="state",
            title=words[one],
        )
        for one in STATES
        if counts[one]
    )
    return joined(joined((one, " ")) for one in made)
