"""Energy registers as series of readings: segments, resets, phases, places. Knows no source is better.

The state is a fold over readings in time order, so that it can be stored and carried on; `recompute` is
the same fold over all of them. Within a series a fall is a reset, and monotone segments are added up.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from csms.domain.meter import (
    ENERGY_IMPORT_INTERVAL,
    ENERGY_IMPORT_REGISTER,
    TRANSACTION_BEGIN,
    TRANSACTION_END,
    Reading,
    is_number,
)

JITTER_MWH = 10_000
"""A fall of this much is noise, not a reset: some models stop a Wh or two below where they started."""

LEAD = timedelta(minutes=1)
GRACE = timedelta(minutes=5)
"""Readings count from LEAD before the start to GRACE after the end: closing values come after the stop,
and some models go on using a transaction id long after it."""

OUTLET = "outlet"
_ENERGY = frozenset({ENERGY_IMPORT_REGISTER, ENERGY_IMPORT_INTERVAL})
_PLACES = {"": OUTLET, OUTLET: OUTLET, "cable": "cable", "body": "body", "inlet": "inlet"}
_PHASES = {"": "", "l1": "l1", "l2": "l2", "l3": "l3", "l1-n": "l1", "l2-n": "l2", "l3-n": "l3"}


class Register(NamedTuple):
    """One register series in time order. Thousandths of Wh.

    `first` and `last` bound the current monotone segment. `held_first` and `held_last` are those of the
    segment before it while the current one is flat: if the register comes back to where it was, the low
    values were a glitch. `carried` is the energy of settled segments, `origin` the first sample, `from_zero`
    the sum of the values found right after falls: delivered since, if the register fell to 0.
    """

    place: str
    phase: str
    origin: int
    first: int
    last: int
    samples: int = 1
    resets: int = 0
    carried: int = 0
    from_zero: int = 0
    held_first: int | None = None
    held_last: int = 0

    @property
    def energy(self) -> int:
        """Energy through this register so far."""
        held = 0 if self.held_first is None else self.held_last - self.held_first
        return self.carried + held + self.last - self.first


class MeterState(NamedTuple):
    """What the energy readings so far, in time order, have come to.

    A tuple of plain values: it is made and stored with every reading, and a reconnect needs no re-reading.
    New fields go to the end. Thousandths of Wh. `start_mwh`/`stop_mwh` are what start and stop messages
    said; `total` is the outlet's register without a phase, `parts` are those of phases and other places.
    """

    start_mwh: int | None = None
    stop_mwh: int | None = None
    last_at: datetime | None = None
    total: Register | None = None
    parts: tuple[Register, ...] = ()
    begin_mwh: int | None = None
    end_mwh: int | None = None
    interval_mwh: int | None = None
    phase_interval_mwh: int | None = None
    unreadable: int = 0
    unknown_unit: int = 0


UNMETERED = MeterState()


def is_energy(reading: Reading) -> bool:
    """Whether a reading says anything about the energy given to the vehicle."""
    return reading.measurand in _ENERGY


def counting(readings: Iterable[Reading], since: datetime, until: datetime | None) -> list[Reading]:
    """The energy readings that belong to a session from `since` to `until`, in time order.

    Equal times are ordered by value: a register read twice in one second has not fallen.
    """
    earliest = since - LEAD
    found = [r for r in readings if r.measurand in _ENERGY and r.at >= earliest]
    if until is not None:
        latest = until + GRACE
        found = [r for r in found if r.at <= latest]
    if len(found) > 1:
        found.sort(key=_in_order)
    return found


def fold(
    state: MeterState, readings: Sequence[Reading], since: datetime, until: datetime | None = None
) -> MeterState:
    """`state` carried on over readings that all come after those it has seen.

    Readings more than LEAD before `since` (the start) or GRACE after `until` (the end) do not count.
    """
    for reading in counting(readings, since, until):
        state = step(state, reading)
    return state


def recompute(
    state: MeterState, readings: Iterable[Reading], since: datetime, until: datetime | None = None
) -> MeterState:
    """The state that all `readings`, in any order, lead to; `state` gives the start and stop registers."""
    empty = MeterState(start_mwh=state.start_mwh, stop_mwh=state.stop_mwh)
    return fold(empty, distinct(readings), since, until)


def distinct(readings: Iterable[Reading]) -> list[Reading]:
    """Readings without those that come again: the first of each `key_of` stays."""
    found: dict[tuple[object, ...], Reading] = {}
    for reading in readings:
        found.setdefault(key_of(reading), reading)
    return list(found.values())


def key_of(reading: Reading) -> tuple[object, ...]:
    """What makes two deliveries of a reading the same one within a session."""
    return reading.at, reading.measurand, reading.phase, reading.location, reading.context


def step(state: MeterState, reading: Reading) -> MeterState:
    """`state` after one more energy reading."""
    value = reading.value
    if value is None or value < 0:
        return _unusable(state, reading)
    if reading.measurand == ENERGY_IMPORT_INTERVAL:
        return _interval(state, reading, value)
    place, phase = _PLACES.get(reading.location), _PHASES.get(reading.phase)
    if place is None or phase is None:
        return state
    if place != OUTLET or phase:
        return state._replace(last_at=reading.at, parts=_part_stepped(state.parts, place, phase, value))
    context = reading.context
    return MeterState(
        state.start_mwh,
        state.stop_mwh,
        reading.at,
        _total_stepped(state, value),
        state.parts,
        value if context == TRANSACTION_BEGIN and state.begin_mwh is None else state.begin_mwh,
        value if context == TRANSACTION_END else state.end_mwh,
        state.interval_mwh,
        state.phase_interval_mwh,
        state.unreadable,
        state.unknown_unit,
    )


def advance(register: Register, value: int) -> Register:
    """A register series after one more sample."""
    place, phase, origin, first, last, samples, resets, carried, from_zero, held_first, held_last = register
    samples += 1
    # Most common first: the register goes on rising.
    if held_first is None:
        if value >= last:
            return Register(place, phase, origin, first, value, samples, resets, carried, from_zero)
        if value >= last - JITTER_MWH:
            return register._replace(samples=samples)
        fallen = Register(place, phase, origin, value, value, samples, resets + 1, carried, from_zero + value)
        return fallen._replace(held_first=first, held_last=last)
    if value >= held_last - JITTER_MWH:  # back where it was: the low values were a glitch
        top, origin = max(held_last, value), max(origin, held_first)
        return Register(
            place, phase, origin, held_first, top, samples, resets - 1, carried, from_zero - first
        )
    if value > last:  # counting up from below: a reset
        carried += held_last - held_first
        return Register(place, phase, origin, first, value, samples, resets, carried, from_zero)
    # Still flat or lower: another low value says no more than the first did.
    from_zero += value - first
    return register._replace(first=value, last=value, samples=samples, from_zero=from_zero)


def _total_stepped(state: MeterState, value: int) -> Register:
    if state.total is not None:
        return advance(state.total, value)
    if state.start_mwh is None:
        return Register(OUTLET, "", value, value, value)
    # The start register is the series' first value; a first sample below it shows as a reset.
    seed = Register(OUTLET, "", value, state.start_mwh, state.start_mwh)
    return advance(seed, value)


def _part_stepped(parts: tuple[Register, ...], place: str, phase: str, value: int) -> tuple[Register, ...]:
    for n, part in enumerate(parts):
        if part.place == place and part.phase == phase:
            return (*parts[:n], advance(part, value), *parts[n + 1 :])
    added = (*parts, Register(place, phase, value, value, value))
    return tuple(sorted(added, key=lambda part: (part.place, part.phase)))


def _interval(state: MeterState, reading: Reading, value: int) -> MeterState:
    if reading.phase:
        so_far = (state.phase_interval_mwh or 0) + value
        return state._replace(last_at=reading.at, phase_interval_mwh=so_far)
    return state._replace(last_at=reading.at, interval_mwh=(state.interval_mwh or 0) + value)


def _unusable(state: MeterState, reading: Reading) -> MeterState:
    """Count what could not be read. Signed data beside the numbers is no number that went wrong."""
    text = reading.raw or ""
    if reading.value is None and len(text) > 100:
        return state
    if reading.value is None and is_number(text.partition(" ")[0]):
        return state._replace(last_at=reading.at, unknown_unit=state.unknown_unit + 1)
    return state._replace(last_at=reading.at, unreadable=state.unreadable + 1)


def _in_order(reading: Reading) -> tuple[datetime, int, str, str, str, str]:
    value = -1 if reading.value is None else reading.value
    return reading.at, value, reading.measurand, reading.context, reading.location, reading.phase
