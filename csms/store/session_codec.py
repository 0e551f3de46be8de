"""A charging session to and from its row, and a change into the rows that one commit puts down."""

from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from csms.domain.assets import ChargingStation, TokenStatus
from csms.domain.charging_session import (
    Change,
    ChargingSession,
    Evidence,
    SessionState,
)
from csms.domain.quality import EnergySource, Flag
from csms.domain.registers import MeterState
from csms.domain.sequence import SequenceState
from csms.store.change_rows import session_changes
from csms.store.jsontext import json_of
from csms.store.message_codec import NOT_SENT, Sent, message_row
from csms.store.records import Record
from csms.store.session_rows import (
    SessionDue,
    SessionInsert,
    SessionMark,
    SessionProgress,
    SessionRevisionRow,
    SessionUnmark,
    SessionUpdate,
)
from csms.store.times import instant, instant_or_none, micros, micros_or_none

DUE_SOON = timedelta(seconds=2)
"""What comes after a session's end comes in a burst (closing values, a queue of messages): computed once."""

DUE_LATER = timedelta(seconds=60)
"""A running session's hour is not asked for at once: a short session is computed once, at its end."""

QUEUES = {
    Flag.ORPHAN_STOP: "unmatched-stops",
    Flag.GAP: "gaps",
    Flag.IMPLAUSIBLE_ENERGY: "implausible-energy",
    Flag.STOP_BELOW_START: "implausible-energy",
    Flag.CLOCK: "clock-errors",
}
"""Flags that want a person's eye, and the queue in which a session with one waits for it."""


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a session's course, as one text: only the domain reads it."""

    sequence: SequenceState
    meter: MeterState
    suspected_by: Evidence | None = None
    asked_at: datetime | None = None


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
    change: Change, station: ChargingStation, before: ChargingSession | None = None, sent: Sent = NOT_SENT
) -> list[Record]:
    """The rows that `change` puts down, in no particular order. A repeat puts down nothing.

    `sent` is stored with its message. `before`: the session as it was, where the caller has it; a message
    that only carries it on then costs a third.
    """
    if change.is_repeat:
        return []
    session = change.session
    assert change.message is not None or not change.readings, "readings come in messages"
    records: list[Record] = [_session_record(change, before)]
    if change.revised:
        records.append(_revision(change))
    if change.message is not None:
        records.append(message_row(session, change.message, change.readings, sent))
    if change.hours_due:
        records.append(SessionDue(session.session_id, micros(_due_at(change))))
    if session.flags or (before is not None and before.flags):
        records += _marks(session, before, change.is_new)
    # Most common first: a message that only carries its session on is no news.
    if before is None or before.state is not session.state or change.revised:
        records += session_changes(change, before, micros(_happened(change)))
    return records


def _marks(session: ChargingSession, before: ChargingSession | None, is_new: bool) -> list[Record]:
    """Queues the session has come into, and those it has left."""
    now = {QUEUES[flag] for flag in session.flags if flag in QUEUES}
    was = {QUEUES[flag] for flag in before.flags if flag in QUEUES} if before is not None else set()
    gone = set() if is_new else (was if before is not None else set(QUEUES.values())) - now
    where = (session.operator_id, session.site_id)
    marks: list[Record] = [SessionMark(queue, session.session_id, *where) for queue in sorted(now - was)]
    return marks + [SessionUnmark(queue, session.session_id) for queue in sorted(gone)]


def _due_at(change: Change) -> datetime:
    if change.message is None:  # nobody told us, so nobody goes on telling
        return _arrival(change)
    is_final = change.revised or change.session.state is SessionState.ENDED
    return change.message.received_at + (DUE_SOON if is_final else DUE_LATER)


def _arrival(change: Change) -> datetime:
    if change.message is not None:
        return change.message.received_at
    return change.session.end_received_at or change.session.received_at


def _happened(change: Change) -> datetime:
    if change.message is None and change.session.state is SessionState.SUSPECTED_ENDED:
        return change.session.suspected_at or _arrival(change)
    return _arrival(change)


def _session_record(change: Change, before: ChargingSession | None) -> Record:
    session = change.session
    if change.is_new:
        return _insert(session)
    if before is not None and change.message is not None and _SETTLED(before) == _SETTLED(session):
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
        s.heard,
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
        s.heard,
    )


def _progress(session: ChargingSession) -> str:
    course = Progress(session.sequence, session.meter, session.suspected_by, session.asked_at)
    return _write_progress(course).decode()


def progress_of(session: ChargingSession) -> SessionProgress:
    """What a session that ran on has come to."""
    return _progress_row(session)


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
        heard=row.heard,
        asked_at=progress.asked_at,
    )
