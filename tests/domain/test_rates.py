"""Rates by both definitions, on figures small enough to check by hand."""

from datetime import timedelta

from csms.domain.rates import DEFINITIONS, Figures, minutes, own_rates, percent, share, shenzhen_rates
from csms.domain.timeline import Usage

MINUTE = timedelta(minutes=1)


def test_own_and_shenzhens_rates_of_one_day() -> None:
    """Two connectors of one station, a day: the definitions give different figures of the same thing."""
    usage = Usage(*(n * MINUTE for n in (720, 360, 1000, 80, 288, 144, 288)))
    figures = Figures(
        usage=usage,
        energy_wh=360_000,
        capacity_wh=2_880_000,
        sessions=1080 * MINUTE,
        equipment=1440 * MINUTE,
        records=40,
        fault_records=3,
    )

    own = own_rates(figures)

    assert own._asdict() == {
        "online_rate": 80.0,  # 2304 of 2880
        "fault_rate": 6.25,  # 144 of 2304
        "available_rate": 75.0,
        "time_use_rate": 25.0,
        "power_use_rate": 12.5,
    }
    assert shenzhen_rates(figures)._asdict() == {"time_use_rate": 75.0, "fault_rate": 7.5}


def test_nothing_to_divide_by() -> None:
    """Ours are undefined, Shenzhen's are 0; an unknown rated power leaves only its own rate out."""
    assert set(own_rates(Figures())) == {None}
    assert shenzhen_rates(Figures()) == (0.0, 0.0)
    unrated = own_rates(Figures(usage=Usage(charging=MINUTE), energy_wh=5, capacity_wh=None))
    assert (unrated.power_use_rate, unrated.time_use_rate, unrated.online_rate) == (None, 100.0, 100.0)


def test_halves_are_rounded_up() -> None:
    """Exactly, not as floats are."""
    assert share(1, 8, 0) == 13.0
    assert share(1, 3, 4) == 33.3333
    assert share(2, 3, 2) == 66.67
    assert percent(timedelta(microseconds=1), timedelta(days=366)) == 0.0
    assert minutes(timedelta(seconds=90, microseconds=500)) == 1.5


def test_every_rate_has_its_definition() -> None:
    """The labels that go with the figures."""
    assert list(DEFINITIONS["own"]) == list(own_rates(Figures())._fields)
    assert list(DEFINITIONS["shenzhen"]) == list(shenzhen_rates(Figures())._fields)
