"""Bands, seasons and fees: what holds when, also where clocks are changed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.tariff import Band, Period, Season, Tariff, TimeFee, spans
from csms.errors import InvalidInput
from tests.domain.prices import BEIJING, SHANGHAI, band, tariffs, zones

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def local(*parts: int, zone: str = "Asia/Shanghai") -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type,misc]  # year, month, ...


def told(start: datetime, end: datetime, tariff: Tariff = BEIJING, zone: str = "Asia/Shanghai") -> list[str]:
    """`from-to period` by the wall clock."""
    here = ZoneInfo(zone)
    return [
        f"{span.start.astimezone(here):%H:%M}-{span.end.astimezone(here):%H:%M} {span.period}"
        for span in spans(tariff, start, end, here)
    ]


def test_a_day_is_split_at_its_bands() -> None:
    """A night in which the price stays the same is one span, also over midnight."""
    assert told(local(2026, 5, 4, 21, 30), local(2026, 5, 5, 11, 15)) == [
        "21:30-22:00 peak",
        "22:00-23:00 flat",
        "23:00-07:00 valley",
        "07:00-10:00 flat",
        "10:00-11:15 peak",
    ]


def test_a_season_has_bands_of_its_own() -> None:
    """Sharp hours in July and August; the season begins and ends at local midnight."""
    assert told(local(2026, 8, 31, 10), local(2026, 8, 31, 14)) == [
        "10:00-11:00 peak",
        "11:00-13:00 sharp",
        "13:00-14:00 flat",
    ]
    assert told(local(2026, 9, 1, 10), local(2026, 9, 1, 14)) == ["10:00-13:00 peak", "13:00-14:00 flat"]


def test_a_season_goes_over_new_year() -> None:
    """From December to January, both days included."""
    winter = Season("winter", (12, 20), (1, 10), (band(0, Period.SHARP),))
    assert [winter.has(day) for day in ((12, 19), (12, 20), (12, 31), (1, 1), (1, 10), (1, 11))] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_no_time_is_one_span() -> None:
    """A session that ended as it began has a price all the same."""
    (span,) = spans(BEIJING, local(2026, 5, 4, 10), local(2026, 5, 4, 10), SHANGHAI)
    assert (span.start, span.end, span.period) == (local(2026, 5, 4, 10), local(2026, 5, 4, 10), Period.PEAK)


def test_clocks_that_are_changed() -> None:
    """In Berlin 02:00-03:00 is left out in March, and comes twice in October."""
    tariff = Tariff((band(0, Period.VALLEY), band(150, Period.PEAK), band(200, Period.FLAT)))
    spring = told(
        local(2026, 3, 29, 1, zone="Europe/Berlin"),
        local(2026, 3, 29, 5, zone="Europe/Berlin"),
        tariff,
        "Europe/Berlin",
    )
    assert spring == ["01:00-03:00 valley", "03:00-03:20 peak", "03:20-05:00 flat"]
    autumn = told(
        local(2026, 10, 25, 1, zone="Europe/Berlin"),
        local(2026, 10, 25, 5, zone="Europe/Berlin"),
        tariff,
        "Europe/Berlin",
    )
    assert autumn == [
        "01:00-02:30 valley",
        "02:30-02:00 peak",
        "02:00-02:30 valley",
        "02:30-03:20 peak",
        "03:20-05:00 flat",
    ]


@given(tariffs(), zones(), st.integers(0, 8_760 * 60), st.integers(0, 6_000), st.integers(0, 10**6))
def test_the_price_is_that_of_the_wall_clock(
    tariff: Tariff, zone: ZoneInfo, minute: int, lasts: int, part: int
) -> None:
    """At every instant, in every zone; spans follow each other without a gap and differ in price."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    end = start + lasts * MINUTE

    made = spans(tariff, start, end, zone)

    assert (made[0].start, made[-1].end) == (start, end)
    for one, following in pairwise(made):
        assert one.end == following.start
        assert one[2:] != following[2:]
    for span in made:
        at = span.start + (span.end - span.start) * part / 1_000_001
        here = at.astimezone(zone)
        holds = [b for b in tariff.bands_on(here.date()) if b.start <= 60 * here.hour + here.minute][-1]
        assert span[2:] == (holds.period, holds.elec_price, holds.service_price)


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (lambda: Tariff(()), "bands: the first begins at 00:00"),
        (lambda: Tariff((band(60),)), "bands: the first begins at 00:00"),
        (lambda: Tariff((band(0), band(60), band(60))), "bands: each begins later"),
        (lambda: Tariff((band(0), band(1440))), "between 00:00 and 23:59"),
        (lambda: Tariff(tuple(band(n) for n in range(49))), "bands: 49, more than 48"),
        (lambda: Band(0, Period.FLAT, Decimal("0.00001"), Decimal(0)), "elec_price: it has more than 4"),
        (lambda: Band(0, Period.FLAT, Decimal(0), Decimal(-1)), "service_price: it is not from 0"),
        (lambda: Band(0, Period.FLAT, Decimal("NaN"), Decimal(0)), "elec_price: it is not from 0"),
        (lambda: Band(0, Period.FLAT, Decimal(10_000), Decimal(0)), "elec_price: it is not from 0"),
        (lambda: Season("s", (2, 30), (3, 1), (band(0),)), "there is no day 02-30"),
        (lambda: Season("s", (1, 1), (3, 1), ()), "bands: the first begins at 00:00"),
        (lambda: TimeFee(Decimal(1), -1), "free_minutes: it is negative"),
        (lambda: TimeFee(Decimal(1), 0, Decimal("-0.01")), "cap: it is not from 0"),
    ],
)
def test_what_cannot_be_is_refused(made: Any, problem: str) -> None:
    """By name, with what is wrong."""
    with pytest.raises(InvalidInput, match=problem):
        made()


def test_seasons_do_not_share_a_day() -> None:
    """Which of them would count?"""
    seasons = (
        Season("summer", (7, 1), (8, 31), (band(0),)),
        Season("late", (8, 31), (9, 30), (band(0),)),
    )
    with pytest.raises(InvalidInput, match="summer and late both have the day 08-31"):
        Tariff((band(0),), seasons)
    with pytest.raises(InvalidInput, match="13, more than 12"):
        Tariff((band(0),), tuple(Season(str(n), (1, n), (1, n), (band(0),)) for n in range(1, 14)))


def test_fees_for_time() -> None:
    """Full minutes beyond the free ones, to the fen, at most the cap."""
    fee = TimeFee(Decimal("0.125"), 15, Decimal(10))
    assert [fee.money(n * MINUTE) for n in (0, 15, 16, 17)] == [
        Decimal(text) for text in ("0.00", "0.00", "0.13", "0.25")
    ]
    assert fee.money(17 * MINUTE - timedelta(seconds=1)) == Decimal("0.13")
    assert fee.money(10 * HOUR) == Decimal("10.00")
    assert TimeFee(Decimal(1)).money(2 * HOUR) == Decimal("120.00")
