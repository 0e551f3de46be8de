"""The form of a tariff's version: filled in, sent, complained about."""

from zoneinfo import ZoneInfo

from csms.api.tariff_forms import VERSION, VersionBody, version_view
from csms.console.pages.tariff_form import (
    body_of_version,
    days_of,
    fields_of,
    version_fields,
    with_row,
    with_season,
    without_season,
)
from csms.console.texts import TEXTS
from tests.console.kit import HOSTILE

ZONE = ZoneInfo("Asia/Shanghai")
BODY = VersionBody(**VERSION)
SHOWN = version_view(
    {"number": 1, "valid_from": BODY.valid_from, "valid_until": None, "tariff": BODY.tariff()}
)


def test_a_version_comes_back_as_it_was() -> None:
    """Bands, seasons and fees of a version are what its form sends."""
    fields = {**fields_of(SHOWN), "valid_from": "2026-01-01T00:00"}

    again = VersionBody(**body_of_version(fields, ZONE))

    assert again.tariff() == BODY.tariff()
    assert again.valid_from == BODY.valid_from
    assert again.parking_fee is None


def test_one_band_and_empty_rows() -> None:
    """A single row is no list in a form; rows in which nothing was entered are left out."""
    one = {"d0-start": "00:00", "d0-period": "flat", "d0-elec_price": " 1.2 ", "d0-service_price": "0.3"}
    band = {"start": "00:00", "period": "flat", "elec_price": "1.2", "service_price": "0.3"}

    assert body_of_version(one, ZONE)["bands"] == [band]
    assert body_of_version(with_row(one, 0), ZONE)["bands"] == [band]
    assert 'id="d0-start-1"' in version_fields(with_row(one, 0), {}, TEXTS["en"], "UTC")


def test_seasons_come_and_go() -> None:
    """A new one begins as the common day; those behind one that is dropped move up."""
    two = with_season(with_season(fields_of(SHOWN)))
    two |= {"d2-name": "b", "d3-name": "c"}
    left = without_season(two, 2)

    assert days_of(two) == 4
    assert days_of(left) == 3
    seasons = body_of_version(left, ZONE)["seasons"]
    assert [one["name"] for one in seasons] == ["summer", "c"]
    assert seasons[1]["bands"] == body_of_version(two, ZONE)["bands"]


def test_complaints_stand_beside_their_fields() -> None:
    """Of a band, a season, a fee, a time; values and complaints are text, whatever they hold."""
    problems = {
        "valid_from": "no time",
        "bands.1.elec_price": HOSTILE,
        "seasons.0.first": "no day",
        "idle_fee.cap": "no price",
    }
    made = version_fields({**fields_of(SHOWN), "d1-name": HOSTILE}, problems, TEXTS["en"], "UTC")

    assert 'id="t-valid_from-wrong">no time' in made
    assert 'id="d0-elec_price-1-wrong">&lt;img' in made
    assert 'id="t-d1-first-wrong">no day' in made
    assert 'id="t-idle_fee-cap-wrong">no price' in made
    assert made.count('aria-invalid="true"') == 4
    assert "<img" not in made
