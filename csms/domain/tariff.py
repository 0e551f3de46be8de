"""What charging costs: time-of-use bands of the local day, seasons, fees for time. Pure; knows no session.

A tariff here is what one version says; from when to when it is valid, and where, is `tariff_book`'s.
Money is CNY: prices per kWh and per minute with at most 4 decimals.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from csms.domain.local_time import change_between, offset_at
from csms.errors import InvalidInput

CURRENCY = "CNY"
DAY_MINUTES = 1440
MOST_BANDS, MOST_SEASONS = 48, 12
HIGHEST = Decimal(10_000)
_MINUTE = timedelta(minutes=1)
_FEN = Decimal("0.01")


class Period(StrEnum):
    """Classes of hours as grids and cities know them: 尖, 峰, 平, 谷."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the local day: from `start` (minutes since midnight by the clock) until the next begins."""

    start: int
    period: Period
    elec_price: Decimal
    service_price: Decimal

    def __post_init__(self) -> None:
        if not 0 <= self.start < DAY_MINUTES:
            raise InvalidInput("bands: a band begins between 00:00 and 23:59")
        _check_price("elec_price", self.elec_price)
        _check_price("service_price", self.service_price)


@dataclass(frozen=True, slots=True)
class Season:
    """Days of every year with bands of their own: (month, day) of the first and the last, both included.

    One whose last day lies before its first goes on over New Year.
    """

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        for month, day in (self.first, self.last):
            _check_day(month, day)
        _check_bands(self.bands)

    def has(self, day: tuple[int, int]) -> bool:
        """Whether (month, day) is one of its days."""
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


@dataclass(frozen=True, slots=True)
class TimeFee:
    """CNY per full minute beyond the free ones, `cap` CNY at most."""

    per_minute: Decimal
    free_minutes: int = 0
    cap: Decimal | None = None

    def __post_init__(self) -> None:
        _check_price("per_minute", self.per_minute)
        if self.free_minutes < 0:
            raise InvalidInput("free_minutes: it is negative")
        if self.cap is not None:
            _check_price("cap", self.cap)

    def minutes(self, lasts: timedelta) -> int:
        """The full minutes of `lasts` that are to be paid."""
        return max(0, lasts // _MINUTE - self.free_minutes)

    def money(self, lasts: timedelta) -> Decimal:
        """What `lasts` costs, to the fen."""
        due = self.per_minute * self.minutes(lasts)
        due = due if self.cap is None else min(due, self.cap)
        return due.quantize(_FEN, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one version of a tariff says. `bands` hold on all days that no season has."""

    bands: tuple[Band, ...]
    seasons: tuple[Season, ...] = ()
    idle_fee: TimeFee | None = None
    parking_fee: TimeFee | None = None

    def __post_init__(self) -> None:
        _check_bands(self.bands)
        if len(self.seasons) > MOST_SEASONS:
            raise InvalidInput(f"seasons: {len(self.seasons)}, more than {MOST_SEASONS}")
        for day in _ALL_DAYS:
            names = [season.name for season in self.seasons if season.has(day)]
            if len(names) > 1:
                raise InvalidInput(
                    f"seasons: {names[0]} and {names[1]} both have the day {day[0]:02d}-{day[1]:02d}"
                )

    def bands_on(self, day: date) -> tuple[Band, ...]:
        """The bands of a local day, the first at midnight."""
        for season in self.seasons:
            if season.has((day.month, day.day)):
                return season.bands
        return self.bands


class Span(NamedTuple):
    """From when to when one price holds, without a break."""

    start: datetime
    end: datetime
    period: Period
    elec_price: Decimal
    service_price: Decimal


def spans(tariff: Tariff, start: datetime, end: datetime, local: tzinfo) -> list[Span]:
    """The prices from `start` to `end` by the clock of `local`; at least one, also where no time passes.

    At every instant the band of the wall clock holds: an hour that summer time repeats costs twice what the
    clock says, one that it leaves out costs nobody anything.
    """
    found: list[Span] = []
    at = start
    while at < end or not found:
        band, until = _band_at(tariff, at, local)
        until = min(until, end)
        price = (band.period, band.elec_price, band.service_price)
        if found and found[-1][2:] == price:
            found[-1] = found[-1]._replace(end=until)
        else:
            found.append(Span(at, until, *price))
        at = until
    return found


def _band_at(tariff: Tariff, at: datetime, local: tzinfo) -> tuple[Band, datetime]:
    """The band that holds at `at`, and until when at least: its end, or a change of the clock before that."""
    here = at.astimezone(local)
    bands = tariff.bands_on(here.date())
    minute = 60 * here.hour + here.minute
    place = max(n for n, band in enumerate(bands) if band.start <= minute)
    end = bands[place + 1].start if place + 1 < len(bands) else DAY_MINUTES
    into = timedelta(minutes=minute, seconds=here.second, microseconds=here.microsecond)
    until = at + (timedelta(minutes=end) - into)
    if offset_at(at, local) != offset_at(until, local):
        until = min(until, change_between(at, until, local))
    return bands[place], until


# A leap year has all of them.
_ALL_DAYS = tuple((day.month, day.day) for day in (date(2024, 1, 1) + timedelta(days=n) for n in range(366)))


def _check_bands(bands: tuple[Band, ...]) -> None:
    starts = [band.start for band in bands]
    if not starts or starts[0] != 0:
        raise InvalidInput("bands: the first begins at 00:00")
    if starts != sorted(set(starts)):
        raise InvalidInput("bands: each begins later than the one before")
    if len(starts) > MOST_BANDS:
        raise InvalidInput(f"bands: {len(starts)}, more than {MOST_BANDS}")


def _check_day(month: int, day: int) -> None:
    if (month, day) not in _ALL_DAYS:
        raise InvalidInput(f"seasons: there is no day {month:02d}-{day:02d}")


def _check_price(name: str, price: Decimal) -> None:
    if not price.is_finite() or not 0 <= price < HIGHEST:
        raise InvalidInput(f"{name}: it is not from 0 to below {HIGHEST}")
    if price != price.quantize(Decimal("0.0001")):
        raise InvalidInput(f"{name}: it has more than 4 decimals")
