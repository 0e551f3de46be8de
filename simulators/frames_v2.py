"""OCPP 2.0.1 and 2.1: what a charging station has to tell, as CALL payloads. Pure.

2.1 is the same table with its own transaction events.
"""

from __future__ import annotations

from typing import Any

from simulators import facts
from simulators.facts import Cause, Sample, Session, Status, Stop, Value, stamp
from simulators.traits import Told, Traits, TransactionIds, Writer

CONNECTOR = 1
"""Every simulated EVSE has one connector."""

TRIGGERS = {
    Cause.AUTHORIZED: "Authorized",
    Cause.PLUGGED_IN: "CablePluggedIn",
    Cause.REMOTE: "RemoteStart",
    Cause.PERIODIC: "MeterValuePeriodic",
    Cause.STATE: "ChargingStateChanged",
    Cause.TRIGGERED: "Trigger",
}
STOPS = {
    Stop.LOCAL: ("Local", "StopAuthorized"),
    Stop.REMOTE: ("Remote", "RemoteStop"),
    Stop.EV_DISCONNECTED: ("EVDisconnected", "EVDeparted"),
    Stop.FAULT: ("GroundFault", "AbnormalCondition"),
    Stop.POWER_LOSS: ("PowerLoss", "AbnormalCondition"),
    Stop.RESET: ("ImmediateReset", "ResetCommand"),
    Stop.HARD_RESET: ("ImmediateReset", "ResetCommand"),
    Stop.DEAUTHORIZED: ("DeAuthorized", "Deauthorized"),
    Stop.SOC_REACHED: ("SOCLimitReached", "EnergyLimitReached"),
    Stop.UNLOCK: ("Other", "UnlockCommand"),
}
STATUSES = {
    Status.AVAILABLE: "Available",
    Status.UNAVAILABLE: "Unavailable",
    Status.FAULTED: "Faulted",
}
STATES = {Status.CHARGING: "Charging", Status.SUSPENDED_EV: "SuspendedEV"}


def number(text: str) -> int | float:
    """A decimal text as the JSON number with the same digits."""
    return float(text) if "." in text else int(text)


def sampled_value(value: Value, context: str, traits: Traits) -> dict[str, Any]:
    """One SampledValueType; the value is a number, Wh the default unit."""
    text, unit = value.value, value.unit
    if unit == "Wh" and traits.energy_in_kwh:
        text, unit = f"{int(text) // 1000}.{int(text) % 1000:03d}", "kWh"
    wire: dict[str, Any] = {
        "value": number(text),
        "context": context,
        "measurand": value.measurand,
        "location": value.location,
    }
    if value.phase:
        wire["phase"] = value.phase
    if unit != "Wh" or traits.unit_spelled:
        wire["unitOfMeasure"] = {"unit": unit}
    return wire


def meter_value(sample: Sample, traits: Traits) -> dict[str, Any]:
    """One MeterValueType."""
    values = [sampled_value(value, sample.context, traits) for value in sample.values]
    return {"timestamp": stamp(sample.at), "sampledValue": values}


def boot(fact: facts.Booted, traits: Traits, ids: TransactionIds) -> Told:
    """BootNotification (B01)."""
    station = {
        "model": traits.model,
        "vendorName": traits.vendor,
        "serialNumber": traits.serial,
        "firmwareVersion": traits.firmware,
    }
    return Told("BootNotification", {"chargingStation": station, "reason": fact.reason})


def beat(fact: facts.Beat, traits: Traits, ids: TransactionIds) -> Told:
    """Heartbeat (G02)."""
    return Told("Heartbeat", {})


def status(fact: facts.StatusChanged, traits: Traits, ids: TransactionIds) -> Told | None:
    """StatusNotification (G01): only Occupied is known of a cable, so finer changes are not told."""
    before = STATUSES.get(fact.before, "Occupied") if fact.before else None
    after = STATUSES.get(fact.after, "Occupied")
    if before == after and fact.before is not fact.after:
        return None
    payload = {
        "timestamp": stamp(fact.at),
        "connectorStatus": after,
        "evseId": fact.evse,
        "connectorId": CONNECTOR,
    }
    return Told("StatusNotification", payload)


def token(text: str) -> dict[str, Any]:
    """An IdTokenType of a card."""
    return {"idToken": text, "type": "ISO14443"}


def authorize(fact: facts.TokenPresented, traits: Traits, ids: TransactionIds) -> Told:
    """Authorize (C01)."""
    return Told("Authorize", {"idToken": token(fact.token)})


def _where_and_who(session: Session) -> dict[str, Any]:
    return {"evse": {"id": session.evse, "connectorId": CONNECTOR}, "idToken": token(session.token)}


def _event(
    kind: str, fact: facts.Transactional, trigger: str, info: dict[str, Any], traits: Traits
) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "eventType": kind,
        "timestamp": stamp(fact.at),
        "triggerReason": trigger,
        "seqNo": fact.seq,
        "transactionInfo": {"transactionId": fact.session.key, **info},
    }
    if fact.offline and traits.offline_said:
        payload["offline"] = True
    if kind == "Started" or not traits.evse_once:
        payload["evse"] = {"id": fact.session.evse, "connectorId": CONNECTOR}
    return payload


def start(fact: facts.Began, traits: Traits, ids: TransactionIds) -> Told:
    """TransactionEvent Started (E01, E02)."""
    info: dict[str, Any] = {"chargingState": "Charging"}
    if fact.session.remote_start_id is not None:
        # F01.FR.25: the id tells the central system that its request became this transaction.
        info["remoteStartId"] = fact.session.remote_start_id
    payload = _event("Started", fact, TRIGGERS[fact.cause], info, traits)
    payload |= _where_and_who(fact.session)
    payload["meterValue"] = [meter_value(fact.sample, traits)]
    return Told("TransactionEvent", payload)


def meter(fact: facts.Metered, traits: Traits, ids: TransactionIds) -> Told:
    """TransactionEvent Updated (E02.FR.09, J02)."""
    info = {"chargingState": STATES.get(fact.state, "EVConnected")}
    payload = _event("Updated", fact, TRIGGERS[fact.cause], info, traits)
    if fact.sample is not None:
        payload["meterValue"] = [meter_value(fact.sample, traits)]
    return Told("TransactionEvent", payload)


def stop(fact: facts.Finished, traits: Traits, ids: TransactionIds) -> Told:
    """TransactionEvent Ended (E06, E07)."""
    reason, trigger = STOPS[fact.stop]
    charging = "Idle" if fact.stop is Stop.EV_DISCONNECTED else "EVConnected"
    info = {"stoppedReason": reason, "chargingState": charging}
    payload = _event("Ended", fact, trigger, info, traits)
    if fact.stop is Stop.LOCAL and not traits.evse_once:
        payload["idToken"] = token(fact.session.token)
    payload["meterValue"] = [meter_value(sample, traits) for sample in fact.samples[-1:]]
    return Told("TransactionEvent", payload)


def read(fact: facts.MeterRead, traits: Traits, ids: TransactionIds) -> Told:
    """MeterValues, outside any transaction (J01)."""
    return Told("MeterValues", {"evseId": fact.evse, "meterValue": [meter_value(fact.sample, traits)]})


def _report_row(component: str, variable: str, value: str, read_only: bool) -> dict[str, Any]:
    attribute = {"value": value, "mutability": "ReadOnly" if read_only else "ReadWrite"}
    return {
        "component": {"name": component},
        "variable": {"name": variable},
        "variableAttribute": [attribute],
        "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
    }


def report(fact: facts.Reported, traits: Traits, ids: TransactionIds) -> Told:
    """NotifyReport (B07): `tbc` says that another part follows."""
    payload = {
        "requestId": fact.request_id,
        "generatedAt": stamp(fact.at),
        "seqNo": fact.seq,
        "tbc": fact.more,
        "reportData": [_report_row(*row) for row in fact.variables],
    }
    return Told("NotifyReport", payload)


def start_21(fact: facts.Began, traits: Traits, ids: TransactionIds) -> Told:
    """TransactionEvent Started of 2.1: tells the operation mode (Q01) and whether the EVSE sleeps."""
    told = start(fact, traits, ids)
    told.payload["transactionInfo"]["operationMode"] = "ChargingOnly"
    told.payload["evseSleep"] = False
    return told


def stop_21(fact: facts.Finished, traits: Traits, ids: TransactionIds) -> Told:
    """TransactionEvent Ended of 2.1: a reached state of charge has a trigger of its own."""
    told = stop(fact, traits, ids)
    told.payload["transactionInfo"]["operationMode"] = "Idle"
    if fact.stop is Stop.SOC_REACHED:
        told.payload["triggerReason"] = "SoCLimitReached"
    return told


WORDS_201: dict[type, Writer] = {
    facts.Metered: meter,
    facts.StatusChanged: status,
    facts.Beat: beat,
    facts.TokenPresented: authorize,
    facts.Began: start,
    facts.Finished: stop,
    facts.Booted: boot,
    facts.MeterRead: read,
    facts.Reported: report,
}
WORDS_21: dict[type, Writer] = WORDS_201 | {facts.Began: start_21, facts.Finished: stop_21}
