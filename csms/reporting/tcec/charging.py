"""Sessions under way in the platforms' words: ordered starts and stops, charging status. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from csms.domain.assets import ConnectorStatus
from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.live import NOTHING, Live
from csms.reporting.tcec.orders import DETAIL, ChargeOrder, OrderDetail, merged, rounded_details
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import ChargeStatusPush, ResultPush, StopResultPush
from csms.reporting.tcec.wording import (
    NOWHERE,
    Place,
    Record,
    Table,
    body_of,
    finite,
    kilo_or_none,
    money_or_none,
    seq_of_right_length,
    shown,
    with_zone,
)

State = Literal["starting", "charging", "stopping", "finished", "unknown", "suspended", "start-failed"]


@dataclass(frozen=True, slots=True)
class StartResult(Record):
    """How a start that the platform ordered went. Owed when the session begins, or when it is sure it won't.

    `start_charge_seq` is the platform's own. `started_at` (UTC) is None where nothing started.
    """

    start_charge_seq: str
    operator_id: str
    identity: str
    evse: int
    connector: int
    state: State = "charging"
    started_at: datetime | None = None
    ident_code: str = ""
    fail_reason: str = ""
    connector_id: str = ""
    at: datetime | None = None
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        seq_of_right_length(self.start_charge_seq)
        with_zone(self.started_at, self.at)


@dataclass(frozen=True, slots=True)
class StopResult(Record):
    """How a stop that the platform ordered went; `fail_reason` '' when the session is over."""

    start_charge_seq: str
    operator_id: str
    identity: str
    evse: int
    connector: int
    state: State = "finished"
    fail_reason: str = ""
    connector_id: str = ""
    at: datetime | None = None
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        seq_of_right_length(self.start_charge_seq)
        with_zone(self.at)


@dataclass(frozen=True, slots=True)
class ChargeStatus(Record):
    """A session under way as it was at `at` (UTC). Energy in Wh; money in CNY, None where not known."""

    start_charge_seq: str
    operator_id: str
    site_code: str
    identity: str
    evse: int
    connector: int
    started_at: datetime
    at: datetime
    state: State = "charging"
    status: ConnectorStatus = ConnectorStatus.CHARGING
    energy_wh: int | None = None
    live: Live = NOTHING
    elec_money: Decimal | None = None
    service_money: Decimal | None = None
    money: Decimal | None = None
    details: tuple[OrderDetail, ...] = ()
    connector_id: str = ""
    plate: str = ""
    vin: str = ""
    told_at: datetime | None = None
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        seq_of_right_length(self.start_charge_seq)
        with_zone(self.started_at, self.at, self.told_at)
        finite((self.elec_money, self.service_money, self.money))


_AnyOf = StartResult | StopResult | ChargeStatus


def _connector(r: _AnyOf, _: Profile) -> str:
    return r.place.connector_id or r.connector_id or connector_id(r.identity, r.evse, r.connector)


def _fail_reason(r: StartResult | StopResult, profile: Profile, pull: str) -> int:
    """The platform's number for our word, from the query that ordered it."""
    if not r.fail_reason:
        return 0
    known: dict[str, int] = getattr(profile.pull(pull), "fail_reasons", {})
    return known.get(r.fail_reason, known.get("otherwise", 99))


def _details(status: ChargeStatus, profile: Profile) -> list[dict[str, Any]] | None:
    """As the order's, for the session so far."""
    if not status.details:
        return None
    so_far = ChargeOrder(
        status.start_charge_seq, status.operator_id, status.site_code, status.identity, status.evse,
        status.connector, status.started_at, status.at, status.energy_wh,
        elec_money=status.elec_money, service_money=status.service_money, details=status.details,
    )  # fmt: skip
    return [body_of(one, DETAIL, profile, tuple(DETAIL)) for one in rounded_details(so_far, profile)]


START_RESULT: Table[StartResult] = {
    "StartChargeSeq": lambda r, p: r.start_charge_seq,
    "StartChargeSeqStat": lambda r, p: p.code("order-state", r.state),
    "ConnectorID": _connector,
    # Mandatory: where nothing started, the time of the result stands for it.
    "StartTime": lambda r, p: local_time(at) if (at := r.started_at or r.at) else None,
    "IdentCode": lambda r, p: r.ident_code or None,
    "SuccStat": lambda r, p: int(bool(r.fail_reason)),
    "FailReason": lambda r, p: _fail_reason(r, p, "start-charge"),
}
STOP_RESULT: Table[StopResult] = {
    "StartChargeSeq": lambda r, p: r.start_charge_seq,
    "StartChargeSeqStat": lambda r, p: p.code("order-state", r.state),
    "ConnectorID": _connector,
    "SuccStat": lambda r, p: int(bool(r.fail_reason)),
    "FailReason": lambda r, p: _fail_reason(r, p, "stop-charge"),
}
CHARGE_STATUS: Table[ChargeStatus] = {
    "StartChargeSeq": lambda s, p: s.start_charge_seq,
    "StartChargeSeqStat": lambda s, p: p.code("order-state", s.state),
    "OrderNo": lambda s, p: s.start_charge_seq,
    "OrderStatus": lambda s, p: p.code("order-state", s.state),
    "ConnectorID": _connector,
    "ConnectorStatus": lambda s, p: p.status_codes[s.status],
    "OperatorID": lambda s, p: s.operator_id,
    "EquipmentOwnerID": lambda s, p: s.place.owner_id or s.operator_id,
    "StationID": lambda s, p: s.place.station_id or station_id(s.site_code),
    "EquipmentID": lambda s, p: s.place.equipment_id or equipment_id(s.identity),
    "CurrentA": lambda s, p: kilo_or_none(s.live.current_a, p.decimals.current),
    "CurrentB": lambda s, p: kilo_or_none(s.live.current_b, p.decimals.current),
    "CurrentC": lambda s, p: kilo_or_none(s.live.current_c, p.decimals.current),
    "VoltageA": lambda s, p: kilo_or_none(s.live.voltage_a, p.decimals.voltage),
    "VoltageB": lambda s, p: kilo_or_none(s.live.voltage_b, p.decimals.voltage),
    "VoltageC": lambda s, p: kilo_or_none(s.live.voltage_c, p.decimals.voltage),
    "ChargeCurrent": lambda s, p: kilo_or_none(s.live.current_a, p.decimals.current),
    "ChargeVoltage": lambda s, p: kilo_or_none(s.live.voltage_a, p.decimals.voltage),
    "Soc": lambda s, p: kilo_or_none(s.live.soc, p.decimals.soc),
    "StartTime": lambda s, p: local_time(s.started_at),
    "EndTime": lambda s, p: local_time(s.at),
    "TotalPower": lambda s, p: kilo_or_none(s.energy_wh, p.decimals.energy),
    "ElecMoney": lambda s, p: money_or_none(s.elec_money, p),
    "ServiceMoney": lambda s, p: money_or_none(s.service_money, p),
    "TotalMoney": lambda s, p: money_or_none(s.money, p),
    "SumPeriod": lambda s, p: len(merged(s.details)) or None,
    "ChargeDetails": _details,
    "LicensePlate": lambda s, p: shown(p.privacy.plate, s.plate),
    "Vin": lambda s, p: shown(p.privacy.vin, s.vin),
    "PushTimeStamp": lambda s, p: local_time(s.told_at or s.at),
    "EventTime": lambda s, p: local_time(s.live.at or s.at),
}


def start_body(record: StartResult, push: ResultPush, profile: Profile) -> dict[str, Any]:
    """notification_start_charge_result."""
    return body_of(record, START_RESULT, profile, push.fields, push.required)


def stop_body(record: StopResult, push: StopResultPush, profile: Profile) -> dict[str, Any]:
    """notification_stop_charge_result."""
    return body_of(record, STOP_RESULT, profile, push.fields, push.required)


def status_body(record: ChargeStatus, push: ChargeStatusPush, profile: Profile) -> dict[str, Any]:
    """notification_equip_charge_status; the answer to its query has the same words."""
    return body_of(record, CHARGE_STATUS, profile, push.fields, push.required)
