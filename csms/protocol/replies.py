"""Answers whose payload is the same in every OCPP version. Pure."""

from typing import Any

from csms.domain.answers import BootAnswer, DataAnswer, TimeAnswer
from csms.protocol.dialect import Payload
from csms.protocol.times import format_time

_DATA_WORDS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "unknown-vendor-id": "UnknownVendorId",
    "unknown-message-id": "UnknownMessageId",
}


def nothing(action: str, answer: Any) -> Payload:
    """Taken note of."""
    return {}


def time(action: str, answer: TimeAnswer) -> Payload:
    """Heartbeat."""
    return {"currentTime": format_time(answer.now)}


def boot(action: str, answer: BootAnswer) -> Payload:
    """BootNotification."""
    return {
        "status": answer.status.value.capitalize(),
        "currentTime": format_time(answer.now),
        "interval": answer.interval_s,
    }


def data(action: str, answer: DataAnswer) -> Payload:
    """DataTransfer."""
    status = _DATA_WORDS.get(answer.status, "Rejected")
    return {"status": status} if answer.data is None else {"status": status, "data": answer.data}
