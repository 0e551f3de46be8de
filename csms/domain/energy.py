"""The energy engine: which source gives a session's integer Wh, and whether to believe it. Pure.

Sources, best first: the registers of start and stop; readings in context begin and end; the register
while charging; the sum of intervals. The best one that the connector could have delivered is taken.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from csms.domain.quality import EnergySource, Flag
from csms.domain.registers import JITTER_MWH, OUTLET, MeterState, Register

DEFAULT_MAX_POWER_W = 500_000
"""Bound on what is physically possible where the registry says nothing of a station's power."""

_SLACK_MWH = 1_000_000
_PLACES = (OUTLET, "cable", "body", "inlet")  # best first; the vehicle's own meter is never taken
_MODULI_MWH = tuple(1000 * wh for wh in (10**6, 10**7, 10**8, 10**9, 2**31, 2**32))


class Figure(NamedTuple):
    """A session's energy in Wh (None when nothing sound is known), its source, and the doubts."""

    energy_wh: int | None
    source: EnergySource
    flags: tuple[Flag, ...] = ()


NOTHING = Figure(None, EnergySource.NONE)


class _Candidate(NamedTuple):
    mwh: int
    source: EnergySource


def figure(state: MeterState, elapsed: timedelta, max_power_w: int | None) -> Figure:
    """The energy of a session that has run for `elapsed` at a station of at most `max_power_w`.

    The first candidate within the station's power counts; else the first within what is physically
    possible, with a flag; else none.
    """
    believable = allowed_mwh(elapsed, max_power_w or DEFAULT_MAX_POWER_W)
    # Most common first: registers that only rise.
    if (plain := _plain(state)) is not None and plain.mwh <= believable:
        return Figure(_rounded(plain.mwh), plain.source)
    if state == MeterState(start_mwh=state.start_mwh):
        return NOTHING  # it has only begun
    flags = _flags(state)
    candidates = list(_candidates(state))
    for mwh, source in candidates:
        if mwh <= believable:
            doubted = candidates[0].mwh > believable
            return Figure(_rounded(mwh), source, (*flags, Flag.IMPLAUSIBLE_ENERGY) if doubted else flags)
    possible = allowed_mwh(elapsed, max(max_power_w or 0, DEFAULT_MAX_POWER_W))
    for mwh, source in candidates:
        if mwh <= possible:
            return Figure(_rounded(mwh), source, (*flags, Flag.IMPLAUSIBLE_ENERGY))
    if candidates:
        return Figure(None, EnergySource.NONE, (*flags, Flag.IMPLAUSIBLE_ENERGY))
    return Figure(None, EnergySource.NONE, flags)


def _plain(state: MeterState) -> _Candidate | None:
    """The best candidate of a meter that is in no doubt."""
    total, start, stop = state.total, state.start_mwh, state.stop_mwh
    if state.unreadable or state.unknown_unit or (total is not None and total.resets):
        return None
    if state.parts and any(part.resets for part in state.parts):
        return None
    if stop is not None:
        return (
            _Candidate(stop - start, EnergySource.REGISTERS) if start is not None and stop >= start else None
        )
    if total is None or total.samples < 2 or state.end_mwh is not None:
        return None
    return _Candidate(total.last - total.first, EnergySource.PERIODIC)


def allowed_mwh(elapsed: timedelta, power_w: int) -> int:
    """What `power_w` can deliver in `elapsed`, with a quarter and 1 kWh to spare. Thousandths of Wh."""
    seconds = max(elapsed.days * 86400 + elapsed.seconds, 0)
    return power_w * seconds * 1250 // 3600 + _SLACK_MWH


def is_relative(state: MeterState) -> bool:
    """Whether samples count from the session's start although its start register does not (T17)."""
    total = state.total
    if total is None or state.start_mwh is None or total.resets == 0:
        return False
    return total.origin < state.start_mwh - JITTER_MWH


def sampled(state: MeterState) -> tuple[Register, ...]:
    """The register series that count: the total, else the phases of one place."""
    if state.total is not None:
        return (state.total,)
    for place in _PLACES:
        here = [part for part in state.parts if part.place == place]
        whole = [part for part in here if not part.phase]
        if here:
            return tuple(whole or here)
    return ()


def _candidates(state: MeterState) -> Iterator[_Candidate]:
    yield from _of_start_and_stop(state)
    yield from _of_begin_and_end(state)
    yield from _of_samples(state)
    intervals = state.phase_interval_mwh if state.interval_mwh is None else state.interval_mwh
    if intervals is not None:
        yield _Candidate(intervals, EnergySource.INTERVAL)


def _of_start_and_stop(state: MeterState) -> Iterator[_Candidate]:
    start, stop = state.start_mwh, state.stop_mwh
    if start is None or stop is None:
        return
    if _has_reset(state) and (stop < start or _fell_below(state, start)):
        for mwh in _segments(state):
            yield _Candidate(mwh, EnergySource.REGISTERS)
    if stop >= start - JITTER_MWH:
        yield _Candidate(max(stop - start, 0), EnergySource.REGISTERS)
    elif (rolled := _rolled_over(start, stop)) is not None:
        yield _Candidate(rolled, EnergySource.REGISTERS)


def _of_begin_and_end(state: MeterState) -> Iterator[_Candidate]:
    begin, end = state.begin_mwh, state.end_mwh
    if begin is None or end is None:
        return
    if _has_reset(state):
        for mwh in _segments(state):
            yield _Candidate(mwh, EnergySource.BEGIN_END)
    if end >= begin - JITTER_MWH:
        yield _Candidate(max(end - begin, 0), EnergySource.BEGIN_END)


def _of_samples(state: MeterState) -> Iterator[_Candidate]:
    series = sampled(state)
    if state.total is not None and (state.total.samples > 1 or _is_anchored(state)):
        for mwh in _segments(state):
            yield _Candidate(mwh, EnergySource.PERIODIC)
    elif series and all(register.samples > 1 for register in series):
        yield _Candidate(sum(register.energy for register in series), EnergySource.PERIODIC)


def _segments(state: MeterState) -> Iterator[int]:
    """Monotone segments of the total series added up: as if falls were to zero, as seen, without the start.

    The stop register is taken as the last sample where it can be: a lifetime register at the stop does not
    continue samples that count from zero.
    """
    total, stop = state.total, state.stop_mwh
    if total is None:
        return
    closing = 0 if stop is None else max(stop - total.last, 0)
    if is_relative(state) and stop is not None and stop >= (state.start_mwh or 0):
        closing = 0
    yield total.energy + total.from_zero + closing
    if total.from_zero:
        yield total.energy + closing
    if state.start_mwh is not None and total.origin > state.start_mwh:
        yield total.energy - (total.origin - state.start_mwh) + closing


def _is_anchored(state: MeterState) -> bool:
    """Whether one sample is enough, because the value at the start (or stop) is known too."""
    return state.begin_mwh is not None or state.start_mwh is not None or state.stop_mwh is not None


def _has_reset(state: MeterState) -> bool:
    """Whether the total register fell between its samples."""
    return state.total is not None and state.total.resets > int(is_relative(state))


def _fell_below(state: MeterState, start: int) -> bool:
    return state.total is not None and not is_relative(state) and state.total.first < start - JITTER_MWH


def _rolled_over(start: int, stop: int) -> int | None:
    """Energy through a register that passed its last number (T18): it stood just below, then just above."""
    for modulus in _MODULI_MWH:
        if modulus * 99 // 100 <= start <= modulus and stop <= modulus // 100:
            return modulus - start + stop
    return None


def _flags(state: MeterState) -> tuple[Flag, ...]:
    flags = []
    start, stop = state.start_mwh, state.stop_mwh
    fell = start is not None and stop is not None and stop < start - JITTER_MWH
    rolled = fell and _rolled_over(start or 0, stop or 0) is not None
    if _has_reset(state) or rolled or any(part.resets for part in state.parts):
        flags.append(Flag.REGISTER_RESET)
    elif fell:
        flags.append(Flag.STOP_BELOW_START)
    if is_relative(state):
        flags.append(Flag.SESSION_REGISTER)
    if state.unreadable:
        flags.append(Flag.UNREADABLE_VALUE)
    if state.unknown_unit:
        flags.append(Flag.UNKNOWN_UNIT)
    return tuple(flags)


def _rounded(mwh: int) -> int:
    return (mwh + 500) // 1000
