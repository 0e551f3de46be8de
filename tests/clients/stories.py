"""The one story that every independent client tells, in each version of OCPP. Payloads only; knows no client.

`TRANSACTION` stands where 1.6 wants the number the server gave.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

TOKEN = "WITNESS-1"
TRANSACTION = "{transactionId}"
START_WH, FIRST_WH, SECOND_WH, END_WH = 1_000, 1_500, 2_200, 3_100
ENERGY_WH = END_WH - START_WH
METERED = "Energy.Active.Import.Register"

Story = list[tuple[str, dict[str, Any]]]


def story(version: str, now: datetime) -> Story:
    """Boot, heartbeat, status, authorize and a session of 10 minutes that ended a minute before `now`."""
    times = [now - timedelta(minutes=back) for back in (11, 8, 4, 1)]
    return _story_v16(times) if version == "1.6" else _story_v2(times)


def _story_v16(times: list[datetime]) -> Story:
    start, first, second, end = map(_text, times)

    def metered(at: str, wh: int) -> dict[str, Any]:
        sample = {"value": str(wh), "measurand": METERED, "unit": "Wh", "context": "Sample.Periodic"}
        meter_value = [{"timestamp": at, "sampledValue": [sample]}]
        return {"connectorId": 1, "transactionId": TRANSACTION, "meterValue": meter_value}

    return [
        ("BootNotification", {"chargePointVendor": "Witness", "chargePointModel": "Independent"}),
        ("Heartbeat", {}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}),
        ("Authorize", {"idTag": TOKEN}),
        (
            "StartTransaction",
            {"connectorId": 1, "idTag": TOKEN, "meterStart": START_WH, "timestamp": start},
        ),
        ("MeterValues", metered(first, FIRST_WH)),
        ("MeterValues", metered(second, SECOND_WH)),
        (
            "StopTransaction",
            {"transactionId": TRANSACTION, "meterStop": END_WH, "timestamp": end, "reason": "Local"},
        ),
    ]


def _story_v2(times: list[datetime]) -> Story:
    start, first, second, end = map(_text, times)
    token = {"idToken": TOKEN, "type": "ISO14443"}

    def event(number: int, kind: str, why: str, at: str, wh: int, **more: Any) -> tuple[str, dict[str, Any]]:
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        sample = {"value": wh, "measurand": METERED, "context": context, "unitOfMeasure": {"unit": "Wh"}}
        about = {"transactionId": "witness-1", **more.pop("info", {"chargingState": "Charging"})}
        head = {"eventType": kind, "timestamp": at, "triggerReason": why, "seqNo": number}
        meter_value = [{"timestamp": at, "sampledValue": [sample]}]
        return "TransactionEvent", {**head, "transactionInfo": about, "meterValue": meter_value, **more}

    station = {"vendorName": "Witness", "model": "Independent"}
    status = {"timestamp": start, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
    place = {"id": 1, "connectorId": 1}
    return [
        ("BootNotification", {"reason": "PowerUp", "chargingStation": station}),
        ("Heartbeat", {}),
        ("StatusNotification", status),
        ("Authorize", {"idToken": token}),
        event(0, "Started", "Authorized", start, START_WH, idToken=token, evse=place),
        event(1, "Updated", "MeterValuePeriodic", first, FIRST_WH),
        event(2, "Updated", "MeterValuePeriodic", second, SECOND_WH),
        event(3, "Ended", "StopAuthorized", end, END_WH, info={"stoppedReason": "Local"}),
    ]


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
