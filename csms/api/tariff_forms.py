"""Tariffs in JSON: times of day and prices as text, so that nothing rounds them. Knows no route."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api.forms import Form, Instant, View, with_examples
from csms.domain.orders import price_text, time_text
from csms.domain.tariff import MOST_BANDS, MOST_SEASONS, Band, Period, Season, Tariff, TimeFee

TariffCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
DayOfYear = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Price = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4})?$"),
    Field(description="CNY, at most 4 decimals, as text."),
]


class BandBody(Form):
    """A part of the day, until the next one begins."""

    start: Clock = Field(description="By the local clock of the operator, `HH:MM`; the first is `00:00`.")
    period: Period = Field(description="sharp 尖, peak 峰, flat 平 or valley 谷.")
    elec_price: Price = Field(description="Electricity, CNY per kWh.")
    service_price: Price = Field(description="Service, CNY per kWh.")


class SeasonBody(Form):
    """Days of every year with bands of their own."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    first: DayOfYear = Field(description="`MM-DD`; it belongs to the season.")
    last: DayOfYear = Field(description="`MM-DD`; before `first` when the season goes over New Year.")
    bands: Annotated[list[BandBody], Field(min_length=1, max_length=MOST_BANDS)]


class FeeBody(Form):
    """A fee for time."""

    per_minute: Price = Field(description="CNY for each full minute.")
    free_minutes: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    cap: Price | None = Field(default=None, description="CNY at most.")


BANDS: list[dict[str, Any]] = [
    {"start": start, "period": period, "elec_price": price, "service_price": "0.8000"}
    for start, period, price in (
        ("00:00", "valley", "0.4139"),
        ("07:00", "flat", "0.8173"),
        ("10:00", "peak", "1.1907"),
        ("13:00", "flat", "0.8173"),
        ("17:00", "peak", "1.1907"),
        ("22:00", "flat", "0.8173"),
        ("23:00", "valley", "0.4139"),
    )
]
SHARP = {"start": "11:00", "period": "sharp", "elec_price": "1.4223", "service_price": "0.8000"}
VERSION: dict[str, Any] = {
    "valid_from": "2026-01-01T00:00:00+08:00",
    "bands": BANDS,
    "seasons": [
        {"name": "summer", "first": "07-01", "last": "08-31", "bands": [*BANDS[:3], SHARP, *BANDS[3:]]}
    ],
    "idle_fee": {"per_minute": "0.5000", "free_minutes": 15, "cap": "50.0000"},
}

VERSION_SHOWN: dict[str, Any] = {
    **VERSION,
    "number": 1,
    "valid_from": "2025-12-31T16:00:00.000Z",
    "valid_until": None,
    "created_at": "2025-12-20T02:00:00.000Z",
    "parking_fee": None,
}


class VersionBody(Form):
    """What a tariff says from a time on."""

    valid_from: Instant
    valid_until: Instant | None = Field(
        default=None, description="Without it the version is valid until a later one begins."
    )
    bands: Annotated[list[BandBody], Field(min_length=1, max_length=MOST_BANDS)] = Field(
        description="The day outside all seasons."
    )
    seasons: Annotated[list[SeasonBody], Field(max_length=MOST_SEASONS)] = Field(default_factory=list)
    idle_fee: FeeBody | None = Field(default=None, description="From the last Wh until the session's end.")
    parking_fee: FeeBody | None = Field(default=None, description="For all of the session's time.")

    model_config = with_examples(VERSION)

    def tariff(self) -> Tariff:
        """What it says. Raises InvalidInput."""
        return Tariff(
            _bands(self.bands),
            tuple(
                Season(one.name, _day(one.first), _day(one.last), _bands(one.bands)) for one in self.seasons
            ),
            _fee(self.idle_fee),
            _fee(self.parking_fee),
        )


class VersionView(View):
    """A version of a tariff. It is never changed."""

    number: int
    valid_from: str
    valid_until: str | None
    created_at: str | None = None
    bands: list[BandBody]
    seasons: list[SeasonBody]
    idle_fee: FeeBody | None
    parking_fee: FeeBody | None

    model_config = with_examples(VERSION_SHOWN)


def version_view(shown: dict[str, Any]) -> dict[str, Any]:
    """A version of the store as JSON."""
    tariff: Tariff = shown["tariff"]
    until: datetime | None = shown["valid_until"]
    return {
        "number": shown["number"],
        "valid_from": time_text(shown["valid_from"]),
        "valid_until": None if until is None else time_text(until),
        "created_at": shown.get("created_at"),
        "bands": [_band_view(band) for band in tariff.bands],
        "seasons": [
            {
                "name": season.name,
                "first": "{:02d}-{:02d}".format(*season.first),
                "last": "{:02d}-{:02d}".format(*season.last),
                "bands": [_band_view(band) for band in season.bands],
            }
            for season in tariff.seasons
        ],
        "idle_fee": _fee_view(tariff.idle_fee),
        "parking_fee": _fee_view(tariff.parking_fee),
    }


def _bands(bodies: list[BandBody]) -> tuple[Band, ...]:
    return tuple(
        Band(
            60 * int(one.start[:2]) + int(one.start[3:]),
            one.period,
            Decimal(one.elec_price),
            Decimal(one.service_price),
        )
        for one in bodies
    )


def _day(text: str) -> tuple[int, int]:
    return int(text[:2]), int(text[3:])


def _fee(body: FeeBody | None) -> TimeFee | None:
    if body is None:
        return None
    return TimeFee(
        Decimal(body.per_minute), body.free_minutes, None if body.cap is None else Decimal(body.cap)
    )


def _band_view(band: Band) -> dict[str, Any]:
    return {
        "start": f"{band.start // 60:02d}:{band.start % 60:02d}",
        "period": band.period.value,
        "elec_price": price_text(band.elec_price),
        "service_price": price_text(band.service_price),
    }


def _fee_view(fee: TimeFee | None) -> dict[str, Any] | None:
    if fee is None:
        return None
    cap = None if fee.cap is None else price_text(fee.cap)
    return {"per_minute": price_text(fee.per_minute), "free_minutes": fee.free_minutes, "cap": cap}
