"""A charger of the city: connects, boots, perhaps charges, and speaks when it is due. Two OCPP versions.

Builds what it says at that moment, with the true time, so that nothing it says is late. Knows what of it was
acknowledged, which is the truth that the database is compared with.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.bench.frames import POWER_W, SUBPROTOCOL, samples_v16, samples_v201, text_frame, time_text
from tests.bench.stations import TRANSACTION, Station, clock, handshake

START_WH = 1_000
RESULT = ord("3")

Payload = dict[str, Any]


class Due(NamedTuple):
    """Something to say: when it fell due, and what."""

    at: float
    action: str


class Charger(Station):
    """One connection, one call outstanding; what falls due meanwhile waits, and its time counts from then."""

    def __init__(self, port: int, identity: str, password: str, version: str, charges: bool) -> None:
        request = handshake(port, f"/ocpp/{identity}", SUBPROTOCOL[version], f"{identity}:{password}")
        super().__init__(request, None, identity, 0)
        self.identity = identity
        self.charges = charges
        self.is_2 = version != "1.6"
        self.waiting: deque[Due] = deque()
        self.values = 0
        """Meter values that were acknowledged."""
        self.energy_wh = 0
        """Of the session, when its end was acknowledged."""
        self.lost = 0
        self._said: Due | None = None
        self._count = self._sequence = 0
        self._began = 0.0
        self._transaction: int | str = f"city-{identity}"
        self._wh = 0

    def fall_due(self, due: Due) -> None:
        """Say it now, or after the answer that is still out."""
        if self.is_busy:
            self.waiting.append(due)
        else:
            self._say(due)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1
        super().connection_lost(exc)

    def _say(self, due: Due) -> None:
        self._said, self._since, self.is_busy = due, due.at, True
        self._count += 1
        action, payload = (self._v201 if self.is_2 else self._v16)(due.action)
        text = json.dumps([2, str(self._count), action, payload], separators=(",", ":"))
        self._transport.write(text_frame(text.encode()))

    def _answered(self, payload: bytes) -> None:
        said = self._said
        assert said is not None, "an answer to nothing"
        if payload[1] != RESULT or b'"Rejected"' in payload or b'"Invalid"' in payload:
            self.tally.note_trouble(f"{said.action}: {payload[:200]!r}")
        elif said.action == "value":
            self.values += 1
        elif said.action == "stop":
            self.energy_wh = self._wh - START_WH
        elif said.action == "start" and not self.is_2 and (found := TRANSACTION.search(payload)):
            self._transaction = int(found[1])
        super()._answered(payload)
        if self.waiting:
            self._say(self.waiting.popleft())

    def _meter(self, action: str) -> int:
        if action == "start":
            self._began = clock()
        self._wh = START_WH + int((clock() - self._began) * POWER_W / 3_600)
        return self._wh

    def _v16(self, action: str) -> tuple[str, Payload]:
        at = datetime.now(UTC)
        now = time_text(at)
        if action == "boot":
            return "BootNotification", {"chargePointVendor": "City", "chargePointModel": "One"}
        if action == "status":
            status = "Preparing" if self.charges else "Available"
            return "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status}
        if action == "heartbeat":
            return "Heartbeat", {}
        wh = self._meter(action)
        if action == "start":
            begin = {"connectorId": 1, "idTag": self.identity, "meterStart": wh, "timestamp": now}
            return "StartTransaction", begin
        if action == "stop":
            end = {"transactionId": self._transaction, "meterStop": wh, "timestamp": now, "reason": "Local"}
            return "StopTransaction", end
        metered = [samples_v16(at, wh)]
        return "MeterValues", {
            "connectorId": 1, "transactionId": self._transaction, "meterValue": metered,
        }  # fmt: skip

    def _v201(self, action: str) -> tuple[str, Payload]:
        at = datetime.now(UTC)
        now = time_text(at)
        if action == "boot":
            return "BootNotification", {
                "reason": "PowerUp", "chargingStation": {"vendorName": "City", "model": "Two"},
            }  # fmt: skip
        if action == "status":
            status = "Occupied" if self.charges else "Available"
            return "StatusNotification", {
                "timestamp": now, "connectorStatus": status, "evseId": 1, "connectorId": 1,
            }  # fmt: skip
        if action == "heartbeat":
            return "Heartbeat", {}
        return "TransactionEvent", self._event(action, at)

    def _event(self, action: str, at: datetime) -> Payload:
        kind, trigger = {
            "start": ("Started", "Authorized"),
            "value": ("Updated", "MeterValuePeriodic"),
            "stop": ("Ended", "StopAuthorized"),
        }[action]
        about: Payload = {"transactionId": self._transaction}
        about |= {"stoppedReason": "Local"} if action == "stop" else {"chargingState": "Charging"}
        payload: Payload = {
            "eventType": kind, "timestamp": time_text(at), "triggerReason": trigger, "seqNo": self._sequence,
            "transactionInfo": about, "meterValue": [samples_v201(at, self._meter(action))],
        }  # fmt: skip
        self._sequence += 1
        if action == "start":
            payload["idToken"] = {"idToken": self.identity, "type": "ISO14443"}
            payload["evse"] = {"id": 1, "connectorId": 1}
        return payload
