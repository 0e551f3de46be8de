"""What an event says of a session, as fields of the session. Decides nothing about energy or repeats."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from csms.domain import clock
from csms.domain.assets import TokenVerdict
from csms.domain.charging_session import (
    ChargingSession,
    Evidence,
    Message,
    SessionMessage,
    SessionState,
)
from csms.domain.events import SessionEnded, SessionMetered, SessionStarted
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.quality import Flag
from csms.domain.recognition import SessionEvent, has_start, has_stop
from csms.domain.settling import with_flags

MOST_PLACES = 64
"""A higher number of an EVSE or connector is a mistake (T21)."""

Facts = dict[str, Any]
"""Fields of ChargingSession by name."""


def time_of(session: ChargingSession, event: SessionEvent, arrived: datetime) -> tuple[datetime, bool]:
    """The time to take for an event, and whether its own was not believed (T22, T23)."""
    own = event.at if event.at is not None else max((reading.at for reading in event.readings), default=None)
    if not has_start(session):
        at, is_doubted = clock.effective_time(own, arrived)
        if isinstance(event, SessionStarted) and session.ended_at is not None and at > session.ended_at:
            return session.started_at, True
        return at, is_doubted
    last = session.last_event_at or session.started_at
    if own is not None and own < last - clock.STEP and _came_after(session, event, own):
        return max(arrived, last), True
    at, is_doubted = clock.effective_time(own, arrived, session.started_at - clock.STEP)
    return (max(at, last), True) if is_doubted else (at, False)


def readings_of(
    session: ChargingSession, event: SessionEvent, at: datetime, is_doubted: bool, arrived: datetime
) -> tuple[Reading, ...]:
    """The event's readings, at times that can be."""
    readings = event.readings
    if not readings:
        return ()
    after = session.meter.last_at
    if is_doubted and not all(_goes_on(reading, after, arrived) for reading in readings):
        return clock.restamped(readings, at, after)
    return clock.believed(readings, at, arrived)


def place_of(session: ChargingSession, event: SessionEvent) -> Facts:
    """EVSE and connector, which often only one event of a session tells (E01.FR.16)."""
    facts: Facts = {}
    if event.evse is not None and not session.evse:
        facts["evse"] = event.evse
        if not 0 < event.evse <= MOST_PLACES:
            facts["flags"] = with_flags(session.flags, [Flag.BAD_CONNECTOR])
    if event.connector is not None and not session.connector:
        facts["connector"] = event.connector
    return facts


def token_of(session: ChargingSession, event: SessionEvent, verdict: TokenVerdict | None) -> Facts:
    """The token that began the session: the one of its earliest event that has one."""
    if event.token is None:
        return {}
    holder, seq_no = session.sequence.token_from, event.seq_no
    is_start = isinstance(event, SessionStarted) and not has_start(session)
    is_earlier = seq_no is not None and holder is not None and seq_no < holder
    if session.token and not is_start and not is_earlier:
        return {}
    facts: Facts = {"token": event.token.text, "token_type": event.token.type}
    if seq_no is not None:
        facts["sequence"] = session.sequence._replace(token_from=seq_no)
    if verdict is not None:
        facts["authorization"] = verdict.status
        facts["authorization_reason"] = verdict.reason
    return facts


def progress_of(session: ChargingSession, event: SessionEvent, at: datetime, arrived: datetime) -> Facts:
    """What the kind of event says: that the session began, goes on, or is over."""
    return _PROGRESS[type(event)](session, event, at, arrived)


def evidence_of(
    event: SessionEvent, key: str, at: datetime, arrived: datetime, message: Message
) -> SessionMessage:
    """The message as it is kept beside the session."""
    facts: dict[str, int | str | bool | None] = {"readings": len(event.readings)}
    match event:
        case SessionStarted():
            facts["meter_start_wh"] = event.meter_start_wh
        case SessionEnded():
            facts["meter_stop_wh"] = event.meter_stop_wh
            facts["reason"] = event.reason
    if event.at is not at and event.at != at:
        facts["taken_as"] = at.isoformat()
        facts["at_raw"] = event.at_raw
    return SessionMessage(
        key, _KINDS[type(event)], message.message_id, event.at, arrived, message.payload_hash, facts
    )


def _started(session: ChargingSession, event: SessionStarted, at: datetime, arrived: datetime) -> Facts:
    if has_start(session):
        return {}
    return {
        "started_at": at,
        "flags": with_flags(session.flags, remove=[Flag.PROVISIONAL, Flag.ORPHAN_STOP]),
        "meter_start_wh": event.meter_start_wh,
        "meter": session.meter._replace(start_mwh=register(event.meter_start_wh)),
        "remote_start_id": event.remote_start_id,
        **_charging_state(session, event),
    }


def _metered(session: ChargingSession, event: SessionMetered, at: datetime, arrived: datetime) -> Facts:
    facts = _charging_state(session, event)
    if session.state is SessionState.SUSPECTED_ENDED and _contradicts(session, at):
        facts |= {"state": SessionState.ACTIVE, "suspected_at": None, "suspected_by": None}
    if Flag.NO_STOP in session.flags and session.ended_at is not None and at > session.ended_at:
        facts["ended_at"] = at  # closed by evidence, and yet it went on
    return facts


def _ended(session: ChargingSession, event: SessionEnded, at: datetime, arrived: datetime) -> Facts:
    if has_stop(session):
        return {}
    return {
        "state": SessionState.ENDED,
        "ended_at": max(at, session.started_at) if has_start(session) else at,
        "end_received_at": arrived,
        "meter_stop_wh": event.meter_stop_wh,
        "meter": session.meter._replace(stop_mwh=register(event.meter_stop_wh)),
        "stop_reason": event.reason,
        "charging_state": "",
        "flags": with_flags(session.flags, remove=_UNSURE_END),
        "suspected_at": None,
        "suspected_by": None,
    }


_UNSURE_END = (Flag.NO_STOP, Flag.ESTIMATED, Flag.CLOSED_BY_HAND)

_PROGRESS: dict[type[SessionEvent], Callable[[ChargingSession, Any, datetime, datetime], Facts]] = {
    SessionStarted: _started,
    SessionMetered: _metered,
    SessionEnded: _ended,
}
_KINDS: dict[type[SessionEvent], str] = {
    SessionStarted: "started",
    SessionMetered: "metered",
    SessionEnded: "ended",
}


def _charging_state(session: ChargingSession, event: SessionStarted | SessionMetered) -> Facts:
    """The newest event's charging state; late ones tell the past."""
    is_newest = event.seq_no is None or event.seq_no == session.sequence.highest
    is_open = session.state is not SessionState.ENDED
    return {"charging_state": event.charging_state} if event.charging_state and is_newest and is_open else {}


def _contradicts(session: ChargingSession, at: datetime) -> bool:
    """Whether something heard `at` shows that the session goes on.

    Not after another one began at the EVSE: some models go on using the old transaction id.
    """
    is_later = session.suspected_at is not None and at > session.suspected_at
    return is_later and session.suspected_by is not Evidence.OTHER_START


def register(wh: int | None) -> int | None:
    """A register of a start or stop message in thousandths; some send a negative one for none."""
    return None if wh is None or wh < 0 else 1000 * wh


def _goes_on(reading: Reading, after: datetime | None, arrived: datetime) -> bool:
    return clock.is_sane(reading.at, arrived) and (after is None or reading.at > after)


def _came_after(session: ChargingSession, event: SessionEvent, own: datetime) -> bool:
    """Whether an event belongs after all that is known, whatever its clock says: by number or register."""
    if event.seq_no is not None:
        highest = session.sequence.highest
        return highest is not None and event.seq_no > highest
    total, last_at = session.meter.total, session.meter.last_at
    is_single = not session.meter.parts and session.meter.interval_mwh is None
    if total is None or last_at is None or not is_single or has_stop(session) or own >= last_at:
        return False
    if isinstance(event, SessionEnded):
        return event.meter_stop_wh is not None and event.meter_stop_wh * 1000 > total.last
    return any(
        reading.value is not None and reading.value > total.last
        for reading in event.readings
        if reading.measurand == ENERGY_IMPORT_REGISTER and not reading.phase
    )
