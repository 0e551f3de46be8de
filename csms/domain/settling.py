"""From new facts to a consistent session: energy, flags, revision, and what is owed because of it. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from csms.domain.assets import ChargingStation, TokenStatus
from csms.domain.charging_session import Change, ChargingSession, SessionMessage, SessionState, evolve
from csms.domain.energy import Figure, figure
from csms.domain.local_time import is_same_hour
from csms.domain.meter import Reading
from csms.domain.quality import Flag

_DERIVED = frozenset(
    {
        Flag.REGISTER_RESET,
        Flag.SESSION_REGISTER,
        Flag.STOP_BELOW_START,
        Flag.IMPLAUSIBLE_ENERGY,
        Flag.UNREADABLE_VALUE,
        Flag.UNKNOWN_UNIT,
        Flag.GAP,
        Flag.REJECTED_START,
    }
)
"""Flags that follow from the rest of the session; the others are kept once they are set."""

_UNSURE_CLOCK = timedelta(hours=24)
ENTITLED = (TokenStatus.ACCEPTED, TokenStatus.NOT_PRESENTED)


def settle(
    before: ChargingSession | None,
    after: ChargingSession,
    *,
    station: ChargingStation,
    message: SessionMessage | None,
    cause: str,
    readings: tuple[Reading, ...] = (),
    out_of_order: bool = False,
) -> Change:
    """The change from `before` (None: a new session) to `after`, whose energy and flags are yet to be told.

    A closed session gets a new revision when something that is reported of it is different.
    """
    energy = figure(after.meter, ran_for(after, after.meter.last_at), station.max_power_w)
    flags = flags_of(after, energy)
    after = evolve(
        after,
        energy_wh=energy.energy_wh,
        energy_source=energy.source,
        flags=flags,
        meter_start_wh=stated(after.meter_start_wh, after.meter.start_mwh, after.meter.begin_mwh),
        meter_stop_wh=stated(after.meter_stop_wh, after.meter.stop_mwh, after.meter.end_mwh),
        heard=after.heard + (message is not None),
    )
    revised = (
        before is not None and before.state is SessionState.ENDED and reported(before) != reported(after)
    )
    if revised:
        after = evolve(after, revision=after.revision + 1)
    ended = after.state is SessionState.ENDED and (before is None or before.state is not SessionState.ENDED)
    was_due = before is not None and is_order_due(before)
    order_due = is_order_due(after) and (ended or revised or not was_due)
    return Change(
        after,
        is_new=before is None,
        readings=readings,
        message=message,
        hours_due=before is None
        or ended
        or revised
        or order_due
        or (out_of_order and bool(readings))
        or entered_hour(before.meter.last_at, after.meter.last_at, station),
        order_due=order_due,
        revised=revised,
        cause=cause if revised else "",
    )


def stated(shown_wh: int | None, said_mwh: int | None, sampled_mwh: int | None) -> int | None:
    """A register at the start or end: what its message said, else the reading taken then."""
    return shown_wh if said_mwh is not None or sampled_mwh is None else (sampled_mwh + 500) // 1000


def ran_for(session: ChargingSession, last_at: datetime | None) -> timedelta:
    """How long the session had to take its energy, the last reading of which was at `last_at`.

    Generous where its times are not the station's.
    """
    until = session.ended_at or session.last_event_at or session.started_at
    if session.ended_at is None and last_at is not None:
        until = max(until, last_at)
    elapsed = until - session.started_at
    return max(elapsed, _UNSURE_CLOCK) if Flag.CLOCK in session.flags else elapsed


def flags_of(session: ChargingSession, energy: Figure) -> tuple[Flag, ...]:
    """All flags of a session, sorted."""
    flags = {flag for flag in session.flags if flag not in _DERIVED}
    flags.update(energy.flags)
    if session.sequence.missing:
        flags.add(Flag.GAP)
    if session.authorization not in ENTITLED:
        flags.add(Flag.REJECTED_START)
    return tuple(sorted(flags)) if flags else ()


def with_flags(
    flags: Iterable[Flag], add: Iterable[Flag] = (), remove: Iterable[Flag] = ()
) -> tuple[Flag, ...]:
    """Flags with some added and some taken away, sorted."""
    return tuple(sorted((set(flags) | set(add)) - set(remove)))


def reported(session: ChargingSession) -> tuple[object, ...]:
    """What others are told of a closed session: only a difference here makes a new revision."""
    return (
        session.started_at,
        session.ended_at,
        session.energy_wh,
        session.meter_start_wh,
        session.meter_stop_wh,
        session.evse,
        session.connector,
        session.token,
        session.stop_reason,
    )


def is_order_due(session: ChargingSession) -> bool:
    """Whether a closed session is a charge order for the city.

    Not while its start is unknown, and not if it was refused and nothing was delivered.
    """
    if session.state is not SessionState.ENDED:
        return False
    if Flag.ORPHAN_STOP in session.flags or Flag.PROVISIONAL in session.flags:
        return False
    return session.authorization in ENTITLED or bool(session.energy_wh)


def entered_hour(before: datetime | None, after: datetime | None, station: ChargingStation) -> bool:
    """Whether the readings have gone on into another hour of the operator's clock."""
    if after is None or after == before:
        return False
    return before is None or not is_same_hour(before, after, station.time_zone)
