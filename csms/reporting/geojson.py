"""Polygons out of a GeoJSON file (RFC 7946, WGS-84): for what area a figure is asked. No other geometry."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from csms.domain.geodesy import Polygon, Position
from csms.errors import InvalidInput

MOST_BYTES = 16 * 1_048_576


def polygons_of(file: Path) -> list[Polygon]:
    """Every polygon of the file. Raises InvalidInput saying what is wrong."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{file}: larger than {MOST_BYTES} bytes")
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise InvalidInput(f"{file}: cannot be read as GeoJSON: {exc}") from exc
    try:
        found = list(_polygons(content))
    except (KeyError, TypeError, ValueError, IndexError) as exc:
        raise InvalidInput(f"{file}: not GeoJSON: {exc!r}") from exc
    if not found:
        raise InvalidInput(f"{file}: has no Polygon or MultiPolygon")
    return found


def _polygons(node: Any) -> Iterator[Polygon]:
    kind = node["type"]
    if kind == "FeatureCollection":
        for feature in node["features"]:
            yield from _polygons(feature)
    elif kind == "Feature":
        yield from _polygons(node["geometry"])
    elif kind == "GeometryCollection":
        for geometry in node["geometries"]:
            yield from _polygons(geometry)
    elif kind == "Polygon":
        yield _polygon(node["coordinates"])
    elif kind == "MultiPolygon":
        yield from map(_polygon, node["coordinates"])


def _polygon(rings: Any) -> Polygon:
    made = [[_position(point) for point in ring] for ring in rings]
    if not made or any(len(ring) < 4 for ring in made):
        raise ValueError("a ring has fewer than four positions")
    return made


def _position(point: Any) -> Position:
    longitude, latitude = float(point[0]), float(point[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError(f"{point[:2]} is no longitude and latitude")
    return Position(latitude, longitude)
