"""Settings of platforms that are valid and yet bode ill."""

import pytest

from csms.config import PlatformSettings, ReportingSettings
from csms.reporting.precautions import doubts, strangers
from csms.store.database import Database
from csms.store.registry import Registry
from tests.store.given import OPERATOR, stations

SECRET = "0123456789abcdef"


def settings(lease_s: float = 60, **changes: object) -> ReportingSettings:
    values = {
        "name": "city", "profile": "beijing", "url": "https://city.example", "operator": OPERATOR,
        "operator_secret": SECRET, "data_secret": SECRET, "data_secret_iv": SECRET, "sig_secret": SECRET,
    }  # fmt: skip
    platform = PlatformSettings.model_validate(values | changes)
    return ReportingSettings(platforms=[platform], outbox_lease_s=lease_s)


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("https://city.example", 0),
        ("http://127.0.0.1:9100", 0),
        ("http://localhost/x", 0),
        ("http://[::1]/", 0),
        ("http://city.example", 1),
        ("http://10.0.0.1", 1),
    ],
)
def test_what_is_not_encrypted(url: str, count: int) -> None:
    """Over a network, that is."""
    assert len(doubts(settings(url=url))) == count


def test_a_lease_that_cuts_pushes_short() -> None:
    """A push has eight tenths of its lease, and takes half a minute at most."""
    assert doubts(settings(lease_s=37.5)) == []
    assert doubts(settings(lease_s=37)) == [
        "outbox_lease_s: 37 cuts pushes short that may take 30 s: use 37.5 or more"
    ]
    assert doubts(ReportingSettings(outbox_lease_s=1)) == []


async def test_operators_and_sites_nobody_entered(database: Database) -> None:
    """A misspelt code would tell nothing, in silence."""
    registry = Registry(database)
    await stations(database)

    assert await strangers(settings(sites=("S01",)), registry) == []
    assert await strangers(settings(sites=("S01", "S77")), registry) == [
        f"city: operator {OPERATOR} has no site S77"
    ]
    assert await strangers(settings(operator="NOBODY000"), registry) == [
        "city: there is no operator NOBODY000: nothing will be told"
    ]
    assert await strangers(ReportingSettings(), registry) == []
