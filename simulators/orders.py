"""What a station does when the central system asks, and what it answers. One table for each version.

An order's effect goes into the station's outbox, so the answer leaves first.
Actions that are not in the table are not implemented.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulators.facts import Beat, Booted, Cause, Status, StatusChanged, Stop, whole_ms

if TYPE_CHECKING:
    from simulators.evse import Evse
    from simulators.station import Station

AVAILABLE = Status.AVAILABLE
Payload = dict[str, Any]
Order = Callable[["Station", Payload, datetime], Payload]


def answer(station: Station, action: str, payload: Payload, at: datetime) -> Payload | None:
    """Carry out an order; returns the answer's payload, or None for an action this station does not know."""
    order = ORDERS[station.version].get(action)
    return order(station, payload, at) if order else None


def status_of(payload: Payload) -> str | None:
    """The authorization status in an answer (idTagInfo in 1.6, idTokenInfo in 2.x); None without one."""
    info = payload.get("idTagInfo") or payload.get("idTokenInfo") or {}
    status = info.get("status")
    return str(status) if status is not None else None


def _said(accepted: bool) -> Payload:
    return {"status": "Accepted" if accepted else "Rejected"}


def _start(station: Station, evse: int | None, token: str, remote_id: int | None, at: datetime) -> bool:
    wanted = [station.evses[evse]] if evse in station.evses else list(station.evses.values())
    if evse and evse not in station.evses:
        return False
    for one in wanted:
        told = one.start_remotely(token, remote_id, station.now(at))
        if told is not None:
            station.put(*told)
            return True
    return False


def _stop(station: Station, key: str | None, at: datetime) -> bool:
    for evse in station.evses.values():
        if evse.session is not None and evse.session.key == key:
            station.put(*evse.finish(Stop.REMOTE, station.now(at)))
            return True
    return False


def remote_start_16(station: Station, payload: Payload, at: datetime) -> Payload:
    """RemoteStartTransaction (5.11)."""
    return _said(_start(station, payload.get("connectorId"), payload["idTag"], None, at))


def request_start(station: Station, payload: Payload, at: datetime) -> Payload:
    """RequestStartTransaction (F01, F02)."""
    token, remote_id = payload["idToken"]["idToken"], payload["remoteStartId"]
    return _said(_start(station, payload.get("evseId"), token, remote_id, at))


def remote_stop_16(station: Station, payload: Payload, at: datetime) -> Payload:
    """RemoteStopTransaction (5.12)."""
    wanted = payload["transactionId"]
    keys = [key for key, number in station.transaction_ids.items() if number == wanted]
    return _said(any(_stop(station, key, at) for key in keys))


def request_stop(station: Station, payload: Payload, at: datetime) -> Payload:
    """RequestStopTransaction (F03)."""
    return _said(_stop(station, payload["transactionId"], at))


def reset(station: Station, payload: Payload, at: datetime) -> Payload:
    """Reset (1.6 5.14; 2.x B11, B12): a 2.x station told to wait for idle does so while a session runs."""
    busy = any(evse.session for evse in station.evses.values())
    if payload["type"] == "OnIdle" and busy:
        return {"status": "Scheduled"}
    station.restart = Stop.HARD_RESET if payload["type"] == "Hard" else Stop.RESET
    return {"status": "Accepted"}


def unlock_16(station: Station, payload: Payload, at: datetime) -> Payload:
    """UnlockConnector (5.18): a running transaction is stopped first."""
    evse = station.evses.get(payload["connectorId"])
    if evse is None:
        return {"status": "NotSupported"}
    station.put(*evse.finish(Stop.UNLOCK, station.now(at)))
    return {"status": "Unlocked"}


def unlock(station: Station, payload: Payload, at: datetime) -> Payload:
    """UnlockConnector (F05)."""
    evse = station.evses.get(payload["evseId"])
    if evse is None or payload["connectorId"] != 1:
        return {"status": "UnknownConnector"}
    return {"status": "OngoingAuthorizedTransaction" if evse.session else "Unlocked"}


def _addressed(station: Station, number: int | None) -> list[Evse]:
    if not number:
        return list(station.evses.values())
    return [station.evses[number]] if number in station.evses else []


def _trigger(station: Station, message: str, number: int | None, at: datetime) -> str:
    evses = _addressed(station, number)
    match message:
        case "BootNotification":
            station.outbox.put_first(Booted("Triggered"))
        case "Heartbeat":
            station.put(Beat())
        case "StatusNotification" if evses:
            station.put(*(StatusChanged(e.number, e.status, e.status, whole_ms(at)) for e in evses))
        case "MeterValues" if evses:
            station.put(
                *(e.read(whole_ms(at)) for e in evses if e.session is None or station.version != "1.6")
            )
            if station.version == "1.6":
                _tell_sessions(station, evses, at)
        case "TransactionEvent" if evses:
            _tell_sessions(station, evses, at)
        case _:
            return "NotImplemented" if evses else "Rejected"
    return "Accepted"


def _tell_sessions(station: Station, evses: list[Evse], at: datetime) -> None:
    for evse in evses:
        station.put(*evse.update(Cause.TRIGGERED, station.now(at)))


def trigger_16(station: Station, payload: Payload, at: datetime) -> Payload:
    """TriggerMessage (5.17)."""
    return {"status": _trigger(station, payload["requestedMessage"], payload.get("connectorId"), at)}


def trigger(station: Station, payload: Payload, at: datetime) -> Payload:
    """TriggerMessage (F06)."""
    evse = payload.get("evse", {}).get("id")
    return {"status": _trigger(station, payload["requestedMessage"], evse, at)}


def _set_operative(station: Station, number: int | None, operative: bool, at: datetime) -> Payload:
    evses = _addressed(station, number)
    if not evses:
        return {"status": "Rejected"}
    busy = any(evse.session for evse in evses)
    for evse in evses:
        station.put(*evse.set_operative(operative, station.now(at)))
    return {"status": "Scheduled" if busy else "Accepted"}


def availability_16(station: Station, payload: Payload, at: datetime) -> Payload:
    """ChangeAvailability (5.2); connector 0 is all of them."""
    return _set_operative(station, payload["connectorId"], payload["type"] == "Operative", at)


def availability(station: Station, payload: Payload, at: datetime) -> Payload:
    """ChangeAvailability (G03, G04); no EVSE is all of them."""
    operative = payload["operationalStatus"] == "Operative"
    return _set_operative(station, payload.get("evse", {}).get("id"), operative, at)


def change_configuration(station: Station, payload: Payload, at: datetime) -> Payload:
    """ChangeConfiguration (5.3)."""
    outcome = station.settings.write(payload["key"], payload["value"])
    return {"status": "NotSupported" if outcome == "Unknown" else outcome}


def get_configuration(station: Station, payload: Payload, at: datetime) -> Payload:
    """GetConfiguration (5.8): no keys asks for all."""
    known, asked = station.settings.all, payload.get("key") or list(station.settings.all)
    rows = [
        {"key": name, "readonly": known[name].read_only, "value": known[name].value}
        for name in asked
        if name in known
    ]
    return {"configurationKey": rows, "unknownKey": [name for name in asked if name not in known]}


def _named(data: Payload) -> str:
    return f"{data['component']['name']}/{data['variable']['name']}"


def _unknown(station: Station, data: Payload) -> str:
    component = data["component"]["name"] + "/"
    known = any(name.startswith(component) for name in station.settings.all)
    return "UnknownVariable" if known else "UnknownComponent"


def _set_one(station: Station, data: Payload) -> Payload:
    outcome = station.settings.write(_named(data), data["attributeValue"])
    status = _unknown(station, data) if outcome == "Unknown" else outcome
    return {"attributeStatus": status, "component": data["component"], "variable": data["variable"]}


def set_variables(station: Station, payload: Payload, at: datetime) -> Payload:
    """SetVariables (B05)."""
    return {"setVariableResult": [_set_one(station, data) for data in payload["setVariableData"]]}


def _get_one(station: Station, data: Payload) -> Payload:
    setting = station.settings.all.get(_named(data))
    found = {"component": data["component"], "variable": data["variable"]}
    if setting is None:
        return {"attributeStatus": _unknown(station, data), **found}
    return {"attributeStatus": "Accepted", "attributeValue": setting.value, **found}


def get_variables(station: Station, payload: Payload, at: datetime) -> Payload:
    """GetVariables (B06)."""
    return {"getVariableResult": [_get_one(station, data) for data in payload["getVariableData"]]}


def base_report(station: Station, payload: Payload, at: datetime) -> Payload:
    """GetBaseReport (B07): the NotifyReport parts follow the answer."""
    station.report(payload["requestId"], at)
    return {"status": "Accepted"}


def transaction_status(station: Station, payload: Payload, at: datetime) -> Payload:
    """GetTransactionStatus (E14): of one transaction, or whether anything at all is queued."""
    key = payload.get("transactionId")
    if key is None:
        return {"messagesInQueue": station.outbox.transactional > 0}
    running = any(e.session is not None and e.session.key == key for e in station.evses.values())
    return {"ongoingIndicator": running, "messagesInQueue": station.outbox.tells_of(key)}


def clear_cache(station: Station, payload: Payload, at: datetime) -> Payload:
    """ClearCache (1.6 5.4; 2.x C11)."""
    return {"status": "Accepted"}


def data_transfer(station: Station, payload: Payload, at: datetime) -> Payload:
    """DataTransfer (1.6 5.6; 2.x P01): only our own vendor is known."""
    return {"status": "Accepted" if payload["vendorId"] == station.traits.vendor else "UnknownVendorId"}


ORDERS_16: dict[str, Order] = {
    "RemoteStartTransaction": remote_start_16,
    "RemoteStopTransaction": remote_stop_16,
    "Reset": reset,
    "UnlockConnector": unlock_16,
    "TriggerMessage": trigger_16,
    "ChangeAvailability": availability_16,
    "ChangeConfiguration": change_configuration,
    "GetConfiguration": get_configuration,
    "ClearCache": clear_cache,
    "DataTransfer": data_transfer,
}
ORDERS_2: dict[str, Order] = {
    "RequestStartTransaction": request_start,
    "RequestStopTransaction": request_stop,
    "Reset": reset,
    "UnlockConnector": unlock,
    "TriggerMessage": trigger,
    "ChangeAvailability": availability,
    "SetVariables": set_variables,
    "GetVariables": get_variables,
    "GetBaseReport": base_report,
    "GetTransactionStatus": transaction_status,
    "ClearCache": clear_cache,
    "DataTransfer": data_transfer,
}
ORDERS: dict[str, dict[str, Order]] = {"1.6": ORDERS_16, "2.0.1": ORDERS_2, "2.1": ORDERS_2}
