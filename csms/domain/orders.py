"""A closed session as a charge order for the city, in no platform's words. Money is not known here."""

from datetime import UTC, datetime
from typing import Any

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import ChargingSession


def charge_order(session: ChargingSession, station: ChargingStation) -> dict[str, Any]:
    """The canonical outbox payload of a closed session: Wh, UTC times in milliseconds, no local words."""
    return {
        "start_charge_seq": start_charge_seq(station.operator_code, session.session_id),
        "operator_id": station.operator_code,
        "site_code": station.site_code,
        "identity": station.identity,
        "evse": session.evse,
        "connector": session.connector or 1,
        "started_at": _text(session.started_at),
        "ended_at": _text(session.ended_at) if session.ended_at is not None else None,
        "energy_wh": session.energy_wh,
        "elec_money": None,
        "service_money": None,
        "money": None,
        "stop_reason": session.stop_reason,
        "meter_start_wh": session.meter_start_wh,
        "meter_stop_wh": session.meter_stop_wh,
        "revision": session.revision,
    }


def start_charge_seq(operator_code: str, session_id: int) -> str:
    """The 27 characters by which a city knows an order: 9 of the operator, 18 digits of the session."""
    return f"{operator_code:0>9.9}{session_id:018d}"


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
