"""The cost of a session by a tariff, line by line. Pure.

Energy is split at the tariff's boundaries as it is split into hours: evenly between readings. Whatever is
rounded is rounded once, on the whole, and shared out, so that lines are always the total.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

from csms.domain.charging_session import ChargingSession
from csms.domain.meter import Reading
from csms.domain.rollup import charging_end, energy_between, session_end
from csms.domain.shares import fen
from csms.domain.tariff import CURRENCY, Period, Span, Tariff, TimeFee, spans

NOTHING = Decimal("0.00")


class CostLine(NamedTuple):
    """What flowed while one price held. Prices in CNY per kWh, money in CNY to the fen."""

    start: datetime
    end: datetime
    period: Period
    energy_wh: int
    elec_price: Decimal
    service_price: Decimal
    elec_money: Decimal
    service_money: Decimal


class Cost(NamedTuple):
    """What a session costs, in CNY to the fen. Lines cover all its time; their sums are the totals."""

    lines: tuple[CostLine, ...]
    elec_money: Decimal
    service_money: Decimal
    idle_minutes: int = 0
    idle_money: Decimal = NOTHING
    parking_minutes: int = 0
    parking_money: Decimal = NOTHING
    currency: str = CURRENCY

    @property
    def money(self) -> Decimal:
        """For what flowed: electricity and service."""
        return self.elec_money + self.service_money

    @property
    def total(self) -> Decimal:
        """For everything."""
        return self.money + self.idle_money + self.parking_money


def cost_of(
    session: ChargingSession, readings: Iterable[Reading], tariff: Tariff, local: tzinfo
) -> Cost | None:
    """The cost of an ended session by the clock of `local`; None while its energy is not known.

    Idle is the time from the last Wh to the session's end; parking is all its time.
    """
    if session.energy_wh is None:
        return None
    end = session_end(session)
    given = tuple(readings)
    lines = _lines(session, given, spans(tariff, session.started_at, end, local))
    idle, parking = tariff.idle_fee, tariff.parking_fee
    idle_for = end - charging_end(session, given) if idle is not None else timedelta(0)
    return Cost(
        lines,
        sum((line.elec_money for line in lines), NOTHING),
        sum((line.service_money for line in lines), NOTHING),
        *_fee(idle, idle_for),
        *_fee(parking, end - session.started_at),
    )


def needs_readings(session: ChargingSession, tariff: Tariff, local: tzinfo) -> bool:
    """Whether the session's readings can make a difference: one price for all of it asks for none."""
    if not session.energy_wh:
        return False
    return (
        tariff.idle_fee is not None or len(spans(tariff, session.started_at, session_end(session), local)) > 1
    )


def _lines(session: ChargingSession, readings: tuple[Reading, ...], held: list[Span]) -> tuple[CostLine, ...]:
    edges = [held[0].start, *(span.end for span in held)]
    energies = energy_between(session, readings, edges)
    elec = fen([wh * _ten_thousandths(span.elec_price) for wh, span in zip(energies, held, strict=True)])
    service = fen(
        [wh * _ten_thousandths(span.service_price) for wh, span in zip(energies, held, strict=True)]
    )
    return tuple(
        CostLine(span.start, span.end, span.period, wh, span.elec_price, span.service_price, *money)
        for span, wh, *money in zip(held, energies, elec, service, strict=True)
    )


def _ten_thousandths(price: Decimal) -> int:
    return int(price.scaleb(4))


def _fee(fee: TimeFee | None, lasts: timedelta) -> tuple[int, Decimal]:
    return (0, NOTHING) if fee is None else (fee.minutes(lasts), fee.money(lasts))
