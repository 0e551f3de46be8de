"""Names of sites, stations and connectors within the standard's lengths, as the domain makes them."""

from csms.domain.city_names import (
    MAX_CONNECTOR_ID,
    MAX_EQUIPMENT_ID,
    MAX_STATION_ID,
    connector_id,
    equipment_id,
    station_id,
)

__all__ = [
    "MAX_CONNECTOR_ID",
    "MAX_EQUIPMENT_ID",
    "MAX_STATION_ID",
    "connector_id",
    "equipment_id",
    "station_id",
]
