"""Positions against published points and against plain geometry."""

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.geodesy import (
    EARTH_M,
    Position,
    area_m2,
    contains,
    distance_m,
    equal_share_radius_m,
    is_shifted,
    mean_nearest_m,
    to_gcj02,
    to_wgs84,
)

# WGS-84 and GCJ-02 of three places, as public converters publish them for their own tests.
KNOWN = [
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
]
INSIDE = st.builds(Position, st.floats(18, 53), st.floats(74, 134))
ANYWHERE = st.builds(Position, st.floats(-89, 89), st.floats(-180, 180))
SQUARE = [Position(39.0, 116.0), Position(39.0, 116.1), Position(39.1, 116.1), Position(39.1, 116.0)]
HOLE = [Position(39.04, 116.04), Position(39.04, 116.06), Position(39.06, 116.06), Position(39.06, 116.04)]


@pytest.mark.parametrize(("wgs", "gcj"), KNOWN)
def test_known_points(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    """Both ways, to the millimetre."""
    assert distance_m(to_gcj02(Position(*wgs)), Position(*gcj)) < 0.001
    assert distance_m(to_wgs84(Position(*gcj)), Position(*wgs)) < 0.001


@given(INSIDE)
def test_there_and_back(at: Position) -> None:
    """A round trip moves nothing by a metre, and the shift is some hundred metres."""
    shifted = to_gcj02(at)

    assert distance_m(to_wgs84(shifted), at) < 1
    assert 0 < distance_m(shifted, at) < 2_000


@given(ANYWHERE)
def test_outside_china_nothing_changes(at: Position) -> None:
    """The rest of the world has no shift."""
    if not is_shifted(at):
        assert to_gcj02(at) == at == to_wgs84(at)


def test_distances() -> None:
    """A degree of a meridian, and half the way round the earth."""
    assert distance_m(Position(0, 0), Position(1, 0)) == pytest.approx(EARTH_M * pi / 180)
    assert distance_m(Position(0, 0), Position(0, 180)) == pytest.approx(EARTH_M * pi)


@given(ANYWHERE, ANYWHERE)
def test_distance_is_the_same_both_ways(one: Position, other: Position) -> None:
    """And never above half the earth's girth."""
    assert distance_m(one, other) == pytest.approx(distance_m(other, one), abs=1e-6)
    assert 0 <= distance_m(one, other) <= EARTH_M * pi + 1e-6


def test_points_in_a_polygon_with_a_hole() -> None:
    """Inside, in the hole, outside; whether the ring is closed does not matter."""
    for ring in (SQUARE, [*SQUARE, SQUARE[0]]):
        polygon = [ring, HOLE]
        assert contains(polygon, Position(39.02, 116.02))
        assert not contains(polygon, Position(39.05, 116.05))
        assert not contains(polygon, Position(39.2, 116.05))
    assert not contains([], Position(39.0, 116.0))


def test_area_of_a_square() -> None:
    """A tenth of a degree each way at 39 degrees north, on the sphere; the hole is a twenty-fifth."""
    north = EARTH_M * pi / 1800
    square = area_m2([SQUARE])

    assert square == pytest.approx(north * north * 0.7766, rel=1e-3)
    assert area_m2([[*SQUARE, SQUARE[0]]]) == pytest.approx(square)
    assert area_m2([SQUARE, HOLE]) == pytest.approx(square * 0.96, rel=1e-3)
    assert area_m2([SQUARE[::-1]]) == pytest.approx(square)


def test_radius_of_an_even_share() -> None:
    """The circle of each site's share; nobody's share has none."""
    assert equal_share_radius_m(pi * 100, 1) == pytest.approx(10)
    assert equal_share_radius_m(pi * 100, 4) == pytest.approx(5)
    assert equal_share_radius_m(100, 0) is None


def test_mean_nearest_distance_equals_the_long_way() -> None:
    """Cells find what a comparison with every site finds."""
    sites = [Position(39.0 + 0.013 * n % 0.1, 116.0 + 0.037 * n % 0.1) for n in range(40)]

    found = mean_nearest_m([[SQUARE]][0:1], sites, points=500)

    step = 0.1 / 60
    places = [Position(39 + (r + 0.5) * step, 116 + (c + 0.5) * step) for r in range(60) for c in range(60)]
    plain = sum(min(distance_m(at, site) for site in sites) for at in places) / len(places)
    assert found == pytest.approx(plain, rel=0.03)


def test_one_site_far_away_and_none() -> None:
    """The search reaches a site outside the area; without any there is no figure."""
    assert mean_nearest_m([[SQUARE]], [Position(40.05, 116.05)], points=100) == pytest.approx(
        distance_m(Position(39.05, 116.05), Position(40.05, 116.05)), rel=0.02
    )
    assert mean_nearest_m([[SQUARE]], []) is None
    assert mean_nearest_m([], [Position(40, 116)]) is None
