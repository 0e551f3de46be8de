"""One month of one port by every regime, side by side. Pure; knows no table and no form of a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from csms.domain.periods import Served, figures
from csms.domain.rates import Figures, OwnRates, ShenzhenRates, own_rates, shenzhen_rates
from csms.domain.timeline import Span, service, timeline
from csms.domain.uptime import (
    RAPID_W,
    Exclusion,
    Nevi,
    Outage,
    Uk,
    Windows,
    nevi,
    outages,
    shortened,
    uk,
    windows,
)


@dataclass(frozen=True, slots=True)
class Sold:
    """What a port's sessions did in the month: energy, and their length."""

    energy_wh: int = 0
    sessions: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class PortMonth:
    """A port in a month. None of it is rounded or named as any authority wants it.

    `service`: the part of the month in which it was in service, of no length when it never was.
    """

    service: Span
    figures: Figures
    own: OwnRates
    shenzhen: ShenzhenRates
    nevi_month: Nevi
    nevi_year: Nevi
    outages: tuple[Outage, ...]
    uk_month: Uk
    uk_year: Uk
    is_rapid: bool | None


def evidence_span(spans: Windows) -> Span:
    """All the time that a report of a month looks at."""
    return Span(min(spans.twelve_months.start, spans.year.start), spans.month.end)


def windows_until(month: datetime, local: tzinfo, now: datetime) -> Windows:
    """The windows of a local month, as far as they have passed."""
    return shortened(windows(month, local), now)


def port_month(port: Served, exclusions: Sequence[Exclusion], spans: Windows, sold: Sold) -> PortMonth:
    """The port's evidence must reach back to the beginning of all windows."""
    steps = timeline(port.evidence)
    whole = service(port.evidence, evidence_span(spans), port.joined, port.retired)
    month, year, calendar = (whole.within(span) for span in (spans.month, spans.twelve_months, spans.year))
    (of_month,) = figures({None: port}, [spans.month])
    known = of_month.get(None, Figures())
    told = Figures(
        known.usage,
        sold.energy_wh,
        known.capacity_wh,
        sold.sessions,
        known.equipment,
        known.records,
        known.fault_records,
    )
    return PortMonth(
        service=month,
        figures=told,
        own=own_rates(told),
        shenzhen=shenzhen_rates(told),
        nevi_month=nevi(steps, month, exclusions),
        nevi_year=nevi(steps, year, exclusions),
        outages=tuple(outages(steps, month, exclusions)),
        uk_month=uk(steps, month, exclusions),
        uk_year=uk(steps, calendar, exclusions),
        is_rapid=None if port.rated_w is None else port.rated_w >= RAPID_W,
    )
