"""OCPP 1.6J: what a charging station has to tell, as CALL payloads. Pure: no queue, no ids of its own."""

from __future__ import annotations

from typing import Any

from simulators import facts
from simulators.facts import Sample, Status, Stop, Value, stamp
from simulators.traits import Told, Traits, TransactionIds, Writer

REASONS = {
    Stop.LOCAL: "Local",
    Stop.REMOTE: "Remote",
    Stop.EV_DISCONNECTED: "EVDisconnected",
    Stop.FAULT: "Other",
    Stop.POWER_LOSS: "PowerLoss",
    Stop.RESET: "SoftReset",
    Stop.HARD_RESET: "HardReset",
    Stop.DEAUTHORIZED: "DeAuthorized",
    Stop.SOC_REACHED: "Other",
    Stop.UNLOCK: "UnlockCommand",
}


def sampled_value(value: Value, context: str, traits: Traits) -> dict[str, Any]:
    """One SampledValue; values are text in 1.6."""
    text, unit = value.value, value.unit
    if unit == "Wh" and traits.energy_in_kwh:
        text, unit = f"{int(text) // 1000}.{int(text) % 1000:03d}", "kWh"
    wire = {"value": text, "context": context, "measurand": value.measurand, "location": value.location}
    if value.phase:
        wire["phase"] = value.phase
    if unit != "Wh" or traits.unit_spelled:
        wire["unit"] = unit
    return wire


def meter_value(sample: Sample, traits: Traits) -> dict[str, Any]:
    """One MeterValue: every value of a moment."""
    values = [sampled_value(value, sample.context, traits) for value in sample.values]
    return {"timestamp": stamp(sample.at), "sampledValue": values}


def boot(fact: facts.Booted, traits: Traits, ids: TransactionIds) -> Told:
    """BootNotification (4.2)."""
    payload = {
        "chargePointVendor": traits.vendor,
        "chargePointModel": traits.model,
        "chargePointSerialNumber": traits.serial,
        "firmwareVersion": traits.firmware,
    }
    return Told("BootNotification", payload)


def beat(fact: facts.Beat, traits: Traits, ids: TransactionIds) -> Told:
    """Heartbeat (4.6)."""
    return Told("Heartbeat", {})


def status(fact: facts.StatusChanged, traits: Traits, ids: TransactionIds) -> Told:
    """StatusNotification (4.9); connector 0 is the station itself."""
    error = "GroundFailure" if fact.after is Status.FAULTED else "NoError"
    payload = {
        "connectorId": fact.evse,
        "errorCode": error,
        "status": fact.after.value,
        "timestamp": stamp(fact.at),
    }
    return Told("StatusNotification", payload)


def authorize(fact: facts.TokenPresented, traits: Traits, ids: TransactionIds) -> Told:
    """Authorize (4.1)."""
    return Told("Authorize", {"idTag": fact.token})


def start(fact: facts.Began, traits: Traits, ids: TransactionIds) -> Told:
    """StartTransaction (4.8)."""
    session = fact.session
    payload = {
        "connectorId": session.evse,
        "idTag": session.token,
        "meterStart": session.meter_start_wh,
        "timestamp": stamp(fact.at),
    }
    return Told("StartTransaction", payload)


def meter(fact: facts.Metered, traits: Traits, ids: TransactionIds) -> Told | None:
    """MeterValues within a transaction (4.7); a new charging state alone is a StatusNotification in 1.6."""
    if fact.sample is None:
        return None
    payload = {
        "connectorId": fact.session.evse,
        "transactionId": ids[fact.session.key],
        "meterValue": [meter_value(fact.sample, traits)],
    }
    return Told("MeterValues", payload)


def stop(fact: facts.Finished, traits: Traits, ids: TransactionIds) -> Told:
    """StopTransaction (4.10); Local is the reason that may be left out."""
    payload: dict[str, Any] = {
        "transactionId": ids[fact.session.key],
        "meterStop": fact.meter_stop_wh,
        "timestamp": stamp(fact.at),
        "reason": REASONS[fact.stop],
    }
    if fact.stop is Stop.LOCAL:
        payload["idTag"] = fact.session.token
    if traits.transaction_data:
        payload["transactionData"] = [meter_value(sample, traits) for sample in fact.samples]
    return Told("StopTransaction", payload)


def read(fact: facts.MeterRead, traits: Traits, ids: TransactionIds) -> Told:
    """MeterValues without a transaction."""
    return Told("MeterValues", {"connectorId": fact.evse, "meterValue": [meter_value(fact.sample, traits)]})


WORDS: dict[type, Writer] = {
    facts.Metered: meter,
    facts.StatusChanged: status,
    facts.Beat: beat,
    facts.TokenPresented: authorize,
    facts.Began: start,
    facts.Finished: stop,
    facts.Booted: boot,
    facts.MeterRead: read,
}
