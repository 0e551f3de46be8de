"""1.6 messages whose transaction id says nothing: -1, 0, unknown, another station's (T07-T09, T14). Pure.

They are matched by what they say of place, token, register and time, and only when one session fits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.domain.assets import ChargingStation, TokenVerdict
from csms.domain.authorization import fold_token
from csms.domain.charging_session import (
    Change,
    ChargingSession,
    Message,
    SessionMessage,
    SessionState,
    evolve,
)
from csms.domain.clock import STEP
from csms.domain.energy import DEFAULT_MAX_POWER_W, allowed_mwh
from csms.domain.events import PresentedToken, SessionEnded, SessionStarted
from csms.domain.meter import Reading
from csms.domain.quality import Flag
from csms.domain.recognition import has_stop, start_key
from csms.domain.registers import JITTER_MWH, UNMETERED
from csms.domain.settling import settle, with_flags
from csms.domain.transitions import applied_as, apply
from csms.errors import Conflict, InvalidInput

LONGEST = timedelta(days=7)
"""A start and a stop further apart belong to different sessions."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of an orphan stop: who, why, when."""

    by: str
    reason: str
    at: datetime

    def facts(self, **more: int) -> dict[str, int | str | bool | None]:
        """As it is kept as evidence."""
        return {"by": self.by, "reason": self.reason, **more}


def match_stop(
    candidates: Iterable[ChargingSession], event: SessionEnded, max_power_w: int | None = None
) -> ChargingSession | None:
    """The one session without a stop that `event` can have ended, or None (also when several could)."""
    fitting = [
        session
        for session in candidates
        if not has_stop(session)
        and (event.evse is None or event.evse == session.evse)
        and _may_be(session.token, event.token)
        and _lies_between(session.started_at, event.at)
        and _continues(session, event, max_power_w)
    ]
    return fitting[0] if len(fitting) == 1 else None


def match_orphan(
    orphans: Iterable[ChargingSession], event: SessionStarted, max_power_w: int | None = None
) -> ChargingSession | None:
    """The one orphan stop that the session of `event` can have ended with, or None (T14)."""
    fitting = [
        orphan
        for orphan in orphans
        if is_waiting(orphan)
        and _may_be(orphan.token, event.token)
        and event.at is not None
        and _lies_between(event.at, orphan.ended_at)
        and _can_have_risen(
            event.meter_start_wh, orphan.meter_stop_wh, event.at, orphan.ended_at, max_power_w
        )
    ]
    return fitting[0] if len(fitting) == 1 else None


def match_running(candidates: Iterable[ChargingSession], evse: int) -> ChargingSession | None:
    """The one active session of an EVSE, for readings that name no transaction (or a useless one)."""
    running = [s for s in candidates if s.evse == evse and s.state is SessionState.ACTIVE]
    return running[0] if len(running) == 1 else None


def merge_orphan(
    orphan: ChargingSession,
    event: SessionStarted,
    *,
    station: ChargingStation,
    transaction_id: str,
    arrived: datetime,
    message: Message,
    verdict: TokenVerdict | None = None,
    history: Sequence[Reading] = (),
) -> Change:
    """The orphan with its start found: a whole session, revised, under the start's key and our new id.

    `history` are all stored readings of the orphan.
    """
    renamed = evolve(orphan, transaction_id=transaction_id, start_key=start_key(event))
    return applied_as(
        renamed,
        event,
        before=orphan,
        station=station,
        arrived=arrived,
        message=message,
        verdict=verdict,
        history=history,
    )


def is_waiting(session: ChargingSession) -> bool:
    """Whether it is a stop whose session is still looked for."""
    return Flag.ORPHAN_STOP in session.flags and Flag.DISMISSED not in session.flags


def attach(
    orphan: ChargingSession,
    session: ChargingSession,
    decision: Decision,
    *,
    station: ChargingStation,
    stop: Message,
    readings: Sequence[Reading],
    history: Sequence[Reading],
) -> tuple[Change, Change]:
    """The changes of a session that ends with an orphan stop, and of the orphan, then without energy.

    `stop` is the orphan's message, `readings` what it gave, `history` all stored readings of the session.
    Raises Conflict when either has been dealt with, InvalidInput when the stop cannot be the session's.
    """
    if not is_waiting(orphan):
        raise Conflict("the stop has found its session, or was dismissed")
    if has_stop(session):
        raise Conflict("the session has its own stop")
    if session.station_id != orphan.station_id or not _lies_between(session.started_at, orphan.ended_at):
        raise InvalidInput("session: the stop is another station's, or lies before its start or a week after")
    event = SessionEnded(
        session.transaction_id,
        orphan.ended_at,
        token=PresentedToken(orphan.token, orphan.token_type) if orphan.token else None,
        meter_stop_wh=orphan.meter_stop_wh,
        reason=orphan.stop_reason,
        readings=tuple(readings),
    )
    arrived = orphan.end_received_at or orphan.received_at
    ended = apply(session, event, station=station, arrived=arrived, message=stop, history=history)
    assert ended.message is not None, "it is no repeat"
    told = ended.message._replace(
        received_at=decision.at, facts=ended.message.facts | decision.facts(attached=orphan.session_id)
    )
    flagged = evolve(ended.session, flags=with_flags(ended.session.flags, [Flag.STOP_ATTACHED]))
    emptied = evolve(orphan, meter=UNMETERED)
    return (
        ended._replace(session=flagged, message=told),
        _dealt_with(orphan, emptied, decision, station, attached=session.session_id),
    )


def dismiss(orphan: ChargingSession, decision: Decision, *, station: ChargingStation) -> Change:
    """The change of an orphan stop that nobody looks for any more. Raises Conflict when it was dealt with."""
    if not is_waiting(orphan):
        raise Conflict("the stop has found its session, or was dismissed")
    return _dealt_with(orphan, orphan, decision, station)


def _dealt_with(
    before: ChargingSession,
    after: ChargingSession,
    decision: Decision,
    station: ChargingStation,
    **facts: int,
) -> Change:
    note = SessionMessage(
        f"by-hand:{decision.at.isoformat()}", "dismissed", "", None, decision.at, "", decision.facts(**facts)
    )
    after = evolve(after, flags=with_flags(after.flags, [Flag.DISMISSED]))
    return settle(before, after, station=station, message=note, cause="dismissed")


def _may_be(known: str, presented: PresentedToken | None) -> bool:
    if not known or presented is None or not presented.text:
        return True
    return fold_token(known) == fold_token(presented.text)


def _lies_between(started_at: datetime, ended_at: datetime | None) -> bool:
    return ended_at is None or started_at - STEP <= ended_at <= started_at + LONGEST


def _continues(session: ChargingSession, event: SessionEnded, max_power_w: int | None) -> bool:
    """Whether the stop register can be this session's, after its start and its last reading."""
    total = session.meter.total
    if total is not None and total.resets == 0:
        last_wh, since = total.last // 1000, session.meter.last_at or session.started_at
        return _can_have_risen(last_wh, event.meter_stop_wh, since, event.at, max_power_w)
    return _can_have_risen(
        session.meter_start_wh, event.meter_stop_wh, session.started_at, event.at, max_power_w
    )


def _can_have_risen(
    before_wh: int | None,
    after_wh: int | None,
    since: datetime,
    until: datetime | None,
    max_power_w: int | None,
) -> bool:
    """Whether a register can have gone from one value to the other in the time between."""
    if before_wh is None or after_wh is None or before_wh < 0:
        return True
    risen = 1000 * (after_wh - before_wh)
    if risen < -JITTER_MWH:
        return False
    elapsed = max(until - since, timedelta(0)) if until is not None else LONGEST
    return risen <= allowed_mwh(elapsed, max_power_w or DEFAULT_MAX_POWER_W)
