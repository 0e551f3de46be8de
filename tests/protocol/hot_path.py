"""CPU microseconds of one message through the protocol floor: receive, decode, read, reply, answer.

Run: python -m tests.protocol.hot_path
"""

import json
import time
import timeit
from collections.abc import Callable

from csms.domain.answers import DONE
from csms.domain.assets import OcppVersion
from csms.protocol import DIALECTS, preload, read
from csms.protocol.rpc import Rpc
from csms.protocol.schema import encode

AT = "2026-01-01T12:00:00Z"
SAMPLES_16 = [
    {
        "value": "123456",
        "context": "Sample.Periodic",
        "measurand": "Energy.Active.Import.Register",
        "unit": "Wh",
    },
    {"value": "7123.4", "context": "Sample.Periodic", "measurand": "Power.Active.Import", "unit": "W"},
]
SAMPLES_2 = [
    {"value": 123456, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}},
    {"value": 7123.4, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}},
]
METER_VALUES = {
    "connectorId": 1,
    "transactionId": 170001,
    "meterValue": [{"timestamp": AT, "sampledValue": SAMPLES_16}],
}
QUIRKY = {**METER_VALUES, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": 5, "unit": "Hz"}]}]}
TRANSACTION_EVENT = {
    "eventType": "Updated",
    "timestamp": AT,
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 5,
    "transactionInfo": {"transactionId": "3f8e1b6e-1", "chargingState": "Charging"},
    "evse": {"id": 1, "connectorId": 1},
    "meterValue": [{"timestamp": AT, "sampledValue": SAMPLES_2}],
}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": AT}
CASES = (
    (OcppVersion.V16, "StatusNotification", STATUS, 5_000),
    (OcppVersion.V16, "MeterValues", METER_VALUES, 5_000),
    (OcppVersion.V16, "MeterValues", QUIRKY, 500),
    (OcppVersion.V201, "TransactionEvent", TRANSACTION_EVENT, 5_000),
)


def whole_way(version: OcppVersion, action: str, frames: list[bytes]) -> Callable[[], None]:
    """A run of these frames through a fresh connection."""
    dialect = DIALECTS[version]

    def run() -> None:
        rpc = Rpc(dialect.errors)
        for frame in frames:
            call = rpc.receive(frame)
            read(dialect, action, call.payload)  # type: ignore[union-attr]  # all of them are calls
            payload = dialect.reply(action, DONE)
            rpc.answer(call.message_id, encode(payload) if payload else b"{}")  # type: ignore[union-attr]

    return run


def main() -> None:
    """Print the least of several runs, which other load disturbs least."""
    preload()
    for version, action, payload, count in CASES:
        raw = json.dumps(payload).encode()
        frames = [b'[2,"%d","%b",%b]' % (n, action.encode(), raw) for n in range(count)]
        runs = timeit.repeat(whole_way(version, action, frames), number=1, repeat=7, timer=time.process_time)
        print(f"{version.value:10} {action:20} {len(raw):5} bytes {min(runs) / count * 1e6:8.1f} us")


if __name__ == "__main__":
    main()
