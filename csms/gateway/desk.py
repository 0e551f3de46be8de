"""What the gateway asks of the floors below, as one contract. Knows no socket and no SQL.

`store_desk` fulfils it with the handlers and the store; tests fulfil it in memory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from csms.config import GatewaySettings
from csms.domain.assets import ChargingStation, OcppVersion
from csms.domain.commands import Amendment, Command, Outcome
from csms.domain.events import Event
from csms.errors import CsmsError, StoreError
from csms.gateway.admission import Admission
from csms.gateway.auth import Account
from csms.gateway.stats import GatewayStats
from csms.handlers.context import MessageInfo, StationState
from csms.handlers.readings import Taken
from csms.protocol.frames import Call

Done = Callable[[StoreError | None], None]
"""Hears how storing something went. Must not raise."""


class Refused(CsmsError):
    """This payload cannot be used:"""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class Answered(Protocol):
    """What came of a message."""

    @property
    def payload(self) -> bytes:
        """The answer's payload, to be sent now."""

    @property
    def is_kept(self) -> bool:
        """Whether what was said and answered is stored with its effect: then no log need keep it."""

    @property
    def follow_ups(self) -> Sequence[Command]:
        """Commands to send after it."""


class Exchange(NamedTuple):
    """One request and its answer, for the message log. Field order of the log's own rows."""

    station_id: int
    at: datetime
    direction: str
    message_id: str
    action: str
    request: bytes
    answer: bytes | None
    outcome: str
    latency_us: int | None


class Desk(Protocol):
    """Where what stations say is dealt with."""

    def now(self) -> datetime:
        """The wall clock (UTC)."""

    def is_ready(self) -> bool:
        """Whether records can be written; stations are better kept away otherwise."""

    async def find(self, identity: str) -> tuple[ChargingStation, Account] | None:
        """The registered station and its right to connect. Takes as long for an unknown one."""

    async def quarantine(self, identity: str, address: str, headers: Mapping[str, str]) -> None:
        """Remember that an unknown station was here. Does not raise when that cannot be written."""

    async def enrol(self, identity: str) -> ChargingStation:
        """Register an unknown station as it comes (demonstrations)."""

    async def settle_password(self, station: ChargingStation, is_previous: bool) -> None:
        """The station used one of two valid passwords: the other one ends here, or when it has restarted."""

    async def open(self, station: ChargingStation, version: OcppVersion, address: str) -> StationState:
        """Take the station over from any earlier connection, and load what is known of it."""

    async def connected(self, state: StationState) -> None:
        """Note that the station came."""

    async def disconnected(self, state: StationState, code: int, reason: str) -> None:
        """Note that the station went."""

    async def seen(self, when: Sequence[tuple[int, datetime]]) -> None:
        """Note when stations (by id) were last heard."""

    def gate(self, state: StationState, action: str) -> str | None:
        """Why the station may not send this action yet, or None."""

    def read(self, state: StationState, action: str, payload: bytes) -> Event:
        """The event in a payload. Raises Refused."""

    def take_reading(self, state: StationState, call: Call, done: Done) -> Taken | None:
        """Store the next reading of a running session; `done` hears when it is.

        None: it is something else, nothing was done: `read` and `serve` it.
        """

    def reading_stored(self, state: StationState, taken: Taken) -> None:
        """It is stored: note it, before it is answered with an empty payload."""

    async def serve(self, state: StationState, event: Event, info: MessageInfo) -> Answered:
        """Deal with an event and commit. Raises StoreUnavailable and StaleEpoch: then nothing is answered."""

    async def amend(self, state: StationState, order: Amendment) -> Outcome:
        """Change a session as is said of it, and commit. Raises StoreUnavailable and StaleEpoch."""

    def log(self, exchange: Exchange) -> None:
        """Keep an exchange for operators; returns at once."""


class Budget:
    """Bytes of received frames that wait in memory, over all connections."""

    __slots__ = ("_limit", "used")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    @property
    def is_over(self) -> bool:
        """Whether who has something waiting should not be read further."""
        return self.used > self._limit


@dataclass(frozen=True, slots=True)
class Parts:
    """What all connections of one gateway share."""

    settings: GatewaySettings
    desk: Desk
    admission: Admission
    stats: GatewayStats
    budget: Budget
    clock: Callable[[], float]
    """Monotonic seconds."""
    keep_log: bool = True
    quiet_s: float = 10.0
    """s after connecting in which an accepted station that has not booted gets no commands."""
    handler_limit_s: float = 20.0
    """s for one message, below the 30 s after which stations send it again."""
