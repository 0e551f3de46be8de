"""A site's hour in the platforms' words: an extension of ours, shaped like T/CEC's StationStats. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import HourPush
from csms.reporting.tcec.wording import Record, Table, body_of, kilo, with_zone


@dataclass(frozen=True, slots=True)
class ConnectorTotal:
    """A connector's part of an hour, in Wh."""

    evse: int
    connector: int
    energy_wh: int
    connector_id: str = ""


@dataclass(frozen=True, slots=True)
class StationTotal:
    """A charging station's part of an hour, in Wh."""

    identity: str
    energy_wh: int
    connectors: tuple[ConnectorTotal, ...] = ()


@dataclass(frozen=True, slots=True)
class HourTotal(Record):
    """What a site gave out in the hour that begins at `hour` (UTC), and in how many sessions."""

    operator_id: str
    site_code: str
    hour: datetime
    energy_wh: int
    sessions: int
    revision: int = 1
    stations: tuple[StationTotal, ...] = ()

    def __post_init__(self) -> None:
        with_zone(self.hour)


def _equipment_totals(total: HourTotal, profile: Profile) -> list[dict[str, Any]]:
    places = profile.decimals.total
    return [
        {
            "EquipmentID": equipment_id(station.identity),
            "EquipmentElectricity": kilo(station.energy_wh, places),
            "ConnectorStatsInfos": [
                {
                    "ConnectorID": c.connector_id or connector_id(station.identity, c.evse, c.connector),
                    "ConnectorElectricity": kilo(c.energy_wh, places),
                }
                for c in station.connectors
            ],
        }
        for station in total.stations
    ]


HOUR: Table[HourTotal] = {
    "OperatorID": lambda t, p: t.operator_id,
    "StationID": lambda t, p: station_id(t.site_code),
    "StartTime": lambda t, p: local_time(t.hour),
    "EndTime": lambda t, p: local_time(t.hour + timedelta(hours=1)),
    "StationElectricity": lambda t, p: kilo(t.energy_wh, p.decimals.total),
    "SessionCount": lambda t, p: t.sessions,
    "Revision": lambda t, p: t.revision,
    "EquipmentStatsInfos": _equipment_totals,
}


def body(total: HourTotal, push: HourPush, profile: Profile) -> dict[str, Any]:
    """StationStats."""
    return {"StationStats": body_of(total, HOUR, profile, push.fields, push.required)}
