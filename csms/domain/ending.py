"""Ends that no stop tells: evidence, suspicion, closing by policy (T10-T12). Pure; no clock, no timer.

Evidence alone closes nothing: a session becomes suspected, an event that shows it goes on clears that, its
own late stop ends it properly, and only after the policy's time is it closed with what is known.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import (
    Change,
    ChargingSession,
    Evidence,
    SessionMessage,
    SessionState,
    evolve,
)
from csms.domain.quality import Flag
from csms.domain.settling import settle, with_flags

CLOSE_AFTER = timedelta(hours=24)
"""How long a stop may still come before a suspected session is closed: queues outlive a day rarely."""

NO_STOP_REASON = "no-stop"


def suspect(session: ChargingSession, evidence: Evidence, at: datetime, arrived: datetime) -> Change | None:
    """The change when `evidence` of `at` says that the session is over; None when it says nothing new.

    Evidence older than the session's last event is none: its messages may have come late.
    """
    last = max(session.started_at, session.last_event_at or session.started_at)
    if session.state is not SessionState.ACTIVE or at < last:
        return None
    sequence = session.sequence
    if evidence is Evidence.BOOT:
        sequence = sequence._replace(may_restart=True)
    after = evolve(
        session,
        state=SessionState.SUSPECTED_ENDED,
        suspected_at=at,
        suspected_by=evidence,
        sequence=sequence,
    )
    return Change(after, message=_note(evidence, at, arrived), cause=evidence.value)


def superseded(
    sessions: Iterable[ChargingSession], started: ChargingSession, arrived: datetime
) -> list[Change]:
    """The changes to other open sessions of an EVSE where a session has just begun (T10)."""
    found = (
        suspect(session, Evidence.OTHER_START, started.started_at, arrived)
        for session in sessions
        if session.evse == started.evse != 0 and session.session_id != started.session_id
    )
    return [change for change in found if change is not None]


def close_suspected(
    session: ChargingSession, now: datetime, *, station: ChargingStation, after: timedelta = CLOSE_AFTER
) -> Change | None:
    """The change that closes a session suspected for `after` or longer; None when it is not due (T12).

    Its energy is what the readings say, its end what the evidence allows. A late stop makes a revision.
    """
    if session.state is not SessionState.SUSPECTED_ENDED or session.suspected_at is None:
        return None
    if now - session.suspected_at < after:
        return None
    closed = evolve(
        session,
        state=SessionState.ENDED,
        ended_at=_probable_end(session, session.suspected_at),
        end_received_at=now,
        stop_reason=NO_STOP_REASON,
        flags=with_flags(session.flags, [Flag.NO_STOP, Flag.ESTIMATED]),
    )
    return settle(session, closed, station=station, message=None, cause="")._replace(cause="closed")


def _probable_end(session: ChargingSession, suspected_at: datetime) -> datetime:
    """When the connector was seen free it had ended just before; otherwise with the last that was heard."""
    if session.suspected_by is Evidence.CONNECTOR_AVAILABLE or session.last_event_at is None:
        return suspected_at
    has_news = session.last_event_at > session.started_at
    return session.last_event_at if has_news else suspected_at


def _note(evidence: Evidence, at: datetime, arrived: datetime) -> SessionMessage:
    key = f"evidence:{evidence.value}:{at.isoformat()}"
    return SessionMessage(key, "evidence", "", at, arrived, "", {"evidence": evidence.value})
