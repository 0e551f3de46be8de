"""The prices of a place from today on, as days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.price_days import PriceDays, price_days
from csms.domain.tariff import Tariff
from csms.domain.tariff_book import Assignment, TariffBook, Valid, Version, Where, places
from tests.domain.prices import BEIJING, SHANGHAI, ZONES, band, tariffs

NOON = datetime(2026, 6, 10, 4, tzinfo=UTC)  # 12:00 in China
DAY = timedelta(days=1)
FLAT = Tariff((band(0),))
HERE = Where(1, 2)
SITE, OPERATOR = places(HERE)


def version(number: int, tariff: Tariff, since: datetime, until: datetime | None = None) -> Version:
    return Version(number, number, f"T{number}", 1, since, until, tariff)


def test_until_further_notice() -> None:
    """One that has no end has no last day, and none is told of the past."""
    (valid,) = TariffBook([version(1, FLAT, NOON - DAY)], [Assignment(1, 1, 1, SITE, NOON - DAY)]).coming(
        HERE, NOON
    )
    assert valid == Valid(NOON, None, version(1, FLAT, NOON - DAY))
    assert price_days([valid], NOON, SHANGHAI) == [PriceDays(date(2026, 6, 10), None, FLAT.bands)]


def test_seasons_are_told_a_year_ahead() -> None:
    """Each run of days with its bands."""
    found = price_days([Valid(NOON - DAY, None, version(1, BEIJING, NOON))], NOON, SHANGHAI)

    assert [(one.first, one.last) for one in found] == [
        (date(2026, 6, 10), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 8, 31)),
        (date(2026, 9, 1), date(2027, 6, 10)),
    ]
    assert [one.bands for one in found] == [BEIJING.bands, BEIJING.seasons[0].bands, BEIJING.bands]


def test_what_is_decided_already() -> None:
    """The site's tariff from a day on, until it ends and the operator's applies again; then nothing."""
    ends = NOON + 20 * DAY
    book = TariffBook(
        [version(1, FLAT, NOON - DAY, ends), version(2, BEIJING, NOON - DAY, NOON + 9 * DAY)],
        [Assignment(1, 1, 1, OPERATOR, NOON - DAY), Assignment(2, 2, 1, SITE, NOON + 5 * DAY)],
    )

    found = book.coming(HERE, NOON)

    assert [(one.start, one.end, one.version.version_id) for one in found] == [
        (NOON, NOON + 5 * DAY, 1),
        (NOON + 5 * DAY, NOON + 9 * DAY, 2),
        (NOON + 9 * DAY, ends, 1),
    ]
    assert [(one.first.day, one.last and one.last.day) for one in price_days(found, NOON, SHANGHAI)] == [
        (10, 15),
        (15, 19),
        (19, 30),
    ]
    assert book.coming(HERE, ends) == []


@given(tariffs(), st.integers(0, 400), st.sampled_from(ZONES))
def test_every_day_has_its_bands(tariff: Tariff, ahead: int, name: str) -> None:
    """On whatever day somebody looks, the bands told for it are those a session would be priced with."""
    local = ZoneInfo(name)
    today = NOON.astimezone(local).date()
    found = price_days([Valid(NOON, None, version(1, tariff, NOON))], NOON, local)

    day = today + ahead * DAY
    there = [one for one in found if one.first <= day and (one.last is None or day <= one.last)]
    if there or ahead <= 365:
        assert [one.bands for one in there] == [tariff.bands_on(day)]
