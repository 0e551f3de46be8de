"""Ends that no stop tells: evidence, suspicion, closing by policy (T10-T12) or by hand. Pure; no clock.

Evidence alone closes nothing: a session becomes suspected, an event that shows it goes on clears that, its
own late stop ends it properly, and only after the policy's time is it closed with what is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from csms.domain.meter import Reading
from csms.domain.quality import Flag
from csms.domain.registers import recompute
from csms.domain.settling import settle, with_flags
from csms.errors import Conflict, InvalidInput

CLOSE_AFTER = timedelta(hours=24)
"""How long a stop may still come before a suspected session is closed: queues outlive a day rarely."""

NO_STOP_REASON = "no-stop"


@dataclass(frozen=True, slots=True)
class Closing:
    """How a person closes a session. `ended_at` None: when it was last heard; `meter_stop_wh` None: what the
    readings say.
    """

    by: str
    reason: str
    ended_at: datetime | None = None
    meter_stop_wh: int | None = None


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


def close_by_hand(
    session: ChargingSession,
    closing: Closing,
    now: datetime,
    *,
    station: ChargingStation,
    history: Sequence[Reading],
) -> Change:
    """The change that closes an open session as a person says. A late stop makes a revision.

    `history` are all stored readings of it. Raises Conflict when it has ended, InvalidInput for an end that
    cannot be.
    """
    if session.state is SessionState.ENDED:
        raise Conflict("the session has ended")
    heard_at = session.last_event_at or session.started_at
    ended_at = closing.ended_at or _probable_end(session, session.suspected_at or heard_at)
    if not session.started_at <= ended_at <= now:
        raise InvalidInput("ended_at: it lies before the start of the session, or in the future")
    stop_wh = closing.meter_stop_wh
    if stop_wh is not None and session.meter_start_wh is not None and stop_wh < session.meter_start_wh:
        raise InvalidInput(f"meter_stop_wh: it is below the start register, {session.meter_start_wh}")
    meter = recompute(session.meter, history, session.started_at, ended_at)
    closed = evolve(
        session,
        state=SessionState.ENDED,
        ended_at=ended_at,
        end_received_at=now,
        meter_stop_wh=stop_wh,
        meter=meter if stop_wh is None else meter._replace(stop_mwh=1000 * stop_wh),
        stop_reason=NO_STOP_REASON,
        charging_state="",
        flags=with_flags(session.flags, [Flag.NO_STOP, Flag.ESTIMATED, Flag.CLOSED_BY_HAND]),
    )
    facts: dict[str, int | str | bool | None] = {
        "by": closing.by,
        "reason": closing.reason,
        "meter_stop_wh": stop_wh,
    }
    note = SessionMessage(f"by-hand:{now.isoformat()}", "closed-by-hand", "", ended_at, now, "", facts)
    return settle(session, closed, station=station, message=note, cause="")._replace(cause="closed")


def _probable_end(session: ChargingSession, suspected_at: datetime) -> datetime:
    """When the connector was seen free it had ended just before; otherwise with the last that was heard."""
    if session.suspected_by is Evidence.CONNECTOR_AVAILABLE or session.last_event_at is None:
        return suspected_at
    has_news = session.last_event_at > session.started_at
    return session.last_event_at if has_news else suspected_at


def _note(evidence: Evidence, at: datetime, arrived: datetime) -> SessionMessage:
    key = f"evidence:{evidence.value}:{at.isoformat()}"
    return SessionMessage(key, "evidence", "", at, arrived, "", {"evidence": evidence.value})
