"""A charging session as a value, what one event changes of it, and the evidence kept. No rules here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from csms.domain.assets import TokenStatus
from csms.domain.meter import Reading
from csms.domain.quality import EnergySource, Flag
from csms.domain.registers import UNMETERED, MeterState
from csms.domain.sequence import UNNUMBERED, SequenceState

METERED = "metered"


class SessionState(StrEnum):
    """`suspected-ended`: evidence says it is over, no stop came; a late stop still ends it properly."""

    ACTIVE = "active"
    SUSPECTED_ENDED = "suspected-ended"
    ENDED = "ended"


class Evidence(StrEnum):
    """What speaks for the end of a session whose stop has not come."""

    OTHER_START = "other-start"  # another session began at the same EVSE (T10)
    CONNECTOR_AVAILABLE = "connector-available"  # nothing is plugged in any more
    BOOT = "boot"  # the station booted and has not resumed the session (T11, T12)
    SILENCE = "silence"  # nothing was heard of it for long
    STATION_SAYS = "station-says"  # GetTransactionStatus: not ongoing
    ID_REUSED = "id-reused"  # its transaction id began another session (E08)


class Message(Protocol):
    """What is needed to recognise a message when it comes again."""

    @property
    def message_id(self) -> str: ...

    @property
    def payload_hash(self) -> str: ...


def payload_hash(payload: bytes) -> str:
    """What a payload is recognised by, when it comes again under another message id."""
    return blake2b(payload, digest_size=16).hexdigest()


START, STOP = "start", "stop"
HASHED = 2**62


def key_number(key: str) -> int:
    """A message key as a number: a sequence number as it is, start and stop below zero, others hashed.

    62 bits: a clash within a session of a million messages has a chance of 1 in 10^7.
    """
    if key.isdecimal() and key.isascii() and len(key) < 19:
        return int(key)
    if key in (START, STOP):
        return -1 if key == START else -2
    kind, _, payload = key.partition(":")
    if kind == METERED and "#" not in payload:
        return number_of_hash(bytes.fromhex(payload))
    return number_of_hash(blake2b(key.encode(), digest_size=8).digest())


def number_of_hash(digest: bytes) -> int:
    """The number of a 1.6 message that gave readings, by the hash of its payload."""
    return HASHED + (int.from_bytes(digest[:8], "big") >> 2)


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """The plainest `Message`."""

    message_id: str
    payload_hash: str


class ChargingSession(NamedTuple):
    """One charging session of any OCPP version.

    `started_at`/`ended_at` are the station's times (arrival times under Flag.CLOCK); `received_at` and
    `end_received_at` are ours. Energies are integer Wh; `energy_wh` is None when nothing sound is known.
    `start_key` is the natural key that makes a retried start the same session. `suspected_at` is when the
    evidence for an end arose that no event has contradicted. `heard` counts its messages. `asked_at` is when
    its station was last asked how it stands (`domain.doubts`).
    """

    session_id: int
    station_id: int
    site_id: int | None
    operator_id: int | None
    ocpp_version: str
    transaction_id: str
    start_key: str
    evse: int
    connector: int
    token: str
    token_type: str
    authorization: TokenStatus
    authorization_reason: str
    state: SessionState
    started_at: datetime
    received_at: datetime
    ended_at: datetime | None = None
    end_received_at: datetime | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    energy_wh: int | None = None
    energy_source: EnergySource = EnergySource.NONE
    stop_reason: str = ""
    flags: tuple[Flag, ...] = ()
    revision: int = 1
    remote_start_id: int | None = None
    charging_state: str = ""
    last_event_at: datetime | None = None
    sequence: SequenceState = UNNUMBERED
    meter: MeterState = UNMETERED
    suspected_at: datetime | None = None
    suspected_by: Evidence | None = None
    heard: int = 0
    asked_at: datetime | None = None


_PLACES = {name: n for n, name in enumerate(ChargingSession._fields)}


def evolve(session: ChargingSession, **changes: Any) -> ChargingSession:
    """`session` with some fields changed: `_replace` at a third of its time.

    Every reading of every session comes by here.
    """
    values = list(session)
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return ChargingSession._make(values)


class SessionMessage(NamedTuple):
    """Evidence: one message that spoke about a session. (session, key) is unique.

    `key`: `start`, `stop` (1.6), the sequence number (2.x), else kind and payload hash.
    `facts` says which numbers it gave, for the timeline: {"meter_start_wh": 100, ...}.
    """

    key: str
    kind: str
    message_id: str
    at: datetime | None
    received_at: datetime
    payload_hash: str
    facts: dict[str, int | str | bool | None]


class Change(NamedTuple):
    """What one event did to one session; the store writes it as one.

    `is_new`: insert (a UNIQUE start key may refuse it). `is_repeat`: this message was applied before;
    nothing but its stored answer is wanted. `hours_due`: totals must be recomputed. `order_due`: the
    session is closed and its charge order (of this revision) is owed to the city. `cause` names why a
    revision was made.
    """

    session: ChargingSession
    is_new: bool = False
    is_repeat: bool = False
    readings: tuple[Reading, ...] = ()
    message: SessionMessage | None = None
    hours_due: bool = False
    order_due: bool = False
    revised: bool = False
    cause: str = ""
