"""What a station's message makes of a session: `begin` and `apply`. Pure: time and ids come from outside.

One model for every OCPP version. Messages come late, in any order and more than once; in whatever order,
the same messages make the same session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from csms.domain import clock, facts
from csms.domain.assets import ChargingStation, TokenStatus, TokenVerdict
from csms.domain.charging_session import (
    Change,
    ChargingSession,
    Evidence,
    Message,
    SessionMessage,
    SessionState,
    evolve,
)
from csms.domain.energy import figure
from csms.domain.events import SessionEnded, SessionMetered, SessionStarted
from csms.domain.meter import Reading
from csms.domain.ordinary import begin_ordinary, end_ordinary
from csms.domain.quality import Flag
from csms.domain.recognition import (
    SessionEvent,
    has_start,
    message_key,
    needs_history,
    number,
    start_key,
)
from csms.domain.registers import MeterState, distinct, fold, is_energy, key_of, recompute
from csms.domain.sequence import is_next, noted
from csms.domain.settling import entered_hour, ran_for, settle, with_flags

_CAUSES = {SessionStarted: "late-start", SessionMetered: "late-data", SessionEnded: "late-stop"}


@dataclass(frozen=True, slots=True)
class _Delivery:
    """How an event came: at which station and when, in which message, with what fetched for it."""

    station: ChargingStation
    arrived: datetime
    message: Message
    verdict: TokenVerdict | None
    history: Sequence[Reading] | None
    stored_hash: str | None = None


def begin(
    event: SessionEvent,
    *,
    station: ChargingStation,
    session_id: int,
    transaction_id: str,
    version: str,
    verdict: TokenVerdict | None,
    arrived: datetime,
    message: Message,
    is_reuse: bool = False,
) -> Change:
    """A new session. From a metered event or a stop it is provisional: its start may still come (E04, T14).

    A 1.6 stop that names nothing known makes an orphan. `is_reuse`: an ended session has the same
    transaction id (E08). A refused token makes a session all the same (T19).
    """
    at, _ = clock.effective_time(event.at, arrived)
    is_orphan = isinstance(event, SessionEnded) and event.seq_no is None
    flags = [Flag.ORPHAN_STOP if is_orphan else Flag.PROVISIONAL]
    if is_reuse:
        flags.append(Flag.TRANSACTION_ID_REUSED)
    blank = ChargingSession(
        session_id=session_id,
        station_id=station.station_id,
        site_id=station.site_id,
        operator_id=station.operator_id,
        ocpp_version=version,
        transaction_id=transaction_id,
        start_key=start_key(event, is_reuse=is_reuse),
        evse=0,
        connector=0,
        token="",
        token_type="",
        authorization=TokenStatus.NOT_PRESENTED,
        authorization_reason="",
        state=SessionState.ACTIVE,
        started_at=at,
        received_at=arrived,
        flags=tuple(sorted(flags)),
    )
    if isinstance(event, SessionStarted) and not is_reuse:
        change = begin_ordinary(event, blank, station, verdict, message)
        if change is not None:
            return change
    return _applied(None, blank, event, _Delivery(station, arrived, message, verdict, None))


def apply(
    session: ChargingSession,
    event: SessionEvent,
    *,
    station: ChargingStation,
    arrived: datetime,
    message: Message,
    verdict: TokenVerdict | None = None,
    history: Sequence[Reading] | None = None,
    stored_hash: str | None = None,
) -> Change:
    """What `event` changes of its session.

    Before: ask `is_known`, and give the payload hash stored under its answer as `stored_hash`; ask
    `needs_history`, and give all stored readings of the session as `history`.
    """
    # Most common first: the next reading of a session that runs as it should.
    if isinstance(event, SessionMetered) and _is_plain(session, event, arrived):
        change = _next_reading(session, event, station, arrived, message)
        if change is not None:
            return change
    if isinstance(event, SessionEnded) and stored_hash is None and history is None:
        change = end_ordinary(session, event, station, arrived, message)
        if change is not None:
            return change
    if stored_hash is not None and stored_hash == message.payload_hash:
        return Change(session, is_repeat=True)
    if isinstance(event, SessionStarted) and event.seq_no is None and has_start(session):
        return Change(session, is_repeat=True)  # found by its natural key: whatever else it says
    if history is None and needs_history(session, event):
        raise ValueError("this event cannot be applied without the session's readings (needs_history)")
    return _applied(
        session, session, event, _Delivery(station, arrived, message, verdict, history, stored_hash)
    )


def applied_as(
    renamed: ChargingSession,
    event: SessionStarted,
    *,
    before: ChargingSession,
    station: ChargingStation,
    arrived: datetime,
    message: Message,
    verdict: TokenVerdict | None,
    history: Sequence[Reading],
) -> Change:
    """The change from `before` by a start that gave it other keys (an orphan stop that found its start)."""
    return _applied(before, renamed, event, _Delivery(station, arrived, message, verdict, history))


def _is_plain(session: ChargingSession, event: SessionMetered, arrived: datetime) -> bool:
    """Whether an event is the next in time and number, and tells nothing but readings."""
    at, last = event.at, session.last_event_at
    if session.state is not SessionState.ACTIVE or session.flags or at is None or last is None:
        return False
    if not last < at <= arrived + clock.AHEAD or at < arrived - clock.BEHIND:
        return False
    if event.seq_no is not None and not is_next(session.sequence, event.seq_no):
        return False
    if (event.token and not session.token) or (event.evse and not session.evse):
        return False
    if event.connector and not session.connector:
        return False
    return all(reading.at is at or last < reading.at <= arrived for reading in event.readings)


def _next_reading(
    session: ChargingSession,
    event: SessionMetered,
    station: ChargingStation,
    arrived: datetime,
    message: Message,
) -> Change | None:
    """`_applied` for the plain case, in a fraction of its time; None when the readings are not so plain."""
    known, at = session.meter, event.at or arrived
    meter = fold(known, event.readings, session.started_at)
    energy = figure(meter, ran_for(session, max(at, meter.last_at or at)), station.max_power_w)
    if energy.flags or meter.begin_mwh != known.begin_mwh or meter.end_mwh != known.end_mwh:
        return None
    sequence = session.sequence
    after = evolve(
        session,
        energy_wh=energy.energy_wh,
        energy_source=energy.source,
        charging_state=event.charging_state or session.charging_state,
        last_event_at=at,
        sequence=sequence if event.seq_no is None else noted(sequence, event.seq_no),
        meter=meter,
        heard=session.heard + 1,
    )
    return Change(
        after,
        readings=event.readings,
        message=SessionMessage(
            message_key(session, event, message),
            "metered",
            message.message_id,
            at,
            arrived,
            message.payload_hash,
            {"readings": len(event.readings)},
        ),
        hours_due=entered_hour(known.last_at, meter.last_at, station),
    )


def _applied(
    before: ChargingSession | None, base: ChargingSession, event: SessionEvent, delivery: _Delivery
) -> Change:
    """The change from `before` by an event to `base` (the same, or a blank session that it begins)."""
    at, is_doubted = facts.time_of(base, event, delivery.arrived)
    readings = facts.readings_of(base, event, at, is_doubted, delivery.arrived)
    key, sequence, is_conflict = number(base, event, at, delivery.message, delivery.stored_hash)
    flags = [Flag.CLOCK] * is_doubted + [Flag.SEQ_CONFLICT] * is_conflict
    if before is not None and before.state is SessionState.ENDED:
        flags.append(Flag.LATE_DATA)
    after = evolve(
        base,
        sequence=sequence,
        last_event_at=max(at, base.last_event_at or at),
        flags=with_flags(base.flags, flags),
    )
    after = evolve(after, **facts.place_of(after, event))
    after = evolve(after, **facts.token_of(after, event, delivery.verdict))
    after = evolve(after, **facts.progress_of(after, event, at, delivery.arrived))
    if not has_start(after):
        earliest = min((r.at for r in readings if is_energy(r)), default=at)
        after = evolve(after, started_at=min(after.started_at, at, earliest))
    after = evolve(after, meter=_meter_of(after, readings, delivery.history))
    return settle(
        before,
        after,
        station=delivery.station,
        message=facts.evidence_of(event, key, at, delivery.arrived, delivery.message),
        cause=_CAUSES[type(event)],
        readings=_new(readings, delivery.history),
        out_of_order=delivery.history is not None,
    )


def _meter_of(
    session: ChargingSession, readings: tuple[Reading, ...], history: Sequence[Reading] | None
) -> MeterState:
    until = session.ended_at
    if until is None and session.suspected_by is Evidence.OTHER_START:
        until = session.suspected_at
    if history is not None:
        return recompute(session.meter, [*history, *readings], session.started_at, until)
    return fold(session.meter, distinct(readings), session.started_at, until)


def _new(readings: tuple[Reading, ...], history: Sequence[Reading] | None) -> tuple[Reading, ...]:
    """Readings that are not stored yet, each once."""
    known = {key_of(reading) for reading in history or ()}
    return tuple(reading for reading in distinct(readings) if key_of(reading) not in known)
