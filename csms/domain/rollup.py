"""A session's energy and time by the hour, and hours added up. Pure; knows no table.

Between two readings energy is taken to flow evenly. Parts are rounded on the running total, so that they
always add up to the session's energy.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple

from csms.domain.charging_session import ChargingSession
from csms.domain.energy import sampled
from csms.domain.local_time import hour_start, next_hour
from csms.domain.meter import Reading
from csms.domain.registers import JITTER_MWH, MeterState, counting, distinct, step

_MICROSECOND = timedelta(microseconds=1)


class SessionHour(NamedTuple):
    """What one session did in one hour: Wh, seconds it lasted, and 1 in the hour it began (else 0)."""

    hour_start: datetime
    energy_wh: int
    charging_s: int
    sessions: int = 0


class Total(NamedTuple):
    """Hours of many sessions added up."""

    energy_wh: int = 0
    charging_s: int = 0
    sessions: int = 0


class _Point(NamedTuple):
    """Energy delivered up to a time, in thousandths of Wh."""

    at: datetime
    mwh: int


def session_hours(session: ChargingSession, readings: Iterable[Reading], local: tzinfo) -> list[SessionHour]:
    """The session's hours by the clock of `local`, in order; their energy adds up to `energy_wh` exactly.

    An open session ends, for now, with what was last heard of it. Energy that is not known is 0 here.
    """
    end = session_end(session)
    curve = _curve(session, readings, end)
    edges = _edges(session.started_at, end, local)
    hours: list[SessionHour] = []
    wh_before = s_before = place = 0
    for start, until in pairwise(edges):
        last = min(until, end)
        place, mwh = _at(curve, last, place)
        wh = (session.energy_wh or 0) if last == end else (mwh + 500) // 1000
        seconds = (last - session.started_at) // timedelta(seconds=1)
        hours.append(SessionHour(start, wh - wh_before, seconds - s_before, int(not hours)))
        wh_before, s_before = wh, seconds
    return hours


def energy_between(
    session: ChargingSession, readings: Iterable[Reading], edges: Sequence[datetime]
) -> list[int]:
    """Wh between each two of `edges`, which go from the session's start to its end; they add up exactly."""
    end = edges[-1]
    curve = _curve(session, readings, end)
    parts: list[int] = []
    before = place = 0
    for edge in edges[1:]:
        place, mwh = _at(curve, edge, place)
        # The last edge may come twice, where no time passes: all energy is there by then.
        wh = (session.energy_wh or 0) if edge == end else (mwh + 500) // 1000
        parts.append(wh - before)
        before = wh
    return parts


def charging_end(session: ChargingSession, readings: Iterable[Reading]) -> datetime:
    """When the last Wh had flowed. The session's end where nothing flowed, or no reading says more."""
    end = session_end(session)
    if not session.energy_wh:
        return end
    curve = _curve(session, readings, end)
    return next(point.at for point in curve if (point.mwh + 500) // 1000 >= session.energy_wh)


def add_up(
    hours: Iterable[SessionHour], period: Callable[[datetime], datetime] | None = None
) -> dict[datetime, Total]:
    """Totals of sessions' hours by hour, or by what `period` makes of an hour (its local day, its month)."""
    totals: dict[datetime, Total] = {}
    for start, energy_wh, charging_s, sessions in hours:
        key = period(start) if period is not None else start
        so_far = totals.get(key, Total())
        totals[key] = Total(
            so_far.energy_wh + energy_wh, so_far.charging_s + charging_s, so_far.sessions + sessions
        )
    return totals


def session_end(session: ChargingSession) -> datetime:
    """When the session ended; for now, when it was last heard of."""
    if session.ended_at is not None:
        return max(session.ended_at, session.started_at)
    known = (session.started_at, session.last_event_at, session.meter.last_at)
    return max(at for at in known if at is not None)


def _edges(start: datetime, end: datetime, local: tzinfo) -> list[datetime]:
    """Starts of the hours from `start` to `end`, and the start of the hour after."""
    edges = [hour_start(start, local)]
    edges.append(next_hour(edges[0], local))
    while edges[-1] < end:
        edges.append(next_hour(edges[-1], local))
    return edges


def _curve(session: ChargingSession, readings: Iterable[Reading], end: datetime) -> list[_Point]:
    """Energy over time: from 0 at the start, through the readings, to the session's energy at the end."""
    total = 1000 * (session.energy_wh or 0)
    points = [_Point(session.started_at, 0)]
    measured = _measured(session, readings, total) if total else []
    most = max((point.mwh for point in measured), default=0)
    for at, mwh in measured:
        # Samples may show more than the session is charged for (another source counts): keep their shape.
        scaled = mwh * total // most if most > total else mwh
        points.append(_Point(min(max(at, session.started_at), end), max(scaled, points[-1].mwh)))
    points.append(_Point(end, total))
    return points


def _measured(session: ChargingSession, readings: Iterable[Reading], total_mwh: int) -> list[_Point]:
    """Energy at each reading, of the series that count in the end."""
    state = MeterState(start_mwh=session.meter.start_mwh)
    states: dict[datetime, MeterState] = {}
    for reading in counting(distinct(readings), session.started_at, session.ended_at):
        state = step(state, reading)
        states[reading.at] = state  # readings of one time are one point
    measure = _measure_of(state, total_mwh)
    return [_Point(at, measure(state)) for at, state in states.items()]


def _measure_of(final: MeterState, total_mwh: int) -> Callable[[MeterState], int]:
    """How to read the energy so far from a state, given the last one."""
    series = [(register.place, register.phase) for register in sampled(final)]
    if not series:
        return lambda state: state.phase_interval_mwh or state.interval_mwh or 0
    if final.total is None:
        return lambda state: sum(part.energy for part in state.parts if (part.place, part.phase) in series)
    if final.total.energy + final.total.from_zero <= total_mwh + JITTER_MWH:
        return lambda state: state.total.energy + state.total.from_zero if state.total is not None else 0
    return lambda state: state.total.energy if state.total is not None else 0


def _at(curve: Sequence[_Point], when: datetime, place: int) -> tuple[int, int]:
    """Energy at `when`, and the point before it; the search goes on from `place`."""
    while place + 1 < len(curve) - 1 and curve[place + 1].at <= when:
        place += 1
    (start, before), (end, after) = curve[place], curve[place + 1]
    if when >= end:
        return place, after
    span = (end - start) // _MICROSECOND
    return place, before + (after - before) * ((when - start) // _MICROSECOND) // span
