"""A connector's status in the platforms' words. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.domain.assets import ConnectorStatus
from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.live import NOTHING, Live
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import StatusPush
from csms.reporting.tcec.wording import NOWHERE, Place, Record, Table, body_of, kilo_or_none, with_zone

PLUGGED_IN = {
    ConnectorStatus.OCCUPIED,
    ConnectorStatus.PREPARING,
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.FINISHING,
}


@dataclass(frozen=True, slots=True)
class ConnectorState(Record):
    """A connector's status as it changed at `at` (UTC).

    `live` and `energy_wh` (of the running session) are for platforms that want currents with it.
    """

    operator_id: str
    identity: str
    evse: int
    connector: int
    status: ConnectorStatus
    at: datetime
    connector_id: str = ""
    site_code: str = ""
    live: Live = NOTHING
    energy_wh: int | None = None
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        with_zone(self.at)


STATUS: Table[ConnectorState] = {
    "ConnectorID": lambda s, p: (
        s.place.connector_id or s.connector_id or connector_id(s.identity, s.evse, s.connector)
    ),
    "Status": lambda s, p: p.status_codes[s.status],
    # A free connector says nothing about the bay.
    "ParkStatus": lambda s, p: p.code("park-status", "occupied" if s.status in PLUGGED_IN else "unknown"),
    "LockStatus": lambda s, p: p.code("lock-status", "unknown"),  # OCPP does not tell
    "OperatorID": lambda s, p: s.operator_id,
    "EquipmentOwnerID": lambda s, p: s.place.owner_id or s.operator_id,
    "StationID": lambda s, p: s.place.station_id or (station_id(s.site_code) if s.site_code else None),
    "EquipmentID": lambda s, p: s.place.equipment_id or equipment_id(s.identity),
    "UpdateTime": lambda s, p: local_time(s.at),
    "CurrentA": lambda s, p: kilo_or_none(s.live.current_a, p.decimals.current),
    "CurrentB": lambda s, p: kilo_or_none(s.live.current_b, p.decimals.current),
    "CurrentC": lambda s, p: kilo_or_none(s.live.current_c, p.decimals.current),
    "VoltageA": lambda s, p: kilo_or_none(s.live.voltage_a, p.decimals.voltage),
    "VoltageB": lambda s, p: kilo_or_none(s.live.voltage_b, p.decimals.voltage),
    "VoltageC": lambda s, p: kilo_or_none(s.live.voltage_c, p.decimals.voltage),
    "Soc": lambda s, p: kilo_or_none(s.live.soc, p.decimals.soc),
    "ConnectorTemp": lambda s, p: kilo_or_none(s.live.connector_temperature, 1),
    "EquipmentTemp": lambda s, p: kilo_or_none(s.live.equipment_temperature, 1),
    "ConnectorLock": lambda s, p: p.code("connector-lock", "unknown"),
    "ChargeElectricity": lambda s, p: kilo_or_none(s.energy_wh, p.decimals.energy),
    "DischargeElectricity": lambda s, p: None,  # no station here gives energy back
}


def body(record: ConnectorState, push: StatusPush, profile: Profile) -> dict[str, Any]:
    """One object, or an array of one, as the profile says."""
    info = body_of(record, STATUS, profile, push.fields, push.required)
    return {"ConnectorStatusInfos": [info]} if push.shape == "array" else {"ConnectorStatusInfo": info}
