"""A closed session as a charge order for the city, in no platform's words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import ChargingSession
from csms.domain.cost import Cost, CostLine


def charge_order(
    session: ChargingSession, station: ChargingStation, cost: Cost | None = None, revision: int = 1
) -> dict[str, Any]:
    """The canonical outbox payload of a closed session: Wh, UTC times in milliseconds, no local words.

    Money is decimal text in CNY, null where no tariff applies. `money` is for what flowed: electricity and
    service; fees for time stand beside it. `details` are the lines in which anything flowed: they add up to
    `energy_wh`, `elec_money` and `service_money`. `revision` counts what was ever told of the session.
    """
    return {
        "start_charge_seq": start_charge_seq(station.operator_code, session.session_id),
        "operator_id": station.operator_code,
        "site_code": station.site_code,
        "identity": station.identity,
        "evse": session.evse,
        "connector": session.connector or 1,
        "started_at": time_text(session.started_at),
        "ended_at": time_text(session.ended_at) if session.ended_at is not None else None,
        "energy_wh": session.energy_wh,
        "elec_money": None if cost is None else money_text(cost.elec_money),
        "service_money": None if cost is None else money_text(cost.service_money),
        "money": None if cost is None else money_text(cost.money),
        "idle_money": None if cost is None else money_text(cost.idle_money),
        "parking_money": None if cost is None else money_text(cost.parking_money),
        "details": [] if cost is None else [line_of(line) for line in cost.lines if line.energy_wh],
        "stop_reason": session.stop_reason,
        "meter_start_wh": session.meter_start_wh,
        "meter_stop_wh": session.meter_stop_wh,
        "connector_power_w": station.max_power_w,
        "revision": revision,
    }


def line_of(line: CostLine) -> dict[str, Any]:
    """A line of a session's cost, ready for JSON."""
    return {
        "start": time_text(line.start),
        "end": time_text(line.end),
        "period": line.period.value,
        "energy_wh": line.energy_wh,
        "elec_price": price_text(line.elec_price),
        "service_price": price_text(line.service_price),
        "elec_money": money_text(line.elec_money),
        "service_money": money_text(line.service_money),
    }


def start_charge_seq(operator_code: str, session_id: int) -> str:
    """The 27 characters by which a city knows an order: 9 of the operator, 18 digits of the session."""
    return f"{operator_code:0>9.9}{session_id:018d}"


def money_text(money: Decimal) -> str:
    """CNY to the fen: `12.30`."""
    return f"{money:.2f}"


def price_text(price: Decimal) -> str:
    """CNY per kWh or minute: `0.3870`."""
    return f"{price:.4f}"


def time_text(at: datetime) -> str:
    """UTC with milliseconds, as the API gives times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
