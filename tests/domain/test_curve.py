"""Lines of a chart: no peak is lost, gaps stay gaps, and there are never more points than were asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.curve import Line, Point, Sampled, lines, thinned

T0 = datetime(2026, 1, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POWER, SOC = "power.active.import", "soc"


def power(minute: float, value: int, **over: str | int) -> Sampled:
    fields = {"evse": 1, "measurand": POWER, "phase": "", "location": ""} | over
    return Sampled(at=T0 + minute * MINUTE, value=value, **fields)


def only(found: list[Line]) -> Line:
    (line,) = found
    return line


def test_few_readings_are_drawn_as_they_are() -> None:
    """In order of time, each instant once, whatever order they come in."""
    line = only(lines([power(2, 30), power(0, 10), power(1, 20), power(1, 99)], 50))

    assert line.points == (Point(T0, 10), Point(T0 + MINUTE, 20), Point(T0 + 2 * MINUTE, 30))
    assert (line.unit, line.read, line.step, line.gaps) == ("W", 3, MINUTE, 0)


@pytest.mark.parametrize("points", [50, 51, 300, 2000])
def test_extremes_and_ends_stay(points: int) -> None:
    """Ten thousand readings with one peak and one dip: both are drawn, exactly where they were."""
    readings = [power(n, 7_000_000 + n % 13) for n in range(10_000)]
    readings[4_321], readings[8_765] = power(4_321, 99_000_000), power(8_765, 1)

    line = only(lines(readings, points))

    assert len(line.points) <= points
    assert {Point(T0 + 4_321 * MINUTE, 99_000_000), Point(T0 + 8_765 * MINUTE, 1)} <= set(line.points)
    assert (line.points[0].at, line.points[-1].at) == (T0, T0 + 9_999 * MINUTE)
    assert list(line.points) == sorted(line.points)


def test_a_gap_is_told() -> None:
    """A point without a value where it begins; the usual step decides what is one."""
    line = only(lines([power(n, n) for n in (0, 1, 2, 30, 31)], 50))

    assert line.gaps == 1
    assert [(point.at - T0) // MINUTE for point in line.points] == [0, 1, 2, 2, 30, 31]
    assert line.points[3] == Point(T0 + 2 * MINUTE, None)


def test_slow_readings_are_no_gaps() -> None:
    """A station that tells something every quarter of an hour draws one line."""
    assert only(lines([power(15 * n, n) for n in range(9)], 50)).gaps == 0
    assert only(lines([power(15 * n, n) for n in (0, 1, 2, 3, 8)], 50)).gaps == 1


def test_one_line_for_each_phase_and_measurand() -> None:
    """In the order in which they are looked at; what nobody draws is left out."""
    found = lines(
        [
            power(0, 1, measurand=SOC, location="ev"),
            power(0, 2, phase="l2"),
            power(0, 3, phase="l1"),
            power(0, 4, evse=2),
            power(0, 5, measurand="frequency"),
        ]
    )

    assert [(line.evse, line.measurand, line.phase, line.location) for line in found] == [
        (1, POWER, "l1", ""),
        (1, POWER, "l2", ""),
        (1, SOC, "", "ev"),
        (2, POWER, "", ""),
    ]
    assert lines([]) == []
    assert found[0].step is None


def test_many_gaps_keep_the_bound() -> None:
    """A station that comes and goes all the time: at most the points asked for, and those of gaps."""
    readings = [power(60 * n + m, n) for n in range(400) for m in range(4)]
    line = only(lines(readings, 50))

    values = [point for point in line.points if point.value is not None]
    assert len(values) <= 2 * (line.gaps + 1)
    assert len(thinned([Point(T0, 1), Point(T0, 2), Point(T0, 3)], 2)) == 2
