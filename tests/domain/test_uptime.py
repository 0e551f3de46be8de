"""One month by three regimes: each has its own meaning of "up", and the figures show it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.assets import ConnectorStatus as S
from csms.domain.local_time import zone
from csms.domain.rates import Figures, own_rates
from csms.domain.timeline import Evidence, Link, Span, Told, timeline, usage
from csms.domain.uptime import (
    Exclusion,
    Outage,
    Reason,
    nevi,
    outages,
    shortened,
    uk,
    windows,
)

HOUR = timedelta(hours=1)
JANUARY = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


def on(day: int, hour: float = 0) -> datetime:
    """In January."""
    return JANUARY.start + timedelta(days=day - 1, hours=hour)


def told(when: datetime, status: S) -> Told:
    """Heard of at once."""
    return Told(when, status, when)


# 744 hours: 24 off-line, 30 faulted (20 of them vandalised), 10 under maintenance, closed at two nights.
EVIDENCE = Evidence(
    told=[
        told(on(-5), S.AVAILABLE),
        told(on(10), S.FAULTED),
        told(on(11, 6), S.AVAILABLE),
        told(on(20), S.UNAVAILABLE),
        told(on(20, 10), S.AVAILABLE),
    ],
    links=[Link(on(-5), True), Link(on(3), False), Link(on(4), True)],
)
EXCLUSIONS = [
    Exclusion(Span(on(10), on(10, 15)), Reason.VANDALISM),
    Exclusion(Span(on(10, 10), on(10, 20)), Reason.VANDALISM),  # overlaps: counted once
    Exclusion(Span(on(20, 4), on(20, 12)), Reason.MAINTENANCE),  # six of the ten hours
    Exclusion(Span(on(11, 0), on(11, 8)), Reason.CLOSED),  # six hours of the fault, two of none
    Exclusion(Span(on(25), on(25, 8)), Reason.CLOSED),
]


def test_a_month_where_all_three_differ() -> None:
    """Off-line is down for the city and NEVI, not in the UK; vandals excuse by NEVI only."""
    steps = timeline(EVIDENCE)

    city = own_rates(Figures(usage=usage(steps, JANUARY)))
    port = nevi(steps, JANUARY, EXCLUSIONS)
    point = uk(steps, JANUARY, EXCLUSIONS)

    assert city.online_rate == 96.7742  # (744 - 24) / 744
    assert city.fault_rate == 5.5556  # 40 / 720
    assert city.available_rate == 91.3978  # (744 - 64) / 744
    assert port.outage == 64 * HOUR
    assert port.excluded == (20 + 6 + 6) * HOUR
    assert port.uptime_in_service == 95.6989  # (744 - 32) / 744
    assert port.uptime == 99.6347  # (525,600 - 1,920) / 525,600
    assert point.accessible == (744 - 16) * HOUR
    assert point.unreliable == 34 * HOUR  # 40, less six while closed
    assert point.reliability == 95.3297


def test_every_outage_is_told_with_what_excuses_it() -> None:
    """680.112(a)(8)."""
    found = outages(timeline(EVIDENCE), JANUARY, EXCLUSIONS)

    assert found == [
        Outage(Span(on(3), on(4)), timedelta(0)),
        Outage(Span(on(10), on(11, 6)), 26 * HOUR),
        Outage(Span(on(20), on(20, 10)), 6 * HOUR),
    ]


def test_twelve_months_of_a_year_are_the_rules_minutes() -> None:
    """An outage longer than the year of a leap year is not below nought."""
    steps = timeline(Evidence(links=[Link(datetime(2020, 1, 1, tzinfo=UTC), False)]))
    leap = Span(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))

    assert nevi(steps, leap, []).uptime == 0.0
    assert nevi(timeline(EVIDENCE), Span(on(-5), on(-5)), []).uptime is None
    assert nevi(timeline(EVIDENCE), Span(on(-5), on(-5)), []).uptime_in_service is None
    assert uk(timeline(EVIDENCE), Span(on(-5), on(-5)), []).reliability is None


@pytest.mark.parametrize(
    ("name", "hours", "first"),
    [
        ("UTC", 744, datetime(2025, 4, 1, tzinfo=UTC)),
        ("Europe/London", 743, datetime(2025, 3, 31, 23, tzinfo=UTC)),
        ("Asia/Shanghai", 744, datetime(2025, 3, 31, 16, tzinfo=UTC)),
    ],
)
def test_windows_of_a_month_are_local(name: str, hours: int, first: datetime) -> None:
    """March 2026 has an hour less in London; twelve months end with it; the year begins in January."""
    found = windows(datetime(2026, 3, 15, tzinfo=UTC), zone(name))

    assert found.month.length == hours * HOUR
    assert found.twelve_months == Span(first, found.month.end)
    assert found.year.start.astimezone(zone(name)).timetuple()[:5] == (2026, 1, 1, 0, 0)
    assert found.year.end == found.month.end


def test_windows_end_now() -> None:
    """The rest of a month has not happened."""
    found = shortened(windows(on(10), UTC), on(10, 12))

    assert found.month == Span(JANUARY.start, on(10, 12))
    assert found.twelve_months.end == found.year.end == on(10, 12)
    assert shortened(windows(on(10), UTC), on(-2)).month.length == timedelta(0)


spans = st.builds(lambda a, b: Span(on(a), on(a + b)), st.integers(-3, 35), st.integers(0, 6))
exclusions = st.lists(st.builds(Exclusion, spans, st.sampled_from(Reason)), max_size=6)


@given(exclusions)
def test_exclusions_never_exceed_what_they_excuse(excluded: list[Exclusion]) -> None:
    """However they overlap; no percentage leaves 0 to 100; the outages add up."""
    steps = timeline(EVIDENCE)

    port, point = nevi(steps, JANUARY, excluded), uk(steps, JANUARY, excluded)
    each = outages(steps, JANUARY, excluded)

    assert timedelta(0) <= port.excluded <= port.outage
    assert timedelta(0) <= point.unreliable <= max(point.accessible, timedelta(0)) + timedelta(0)
    assert sum((one.span.length for one in each), timedelta(0)) == port.outage
    assert sum((one.excluded for one in each), timedelta(0)) == port.excluded
    assert 0 <= (port.uptime_in_service or 0) <= 100
