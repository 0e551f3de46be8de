"""A port's month by every regime: the windows, the service and the sales that go into it."""

from datetime import UTC, datetime, timedelta

from csms.domain.assets import ConnectorStatus as S
from csms.domain.local_time import zone
from csms.domain.periods import Served
from csms.domain.regimes import Sold, evidence_span, port_month, windows_until
from csms.domain.timeline import Evidence, Link, Span, Told
from csms.domain.uptime import Exclusion, Reason

SHANGHAI = zone("Asia/Shanghai")
START = datetime(2026, 2, 28, 16, tzinfo=UTC)  # of March in Shanghai
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def port(rated_w: int | None = 60_000, **service: datetime) -> Served:
    """Free since the tenth of March, faulted on the twentieth for a day, off-line on the 21st."""
    told = [
        Told(at, status, at)
        for at, status in (
            (START + 9 * DAY, S.AVAILABLE),
            (START + 19 * DAY, S.FAULTED),
            (START + 20 * DAY, S.AVAILABLE),
        )
    ]
    links = [Link(START, True), Link(START + 20 * DAY, False), Link(START + 21 * DAY, True)]
    return Served(Evidence(told, (), links), rated_w, **service)


def test_a_port_that_came_in_mid_month() -> None:
    """It is in service since its first status; sales and rated power go into the city's rates."""
    spans = windows_until(START, SHANGHAI, START + 100 * DAY)
    of = port_month(port(), [], spans, Sold(132_000, 11 * DAY))

    assert of.service == Span(START + 9 * DAY, START + 31 * DAY)
    assert of.own.power_use_rate == 0.4167  # 132 kWh of 60 kW in 22 days
    assert of.own.online_rate == 95.4545  # 21 of 22 days
    assert of.shenzhen.time_use_rate == 50.0
    assert of.nevi_month.outage == 2 * DAY
    assert of.nevi_year.in_service == 22 * DAY
    assert [outage.span for outage in of.outages] == [Span(START + 19 * DAY, START + 21 * DAY)]
    assert of.uk_month.reliability == 95.4545  # the fault, not the connection
    assert of.uk_year == of.uk_month
    assert of.is_rapid is True


def test_a_month_that_is_not_over() -> None:
    """Up to now; before now there is all the evidence that is needed."""
    spans = windows_until(START, SHANGHAI, START + 12 * DAY)
    of = port_month(port(None), [], spans, Sold())

    assert of.service.end == START + 12 * DAY
    assert of.is_rapid is None
    assert of.own.power_use_rate is None
    assert evidence_span(spans) == Span(datetime(2025, 3, 31, 16, tzinfo=UTC), START + 12 * DAY)


def test_dates_of_service_and_exclusions() -> None:
    """A retired port ends; closing hours are left out in the UK only of what is measured."""
    spans = windows_until(START, SHANGHAI, START + 100 * DAY)
    closed = [Exclusion(Span(START + 19 * DAY, START + 19 * DAY + 12 * HOUR), Reason.CLOSED)]
    of = port_month(port(joined=START, retired=START + 20 * DAY), closed, spans, Sold())

    assert of.service == Span(START, START + 20 * DAY)
    # Nine days unknown and one in fault, of which half a day is excluded.
    assert (of.nevi_month.outage, of.nevi_month.excluded) == (10 * DAY, 12 * HOUR)
    assert (of.uk_month.accessible, of.uk_month.unreliable) == (19 * DAY + 12 * HOUR, 12 * HOUR)


def test_a_port_that_was_not_there() -> None:
    """Nothing is said of it."""
    spans = windows_until(START - 60 * DAY, SHANGHAI, START + 100 * DAY)
    of = port_month(port(), [], spans, Sold())

    assert not of.service.length
    assert of.nevi_month.uptime is of.uk_month.reliability is of.own.online_rate is None
