"""Tiles: places become points and back; the tiles that cover a picture, each once."""

import re

import pytest

from csms.console.tiles import Tiles, about, fitting, ground, place, world

TILES = Tiles("https://t.example/{z}/{x}/{y}.png", "", "")


@pytest.mark.parametrize("where", [(0.0, 0.0), (39.9, 116.4), (-33.9, 151.2), (85.0, -179.9)])
def test_there_and_back(where: tuple[float, float]) -> None:
    """A place is where it was; the known corner of the known projection is where it is known to be."""
    assert place(*world(*where, 12), 12) == pytest.approx(where, abs=1e-6)
    assert world(0, -180, 0) == pytest.approx((0, 128))
    assert world(90, 0, 3)[1] == pytest.approx(0, abs=1)


def test_all_are_in_view() -> None:
    """As near as they fit, whatever lies between them; one alone is not shown from above its roof."""
    far = [{"latitude": 60.0, "longitude": 10.0}, {"latitude": -33.0, "longitude": 151.0}]
    near = [{"latitude": 39.9, "longitude": 116.4}]

    view = fitting(far, 1000, 620, 70)
    assert all(view.holds(*view.point(one["latitude"], one["longitude"])) for one in far)
    alone = fitting(near, 1000, 620, 70)
    assert alone.zoom == 15
    assert alone.point(39.9, 116.4) == pytest.approx((500, 310))
    assert alone.middle == pytest.approx((39.9, 116.4))


def test_the_ground() -> None:
    """Covers the picture without a gap; begins again round the world; none above it."""
    made = ground(about(39.9, 116.4, 12, 1000, 620), TILES)
    corners = [(float(x), float(y)) for x, y in re.findall(r' x="([-\d.]+)" y="([-\d.]+)"', made)]

    assert min(x for x, _ in corners) <= 0
    assert max(x for x, _ in corners) + 256 >= 1000
    assert max(y for _, y in corners) + 256 >= 620
    assert len(set(corners)) == len(corners) <= 24
    edge = ground(about(85, 179.9, 2, 1000, 620), TILES)
    assert "/2/0/0.png" in edge
    assert "/2/3/0.png" in edge
    assert "/-1.png" not in edge


def test_moves() -> None:
    """To the side by a part of the picture; over the pole goes nobody."""
    view = about(0, 0, 3, 1000, 620)

    assert view.moved(0.4, 0)[1] == pytest.approx(400 / (256 * 8) * 360)
    assert abs(about(85, 0, 1, 1000, 620).moved(0, -5)[0]) < 85.1
