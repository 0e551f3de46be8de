"""What handlers work with: the parts of the program, and what a connection remembers of its station."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from csms.config import Settings
from csms.domain.answers import Answer
from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.commands import Command
from csms.domain.course import Course
from csms.domain.session import Change, ChargingSession, SessionState
from csms.protocol.dialect import Dialect
from csms.protocol.repairs import STANDARD, Repairs
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.records import Record
from csms.store.registry import Registry
from csms.store.sessions import SessionStore
from csms.store.writer import Writer
from csms.vendors import profile_for, profile_named

NAMELESS = frozenset({"-1", "0"})
"""Transaction ids that 1.6 stations send when they know none (errata 3.18)."""

MOST_ENDED = 16
"""Ended sessions that a connection keeps at hand for late and repeated messages."""


Progress = tuple[str, int | None]
"""A status of a firmware update or log upload, and the request it belongs to."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts every handler may use. Built once by `app`."""

    settings: Settings
    writer: Writer
    registry: Registry
    sessions: SessionStore
    devices: DeviceStore
    ids: Ids
    now: Callable[[], datetime]
    platforms: tuple["PlatformRoute", ...] = ()


@dataclass(frozen=True, slots=True)
class PlatformRoute:
    """Which city platform wants the records of which operator (by its code)."""

    name: str
    operator_code: str
    statuses: bool = True
    orders: bool = True
    hour_totals: bool = False


@dataclass(slots=True)
class StationState:
    """What a connection remembers of its station. Its own task is the only one to change it.

    `sessions` holds the open and recently ended ones by transaction id, but for those that run on by a
    course of their own until somebody asks; `connectors` the last status and error code of each (EVSE,
    connector); `progress` the last status of firmware and log by kind; `has_spoken` whether a message of
    this connection was dealt with.
    """

    station: ChargingStation
    dialect: Dialect
    epoch: int
    remote_address: str = ""
    _sessions: dict[str, ChargingSession] = field(default_factory=dict)
    _courses: dict[str, Course] = field(default_factory=dict)
    connectors: dict[tuple[int, int], tuple[ConnectorStatus, str]] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)
    booted_at: datetime | None = None
    has_spoken: bool = False
    repairs: Repairs = STANDARD
    deviations: int = 0
    """Deviations from the schema that were put up with so far: each costs time."""

    @property
    def sessions(self) -> dict[str, ChargingSession]:
        """Every session as it is now. A course ends here: what is decided next may change its session."""
        if self._courses:
            for key, course in self._courses.items():
                self._sessions[key] = course.session()
            self._courses.clear()
        return self._sessions

    def course(self, transaction_id: str) -> Course | None:
        """The session of this transaction id, if it runs as it should and the id is one to find it by."""
        course = self._courses.get(transaction_id)
        if course is None:
            session = self._sessions.get(transaction_id)
            if session is None or transaction_id in NAMELESS or not Course.can_run(session):
                return None
            course = self._courses[transaction_id] = Course(session, self.station)
        return course

    def is_now(self, station: ChargingStation) -> None:
        """The station has told what it is: its make's mistakes are known from here on."""
        self.station = station
        said = profile_named(station.vendor_profile) if station.vendor_profile else None
        made = said or profile_for(station.vendor, station.model, station.firmware_version)
        self.repairs = made.repairs

    def remember(self, session: ChargingSession) -> None:
        """Keep the session as it is now. One whose transaction id says nothing is found by what it says."""
        nameless = session.transaction_id in NAMELESS
        key = session.start_key if nameless else session.transaction_id
        if key not in self.sessions:
            self._make_room(session)
        self.sessions[key] = session

    def _make_room(self, session: ChargingSession) -> None:
        """Forget what has a new name now, and the oldest of those that ended: the database has them."""
        ended = []
        for key, one in list(self.sessions.items()):
            if one.session_id == session.session_id:
                del self.sessions[key]
            elif one.state is SessionState.ENDED:
                ended.append(key)
        for key in ended[: max(0, len(ended) - MOST_ENDED + 1)]:
            del self.sessions[key]

    def recall(self, transaction_id: str) -> ChargingSession | None:
        """The session of this transaction id, if memory has it."""
        return self.sessions.get(transaction_id)


class MessageInfo(NamedTuple):
    """How a message can be recognised when it comes again."""

    message_id: str
    action: str
    payload_hash: str
    arrived: datetime
    request: bytes = b""
    """The payload as it came, where it is stored with its effect."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of one event: rows and changes to commit, the answer, what memory becomes afterwards.

    `changes`: the first is the one the answer belongs to. `replay`: the stored answer payload of an
    earlier delivery, to be given again byte for byte. `follow_ups`: what to tell the station after it.
    """

    answer: Answer
    records: tuple[Record, ...] = ()
    changes: tuple[Change, ...] = ()
    station: ChargingStation | None = None
    connector: tuple[tuple[int, int], tuple[ConnectorStatus, str]] | None = None
    progress: tuple[str, Progress] | None = None
    booted: bool = False
    replay: str | None = None
    follow_ups: tuple[Command, ...] = ()
