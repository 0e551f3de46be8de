"""Our records in the platforms' words: charge orders, connector status, hourly totals.

Pure. It knows our records (as the outbox keeps them), T/CEC field names and how a profile bends them. It
knows no envelope and no socket. Energies come as integer Wh and money as Decimal; both leave as exact
decimal numbers, rounded half up to the profile's places.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

import msgspec

from csms.domain.assets import ConnectorStatus
from csms.errors import CsmsError
from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.profile import HourPush, OrderPush, Profile, StatusPush

SEQ_LENGTH = 27  # 9 of the operator, 18 of its own

_encoder = msgspec.json.Encoder(decimal_format="number")


class BadRecord(CsmsError):
    """This record cannot be told to a city platform:"""


class KindNotTaken(CsmsError):
    """This platform does not take messages of the kind:"""


class _Record:
    """What all outbox payloads can do. Keys not known are ignored, so that records may grow."""

    __slots__ = ()

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """The record in an outbox row. Raises BadRecord naming the key."""
        try:
            return msgspec.convert(dict(payload), cls)
        except (msgspec.ValidationError, ValueError) as exc:
            raise BadRecord(str(exc)) from exc

    def to_payload(self) -> dict[str, Any]:
        """What the outbox stores as JSON."""
        payload = msgspec.to_builtins(self)
        assert isinstance(payload, dict)
        return payload


@dataclass(frozen=True, slots=True)
class ChargeOrder(_Record):
    """A session that is over. Times in UTC; energies in Wh; money in CNY, None where no tariff is set.

    `start_charge_seq` (27 characters) names the order for good; a correction is the same order with a
    higher `revision`. `stop_reason` is our own word for it. `connector_id` is derived when ''.
    """

    start_charge_seq: str
    operator_id: str
    site_code: str
    identity: str
    evse: int
    connector: int
    started_at: datetime
    ended_at: datetime
    energy_wh: int | None
    stop_reason: str = ""
    connector_id: str = ""
    elec_money: Decimal | None = None
    service_money: Decimal | None = None
    money: Decimal | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    connector_power_w: int | None = None
    revision: int = 1

    def __post_init__(self) -> None:
        if len(self.start_charge_seq) != SEQ_LENGTH:
            raise ValueError(
                f"start_charge_seq has {len(self.start_charge_seq)} characters, not {SEQ_LENGTH}"
            )
        _with_zone(self.started_at, self.ended_at)
        if any(
            m is not None and not m.is_finite() for m in (self.elec_money, self.service_money, self.money)
        ):
            raise ValueError("money is not a number")


@dataclass(frozen=True, slots=True)
class ConnectorState(_Record):
    """A connector's status as it changed at `at` (UTC)."""

    operator_id: str
    identity: str
    evse: int
    connector: int
    status: ConnectorStatus
    at: datetime
    connector_id: str = ""

    def __post_init__(self) -> None:
        _with_zone(self.at)


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
class HourTotal(_Record):
    """What a site gave out in the hour that begins at `hour` (UTC), and in how many sessions."""

    operator_id: str
    site_code: str
    hour: datetime
    energy_wh: int
    sessions: int
    revision: int = 1
    stations: tuple[StationTotal, ...] = ()

    def __post_init__(self) -> None:
        _with_zone(self.hour)


Record = ChargeOrder | ConnectorState | HourTotal
RECORDS: dict[str, type[ChargeOrder] | type[ConnectorState] | type[HourTotal]] = {
    "charge-order": ChargeOrder,
    "connector-status": ConnectorState,
    "hour-total": HourTotal,
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sealed and where it goes: the path from the server's root, and the body as JSON."""

    path: str
    text: str


def read(kind: str, payload: Mapping[str, object]) -> Record:
    """The record of an outbox row. Raises BadRecord."""
    if kind not in RECORDS:
        raise BadRecord(f"no kind {kind}")
    return RECORDS[kind].from_payload(payload)


def message(record: Record, profile: Profile) -> Message:
    """The record as this platform wants it.

    Raises KindNotTaken where the profile has no such push, BadRecord where a value cannot be told.
    """
    try:
        return _worded(record, profile)
    except (ArithmeticError, UnicodeError) as exc:  # a number without end, a year 10000, half a character
        raise BadRecord(f"a value is out of range ({type(exc).__name__})") from exc


def _worded(record: Record, profile: Profile) -> Message:
    pushes = profile.pushes
    match record:
        case ConnectorState() if pushes.connector_status:
            body = _status_body(record, pushes.connector_status, profile)
            return _message(body, pushes.connector_status, profile)
        case ChargeOrder() if pushes.charge_order:
            body = {name: ORDER[name](record, profile) for name in pushes.charge_order.fields}
            return _message(body, pushes.charge_order, profile)
        case HourTotal() if pushes.hour_total:
            stats = {name: HOUR[name](record, profile) for name in pushes.hour_total.fields}
            return _message({"StationStats": stats}, pushes.hour_total, profile)
    raise KindNotTaken(type(record).__name__)


def _status_body(record: ConnectorState, push: StatusPush, profile: Profile) -> dict[str, Any]:
    info = {name: STATUS[name](record, profile) for name in push.fields}
    if push.shape == "array":
        return {"ConnectorStatusInfos": [info]}
    return {"ConnectorStatusInfo": info}


PLUGGED_IN = {
    ConnectorStatus.OCCUPIED,
    ConnectorStatus.PREPARING,
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.FINISHING,
}


STATUS: dict[str, Callable[[ConnectorState, Profile], Any]] = {
    "ConnectorID": lambda s, p: s.connector_id or connector_id(s.identity, s.evse, s.connector),
    "Status": lambda s, p: p.status_codes[s.status],
    # 50 occupied, 0 unknown: a free connector says nothing about the bay.
    "ParkStatus": lambda s, p: 50 if s.status in PLUGGED_IN else 0,
    "LockStatus": lambda s, p: 0,  # unknown: OCPP does not tell
}


def _registers(order: ChargeOrder) -> tuple[int, int]:
    """Meter registers at start and end, Wh. One not known is made so that they differ by the energy."""
    energy = order.energy_wh or 0
    start, stop = order.meter_start_wh, order.meter_stop_wh
    if start is None:
        start = max(stop - energy, 0) if stop is not None else 0
    return start, start + energy if stop is None else stop


ORDER: dict[str, Callable[[ChargeOrder, Profile], Any]] = {
    "StartChargeSeq": lambda o, p: o.start_charge_seq,
    "ConnectorID": lambda o, p: o.connector_id or connector_id(o.identity, o.evse, o.connector),
    "StartTime": lambda o, p: local_time(o.started_at),
    "EndTime": lambda o, p: local_time(o.ended_at),
    # Mandatory in every dialect: energy that is not known is told as 0, and corrected by a later revision.
    "TotalPower": lambda o, p: _kilo(o.energy_wh or 0, p.decimals.energy),
    "TotalElecMoney": lambda o, p: _money(o.elec_money, p),
    "TotalServiceMoney": lambda o, p: _money(o.service_money, p),
    "TotalMoney": lambda o, p: _money(o.money, p),
    "StopReason": lambda o, p: p.stop_code(o.stop_reason),
    "ChargeModel": lambda o, p: 0,
    "UserName": lambda o, p: "",  # personal data stays here
    "StationID": lambda o, p: station_id(o.site_code),
    "EquipmentID": lambda o, p: equipment_id(o.identity),
    "ConnectorPower": lambda o, p: _kilo(o.connector_power_w or 0, p.decimals.power),
    "ChargeLast": lambda o, p: max(0, int((o.ended_at - o.started_at).total_seconds())),
    "MeterValueStart": lambda o, p: _kilo(_registers(o)[0], p.decimals.meter),
    "MeterValueEnd": lambda o, p: _kilo(_registers(o)[1], p.decimals.meter),
    "Revision": lambda o, p: o.revision,
}


def _equipment_totals(total: HourTotal, profile: Profile) -> list[dict[str, Any]]:
    places = profile.decimals.total
    return [
        {
            "EquipmentID": equipment_id(station.identity),
            "EquipmentElectricity": _kilo(station.energy_wh, places),
            "ConnectorStatsInfos": [
                {
                    "ConnectorID": c.connector_id or connector_id(station.identity, c.evse, c.connector),
                    "ConnectorElectricity": _kilo(c.energy_wh, places),
                }
                for c in station.connectors
            ],
        }
        for station in total.stations
    ]


HOUR: dict[str, Callable[[HourTotal, Profile], Any]] = {
    "OperatorID": lambda t, p: t.operator_id,
    "StationID": lambda t, p: station_id(t.site_code),
    "StartTime": lambda t, p: local_time(t.hour),
    "EndTime": lambda t, p: local_time(t.hour + timedelta(hours=1)),
    "StationElectricity": lambda t, p: _kilo(t.energy_wh, p.decimals.total),
    "SessionCount": lambda t, p: t.sessions,
    "Revision": lambda t, p: t.revision,
    "EquipmentStatsInfos": _equipment_totals,
}


def _message(body: dict[str, Any], push: StatusPush | OrderPush | HourPush, profile: Profile) -> Message:
    spelt = _spelt(body, profile.spelling | push.spelling)
    return Message(profile.url_path(push.path), _encoder.encode(spelt).decode())


def _spelt(value: Any, spelling: Mapping[str, str]) -> Any:
    """`value` with every field name as the platform spells it."""
    if isinstance(value, dict):
        return {spelling.get(name, name): _spelt(inner, spelling) for name, inner in value.items()}
    if isinstance(value, list):
        return [_spelt(inner, spelling) for inner in value]
    return value


def _kilo(thousandths: int, places: int) -> Decimal:
    return _rounded(Decimal(thousandths).scaleb(-3), places)


def _money(amount: Decimal | None, profile: Profile) -> Decimal:
    return _rounded(amount or Decimal(0), profile.decimals.money)


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _with_zone(*times: datetime) -> None:
    if any(at.tzinfo is None or at.utcoffset() != timedelta(0) for at in times):
        raise ValueError(f"times are told in UTC, e.g. {datetime(2026, 1, 1, tzinfo=UTC).isoformat()}")
