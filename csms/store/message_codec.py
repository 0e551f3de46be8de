"""Messages of sessions to and from their rows. Knows columns; what messages mean is the domain's."""

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from csms.domain.charging_session import (
    HASHED,
    ChargingSession,
    SessionMessage,
    key_number,
    number_of_hash,
    payload_hash,
)
from csms.domain.course import Course, NextReading, Step
from csms.domain.meter import Reading
from csms.domain.recognition import metered_key
from csms.store.jsontext import json_of
from csms.store.reading_rows import pack, unpack
from csms.store.session_rows import NextReadingRow, SessionMessageRow
from csms.store.times import instant, instant_or_none, micros, micros_or_none

_write = msgspec.json.Encoder().encode


class Sent(NamedTuple):
    """A message as it came: its action and payload, and what it was answered (None: an empty payload)."""

    action: str
    request: bytes
    answer: str | None = None


NOT_SENT = Sent("", b"")


def message_row(
    session: ChargingSession, message: SessionMessage, readings: tuple[Reading, ...], sent: Sent
) -> SessionMessageRow:
    """The row of a message that spoke of `session` (as it is after it) and gave these readings."""
    samples, kinds = pack(readings)
    return SessionMessageRow(
        session.session_id,
        key_number(message.key),
        message.key,
        session.heard,
        message.kind,
        message.message_id,
        micros_or_none(message.at),
        micros(message.received_at),
        message.payload_hash,
        json_of(message.facts),
        sent.answer,
        session.evse,
        samples,
        sent.action,
        sent.request.decode("utf-8", "replace"),
        kinds,
    )


def next_reading_row(
    course: Course, told: NextReading, step: Step, arrived: int, message_id: str, action: str, request: bytes
) -> NextReadingRow:
    """The row of a message that was nothing but the next reading of its session (`domain.course`)."""
    row = (
        course.session_id,
        step.number if step.number >= 0 else number_of_hash(blake2b(request, digest_size=16).digest()),
        step.nth,
        message_id,
        told.at,
        arrived,
        course.evse,
        _write(((told.taken, told.samples),)).decode(),
        action,
        request.decode(),
    )
    # A third of the time of `NextReadingRow(...)`: most messages come by.
    return tuple.__new__(NextReadingRow, row)


def message_of(row: Any) -> SessionMessage:
    """The message of a row of `session_messages`."""
    return SessionMessage(
        key_of(row),
        row.kind,
        row.message_id,
        instant_or_none(row.at),
        instant(row.received_at),
        hash_of(row),
        facts_of(row),
    )


def key_of(row: Any) -> str:
    """A message's key within its session."""
    if row.key:
        return str(row.key)
    return (
        metered_key(payload_hash(row.request.encode())) if row.key_number >= HASHED else str(row.key_number)
    )


def hash_of(row: Any) -> str:
    """What a message's payload is recognised by."""
    return row.payload_hash or payload_hash(row.request.encode())


def facts_of(row: Any) -> dict[str, Any]:
    """Which numbers a message gave."""
    if row.facts:
        return dict(msgspec.json.decode(row.facts))
    return {"readings": sum(len(some) for _, some in unpack(row.samples))}
