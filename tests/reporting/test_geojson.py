"""Polygons out of GeoJSON, and what is said of other files."""

import json
from pathlib import Path
from typing import Any

import pytest

from csms.errors import InvalidInput
from csms.reporting.geojson import polygons_of

RING = [[116.0, 39.0], [116.1, 39.0], [116.1, 39.1], [116.0, 39.0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


def file_of(tmp_path: Path, content: Any) -> Path:
    """A file with this content."""
    file = tmp_path / "area.geojson"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (POLYGON, 1),
        ({"type": "Feature", "geometry": POLYGON}, 1),
        ({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": POLYGON}] * 2}, 2),
        ({"type": "MultiPolygon", "coordinates": [[RING], [RING, RING]]}, 2),
        ({"type": "GeometryCollection", "geometries": [POLYGON, {"type": "Point"}]}, 1),
    ],
)
def test_every_polygon_is_found(tmp_path: Path, content: Any, count: int) -> None:
    """Longitude comes first in the file, latitude in a position."""
    found = polygons_of(file_of(tmp_path, content))

    assert len(found) == count
    assert found[0][0][1] == (39.0, 116.1)


@pytest.mark.parametrize(
    "content",
    ["no json", [], {}, {"type": "Point"}, {"type": "Polygon", "coordinates": [RING[:2]]},
     {"type": "Polygon", "coordinates": [[[39.0, 116.0]] * 4]}, {"type": "Polygon"}],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, content: Any) -> None:
    """The message names the file."""
    with pytest.raises(InvalidInput, match=r"area\.geojson"):
        polygons_of(file_of(tmp_path, content))
    with pytest.raises(InvalidInput, match="cannot be read"):
        polygons_of(tmp_path / "none.geojson")
