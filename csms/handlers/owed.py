"""What city platforms are owed because of a connector's status: rows for the same commit as their cause.

Orders are not here: an ended session is marked due in its commit, and priced and told from there.
"""

from datetime import datetime

from csms.domain.assets import ChargingStation, ConnectorStatus
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


def routes(s: Services, station: ChargingStation) -> list[PlatformRoute]:
    """The platforms that want records of this station."""
    return [route for route in s.platforms if route.operator_code == station.operator_code]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
