"""Whether a message is new: natural keys of sessions and messages, repeats, reused ids. Pure.

A retried message may carry a new message id, so nothing here is by message id: 2.x events are known by
their sequence number, 1.6 messages by what they say.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from csms.domain.authorization import fold_token
from csms.domain.charging_session import METERED, START, STOP, ChargingSession, Message, SessionState
from csms.domain.events import SessionEnded, SessionMetered, SessionStarted
from csms.domain.quality import Flag
from csms.domain.registers import GRACE, is_energy
from csms.domain.sequence import SequenceState, is_taken, key_of, noted, restarted

SessionEvent = SessionStarted | SessionMetered | SessionEnded

REUSED_AFTER = timedelta(days=1)
"""A transaction id heard of this long after its end names another transaction (E08)."""


class Numbered(NamedTuple):
    """A message's key within its session, and the sequence numbers after it."""

    key: str
    sequence: SequenceState
    is_conflict: bool = False


def start_key(event: SessionEvent, *, is_reuse: bool = False) -> str:
    """The natural key of the session that `event` speaks of; a retry has the same (T01-T03, E01).

    1.6 starts have EVSE, token, time and register; 2.x the transaction id; an orphan stop what it says.
    """
    at = _text(event.at, event.at_raw)
    if isinstance(event, SessionStarted) and event.transaction_id is None:
        token = fold_token(event.token.text) if event.token is not None else ""
        return f"{event.evse}|{token}|{at}|{event.meter_start_wh}"
    if isinstance(event, SessionEnded) and event.seq_no is None:
        return f"stop:{event.transaction_id}|{at}|{event.meter_stop_wh}"
    return f"tx:{event.transaction_id}@{at}" if is_reuse else f"tx:{event.transaction_id}"


def is_known(session: ChargingSession, event: SessionEvent, message: Message | None = None) -> str | None:
    """The message key under which `event` seems to have been stored, or None when it is new.

    The caller then looks up the stored payload hash and answer, and hands the hash to `apply`.
    """
    if event.seq_no is not None:
        if not is_taken(session.sequence, event.seq_no):
            return None
        key = key_of(session.sequence, event.seq_no)
        other = _other_key(key, message) if message is not None else key
        return other if other in session.sequence.conflicts else key
    if isinstance(event, SessionStarted):
        return START if has_start(session) else None
    if isinstance(event, SessionEnded):
        return STOP if has_stop(session) else None
    # Most common first: a reading later than all that was heard is new.
    if event.at is None or session.last_event_at is None or event.at > session.last_event_at:
        return None
    return metered_key(message.payload_hash) if message is not None else None


def is_reused(session: ChargingSession, event: SessionEvent) -> bool:
    """Whether `event` names this session's transaction id but means another transaction (E01.FR.08).

    Then the caller ends this one (`suspect` with Evidence.ID_REUSED, if it is open) and begins a new one
    with `is_reuse`.
    """
    if event.seq_no is None or event.at is None or not has_start(session):
        return False
    if Flag.CLOCK in session.flags:  # its times are ours: a retried start would seem a later one
        return False
    last = session.ended_at or session.last_event_at or session.started_at
    if isinstance(event, SessionStarted):
        return event.at > last and event.at != session.started_at
    return session.state is SessionState.ENDED and event.at > last + REUSED_AFTER


def needs_history(session: ChargingSession, event: SessionEvent) -> bool:
    """Whether `apply` must be given all readings of the session: what is known cannot be carried on.

    So it is when readings come late or out of order, after the end, or before the start is known.
    """
    last_at = session.meter.last_at
    if session.state is SessionState.ENDED:
        return last_at is not None or any(map(is_energy, event.readings))
    if last_at is None:
        return False
    # Most common first: everything in the message is later than what is known.
    if isinstance(event, SessionMetered):
        return any(reading.at <= last_at and is_energy(reading) for reading in event.readings)
    if isinstance(event, SessionStarted) or (event.at is not None and event.at + GRACE < last_at):
        return True
    return any(reading.at <= last_at and is_energy(reading) for reading in event.readings)


def number(
    session: ChargingSession, event: SessionEvent, at: datetime, message: Message, stored_hash: str | None
) -> Numbered:
    """Key and sequence numbers of a message that is no repeat."""
    sequence, seq_no = session.sequence, event.seq_no
    if seq_no is None:
        return Numbered(_natural_key(session, event, message), sequence)
    is_later = session.last_event_at is None or at > session.last_event_at
    key = key_of(sequence, seq_no)
    is_stored = stored_hash is not None and is_taken(sequence, seq_no)
    if _is_restart(session, seq_no, is_stored) and is_later:
        anew = restarted(sequence, seq_no)
        return Numbered(key_of(anew, seq_no), anew)
    if is_stored:
        other = _other_key(key, message)
        kept = sequence.conflicts if other in sequence.conflicts else (*sequence.conflicts, other)
        return Numbered(other, sequence._replace(conflicts=kept), is_conflict=True)
    return Numbered(key, noted(sequence, seq_no))


def message_key(session: ChargingSession, event: SessionEvent, message: Message) -> str:
    """The key of a message that is neither a repeat nor in conflict with another."""
    if event.seq_no is not None:
        return key_of(session.sequence, event.seq_no)
    return _natural_key(session, event, message)


def has_start(session: ChargingSession) -> bool:
    """Whether the session's own start has come."""
    return Flag.PROVISIONAL not in session.flags and Flag.ORPHAN_STOP not in session.flags


def has_stop(session: ChargingSession) -> bool:
    """Whether the session's own stop has come."""
    return session.state is SessionState.ENDED and Flag.NO_STOP not in session.flags


def _is_restart(session: ChargingSession, seq_no: int, is_stored: bool) -> bool:
    """E06: numbers below a start that is known, or taken ones after a boot."""
    lowest = session.sequence.lowest
    if lowest is None:
        return False
    is_below = seq_no < lowest
    return (is_below and has_start(session)) or (session.sequence.may_restart and (is_stored or is_below))


def _natural_key(session: ChargingSession, event: SessionEvent, message: Message) -> str:
    if isinstance(event, SessionMetered):
        return metered_key(message.payload_hash)
    if isinstance(event, SessionStarted):
        return _other_key(START, message) if has_start(session) else START
    return _other_key(STOP, message) if has_stop(session) else STOP


def metered_key(payload_hash: str) -> str:
    """The key of a 1.6 message that gave readings."""
    return f"{METERED}:{payload_hash[:24]}"


def _other_key(key: str, message: Message) -> str:
    return f"{key}#{message.payload_hash[:16]}"


def _text(at: datetime | None, at_raw: str | None) -> str:
    return at.isoformat() if at is not None else at_raw or ""
