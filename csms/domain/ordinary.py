"""How nearly all sessions begin and end: what `transitions` makes of a start and a stop in no doubt.

A start with a sound time and place, and a stop that follows all that is known and agrees with it, need none
of the questions that the rules ask of others, which take five times as long. None says that one of them must
be asked; where these say something, it is what the rules would have said (property tests hold them together).
"""

from datetime import datetime

from csms.domain import clock, facts
from csms.domain.assets import ChargingStation, TokenStatus, TokenVerdict
from csms.domain.charging_session import (
    START,
    STOP,
    Change,
    ChargingSession,
    Message,
    SessionState,
    evolve,
)
from csms.domain.energy import figure
from csms.domain.events import SessionEnded, SessionStarted
from csms.domain.meter import Reading
from csms.domain.registers import MeterState, distinct, fold
from csms.domain.sequence import UNNUMBERED, SequenceState, is_next, noted
from csms.domain.settling import ENTITLED, is_order_due, stated


def begin_ordinary(
    event: SessionStarted,
    blank: ChargingSession,
    station: ChargingStation,
    verdict: TokenVerdict | None,
    message: Message,
) -> Change | None:
    """The session that a start begins. `blank` has its numbers, key and time of arrival, and nothing else."""
    at, evse, arrived = event.at, event.evse, blank.received_at
    if at is None or evse is None or not 0 < evse <= facts.MOST_PLACES or not clock.is_sane(at, arrived):
        return None
    if not _is_of(at, event.readings):
        return None
    status, reason = TokenStatus.NOT_PRESENTED, ""
    if event.token is not None and verdict is not None:
        status, reason = verdict.status, verdict.reason
    if status not in ENTITLED:
        return None
    meter = fold(MeterState(start_mwh=facts.register(event.meter_start_wh)), event.readings, at)
    energy = figure(meter, clock.NO_TIME, station.max_power_w)
    if energy.flags:
        return None
    seq_no, token = event.seq_no, event.token
    after = evolve(
        blank,
        evse=evse,
        connector=event.connector or 0,
        token=token.text if token is not None else "",
        token_type=token.type if token is not None else "",
        authorization=status,
        authorization_reason=reason,
        started_at=at,
        meter_start_wh=stated(event.meter_start_wh, meter.start_mwh, meter.begin_mwh),
        energy_wh=energy.energy_wh,
        energy_source=energy.source,
        flags=(),
        remote_start_id=event.remote_start_id,
        charging_state=event.charging_state,
        last_event_at=at,
        sequence=UNNUMBERED if seq_no is None else _first(seq_no, token is not None),
        meter=meter,
        heard=1,
    )
    key = START if seq_no is None else str(seq_no)
    told = facts.evidence_of(event, key, at, arrived, message)
    return Change(after, is_new=True, readings=event.readings, message=told, hours_due=True)


def end_ordinary(
    session: ChargingSession,
    event: SessionEnded,
    station: ChargingStation,
    arrived: datetime,
    message: Message,
) -> Change | None:
    """The session after its own stop."""
    at, last = event.at, session.last_event_at
    if session.state is not SessionState.ACTIVE or session.flags or at is None or last is None:
        return None
    if not last <= at <= arrived + clock.AHEAD or at < arrived - clock.BEHIND:
        return None
    sequence, meter = session.sequence, session.meter
    if event.seq_no is not None:
        if sequence.may_restart or sequence.generation or not is_next(sequence, event.seq_no):
            return None
        sequence = noted(sequence, event.seq_no)
    if (event.token is not None and not session.token) or not (session.evse and session.connector):
        return None
    if not _is_of(at, event.readings):
        return None
    if meter.last_at is not None and (meter.last_at > at or (event.readings and meter.last_at == at)):
        return None
    meter = meter._replace(stop_mwh=facts.register(event.meter_stop_wh))
    meter = fold(meter, event.readings, session.started_at, at)
    energy = figure(meter, at - session.started_at, station.max_power_w)
    if energy.flags:
        return None
    after = evolve(
        session,
        state=SessionState.ENDED,
        ended_at=at,
        end_received_at=arrived,
        meter_start_wh=stated(session.meter_start_wh, meter.start_mwh, meter.begin_mwh),
        meter_stop_wh=stated(event.meter_stop_wh, meter.stop_mwh, meter.end_mwh),
        energy_wh=energy.energy_wh,
        energy_source=energy.source,
        stop_reason=event.reason,
        charging_state="",
        last_event_at=at,
        sequence=sequence,
        meter=meter,
        heard=session.heard + 1,
    )
    key = STOP if event.seq_no is None else str(event.seq_no)
    told = facts.evidence_of(event, key, at, arrived, message)
    return Change(after, readings=event.readings, message=told, hours_due=True, order_due=is_order_due(after))


def _is_of(at: datetime, readings: tuple[Reading, ...]) -> bool:
    """Whether readings are of this instant, and none of them comes twice."""
    if any(reading.at != at for reading in readings):
        return False
    return len(readings) < 2 or len(distinct(readings)) == len(readings)


def _first(seq_no: int, has_token: bool) -> SequenceState:
    return SequenceState(highest=seq_no, lowest=seq_no, token_from=seq_no if has_token else None)
