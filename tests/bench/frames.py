"""What the stations of the benchmark say: whole lives, encoded and masked before they are sent.

A life is boot, status, start, 20 meter values of 2 samples, stop. Lives follow
each other in time on one running register, so that no message repeats another.
Knows no socket and no clock. All stations share the frames; a station's token,
and the number that a 1.6 server gives a transaction, are put in while running.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SUBPROTOCOL = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1"}
VALUES_PER_LIFE = 20
LIFE_LENGTH = 4 + VALUES_PER_LIFE
METER_STEP_S, METER_STEP_WH = 0.5, 5
POWER_W = 36_000  # what a step comes to: within what any station may deliver
LIFE_S = 11
# Eight minutes of lives, all just over. Not hours: those would be late data, which restates totals each time.
MOST_LIVES = 40
LIFE_WH = VALUES_PER_LIFE * METER_STEP_WH

ENERGY, POWER = "Energy.Active.Import.Register", "Power.Active.Import"
SAMPLED = {"context": "Sample.Periodic", "location": "Outlet"}

MASK = b"\x5a\xc3\x17\x8e"
HOLE = b"9999999999999999999"  # stands where up to 19 digits of a transaction number go
TOKEN_HOLE = b'"9999999999999999999"'  # stands where a token of up to 19 characters goes, with its quotes

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One masked text frame. With `rest`, something goes between `head` and `rest`.

    That is the masked token in a frame that opens a transaction, else the masked transaction number.
    """

    head: bytes
    rest: bytes = b""
    opens_transaction: bool = False


def mask(data: bytes, phase: int = 0) -> bytes:
    """XOR with the masking key (RFC 6455 5.3), `phase` bytes into the payload."""
    key = (MASK[phase % 4 :] + MASK[: phase % 4]) * (len(data) // 4 + 1)
    return (int.from_bytes(data, "big") ^ int.from_bytes(key[: len(data)], "big")).to_bytes(len(data), "big")


def mask_number(number: bytes) -> bytes:
    """A transaction number, padded with spaces to the width of the hole and masked for its place."""
    return mask(number.rjust(len(HOLE)))


def mask_token(token: str) -> bytes:
    """A token as a JSON string, padded with spaces to the width of its hole and masked for its place."""
    return mask(json.dumps(token).encode().rjust(len(TOKEN_HOLE)))


def text_frame(payload: bytes) -> bytes:
    """A final, masked text frame as a client sends it (RFC 6455 5.2)."""
    return frame_head(len(payload)) + mask(payload)


def frame_head(length: int) -> bytes:
    """The header of a masked text frame with a payload of `length` bytes, below 64 KiB."""
    if length < 126:
        return bytes((0x81, 0x80 | length)) + MASK
    return b"\x81\xfe" + length.to_bytes(2, "big") + MASK


def encode(message_id: str, action: str, payload: Payload) -> Frame:
    """A CALL as a frame. A payload that contains the hole is split there, the hole on a whole masking key."""
    text = json.dumps([2, message_id, action, payload], separators=(",", ":")).encode()
    opens = TOKEN_HOLE in text
    before, hole, after = text.partition(TOKEN_HOLE if opens else HOLE)
    if not hole:
        return Frame(text_frame(text))
    before += b" " * (-len(before) % 4)
    whole = len(before) + len(hole) + len(after)
    return Frame(frame_head(whole) + mask(before), mask(after, len(before) + len(hole)), opens)


class Script:
    """All that the stations of one OCPP version say. Lives are encoded on first use and then shared."""

    def __init__(self, version: str, now: datetime) -> None:
        self._tell = TELL[version]
        self._epoch = now - timedelta(seconds=MOST_LIVES * LIFE_S)
        self._lives: list[list[Frame]] = []

    def life(self, number: int) -> list[Frame]:
        """The frames of a life, counted from 0. Raises IndexError after MOST_LIVES."""
        if number >= MOST_LIVES:
            raise IndexError(number)
        while len(self._lives) <= number:
            self._lives.append(self._encode_life(len(self._lives)))
        return self._lives[number]

    def _encode_life(self, number: int) -> list[Frame]:
        told = self._tell(number, self._epoch + timedelta(seconds=number * LIFE_S))
        return [encode(f"{number}-{place}", action, payload) for place, (action, payload) in enumerate(told)]


def life_v16(number: int, start: datetime) -> list[tuple[str, Payload]]:
    """One life in OCPP 1.6."""
    register = number * LIFE_WH
    place, end = {"connectorId": 1}, register + LIFE_WH
    station = {"chargePointVendor": "Bench", "chargePointModel": "One", "firmwareVersion": "1.0"}
    status = {**place, "errorCode": "NoError", "status": "Preparing", "timestamp": time_text(start)}
    begin = {**place, "idTag": HOLE.decode(), "meterStart": register, "timestamp": time_text(start)}
    stop = {
        "transactionId": int(HOLE),
        "meterStop": end,
        "timestamp": time_text(_end(start)),
        "reason": "Local",
    }
    return [
        ("BootNotification", station),
        ("StatusNotification", status),
        ("StartTransaction", begin),
        *(
            ("MeterValues", {**place, "transactionId": int(HOLE), "meterValue": [samples_v16(at, wh)]})
            for at, wh in _metered(start, register)
        ),
        ("StopTransaction", stop),
    ]


def life_v201(number: int, start: datetime) -> list[tuple[str, Payload]]:
    """The same life in OCPP 2.0.1, told as TransactionEvents."""
    register = number * LIFE_WH
    place, end = {"evseId": 1, "connectorId": 1}, register + LIFE_WH
    station = {"vendorName": "Bench", "model": "One", "firmwareVersion": "1.0"}
    info = {"transactionId": f"bench-{number}", "chargingState": "Charging"}
    ended = {"transactionId": f"bench-{number}", "stoppedReason": "Local"}
    token = {"idToken": HOLE.decode(), "type": "ISO14443"}
    opening = {"idToken": token, "evse": {"id": 1, "connectorId": 1}}

    def event(kind: str, trigger: str, sequence: int, sample: tuple[datetime, int]) -> Payload:
        head = {"eventType": kind, "timestamp": time_text(sample[0]), "triggerReason": trigger}
        return {**head, "seqNo": sequence, "transactionInfo": info, "meterValue": [samples_v201(*sample)]}

    events = [
        event("Started", "Authorized", 0, (start, register)) | opening,
        *(event("Updated", "MeterValuePeriodic", n, at) for n, at in enumerate(_metered(start, register), 1)),
        event("Ended", "StopAuthorized", VALUES_PER_LIFE + 1, (_end(start), end))
        | {"transactionInfo": ended},
    ]
    return [
        ("BootNotification", {"reason": "PowerUp", "chargingStation": station}),
        ("StatusNotification", {"timestamp": time_text(start), "connectorStatus": "Occupied", **place}),
        *(("TransactionEvent", payload) for payload in events),
    ]


TELL: dict[str, Callable[[int, datetime], list[tuple[str, Payload]]]] = {"1.6": life_v16, "2.0.1": life_v201}


def _metered(start: datetime, register: int) -> list[tuple[datetime, int]]:
    steps = range(1, VALUES_PER_LIFE + 1)
    return [(start + timedelta(seconds=n * METER_STEP_S), register + n * METER_STEP_WH) for n in steps]


def _end(start: datetime) -> datetime:
    return start + timedelta(seconds=(VALUES_PER_LIFE + 1) * METER_STEP_S)


def samples_v16(at: datetime, wh: int) -> Payload:
    """The register and POWER_W as 1.6 has a meter value."""
    energy = {"value": str(wh), "unit": "Wh", "measurand": ENERGY, **SAMPLED}
    power = {"value": str(POWER_W), "unit": "W", "measurand": POWER, **SAMPLED}
    return {"timestamp": time_text(at), "sampledValue": [energy, power]}


def samples_v201(at: datetime, wh: int) -> Payload:
    """The same as 2.x has it."""
    energy = {"value": wh, "unitOfMeasure": {"unit": "Wh"}, "measurand": ENERGY, **SAMPLED}
    power = {"value": POWER_W, "unitOfMeasure": {"unit": "W"}, "measurand": POWER, **SAMPLED}
    return {"timestamp": time_text(at), "sampledValue": [energy, power]}


def time_text(at: datetime) -> str:
    """A time as OCPP has it, in milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
