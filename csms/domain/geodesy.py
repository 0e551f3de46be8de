"""Positions: WGS-84 and the shifted GCJ-02 of Chinese maps, distances, areas, polygons. Pure.

Units are degrees and metres.

GCJ-02 is the published approximation everybody uses; inside it is within a metre of the official
transformation. Where it applies is the usual rectangle around China: a simplification at the borders.
"""

from collections.abc import Iterable, Sequence
from math import asin, cos, degrees, hypot, pi, radians, sin, sqrt
from typing import NamedTuple

EARTH_M = 6_371_008.8  # mean radius, for distances and areas
_AXIS_M = 6_378_245.0  # Krasovsky 1940, as GCJ-02 has it
_ECCENTRICITY = 0.006693421622965943


class Position(NamedTuple):
    """Degrees north and east."""

    latitude: float
    longitude: float


Ring = Sequence[Position]
Polygon = Sequence[Ring]  # the outer ring, then holes; closed or not


def is_shifted(at: Position) -> bool:
    """Whether GCJ-02 differs from WGS-84 here."""
    return 0.8293 <= at.latitude <= 55.8271 and 72.004 <= at.longitude <= 137.8347


def to_gcj02(at: Position) -> Position:
    """WGS-84 to GCJ-02; outside China nothing changes."""
    if not is_shifted(at):
        return at
    shift = _shift(at)
    return Position(at.latitude + shift.latitude, at.longitude + shift.longitude)


def to_wgs84(at: Position) -> Position:
    """GCJ-02 to WGS-84, to a millimetre: the position whose shift leads here."""
    if not is_shifted(at):
        return at
    guess = at
    for _ in range(8):  # each round is some thousand times nearer
        shift = _shift(guess)
        guess = Position(at.latitude - shift.latitude, at.longitude - shift.longitude)
    return guess


def _shift(at: Position) -> Position:
    x, y = at.longitude - 105.0, at.latitude - 35.0
    root = sqrt(abs(x))
    common = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    phi = radians(at.latitude)
    bend = 1 - _ECCENTRICITY * sin(phi) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY) / (bend * sqrt(bend))
    return Position(degrees(north / meridian), degrees(east / (_AXIS_M / sqrt(bend) * cos(phi))))


def distance_m(one: Position, other: Position) -> float:
    """Along the great circle."""
    north, east = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    chord = (
        sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    )
    return 2 * EARTH_M * asin(min(1.0, sqrt(chord)))


def contains(polygon: Polygon, at: Position) -> bool:
    """Whether `at` lies inside the outer ring and in no hole. Edges are straight in degrees."""
    return bool(polygon) and _inside(polygon[0], at) and not any(_inside(hole, at) for hole in polygon[1:])


def _inside(ring: Ring, at: Position) -> bool:
    is_inside = False
    before = ring[-1]
    for corner in ring:
        if (corner.latitude > at.latitude) != (before.latitude > at.latitude):
            along = (at.latitude - corner.latitude) / (before.latitude - corner.latitude)
            if at.longitude < corner.longitude + along * (before.longitude - corner.longitude):
                is_inside = not is_inside
        before = corner
    return is_inside


def area_m2(polygon: Polygon) -> float:
    """The outer ring's area without its holes, on the sphere."""
    return _ring_area(polygon[0]) - sum(map(_ring_area, polygon[1:]))


def _ring_area(ring: Ring) -> float:
    # Lambert's cylinder keeps areas: x = R·longitude, y = R·sin(latitude), then the shoelace.
    flat = [(radians(p.longitude), sin(radians(p.latitude))) for p in ring]
    pairs = zip(flat, [*flat[1:], flat[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2 * EARTH_M**2


def equal_share_radius_m(area: float, sites: int) -> float | None:
    """Radius of the circle each site would serve if all shared the area evenly. None: no site."""
    return sqrt(area / (sites * pi)) if sites else None


def mean_nearest_m(
    polygons: Sequence[Polygon], sites: Sequence[Position], points: int = 4000
) -> float | None:
    """Mean distance from a point inside to the nearest site, over a grid of some `points` points.

    None without a site or when no grid point lies inside.
    """
    grid = _grid(polygons, points)
    if not sites or not grid:
        return None
    nearest = _Nearest(sites)
    return sum(nearest.distance_m(at) for at in grid) / len(grid)


def _grid(polygons: Sequence[Polygon], points: int) -> list[Position]:
    """Points at even distances inside."""
    total = sum(map(area_m2, polygons))
    if total <= 0:
        return []
    step = degrees(sqrt(total / points) / EARTH_M)
    found: list[Position] = []
    for polygon in polygons:
        south, north, west, east = bounds(polygon[0])
        rows = int((north - south) / step) + 1
        for row in range(rows):
            latitude = south + (row + 0.5) * step
            across = step / max(cos(radians(latitude)), 0.01)
            columns = (
                Position(latitude, west + (n + 0.5) * across) for n in range(int((east - west) / across) + 1)
            )
            found += [at for at in columns if contains(polygon, at)]
    return found


def bounds(ring: Iterable[Position]) -> tuple[float, float, float, float]:
    """South, north, west, east."""
    corners = list(ring)
    latitudes, longitudes = [p.latitude for p in corners], [p.longitude for p in corners]
    return min(latitudes), max(latitudes), min(longitudes), max(longitudes)


class _Nearest:
    """Sites in square cells of a local plane: the nearest one is in a ring of cells around the point."""

    def __init__(self, sites: Sequence[Position]) -> None:
        self._origin = sites[0]
        self._east = cos(radians(sum(p.latitude for p in sites) / len(sites)))
        flat = [self._flat(at) for at in sites]
        wide = max(
            max(x for x, _ in flat) - min(x for x, _ in flat),
            max(y for _, y in flat) - min(y for _, y in flat),
        )
        self._side = max(wide / max(sqrt(len(sites)), 1), 1.0)
        self._cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for x, y in flat:
            self._cells.setdefault((int(x // self._side), int(y // self._side)), []).append((x, y))
        columns, rows = [c for c, _ in self._cells], [r for _, r in self._cells]
        self._edges = min(columns), max(columns), min(rows), max(rows)

    def _flat(self, at: Position) -> tuple[float, float]:
        north = radians(at.latitude - self._origin.latitude) * EARTH_M
        return radians(at.longitude - self._origin.longitude) * EARTH_M * self._east, north

    def distance_m(self, at: Position) -> float:
        x, y = self._flat(at)
        column, row = int(x // self._side), int(y // self._side)
        west, east, south, north = self._edges
        # Outside the sites' own rectangle the search begins where their cells begin.
        ring = max(west - column, column - east, south - row, row - north, 0)
        best = float("inf")
        while best > (ring - 1) * self._side or best == float("inf"):
            for cell in self._ring_of(column, row, ring):
                for at_x, at_y in self._cells.get(cell, ()):
                    best = min(best, hypot(at_x - x, at_y - y))
            ring += 1
        return best

    def _ring_of(self, column: int, row: int, ring: int) -> Iterable[tuple[int, int]]:
        """Cells at this distance that can hold a site."""
        west, east, south, north = self._edges
        columns = range(max(west, column - ring), min(east, column + ring) + 1)
        rows = range(max(south, row - ring + 1), min(north, row + ring - 1) + 1)
        for across in {row - ring, row + ring}:
            if south <= across <= north:
                yield from ((n, across) for n in columns)
        for up in {column - ring, column + ring}:
            if west <= up <= east:
                yield from ((up, n) for n in rows)
