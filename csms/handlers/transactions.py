"""Charging sessions from the stations' messages (OCPP functional blocks E and J).

What a message means for a session is the domain's to say; here its session is found, the token is judged,
and what was stored before is fetched where the domain asks for it. Every message is answered, whatever it
says: a refusal would only be repeated, or lost (1.6 errata 3.18).
"""

from dataclasses import replace

from csms.domain.answers import DONE, Answer, SessionAnswer
from csms.domain.assets import OcppVersion, TokenVerdict
from csms.domain.charging_session import STOP, Change, ChargingSession, Evidence, SessionState
from csms.domain.ending import superseded, suspect
from csms.domain.events import Event, MeterSampled, SessionEnded, SessionMetered, SessionStarted
from csms.domain.meter import Reading
from csms.domain.orphans import match_orphan, match_running, match_stop, merge_orphan
from csms.domain.recognition import (
    SessionEvent,
    has_stop,
    is_known,
    is_reused,
    needs_history,
    start_key,
)
from csms.domain.registers import GRACE
from csms.domain.transitions import apply, begin
from csms.handlers import authorization
from csms.handlers.context import NAMELESS, Handled, MessageInfo, Services, StationState
from csms.store.records import ReadingRow
from csms.store.times import micros


async def on_session_started(
    s: Services, state: StationState, event: SessionStarted, info: MessageInfo
) -> Handled:
    """E01-E03; 1.6 StartTransaction. A token that is refused is recorded with its session all the same."""
    known = await _session_of_start(s, state, event)
    if known is not None and not is_reused(known, event):
        # A 2.x start that comes after its session's other events brings the token: it is judged now.
        verdict = (
            await authorization.verdict_on(s, state.station, event.token, known.session_id)
            if event.token
            else None
        )
        return await _apply(s, state, known, event, info, verdict)
    verdict = await authorization.verdict_on(s, state.station, event.token)
    orphan = match_orphan(await _orphans(s, state), event, state.station.max_power_w)
    if orphan is not None:
        return await _merge(s, state, orphan, event, info, verdict)
    return await _begin(s, state, event, info, verdict, reused=known)


async def on_session_metered(
    s: Services, state: StationState, event: SessionMetered, info: MessageInfo
) -> Handled:
    """E02, J02. An id nobody knows is a session of its own in 2.x; in 1.6 it means the EVSE's running one."""
    session = await _recall(s, state, event)
    if session is not None and _is_stale(session, event):
        return await _unclaimed(s, state, event.evse or 0, event.readings, info)
    verdict = None
    if event.token is not None:
        verdict = await authorization.verdict_on(
            s, state.station, event.token, session.session_id if session else None
        )
    if session is not None and not is_reused(session, event):
        return await _apply(s, state, session, event, info, verdict)
    if event.seq_no is not None:
        return await _begin(s, state, event, info, verdict, reused=session)
    return await _unclaimed(s, state, event.evse or 0, event.readings, info)


async def on_session_ended(
    s: Services, state: StationState, event: SessionEnded, info: MessageInfo
) -> Handled:
    """E06-E10; 1.6 StopTransaction. A stop that names nothing known is matched by what it says, or kept."""
    session = await _session_of_stop(s, state, event, info)
    verdict = await authorization.verdict_on_stop(s, session, event.token)
    if session is not None and not is_reused(session, event):
        return await _apply(s, state, session, event, info, verdict)
    return await _begin(s, state, event, info, verdict, reused=session)


async def on_meter_sampled(
    s: Services, state: StationState, event: MeterSampled, info: MessageInfo
) -> Handled:
    """J01: values outside a transaction belong to the EVSE's running session, if there is exactly one."""
    return await _unclaimed(s, state, event.evse, event.readings, info)


async def reload(s: Services, state: StationState, event: Event) -> None:
    """Read again, after another delivery of `event` was stored first: its session and the latest others."""
    station_id = state.station.station_id
    found = await s.sessions.open_sessions(station_id)
    if isinstance(event, SessionEvent):
        found += filter(None, [await _stored(s, station_id, event)])
    for session in found:
        state.remember(session)


async def _stored(s: Services, station_id: int, event: SessionEvent) -> ChargingSession | None:
    """The session that an event has begun already: 1.6 starts and stops go by what they say."""
    if event.transaction_id is None or (isinstance(event, SessionEnded) and event.seq_no is None):
        return await s.sessions.by_start_key(station_id, start_key(event))
    return await s.sessions.by_transaction(station_id, event.transaction_id)


async def _session_of_stop(
    s: Services, state: StationState, event: SessionEnded, info: MessageInfo
) -> ChargingSession | None:
    """By its id; a 1.6 stop that names nothing known: the stop it repeats, or the one session it fits."""
    session = await _recall(s, state, event)
    if session is not None or event.seq_no is not None:
        return session
    repeated = await _stopped_by(s, state, event, info)
    if repeated is not None:
        return repeated
    matched = match_stop(state.sessions.values(), event, state.station.max_power_w)
    return None if matched is None else await _as_stored(s, matched)


async def _stopped_by(
    s: Services, state: StationState, event: SessionEnded, info: MessageInfo
) -> ChargingSession | None:
    """The session that this very stop has ended, or begun, before: its id does not say so."""
    for session in state.sessions.values():
        if session.start_key == start_key(event):
            return session
        if has_stop(session) and session.meter_stop_wh == event.meter_stop_wh:
            stored = await s.sessions.stored_answer(session.session_id, STOP)
            if stored is not None and stored.payload_hash == info.payload_hash:
                return session
    return None


async def _session_of_start(
    s: Services, state: StationState, event: SessionStarted
) -> ChargingSession | None:
    """2.x names it; a 1.6 start is found by its natural key (a retry), or by the UNIQUE key at the commit."""
    if event.transaction_id is not None:
        return await _recall(s, state, event)
    key = start_key(event)
    return next((one for one in state.sessions.values() if one.start_key == key), None)


async def _recall(s: Services, state: StationState, event: SessionEvent) -> ChargingSession | None:
    """The session that an event names, from memory or else from the store."""
    if event.transaction_id is None or event.transaction_id in NAMELESS:
        return None
    # Most common first: the session is in memory.
    session = state.recall(event.transaction_id)
    if session is not None:
        return session if session.state is not SessionState.SUSPECTED_ENDED else await _as_stored(s, session)
    # A start that is numbered 0 and not in memory is new; should it not be, its UNIQUE key will say so.
    if isinstance(event, SessionStarted) and event.seq_no == 0:
        return None
    return await s.sessions.by_transaction(state.station.station_id, event.transaction_id)


async def _as_stored(s: Services, session: ChargingSession) -> ChargingSession:
    """The session read again: one that is suspected may have been closed by policy meanwhile."""
    if session.state is not SessionState.SUSPECTED_ENDED:
        return session
    return await s.sessions.by_id(session.session_id) or session


async def _orphans(s: Services, state: StationState) -> list[ChargingSession]:
    """Stops without a start: open_sessions loads the recent ones, so memory knows them."""
    return [one for one in state.sessions.values() if one.start_key.startswith("stop:")]


def _is_stale(session: ChargingSession, event: SessionMetered) -> bool:
    """Whether a 1.6 station goes on naming a transaction that is long over, as some models do."""
    if event.seq_no is not None or not has_stop(session) or session.ended_at is None:
        return False
    latest = session.ended_at + GRACE
    return bool(event.readings) and all(reading.at > latest for reading in event.readings)


async def _begin(
    s: Services,
    state: StationState,
    event: SessionEvent,
    info: MessageInfo,
    verdict: TokenVerdict | None,
    *,
    reused: ChargingSession | None = None,
) -> Handled:
    session_id = await s.ids.session_id()
    transaction_id = event.transaction_id or str(await s.ids.transaction_id())
    change = begin(
        event,
        station=state.station,
        session_id=session_id,
        transaction_id=transaction_id,
        version=state.dialect.version.value,
        verdict=verdict,
        arrived=info.arrived,
        message=info,
        is_reuse=reused is not None,
    )
    open_ones = [one for one in state.sessions.values() if one is not reused]
    others = superseded(open_ones, change.session, info.arrived)
    if reused is not None:
        gone = suspect(reused, Evidence.ID_REUSED, change.session.started_at, info.arrived)
        others += [gone] if gone is not None else []
    return _handled(state, event, (change, *others), verdict)


async def _merge(
    s: Services,
    state: StationState,
    orphan: ChargingSession,
    event: SessionStarted,
    info: MessageInfo,
    verdict: TokenVerdict,
) -> Handled:
    """The start of a session of which only the stop was known (T14)."""
    change = merge_orphan(
        orphan,
        event,
        station=state.station,
        transaction_id=str(await s.ids.transaction_id()),
        arrived=info.arrived,
        message=info,
        verdict=verdict,
        history=await s.sessions.readings_of(orphan),
    )
    return _handled(state, event, (change,), verdict)


async def _apply(
    s: Services,
    state: StationState,
    session: ChargingSession,
    event: SessionEvent,
    info: MessageInfo,
    verdict: TokenVerdict | None = None,
) -> Handled:
    stored = None
    if (key := is_known(session, event, info)) is not None:
        stored = await s.sessions.stored_answer(session.session_id, key)
    history = await s.sessions.readings_of(session) if needs_history(session, event) else None
    change = apply(
        session,
        event,
        station=state.station,
        arrived=info.arrived,
        message=info,
        verdict=verdict,
        history=history,
        stored_hash=stored.payload_hash if stored is not None else None,
    )
    handled = _handled(state, event, (change,), verdict)
    if change.is_repeat and stored is not None:
        return replace(handled, replay=stored.answer or "{}")
    return handled


async def _unclaimed(
    s: Services, state: StationState, evse: int, readings: tuple[Reading, ...], info: MessageInfo
) -> Handled:
    """Readings that name no session: the EVSE's running one takes them, else they are kept for the EVSE."""
    session = match_running(state.sessions.values(), evse)
    if session is not None and readings and all(one.at >= session.started_at for one in readings):
        claimed = SessionMetered(session.transaction_id, readings[-1].at, evse, readings=readings)
        if state.dialect.version is OcppVersion.V16:
            return await _apply(s, state, session, claimed, info)
    rows = ReadingRow.packed(state.station.station_id, evse, readings, micros(info.arrived))
    return Handled(DONE, records=tuple(rows))


def _handled(
    state: StationState, event: SessionEvent, changes: tuple[Change, ...], verdict: TokenVerdict | None
) -> Handled:
    return Handled(_answer(state, event, changes[0].session, verdict), changes=changes)


def _answer(
    state: StationState, event: SessionEvent, session: ChargingSession, verdict: TokenVerdict | None
) -> Answer:
    if isinstance(event, SessionMetered) and verdict is None:
        return DONE
    if isinstance(event, SessionStarted):
        if event.transaction_id is not None and event.token is None:
            return SessionAnswer(session.transaction_id)
        # A repeat whose stored answer is gone is told what was decided then.
        told = verdict or TokenVerdict(session.authorization, session.authorization_reason)
        return SessionAnswer(session.transaction_id, told)
    return SessionAnswer(session.transaction_id, verdict)
