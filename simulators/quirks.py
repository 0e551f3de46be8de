"""How misbehaving stations change what they say. Pure: one CALL in, the CALLs they would send out.

`memory` belongs to one station and one misbehaviour; it is empty at power-up.
The names and where each was seen stand in `misbehaviours`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from simulators.facts import Began, Fact, Finished, Metered, Status, StatusChanged, moment, stamp
from simulators.metering import ENERGY
from simulators.traits import Told

Memory = dict[str, Any]
Rewrite = Callable[[Told, Fact, Memory], list[Told]]

BEIJING = timezone(timedelta(hours=8))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _with(told: Told, **fields: Any) -> Told:
    return Told(told.action, {**told.payload, **fields})


def _meter_values(told: Told) -> Iterator[dict[str, Any]]:
    yield from told.payload.get("meterValue", ())
    yield from told.payload.get("transactionData", ())


def _values(told: Told) -> Iterator[dict[str, Any]]:
    for meter_value in _meter_values(told):
        yield from meter_value["sampledValue"]


def each_value(change: Callable[[dict[str, Any]], None]) -> Rewrite:
    """Change every sampled value in place (a message is made for one sending)."""

    def rewrite(told: Told, fact: Fact, memory: Memory) -> list[Told]:
        for value in _values(told):
            change(value)
        return [told]

    return rewrite


def on(action: str, **fields: Any) -> Rewrite:
    """Overwrite fields of one action."""

    def rewrite(told: Told, fact: Fact, memory: Memory) -> list[Told]:
        return [_with(told, **fields) if told.action == action else told]

    return rewrite


def repeat(action: str, times: int) -> Rewrite:
    """Say one action several times over."""

    def rewrite(told: Told, fact: Fact, memory: Memory) -> list[Told]:
        return [told] * (times if told.action == action else 1)

    return rewrite


def numeric(value: dict[str, Any]) -> None:
    """A number where 1.6 wants text."""
    value["value"] = float(value["value"])


def comma(value: dict[str, Any]) -> None:
    """A decimal comma."""
    value["value"] = str(value["value"]).replace(".", ",")


def wrong_context(value: dict[str, Any]) -> None:
    """A context no version knows."""
    value["context"] = "Sample.Periodical"


def phase_of_energy(value: dict[str, Any]) -> None:
    """The total register carries the name of one phase."""
    if value["measurand"] == ENERGY:
        value["phase"] = "L1"


def bare(value: dict[str, Any]) -> None:
    """Everything that has a default is left out."""
    for field in ("context", "location", *(("measurand",) if value["measurand"] == ENERGY else ())):
        value.pop(field, None)


def signed(value: dict[str, Any]) -> None:
    """The register comes with signed data longer than the schema allows."""
    if value["measurand"] == ENERGY:
        blob = {"signedMeterData": "OCMF|" + "A" * 2767, "signingMethod": "", "encodingMethod": "OCMF"}
        value["signedMeterValue"] = {**blob, "publicKey": ""}


def frequency(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """Adds the grid's frequency in Hz, a unit that 1.6 does not list."""
    for meter_value in _meter_values(told):
        meter_value["sampledValue"].append({"value": "50.0", "measurand": "Frequency", "unit": "Hz"})
    return [told]


def empty_sample(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """Sampled values are missing from what a session tells on its way."""
    if isinstance(fact, Metered):
        for meter_value in _meter_values(told):
            meter_value["sampledValue"] = []
    return [told]


def relative_register(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """Samples on the way count from the session's start; start and stop are lifetime readings."""
    if not isinstance(fact, Metered):
        return [told]
    for value in _values(told):
        if value["measurand"] == ENERGY:
            start = Decimal(fact.session.meter_start_wh)
            in_kwh = (value.get("unit") or value.get("unitOfMeasure", {}).get("unit")) == "kWh"
            relative = Decimal(str(value["value"])) - (start / 1000 if in_kwh else start)
            value["value"] = str(relative) if isinstance(value["value"], str) else float(relative)
    return [told]


def stop_below_start(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """The closing register is the opening one less 1 Wh."""
    if isinstance(fact, Finished) and told.action == "StopTransaction":
        return [_with(told, meterStop=fact.session.meter_start_wh - 1)]
    return [told]


def stop_twice(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """A second stop a second later, with another reason."""
    if not isinstance(fact, Finished) or told.action != "StopTransaction":
        return [told]
    later = stamp(fact.at + timedelta(seconds=1))
    return [told, _with(told, timestamp=later, reason="Other")]


def _meter_16(fact: Finished, transaction_id: int, later_s: float) -> Told:
    value = {
        "value": str(fact.meter_stop_wh),
        "measurand": ENERGY,
        "unit": "Wh",
        "context": "Sample.Periodic",
    }
    at = stamp(fact.at + timedelta(seconds=later_s))
    meter_value = [{"timestamp": at, "sampledValue": [value]}]
    payload = {"connectorId": fact.session.evse, "transactionId": transaction_id, "meterValue": meter_value}
    return Told("MeterValues", payload)


def value_after_stop(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """One more meter value of the session follows its stop."""
    if not isinstance(fact, Finished) or told.action != "StopTransaction":
        return [told]
    return [told, _meter_16(fact, told.payload["transactionId"], 1)]


def stale_transaction(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """The ended session's id stays in meter values until the cable is gone."""
    if isinstance(fact, Finished) and told.action == "StopTransaction":
        memory["stale"] = (fact, told.payload["transactionId"])
        return [told]
    if isinstance(fact, StatusChanged) and fact.after is Status.AVAILABLE and "stale" in memory:
        ended, transaction_id = memory.pop("stale")
        return [*(_meter_16(ended, transaction_id, 60 * minute) for minute in (1, 2, 3)), told]
    return [told]


def old_stop(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """After its boot it sends the stop of a session that nobody knows."""
    if told.action != "BootNotification" or memory.setdefault("sent", False):
        return [told]
    memory["sent"] = True
    payload = {"transactionId": 2_000_000_001, "meterStop": 12, "timestamp": "2024-05-01T08:00:00Z"}
    return [told, Told("StopTransaction", payload)]


def finishing_error(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """The status after charging carries an error code that means nothing."""
    if told.payload.get("status") == "Finishing":
        return [_with(told, errorCode="OtherError")]
    return [told]


def zero_connector(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """Meter values name connector 0."""
    if told.action == "MeterValues":
        return [_with(told, connectorId=0)]
    return [told]


def token_as(change: Callable[[str], str]) -> Rewrite:
    """Change the token wherever it is told."""

    def rewrite(told: Told, fact: Fact, memory: Memory) -> list[Told]:
        if "idTag" in told.payload:
            return [_with(told, idTag=change(told.payload["idTag"]))]
        if "idToken" in told.payload:
            token = told.payload["idToken"]
            return [_with(told, idToken={**token, "idToken": change(token["idToken"])})]
        return [told]

    return rewrite


def _retimed(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {
            name: change(value) if name == "timestamp" and isinstance(value, str) else _retimed(value, change)
            for name, value in node.items()
        }
    return [_retimed(one, change) for one in node] if isinstance(node, list) else node


def times_as(change: Callable[[str], str]) -> Rewrite:
    """Change every timestamp."""

    def rewrite(told: Told, fact: Fact, memory: Memory) -> list[Told]:
        return [Told(told.action, _retimed(told.payload, change))]

    return rewrite


def local_time(text: str) -> str:
    """Beijing's wall clock, without saying so."""
    return moment(text).astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M:%S")


def offset_time(text: str) -> str:
    """UTC spelt with an offset and microseconds."""
    return moment(text).strftime("%Y-%m-%dT%H:%M:%S.%f") + "+00:00"


def clock_of_1970(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """The clock was never set: it counts from 1970 at its first message."""

    def since_epoch(text: str) -> str:
        at = moment(text)
        return stamp(EPOCH + (at - memory.setdefault("powered", at - timedelta(seconds=10))))

    return [Told(told.action, _retimed(told.payload, since_epoch))]


def shape_of_16(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """On a 2.x connection a status comes in 1.6's words."""
    if not isinstance(fact, StatusChanged):
        return [told]
    payload = {"connectorId": fact.evse, "errorCode": "NoError", "status": fact.after.value}
    return [Told("StatusNotification", payload)]


def firmware_flood(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """Every status comes with a burst of firmware states that say nothing."""
    if not isinstance(fact, StatusChanged):
        return [told]
    return [told, *[Told("FirmwareStatusNotification", {"status": "Idle"})] * 10]


def long_serial(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """A serial number of 33 characters."""
    return _renamed(told, "SN" + "0123456789" * 3 + "X", "chargePointSerialNumber", "serialNumber")


def html_vendor(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """A model that is markup."""
    return _renamed(told, "<script>1</script>", "chargePointModel", "model")


def _renamed(told: Told, text: str, name_16: str, name_2: str) -> list[Told]:
    if told.action != "BootNotification":
        return [told]
    if "chargingStation" in told.payload:
        return [_with(told, chargingStation={**told.payload["chargingStation"], name_2: text})]
    return [_with(told, **{name_16: text})]


def gap_in_sequence(told: Told, fact: Fact, memory: Memory) -> list[Told]:
    """Sequence numbers skip one after the first event."""
    if isinstance(fact, Began) or "seqNo" not in told.payload:
        return [told]
    return [_with(told, seqNo=told.payload["seqNo"] + 1)]
