"""When a station is asked how a session of its own stands, and what its answer makes of the session. Pure.

Only who numbers its events can be asked (2.x, E14). It is asked when a message is the first to show that
events are missing, or that the session may be over; and when it comes back to sessions that are still open,
of which this is so or of which nothing was heard for long. Its word is evidence like any other: it closes
nothing. While messages wait in its queue nothing changes: they will say more.
"""

from datetime import datetime, timedelta

from csms.domain.charging_session import (
    Change,
    ChargingSession,
    Evidence,
    SessionMessage,
    SessionState,
    evolve,
)
from csms.domain.commands import TransactionSaid
from csms.domain.ending import suspect
from csms.domain.quality import Flag

ASK_AGAIN = timedelta(hours=1)
"""A session is not asked about more often, whatever happens to it."""

QUIET_FOR = timedelta(hours=1)
"""Nothing heard for so long, a session may have ended while its station was away."""

# Where nothing is plugged in any more, or the id names another session, the station knows no better.
_UNSURE = (Evidence.OTHER_START, Evidence.BOOT, Evidence.SILENCE)


def ask_after(
    before: ChargingSession | None, after: ChargingSession, now: datetime
) -> ChargingSession | None:
    """`after` as one that is asked about, if a message has cast doubt on it; None: there is nothing to ask.

    `before`: as it was before the message, where it is known.
    """
    if not _is_in_doubt(after) or (before is not None and _is_in_doubt(before)):
        return None
    return _asked(after, now)


def ask_on_return(session: ChargingSession, now: datetime) -> ChargingSession | None:
    """The same for a session of a station that has come back."""
    if session.state is SessionState.ENDED or session.sequence.highest is None:
        return None
    is_quiet = now - (session.last_event_at or session.started_at) >= QUIET_FOR
    is_running = session.state is SessionState.ACTIVE
    return _asked(session, now) if _is_in_doubt(session) or (is_running and is_quiet) else None


def stated(session: ChargingSession, said: TransactionSaid, now: datetime) -> Change:
    """The change by what the station says now. It is kept as evidence in any case.

    Over and nothing queued: an open session is suspected, as by any other evidence. Ongoing: a suspected one
    goes on, as by a message of its own.
    """
    facts: dict[str, int | str | bool | None] = {
        "evidence": Evidence.STATION_SAYS.value,
        "ongoing": said.is_ongoing,
        "queued": said.is_queued,
    }
    key = f"evidence:{Evidence.STATION_SAYS.value}:{now.isoformat()}"
    note = SessionMessage(key, "evidence", "", now, now, "", facts)
    # Its events may be dated ahead of our clock, and yet it says this after them.
    at = max(now, session.started_at, session.last_event_at or now)
    if said.is_ongoing is False and not said.is_queued:
        change = suspect(session, Evidence.STATION_SAYS, at, now)
        if change is not None:
            return change._replace(message=note)
    # Not after another one began at the EVSE: some models go on using the old transaction id.
    may_go_on = session.suspected_by is not Evidence.OTHER_START
    if said.is_ongoing and session.state is SessionState.SUSPECTED_ENDED and may_go_on:
        session = evolve(session, state=SessionState.ACTIVE, suspected_at=None, suspected_by=None)
    return Change(session, message=note)


def _is_in_doubt(session: ChargingSession) -> bool:
    """Whether events are missing, its start among them, or it may be over and its station knows."""
    # Most common first: nothing is wrong with a session.
    if session.sequence.highest is None or (not session.flags and session.state is SessionState.ACTIVE):
        return False
    if Flag.GAP in session.flags or Flag.PROVISIONAL in session.flags:
        return True
    return session.state is SessionState.SUSPECTED_ENDED and session.suspected_by in _UNSURE


def _asked(session: ChargingSession, now: datetime) -> ChargingSession | None:
    if session.asked_at is not None and now - session.asked_at < ASK_AGAIN:
        return None
    return evolve(session, asked_at=now)
