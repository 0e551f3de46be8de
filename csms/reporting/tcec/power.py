"""Real-time power of sites, equipment and connectors in the platforms' words. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.wording import Record, kilo, with_zone


@dataclass(frozen=True, slots=True)
class ConnectorPower:
    """A connector's power, W."""

    evse: int
    connector: int
    power_w: int
    connector_id: str = ""


@dataclass(frozen=True, slots=True)
class EquipmentPower:
    """A charging station's connectors; its power is theirs."""

    identity: str
    connectors: tuple[ConnectorPower, ...] = ()
    equipment_id: str = ""


@dataclass(frozen=True, slots=True)
class SitePower:
    """A site's charging stations; its power is theirs."""

    site_code: str
    equipment: tuple[EquipmentPower, ...] = ()
    station_id: str = ""
    owner_id: str = ""


@dataclass(frozen=True, slots=True)
class Power(Record):
    """What sites of an operator drew at `at` (UTC)."""

    operator_id: str
    at: datetime
    sites: tuple[SitePower, ...]

    def __post_init__(self) -> None:
        with_zone(self.at)


def body(power: Power, profile: Profile) -> dict[str, Any]:
    """Every level with the time and its power in kW; levels add up before they are rounded."""
    at, places = local_time(power.at), profile.decimals.power
    return {
        "StationPowerInfos": [
            {
                "OperatorID": power.operator_id,
                "EquipmentOwnerID": site.owner_id or power.operator_id,
                "StationID": site.station_id or station_id(site.site_code),
                "DataTime": at,
                "StationRealTimePower": kilo(sum(map(_watts, site.equipment)), places),
                "EquipmentPowerInfos": [_equipment(one, at, places) for one in site.equipment],
            }
            for site in power.sites
        ]
    }


def _equipment(one: EquipmentPower, at: str, places: int) -> dict[str, Any]:
    return {
        "EquipmentID": one.equipment_id or equipment_id(one.identity),
        "DataTime": at,
        "EquipRealTimePower": kilo(_watts(one), places),
        "ConnectorPowerInfos": [
            {
                "ConnectorID": plug.connector_id or connector_id(one.identity, plug.evse, plug.connector),
                "DataTime": at,
                "ConnectorRealTimePower": kilo(plug.power_w, places),
            }
            for plug in one.connectors
        ],
    }


def _watts(one: EquipmentPower) -> int:
    return sum(plug.power_w for plug in one.connectors)
