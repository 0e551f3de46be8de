"""A day of prices as a picture."""

from csms.console.pages.tariff_picture import day_picture, day_pictures, minutes
from csms.console.texts import TEXTS
from tests.console.kit import HOSTILE

BANDS = [
    {"start": "00:00", "period": "valley", "elec_price": "0.4139", "service_price": "0.8000"},
    {"start": "10:30", "period": "peak", "elec_price": "1.1907", "service_price": "0.8000"},
]


def test_a_day() -> None:
    """Each band as wide as it lasts, named, with its price; the same as a table and in words."""
    made = day_picture(BANDS, TEXTS["en"], "CNY")

    assert minutes("10:30") == 630
    assert "flex: 0.4375 0 0" in made
    assert "flex: 0.5625 0 0" in made
    assert 'aria-label="00:00 valley 0.4139, 10:30 peak 1.1907"' in made
    assert "<table" in made


def test_days_that_are_being_written() -> None:
    """In order; what is no time of day yet is left out, and markup stays text."""
    odd = [{**BANDS[0], "start": start} for start in ("", "9", "25:00", "1²:00", HOSTILE)]
    season = {"name": HOSTILE, "first": "07-01", "last": "08-31", "bands": BANDS[:1]}

    made = day_pictures([*reversed(BANDS), *odd], [season], TEXTS["en"], "CNY")

    assert made is not None
    assert 'aria-label="00:00 valley 0.4139, 10:30 peak 1.1907"' in made
    assert "Otherwise" in made
    assert "<img" not in made
    assert day_pictures(odd, [], TEXTS["en"], "CNY") is None
