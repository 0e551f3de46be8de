"""What a charging station has to tell, before any OCPP version words it. Values only, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Status(StrEnum):
    """What a connector is doing; the finest split any version knows (1.6, StatusNotification)."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Stop(StrEnum):
    """Why a session ended."""

    LOCAL = "local"
    REMOTE = "remote"
    EV_DISCONNECTED = "ev-disconnected"
    FAULT = "fault"
    POWER_LOSS = "power-loss"
    RESET = "reset"
    HARD_RESET = "hard-reset"
    DEAUTHORIZED = "deauthorized"
    SOC_REACHED = "soc-reached"
    UNLOCK = "unlock"


class Cause(StrEnum):
    """Why a session's event is told now."""

    AUTHORIZED = "authorized"
    PLUGGED_IN = "plugged-in"
    REMOTE = "remote"
    PERIODIC = "periodic"
    STATE = "state"
    TRIGGERED = "triggered"


@dataclass(frozen=True, slots=True)
class Value:
    """One measured value: decimal text in `unit`, whole Wh for the energy register."""

    measurand: str
    value: str
    unit: str
    phase: str | None = None
    location: str = "Outlet"


@dataclass(frozen=True, slots=True)
class Sample:
    """Values measured at one moment of the station's clock."""

    at: datetime
    context: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """What stays the same through a charging session. `key` is the 2.x transaction id."""

    key: str
    evse: int
    token: str
    started_at: datetime
    meter_start_wh: int
    remote_start_id: int | None = None


@dataclass(frozen=True, slots=True)
class Booted:
    """The station (re)started or presents itself again."""

    reason: str = "PowerUp"


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing happened for an interval."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A connector's status is `after`; `before` equals it when it is only repeated."""

    evse: int
    before: Status | None
    after: Status
    at: datetime


@dataclass(frozen=True, slots=True)
class TokenPresented:
    """A driver holds a card to the reader of an EVSE."""

    evse: int
    token: str


@dataclass(frozen=True, slots=True)
class Began:
    """A session began. Transaction message."""

    session: Session
    at: datetime
    seq: int
    cause: Cause
    offline: bool
    sample: Sample


@dataclass(frozen=True, slots=True)
class Metered:
    """A session goes on: values, or (2.x) only a new charging state. Transaction message."""

    session: Session
    at: datetime
    seq: int
    cause: Cause
    offline: bool
    state: Status
    sample: Sample | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A session ended. Transaction message; `samples` are its first and last values."""

    session: Session
    at: datetime
    seq: int
    stop: Stop
    offline: bool
    meter_stop_wh: int
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterRead:
    """Values outside any session, because somebody asked."""

    evse: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class Reported:
    """One part of the device model asked for by GetBaseReport (2.x)."""

    request_id: int
    seq: int
    more: bool
    at: datetime
    variables: tuple[tuple[str, str, str, bool], ...] = field(default=())
    """(component, variable, value, read-only)"""


Fact = Booted | Beat | StatusChanged | TokenPresented | Began | Metered | Finished | MeterRead | Reported
Transactional = Began | Metered | Finished


def whole_ms(at: datetime) -> datetime:
    """The moment in UTC without what OCPP's timestamps cannot carry."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def stamp(at: datetime) -> str:
    """The moment as OCPP writes it: `2026-01-01T10:00:00.000Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """The moment a stamp names."""
    return datetime.fromisoformat(text)
