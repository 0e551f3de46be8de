"""A tariff from JSON and back: nothing is rounded, what cannot be is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from csms.api.tariff_forms import BANDS, VERSION, VersionBody, VersionView, version_view
from csms.domain.tariff import Period
from csms.errors import InvalidInput


def test_there_and_back() -> None:
    """The example as it was sent, prices with four decimals."""
    tariff = VersionBody(**VERSION).tariff()
    since = datetime(2025, 12, 31, 16, tzinfo=UTC)

    shown = version_view({"number": 3, "valid_from": since, "valid_until": None, "tariff": tariff})

    assert shown["bands"] == BANDS
    assert shown["seasons"] == VERSION["seasons"]
    assert shown["idle_fee"] == VERSION["idle_fee"]
    assert (shown["parking_fee"], shown["number"], shown["valid_from"]) == (
        None,
        3,
        "2025-12-31T16:00:00.000Z",
    )
    assert VersionView(**shown).bands[0].period is Period.VALLEY
    assert tariff.bands[1].start == 7 * 60


@pytest.mark.parametrize(
    "change",
    [
        {"start": "24:00"},
        {"start": "7:00"},
        {"period": "cheap"},
        {"elec_price": 0.4139},
        {"elec_price": "0.41391"},
        {"elec_price": "-1"},
        {"service_price": "1e3"},
        {"price": "1"},
    ],
)
def test_a_band_that_cannot_be(change: dict[str, Any]) -> None:
    """A price is text: a JSON number may have been rounded on its way."""
    with pytest.raises(ValidationError):
        VersionBody(**VERSION | {"bands": [BANDS[0] | change]})


def test_what_only_the_whole_shows() -> None:
    """A day that does not begin at midnight, and a day no year has."""
    with pytest.raises(InvalidInput, match="bands: the first begins"):
        VersionBody(**VERSION | {"bands": BANDS[1:]}).tariff()
    season = VERSION["seasons"][0] | {"first": "02-30"}
    with pytest.raises(InvalidInput, match="seasons: there is no day 02-30"):
        VersionBody(**VERSION | {"seasons": [season]}).tariff()
