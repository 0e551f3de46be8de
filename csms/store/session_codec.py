"""A charging session to and from its row, and a change into the rows that one commit puts down."""

from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from csms.domain.assets import ChargingStation, TokenStatus
from csms.domain.charging_session import Change, ChargingSession, Evidence, SessionMessage, SessionState
from csms.domain.quality import EnergySource, Flag
from csms.domain.registers import MeterState
from csms.domain.sequence import SequenceState
from csms.store.jsontext import json_of
from csms.store.records import ReadingRow, Record
from csms.store.session_rows import (
    SessionDue,
    SessionInsert,
    SessionMessageRow,
    SessionProgress,
    SessionRevisionRow,
    SessionUpdate,
)
from csms.store.times import instant, instant_or_none, micros, micros_or_none

DUE_SOON = timedelta(seconds=2)
"""What comes after a session's end comes in a burst (closing values, a queue of messages): computed once."""

DUE_LATER = timedelta(seconds=60)
"""A running session's hour is not asked for at once: a short session is computed once, at its end."""


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a session's course, as one text: only the domain reads it."""

    sequence: SequenceState
    meter: MeterState
    suspected_by: Evidence | None = None


_read_progress = msgspec.json.Decoder(Progress).decode
_write_progress = msgspec.json.Encoder().encode

# A change of one of these writes an index or another column that most messages leave alone.
_SETTLED: Callable[[ChargingSession], tuple[Any, ...]] = attrgetter(
    "transaction_id",
    "start_key",
    "evse",
    "connector",
    "token",
    "token_type",
    "authorization",
    "authorization_reason",
    "state",
    "started_at",
    "received_at",
    "ended_at",
    "end_received_at",
    "meter_stop_wh",
    "stop_reason",
    "flags",
    "remote_start_id",
)


def folded(token: str) -> str:
    """As tokens are compared: without case (1.6 CiString, 2.x identifierString)."""
    return token.casefold()


def flags_text(flags: tuple[Flag, ...]) -> str:
    """`,gap,clock,`: each flag between commas, so that one can be searched for."""
    return f",{','.join(flags)}," if flags else ""


def flags_of(text: str) -> list[str]:
    """The flags of such a text."""
    return text.strip(",").split(",") if text else []


def records_of(
    change: Change, answer: str | None, station: ChargingStation, before: ChargingSession | None = None
) -> list[Record]:
    """The rows that `change` puts down, in no particular order. A repeat puts down nothing.

    `answer` is the answer's payload, stored with its message. `before`: the session as it was, where the
    caller has it; a message that only carries it on then costs a third.
    """
    if change.is_repeat:
        return []
    session = change.session
    records: list[Record] = [_session_record(change, before)]
    if change.revised:
        records.append(_revision(change))
    arrived = micros(_arrival(change))
    if change.message is not None:
        records.append(_message(session.session_id, change.message, arrived, answer))
    if change.readings:
        records += ReadingRow.packed(session.session_id, session.evse, change.readings, arrived)
    if change.hours_due:
        records.append(SessionDue(session.session_id, micros(_due_at(change))))
    return records


def _due_at(change: Change) -> datetime:
    if change.message is None:  # nobody told us, so nobody goes on telling
        return _arrival(change)
    is_final = change.revised or change.session.state is SessionState.ENDED
    return change.message.received_at + (DUE_SOON if is_final else DUE_LATER)


def _arrival(change: Change) -> datetime:
    if change.message is not None:
        return change.message.received_at
    return change.session.end_received_at or change.session.received_at


def _session_record(change: Change, before: ChargingSession | None) -> Record:
    session = change.session
    if change.is_new:
        return _insert(session)
    if before is not None and _SETTLED(before) == _SETTLED(session):
        return _progress_row(session)
    row = _insert(session)
    return SessionUpdate(*row[5:], session.session_id)


def _progress_row(s: ChargingSession) -> SessionProgress:
    row = (
        s.meter_start_wh,
        s.energy_wh,
        s.energy_source._value_,  # `value` is a descriptor, and costs three times as much
        s.revision,
        s.charging_state,
        micros_or_none(s.last_event_at),
        micros_or_none(s.suspected_at),
        _progress(s),
        s.session_id,
    )
    # A third of the time of `SessionProgress(...)`: most messages come by.
    return tuple.__new__(SessionProgress, row)


def _insert(s: ChargingSession) -> SessionInsert:
    return SessionInsert(
        s.session_id,
        s.station_id,
        s.site_id,
        s.operator_id,
        s.ocpp_version,
        s.transaction_id,
        s.start_key,
        s.evse,
        s.connector,
        s.token,
        folded(s.token),
        s.token_type,
        s.authorization.value,
        s.authorization_reason,
        s.state.value,
        micros(s.started_at),
        micros(s.received_at),
        micros_or_none(s.ended_at),
        micros_or_none(s.end_received_at),
        s.meter_start_wh,
        s.meter_stop_wh,
        s.energy_wh,
        s.energy_source.value,
        s.stop_reason,
        flags_text(s.flags),
        s.revision,
        s.remote_start_id,
        s.charging_state,
        micros_or_none(s.last_event_at),
        micros_or_none(s.suspected_at),
        _progress(s),
    )


def _progress(session: ChargingSession) -> str:
    return _write_progress(Progress(session.sequence, session.meter, session.suspected_by)).decode()


def _message(
    session_id: int, message: SessionMessage, received_at: int, answer: str | None
) -> SessionMessageRow:
    row = (
        session_id,
        message.key,
        message.kind,
        message.message_id,
        micros_or_none(message.at),
        received_at,
        message.payload_hash,
        json_of(message.facts),
        answer,
    )
    return tuple.__new__(SessionMessageRow, row)


def _revision(change: Change) -> SessionRevisionRow:
    s = change.session
    at = micros(_arrival(change))
    return SessionRevisionRow(s.session_id, s.revision, at, change.cause, s.energy_wh, json_of(s._asdict()))


def session_of(row: Any) -> ChargingSession:
    """The session of a row of `sessions`."""
    progress = _read_progress(row.progress)
    return ChargingSession(
        session_id=row.session_id,
        station_id=row.station_id,
        site_id=row.site_id,
        operator_id=row.operator_id,
        ocpp_version=row.ocpp_version,
        transaction_id=row.transaction_id,
        start_key=row.start_key,
        evse=row.evse,
        connector=row.connector,
        token=row.token,
        token_type=row.token_type,
        authorization=TokenStatus(row.authorization),
        authorization_reason=row.authorization_reason,
        state=SessionState(row.state),
        started_at=instant(row.started_at),
        received_at=instant(row.received_at),
        ended_at=instant_or_none(row.ended_at),
        end_received_at=instant_or_none(row.end_received_at),
        meter_start_wh=row.meter_start_wh,
        meter_stop_wh=row.meter_stop_wh,
        energy_wh=row.energy_wh,
        energy_source=EnergySource(row.energy_source),
        stop_reason=row.stop_reason,
        flags=tuple(Flag(flag) for flag in flags_of(row.flags)),
        revision=row.revision,
        remote_start_id=row.remote_start_id,
        charging_state=row.charging_state,
        last_event_at=instant_or_none(row.last_event_at),
        sequence=progress.sequence,
        meter=progress.meter,
        suspected_at=instant_or_none(row.suspected_at),
        suspected_by=progress.suspected_by,
    )


def message_of(row: Any) -> SessionMessage:
    """The message of a row of `session_messages`."""
    return SessionMessage(
        row.key,
        row.kind,
        row.message_id,
        instant_or_none(row.at),
        instant(row.received_at),
        row.payload_hash,
        msgspec.json.decode(row.facts),
    )
