"""Tariffs for tests: one like Beijing's, and any at all."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from csms.domain.tariff import Band, Period, Season, Tariff, TimeFee

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu")
PRICES = {
    Period.SHARP: ("1.4223", "0.8000"),
    Period.PEAK: ("1.1907", "0.8000"),
    Period.FLAT: ("0.8173", "0.8000"),
    Period.VALLEY: ("0.4139", "0.6000"),
}


def band(start: int, period: Period = Period.FLAT, elec: str | None = None) -> Band:
    """A band from a minute of the day on, at the price of its period."""
    usual, service = PRICES[period]
    return Band(start, period, Decimal(elec or usual), Decimal(service))


def day(*parts: tuple[int, Period]) -> tuple[Band, ...]:
    """Bands from these hours on."""
    return tuple(band(60 * hour, period) for hour, period in parts)


V, F, P, S = Period.VALLEY, Period.FLAT, Period.PEAK, Period.SHARP
BEIJING = Tariff(
    day((0, V), (7, F), (10, P), (13, F), (17, P), (22, F), (23, V)),
    (
        Season(
            "summer",
            (7, 1),
            (8, 31),
            day((0, V), (7, F), (10, P), (11, S), (13, F), (17, P), (22, F), (23, V)),
        ),
    ),
)

prices = st.integers(0, 30_000).map(lambda n: Decimal(n).scaleb(-4))


@st.composite
def day_bands(draw: st.DrawFn) -> tuple[Band, ...]:
    """A day with any bands."""
    starts = sorted(draw(st.sets(st.integers(1, 1439), max_size=8)) | {0})
    return tuple(Band(start, draw(st.sampled_from(Period)), draw(prices), draw(prices)) for start in starts)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Any tariff, half of them with a season."""
    seasons = ()
    if draw(st.booleans()):
        seasons = (
            Season("summer", (draw(st.integers(1, 6)), 1), (draw(st.integers(7, 12)), 28), draw(day_bands())),
        )
    fees = st.none() | st.builds(TimeFee, prices, st.integers(0, 60), st.none() | prices)
    return Tariff(draw(day_bands()), seasons, draw(fees), draw(fees))


def zones() -> st.SearchStrategy[ZoneInfo]:
    """With summer time and without; by whole hours, halves and quarters."""
    return st.sampled_from(ZONES).map(ZoneInfo)
