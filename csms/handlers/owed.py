"""What city platforms are owed because of a change: outbox rows for the same commit as their cause."""

from datetime import datetime

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.orders import charge_order
from csms.domain.session import ChargingSession
from csms.handlers.context import PlatformRoute, Services
from csms.store.records import OutboxRow
from csms.store.times import micros


def connector_status(
    s: Services,
    station: ChargingStation,
    place: tuple[int, int],
    status: ConnectorStatus,
    at: datetime,
) -> list[OutboxRow]:
    """One row per platform that supervises this operator. EVSE 0 is no connector of the city's."""
    evse, connector = place
    if evse == 0:
        return []
    key = f"{station.identity}/{evse}/{connector}"
    payload = {
        "operator_id": station.operator_code,
        "identity": station.identity,
        "evse": evse,
        "connector": connector,
        "status": status.value,
        "at": _text(at),
    }
    about = f"{key}/{micros(at)}/{status.value}"
    return [
        OutboxRow.of(route.name, "connector-status", key, about, payload, s.now())
        for route in routes(s, station)
        if route.statuses
    ]


def order(s: Services, station: ChargingStation, session: ChargingSession) -> list[OutboxRow]:
    """The charge order of a closed session, once per revision."""
    payload = {**charge_order(session, station), "connector_power_w": station.max_power_w}
    about = f"{session.session_id}/{session.revision}"
    return [
        OutboxRow.of(route.name, "charge-order", str(session.session_id), about, payload, s.now())
        for route in routes(s, station)
        if route.orders
    ]


def routes(s: Services, station: ChargingStation) -> list[PlatformRoute]:
    """The platforms that want records of this station."""
    return [route for route in s.platforms if route.operator_code == station.operator_code]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
