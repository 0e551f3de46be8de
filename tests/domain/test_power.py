"""Peak power of a session and of a site, from power readings and, without them, from energy."""

from datetime import timedelta

from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.power import POWER, Drawn, evenly, measured, peak, session_peak
from tests.domain.test_timeline import at, span


def watts(minute: float, value: int | None, phase: str = "", location: str = "") -> Reading:
    """A power reading."""
    return Reading(at(minute), POWER, None if value is None else value * 1000, phase, location)


def register(minute: float, wh: int) -> Reading:
    """An energy register reading."""
    return Reading(at(minute), ENERGY_IMPORT_REGISTER, wh * 1000)


def test_power_holds_until_the_next_reading() -> None:
    """For a quarter of an hour at most, and not past the session's end."""
    found = measured(
        [watts(5, 7000), watts(0, 3000), watts(40, 2000), watts(41, 9, location="inlet")], at(45)
    )

    assert found == [Drawn(span(0, 5), 3000), Drawn(span(5, 20), 7000), Drawn(span(40, 45), 2000)]
    assert measured([], at(5)) == []
    assert measured([watts(9, 5)], at(5)) == []


def test_phases_are_added_where_there_is_no_total() -> None:
    """A value without phase is the total; an unreadable one says nothing."""
    phases = [watts(0, 1000, "l1"), watts(0, 2000, "l2"), watts(0, None, "l3")]

    assert [drawn.watts for drawn in measured(phases, at(1))] == [3000]
    assert [drawn.watts for drawn in measured([*phases, watts(0, 3100)], at(1))] == [3100]


def test_the_peak_is_of_one_moment() -> None:
    """Two sessions after one another are no sum; what lies outside the window does not count."""
    one, two = Drawn(span(0, 10), 7000), Drawn(span(10, 20), 5000)
    third = Drawn(span(5, 15), 1000)

    assert peak([one, two], span(0, 60)) == 7000
    assert peak([one, two, third], span(0, 60)) == 8000
    assert peak([one, two, third], span(10, 60)) == 6000
    assert peak([one], span(10, 60)) == peak([], span(0, 60)) == 0


def test_a_sessions_peak_by_the_best_that_is_known() -> None:
    """Power, else the steepest interval of the register, else the mean."""
    session = span(0, 60)
    registers = [register(0, 0), register(10, 1000), register(10.1, 1200), register(60, 3000)]

    assert session_peak([watts(3, 7400), *registers], 3000, session) == 7400
    assert session_peak(registers, 3000, session) == 6000
    assert session_peak([], 3000, session) == 3000
    assert session_peak([], None, session) is None
    assert session_peak([], 10, span(0, 0)) is None
    assert evenly(500, span(0, 0)).watts == 0


def test_a_reset_register_gives_no_power() -> None:
    """What falls is left out."""
    assert session_peak([register(0, 5000), register(10, 0)], 100, span(0, 60)) == 100
    assert evenly(100, span(0, 60)) == Drawn(span(0, 60), 100)
    assert timedelta(0) == span(3, 1).length
