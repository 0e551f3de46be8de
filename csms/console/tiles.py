"""A ground of tiles for the map: web Mercator, which tiles cover a picture, and where each one lies. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan, cos, degrees, floor, log, pi, radians, sinh, tan
from typing import Any, NamedTuple

from csms.console.markup import Html, joined, tag

TILE = 256
DEEPEST = 18  # most servers draw no nearer
NEAREST_FIT = 15  # one site alone is shown with the streets about it
LATITUDE = 85.05  # web Mercator ends here


@dataclass(frozen=True, slots=True)
class Tiles:
    """Where tiles come from. `url` has {z}, {x} and {y}; `policy`: the Content-Security-Policy of the page
    that shows them."""

    url: str
    attribution: str
    policy: str

    def at(self, zoom: int, x: int, y: int) -> str:
        """The address of one tile."""
        return self.url.replace("{z}", str(zoom)).replace("{x}", str(x)).replace("{y}", str(y))


def world(latitude: float, longitude: float, zoom: int) -> tuple[float, float]:
    """A place in points of the whole world at this zoom, from the upper left corner."""
    size = TILE * 2.0**zoom
    north = radians(max(-LATITUDE, min(LATITUDE, latitude)))
    return (longitude + 180) / 360 * size, (1 - log(tan(north) + 1 / cos(north)) / pi) / 2 * size


def place(x: float, y: float, zoom: int) -> tuple[float, float]:
    """Latitude and longitude of a point of the world."""
    size = TILE * 2.0**zoom
    return degrees(atan(sinh(pi * (1 - 2 * y / size)))), x / size * 360 - 180


class View(NamedTuple):
    """What of the world the picture shows. `left`, `top`: its corner, in points of the world at `zoom`."""

    zoom: int
    left: float
    top: float
    wide: float
    high: float

    def point(self, latitude: float, longitude: float) -> tuple[float, float]:
        """x and y of a place in the picture."""
        x, y = world(latitude, longitude, self.zoom)
        return x - self.left, y - self.top

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is in the picture."""
        return 0 <= x <= self.wide and 0 <= y <= self.high

    @property
    def middle(self) -> tuple[float, float]:
        """Latitude and longitude of the middle."""
        return place(self.left + self.wide / 2, self.top + self.high / 2, self.zoom)

    def moved(self, right: float, down: float) -> tuple[float, float]:
        """The middle after a move by these parts of the picture."""
        x = self.left + self.wide * (0.5 + right)
        y = min(max(self.top + self.high * (0.5 + down), 0.0), TILE * 2.0**self.zoom)
        return place(x, y, self.zoom)


def about(latitude: float, longitude: float, zoom: int, wide: float, high: float) -> View:
    """The view with this place in its middle."""
    zoom = max(1, min(DEEPEST, zoom))
    x, y = world(latitude, longitude, zoom)
    return View(zoom, x - wide / 2, y - high / 2, wide, high)


def fitting(placed: Sequence[Mapping[str, Any]], wide: float, high: float, edge: float) -> View:
    """The nearest view that has all sites in it."""
    south, north = (f(one["latitude"] for one in placed) for f in (min, max))
    west, east = (f(one["longitude"] for one in placed) for f in (min, max))
    zoom = NEAREST_FIT
    while zoom > 1:
        left, top = world(north, west, zoom)
        right, bottom = world(south, east, zoom)
        if right - left <= wide - 2 * edge and bottom - top <= high - 2 * edge:
            break
        zoom -= 1
    left, top = world(north, west, zoom)
    right, bottom = world(south, east, zoom)
    return View(zoom, (left + right - wide) / 2, (top + bottom - high) / 2, wide, high)


def ground(view: View, tiles: Tiles) -> Html:
    """The tiles under a picture. Round the world they begin again; above and below it there are none."""
    many = 2**view.zoom
    columns = range(floor(view.left / TILE), floor((view.left + view.wide) / TILE) + 1)
    rows = range(max(0, floor(view.top / TILE)), min(many - 1, floor((view.top + view.high) / TILE)) + 1)
    made = (
        tag(
            "image",
            href=tiles.at(view.zoom, x % many, y),
            x=f"{x * TILE - view.left:.1f}",
            y=f"{y * TILE - view.top:.1f}",
            width=TILE,
            height=TILE,
        )
        for y in rows
        for x in columns
    )
    return tag("g", joined(made), cls="tiles", aria_hidden="true")
