"""Every kind of record in one place: which class reads it, which module words it, which push carries it.

Pure. It knows our records (as the outbox keeps them) and a platform's profile; no envelope and no socket.
"""

from collections.abc import Callable, Mapping
from typing import Any

from csms.reporting.tcec import alarms, charging, checks, hours, orders, power, stations, status
from csms.reporting.tcec.alarms import Alarm, Event
from csms.reporting.tcec.charging import ChargeStatus, StartResult, StopResult
from csms.reporting.tcec.checks import OrderCheck
from csms.reporting.tcec.hours import HOUR, ConnectorTotal, HourTotal, StationTotal
from csms.reporting.tcec.orders import ORDER, ChargeOrder
from csms.reporting.tcec.power import Power
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.stations import SiteInfo
from csms.reporting.tcec.status import STATUS, ConnectorState
from csms.reporting.tcec.wording import BadRecord, KindNotTaken, Message
from csms.reporting.tcec.wording import message as sealed_later

__all__ = [
    "HOUR", "ORDER", "RECORDS", "STATUS", "BadRecord", "ChargeOrder", "ConnectorState", "ConnectorTotal",
    "HourTotal", "KindNotTaken", "Message", "Record", "StationTotal", "kind_of", "message", "read",
]  # fmt: skip

Record = (
    ChargeOrder | ConnectorState | HourTotal | StartResult | StopResult | ChargeStatus | Power | Alarm
    | Event | SiteInfo | OrderCheck
)  # fmt: skip
RECORDS: dict[str, type[Any]] = {
    "charge-order": ChargeOrder,
    "connector-status": ConnectorState,
    "hour-total": HourTotal,
    "start-result": StartResult,
    "stop-result": StopResult,
    "charge-status": ChargeStatus,
    "power": Power,
    "alarm": Alarm,
    "event": Event,
    "station-info": SiteInfo,
    "order-check": OrderCheck,
}
_BODIES: dict[str, Callable[[Any, Any, Profile], dict[str, Any]]] = {
    "charge-order": orders.body,
    "connector-status": status.body,
    "hour-total": hours.body,
    "start-result": charging.start_body,
    "stop-result": charging.stop_body,
    "charge-status": charging.status_body,
    "power": lambda record, push, profile: power.body(record, profile),
    "alarm": alarms.alarm_body,
    "event": alarms.event_body,
    "station-info": lambda record, push, profile: stations.body(record, profile),
    "order-check": lambda record, push, profile: checks.body(record, profile),
}
_KINDS = {record: kind for kind, record in RECORDS.items()}


def read(kind: str, payload: Mapping[str, object]) -> Record:
    """The record of an outbox row. Raises BadRecord."""
    if kind not in RECORDS:
        raise BadRecord(f"no kind {kind}")
    record: Record = RECORDS[kind].from_payload(payload)
    return record


def kind_of(record: Record) -> str:
    """The outbox kind of a record."""
    return _KINDS[type(record)]


def message(record: Record, profile: Profile) -> Message:
    """The record as this platform wants it.

    Raises KindNotTaken where the profile has no such push, BadRecord where a value cannot be told.
    """
    kind = kind_of(record)
    push = profile.push(kind)
    if push is None:
        raise KindNotTaken(kind)
    try:
        return sealed_later(_BODIES[kind](record, push, profile), push, profile)
    except (ArithmeticError, UnicodeError) as exc:  # a number without end, a year 10000, half a character
        raise BadRecord(f"a value is out of range ({type(exc).__name__})") from exc
