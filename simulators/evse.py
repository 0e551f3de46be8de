"""One EVSE with its connector, its meter and the cars that visit it. No socket, no clock, no OCPP version.

The caller calls `tick` when `due` has come and puts what it returns into the
station's outbox. A visit runs: plugged in, token presented, charging (perhaps
suspended by the car), stopped, unplugged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from random import Random
from uuid import UUID

from simulators import metering
from simulators.battery import Battery, Car, Supply
from simulators.facts import (
    Began,
    Cause,
    Fact,
    Finished,
    Metered,
    MeterRead,
    Sample,
    Session,
    Status,
    StatusChanged,
    Stop,
    TokenPresented,
    Value,
    whole_ms,
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A car that will come: when, whose, how empty, how long it may charge and how it leaves."""

    plug_at: datetime
    token: str
    car: Car
    soc: float
    charge_s: float
    stop: Stop = Stop.LOCAL
    hesitate_s: float = 4.0
    linger_s: float = 20.0
    cause: Cause = Cause.AUTHORIZED
    remote_start_id: int | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """A moment of the station's clock and how the station is placed in it.

    `offline` marks what is told as having happened without a connection;
    `ask` is whether a token can be checked with the central system.
    """

    at: datetime
    offline: bool = False
    ask: bool = True


class Step(Enum):
    """Where a visit stands."""

    IDLE = auto()
    PLUGGED = auto()
    ASKING = auto()
    CHARGING = auto()
    STOPPED = auto()


class Evse:
    """One EVSE; `register_wh` is its meter's lifetime reading and never goes back."""

    def __init__(self, number: int, supply: Supply, register_wh: float, rng: Random, ids: Random) -> None:
        self.number = number
        self.supply = supply
        self.register_wh = float(register_wh)
        self.sample_s = 60.0
        self.visits: deque[Visit] = deque()
        self.status = Status.AVAILABLE
        self.operative = True
        self.step = Step.IDLE
        self.due: datetime | None = None
        self.session: Session | None = None
        self._rng, self._ids = rng, ids
        self._visit: Visit | None = None
        self._battery: Battery | None = None
        self._metered_at: datetime | None = None
        self._next_sample: datetime | None = None
        self._ends_at: datetime | None = None
        self._seq = 0
        self._first: Sample | None = None

    @property
    def meter_wh(self) -> int:
        """The register as it is told: whole Wh."""
        return int(self.register_wh)

    @property
    def battery(self) -> Battery | None:
        """The battery of the car that is plugged in."""
        return self._battery

    def expect(self, *visits: Visit) -> None:
        """Add visits, in the order in which they come."""
        self.visits.extend(visits)
        if self.step is Step.IDLE and self.operative:
            self._await_next(None)

    def expect_nobody(self) -> None:
        """Let no further car come, and no session begin; one that runs goes on."""
        self.visits.clear()
        if self.step in (Step.IDLE, Step.PLUGGED, Step.ASKING):
            # A token may be on its way to be checked: whatever the answer, nobody waits for it now.
            self.step, self._visit, self.due = Step.IDLE, None, None

    def tick(self, now: Now) -> list[Fact]:
        """Do what is due until now; returns what there is to tell."""
        told: list[Fact] = []
        while self.due is not None and self.due <= now.at:
            at, self.due = self.due, None
            told += _STEPS[self.step](self, Now(at, now.offline, now.ask))
        return told

    def authorized(self, accepted: bool, now: Now) -> list[Fact]:
        """The token's check came back (or cannot come any more, which counts as accepted: offline start)."""
        if self.step is not Step.ASKING:
            return []
        return self._begin(now) if accepted else self._leave(now)

    def finish(self, stop: Stop, now: Now) -> list[Fact]:
        """End the session now; nothing to tell when there is none."""
        if self.session is None:
            return []
        self._meter(now.at)
        last = self._register_sample(now.at, "Transaction.End")
        first = (self._first,) if self._first else ()
        ended = Finished(
            self.session, now.at, self._next_seq(), stop, now.offline, self.meter_wh, (*first, last)
        )
        self.session, self.step = None, Step.STOPPED
        linger = self._visit.linger_s if self._visit else 0.0
        self.due = whole_ms(now.at + timedelta(seconds=0.0 if stop is Stop.EV_DISCONNECTED else linger))
        after = Status.FAULTED if stop is Stop.FAULT else Status.FINISHING
        return [ended, *self._become(after, now.at)]

    def start_remotely(self, token: str, remote_id: int | None, now: Now) -> list[Fact] | None:
        """Start for a token without its card; a car comes if none waits. None when the EVSE is taken."""
        if not self.operative:
            return None
        if self.step in (Step.PLUGGED, Step.ASKING) and self._visit is not None:
            car, soc = self._visit.car, self._visit.soc
        elif self.step is Step.IDLE:
            car, soc = Car(), 0.4
        else:
            return None
        self._visit = Visit(
            now.at, token, car, soc, 1_800.0, Stop.REMOTE, cause=Cause.REMOTE, remote_start_id=remote_id
        )
        return [*self._become(Status.PREPARING, now.at), *self._begin(now)]

    def set_operative(self, operative: bool, now: Now) -> list[Fact]:
        """Open or close the EVSE; a session that runs is let to its end first."""
        self.operative = operative
        if self.step is not Step.IDLE:
            return []
        self.due = None
        if operative:
            self._await_next(now.at)
        return self._become(Status.AVAILABLE if operative else Status.UNAVAILABLE, now.at)

    def read(self, at: datetime) -> MeterRead:
        """The meter as it stands, told outside any session."""
        self._meter(at)
        return MeterRead(self.number, self._register_sample(at, "Trigger"))

    def update(self, cause: Cause, now: Now) -> list[Fact]:
        """Tell how the session stands now, if there is one."""
        if self.session is None:
            return []
        self._meter(now.at)
        context = "Trigger" if cause is Cause.TRIGGERED else "Sample.Periodic"
        return [self._metered(cause, now, Sample(now.at, context, self._values()))]

    def _plug(self, now: Now) -> list[Fact]:
        self._visit = self.visits.popleft()
        self.step = Step.PLUGGED
        self.due = whole_ms(now.at + timedelta(seconds=self._visit.hesitate_s))
        return self._become(Status.PREPARING, now.at)

    def _present(self, now: Now) -> list[Fact]:
        assert self._visit is not None
        if not now.ask:
            return self._begin(now)
        self.step = Step.ASKING
        return [TokenPresented(self.number, self._visit.token)]

    def _begin(self, now: Now) -> list[Fact]:
        visit = self._visit
        assert visit is not None
        at = whole_ms(now.at)
        self._battery = Battery(visit.car, visit.soc)
        key = str(UUID(int=self._ids.getrandbits(128), version=4))
        self.session = Session(key, self.number, visit.token, at, self.meter_wh, visit.remote_start_id)
        self.step, self._seq, self._metered_at = Step.CHARGING, 0, at
        self._ends_at = at + timedelta(seconds=visit.charge_s)
        self._next_sample = at + timedelta(seconds=self.sample_s)
        self.due = whole_ms(min(self._next_sample, self._ends_at))
        self._first = self._register_sample(at, "Transaction.Begin")
        began = Began(self.session, at, self._next_seq(), visit.cause, now.offline, self._first)
        return [began, *self._become(Status.CHARGING, at)]

    def _charge(self, now: Now) -> list[Fact]:
        assert self._visit is not None
        assert self._ends_at is not None
        assert self._next_sample is not None
        if whole_ms(self._ends_at) <= now.at:
            return self.finish(self._visit.stop, now)
        self._next_sample += timedelta(seconds=self.sample_s)
        self.due = whole_ms(min(self._next_sample, self._ends_at))
        told = self.update(Cause.PERIODIC, now)
        if self._battery is not None and self._battery.full and self.status is Status.CHARGING:
            told += self._become(Status.SUSPENDED_EV, now.at)
            told.append(self._metered(Cause.STATE, now, None))
        return told

    def _leave(self, now: Now) -> list[Fact]:
        self.step, self._visit, self._battery, self.due = Step.IDLE, None, None, None
        if not self.operative:
            return self._become(Status.UNAVAILABLE, now.at)
        self._await_next(now.at)
        return self._become(Status.AVAILABLE, now.at)

    def _await_next(self, not_before: datetime | None) -> None:
        if self.visits:
            at = self.visits[0].plug_at
            self.due = whole_ms(max(at, not_before + timedelta(seconds=1)) if not_before else at)

    def _become(self, status: Status, at: datetime) -> list[Fact]:
        if status is self.status:
            return []
        before, self.status = self.status, status
        return [StatusChanged(self.number, before, status, whole_ms(at))]

    def _meter(self, at: datetime) -> None:
        """Let energy flow until a moment."""
        if self.session is None or self._battery is None or self._metered_at is None:
            return
        seconds = (at - self._metered_at).total_seconds()
        self.register_wh += self._battery.charge(self.supply.for_car(self._battery.car), seconds)
        self._metered_at = max(at, self._metered_at)

    def _values(self) -> tuple[Value, ...]:
        assert self._battery is not None
        return metering.readings(self.meter_wh, self._battery, self.supply, self._rng)

    def _register_sample(self, at: datetime, context: str) -> Sample:
        return Sample(whole_ms(at), context, (metering.register(self.meter_wh),))

    def _metered(self, cause: Cause, now: Now, sample: Sample | None) -> Metered:
        assert self.session is not None
        return Metered(self.session, now.at, self._next_seq(), cause, now.offline, self.status, sample)

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq - 1


_STEPS: dict[Step, Callable[[Evse, Now], list[Fact]]] = {
    Step.IDLE: Evse._plug,
    Step.PLUGGED: Evse._present,
    Step.CHARGING: Evse._charge,
    Step.STOPPED: Evse._leave,
}
