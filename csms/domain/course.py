"""The course of a session that runs as it should: a handful of numbers, carried on from reading to reading.

Nearly every message of a session is its next reading. `transitions.apply` makes a new session of it, which
takes ten times as long as all there is to decide. A course decides the same for that one case, and says None
to everything else; `session()` is then what `apply` would have made (a property test holds them together).

Pure. Times are microseconds since 1970 UTC, registers thousandths of Wh.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from csms.domain import clock
from csms.domain.assets import ChargingStation
from csms.domain.charging_session import ChargingSession, SessionState, evolve
from csms.domain.energy import DEFAULT_MAX_POWER_W, allowed_mwh
from csms.domain.local_time import hour_start, next_hour, zone
from csms.domain.quality import EnergySource
from csms.domain.registers import OUTLET, MeterState, Register

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_AHEAD = clock.AHEAD // _MICROSECOND
_BEHIND = clock.BEHIND // _MICROSECOND


class NextReading(NamedTuple):
    """A message that tells nothing but readings of one instant, at most one of them the energy register.

    `at` is the message's time, `taken` the readings'. `samples` are [kind number, thousandths] or with the
    text as sent behind. `seq_no` None: 1.6.
    """

    transaction_id: str
    at: int
    taken: int
    energy_mwh: int | None
    samples: list[tuple[int, int] | tuple[int, int, str]]
    seq_no: int | None = None
    charging_state: str = ""
    tells_place: bool = False


class Step(NamedTuple):
    """What one more reading makes of a course. `number` is the message's sequence number; -1 in 1.6."""

    at: int
    taken: int
    last: int | None
    number: int
    nth: int


class Course:
    """One running session. `step` says what a reading makes of it, `take` does it."""

    __slots__ = (
        "_allowed",
        "_at",
        "_base",
        "_first",
        "_hour_end",
        "_is_placed",
        "_last",
        "_origin",
        "_power_w",
        "_samples",
        "_seq_no",
        "_started",
        "_taken",
        "evse",
        "heard",
        "session_id",
    )

    def __init__(self, session: ChargingSession, station: ChargingStation) -> None:
        """`session` must be one that `can_run`."""
        assert session.last_event_at is not None, "can_run says so"
        meter, total = session.meter, session.meter.total
        self._base = session
        self.session_id = session.session_id
        self.evse = session.evse
        self.heard = session.heard
        self._started = _us(session.started_at)
        self._at = _us(session.last_event_at)
        self._taken = self._at if meter.last_at is None else _us(meter.last_at)
        self._first = _known(meter.start_mwh if total is None else total.first)
        self._last = self._first if total is None else total.last
        self._origin = -1 if total is None else total.origin
        self._samples = int(meter.start_mwh is not None) if total is None else total.samples
        self._seq_no = session.sequence.highest
        self._is_placed = bool(session.evse and session.connector)
        self._power_w = station.max_power_w or DEFAULT_MAX_POWER_W
        self._hour_end = _hour_end(meter.last_at or session.started_at, station.time_zone)
        self._allowed = -1

    @staticmethod
    def can_run(session: ChargingSession) -> bool:
        """Whether nothing about the session needs more than its next reading."""
        meter, sequence = session.meter, session.sequence
        if session.state is not SessionState.ACTIVE or session.flags or session.last_event_at is None:
            return False
        if sequence.missing or sequence.may_restart or sequence.generation or meter.stop_mwh is not None:
            return False
        if meter.end_mwh is not None or meter.unreadable or meter.unknown_unit:
            return False
        if any(part.resets for part in meter.parts):
            return False
        total = meter.total
        return total is None or (total.resets == 0 and total.held_first is None)

    def step(self, told: NextReading, arrived: int) -> Step | None:
        """What the reading, which `arrived` now, makes of the session. None: `apply` must say.

        The first reading of another hour is left to `apply`, which marks the hour due.
        """
        at, taken, energy = told.at, told.taken, told.energy_mwh
        if not self._at < at <= arrived + _AHEAD or at < arrived - _BEHIND:
            return None
        if taken != at and not max(self._at, arrived - _BEHIND) < taken <= arrived:
            return None
        number = -1
        if told.seq_no is not None:
            if self._seq_no is None or told.seq_no != self._seq_no + 1:
                return None
            number = told.seq_no
        if told.charging_state and told.charging_state != self._base.charging_state:
            return None
        if told.tells_place and not self._is_placed:
            return None
        if energy is not None and not self._goes_on(energy, at, taken):
            return None
        return Step(at, taken, energy, number, self.heard + 1)

    def take(self, step: Step) -> None:
        """The reading is stored."""
        self._at, self.heard = step.at, step.nth
        if step.number >= 0:
            self._seq_no = step.number
        if step.last is not None:
            if self._samples == 0 or self._origin < 0:
                self._origin = step.last
            self._taken, self._last = step.taken, step.last
            self._samples += 1

    def session(self) -> ChargingSession:
        """The session as it is now."""
        base = self._base
        if self.heard == base.heard:
            return base
        sequence = base.sequence
        if self._seq_no != sequence.highest:
            sequence = sequence._replace(highest=self._seq_no)
        changes = {"last_event_at": _instant(self._at), "sequence": sequence, "heard": self.heard}
        known = 0 if base.meter.total is None else base.meter.total.samples
        if self._origin >= 0 and self._samples > known:
            changes |= {
                "meter": self._meter(base.meter),
                "energy_wh": (self._last - self._first + 500) // 1000,
                "energy_source": EnergySource.PERIODIC,
            }
        return evolve(base, **changes)

    def _meter(self, meter: MeterState) -> MeterState:
        if meter.total is None:
            total = Register(OUTLET, "", self._origin, self._first, self._last, self._samples)
        else:
            total = meter.total._replace(last=self._last, samples=self._samples)
        return meter._replace(last_at=_instant(self._taken), total=total)

    def _goes_on(self, energy: int, at: int, taken: int) -> bool:
        """Whether the register rises from where it was, within the hour and the station's power."""
        if self._samples == 0 or energy < self._last or not self._taken < taken < self._hour_end:
            return False
        mwh = energy - self._first
        # Asked again only when the last bound is reached: time only adds to it.
        if mwh > self._allowed:
            elapsed = timedelta(microseconds=max(at, taken) - self._started)
            self._allowed = allowed_mwh(elapsed, self._power_w)
        return mwh <= self._allowed


def _known(register: int | None) -> int:
    return 0 if register is None else register


def _hour_end(at: datetime, zone_name: str) -> int:
    local = zone(zone_name)
    return _us(next_hour(hour_start(at, local), local))


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
