"""What is to be paid on which days: the prices of a place from today on, as people publish them. Pure.

A price that changes in the middle of a day is published for all of that day, beside the one before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby

from csms.domain.tariff import Band, TimeFee
from csms.domain.tariff_book import Valid

AHEAD = timedelta(days=365)  # how far the seasons of a tariff without an end are told
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PriceDays:
    """The same bands from `first` to `last` (local days, both included; None: until further notice)."""

    first: date
    last: date | None
    bands: tuple[Band, ...]
    idle_fee: TimeFee | None = None


def price_days(valid: Iterable[Valid], now: datetime, local: tzinfo) -> list[PriceDays]:
    """From the day of `now` on, by the clock of `local`: a tariff with seasons a year ahead."""
    today = _day(now, local)
    found: list[PriceDays] = []
    for one in valid:
        first = max(today, _day(one.start, local))
        last = None if one.end is None else _day(one.end - _TICK, local)
        if last is None or last >= first:
            found += _of_one(one, first, last)
    return found


def _day(at: datetime, local: tzinfo) -> date:
    return at.astimezone(UTC).astimezone(local).date()


def _of_one(one: Valid, first: date, last: date | None) -> Iterable[PriceDays]:
    tariff = one.version.tariff
    if not tariff.seasons:
        return [PriceDays(first, last, tariff.bands, tariff.idle_fee)]
    count = (min(last or first + AHEAD, first + AHEAD) - first).days + 1
    runs = groupby((first + n * _DAY for n in range(count)), key=tariff.bands_on)
    days = [(list(run), bands) for bands, run in runs]
    return [PriceDays(run[0], run[-1], bands, tariff.idle_fee) for run, bands in days]
