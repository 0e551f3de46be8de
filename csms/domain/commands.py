"""What we tell charging stations, in the imperative, and how it went."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from csms.domain.events import VariableReported


@dataclass(frozen=True, slots=True)
class StartSession:
    """Remote start. `remote_start_id` is 2.x's correlation number."""

    id_token: str
    token_type: str = "ISO14443"
    evse: int | None = None
    connector: int | None = None
    remote_start_id: int = 0


@dataclass(frozen=True, slots=True)
class StopSession:
    """Remote stop, by the station's or our transaction id (whichever the version uses)."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class Reset:
    """`kind`: `immediate` (1.6 Hard) or `on-idle` (1.6 Soft)."""

    kind: str = "on-idle"
    evse: int | None = None


@dataclass(frozen=True, slots=True)
class UnlockConnector:
    """Free a stuck plug."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class TriggerMessage:
    """Ask for a message now; `message` is the OCPP action it should send."""

    message: str
    evse: int | None = None
    connector: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """Take a station (no evse), EVSE or connector out of or into service."""

    operative: bool
    evse: int | None = None
    connector: int | None = None


@dataclass(frozen=True, slots=True)
class SetVariable:
    """One value to set; 1.6 has configuration keys and no component."""

    name: str
    value: str
    component: str = ""
    attribute: str = "Actual"


@dataclass(frozen=True, slots=True)
class SetVariables:
    """1.6 sends one ChangeConfiguration per value; 2.x one SetVariables."""

    values: tuple[SetVariable, ...]


@dataclass(frozen=True, slots=True)
class GetVariables:
    """Names as `Key` (1.6) or `Component.Variable` (2.x). Empty: all (1.6 only)."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GetBaseReport:
    """`base`: FullInventory, ConfigurationInventory or SummaryInventory. 1.6: GetConfiguration of all."""

    request_id: int
    base: str = "FullInventory"


@dataclass(frozen=True, slots=True)
class AskTransaction:
    """Ask how a transaction stands, by the station's id of it. 2.x only."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class ClearCache:
    """Empty the station's authorization cache."""


@dataclass(frozen=True, slots=True)
class SendData:
    """DataTransfer to the station."""

    vendor_id: str
    message_id: str | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class RawCall:
    """Any action of the station's version with its payload as the operator wrote it."""

    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Close an open session as a person says (`domain.ending.Closing`). Nothing is sent to the station."""

    session_id: int
    by: str
    reason: str
    ended_at: datetime | None = None
    meter_stop_wh: int | None = None


@dataclass(frozen=True, slots=True)
class AttachStop:
    """An orphan stop is that of a session. Nothing is sent to the station."""

    orphan_id: int
    session_id: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DismissStop:
    """An orphan stop belongs to nothing. Nothing is sent to the station."""

    orphan_id: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TransactionSaid:
    """How a transaction stands, as its station says. `is_ongoing` None: it did not say.

    `is_queued`: messages about it wait in the station to be sent.
    """

    is_ongoing: bool | None
    is_queued: bool


@dataclass(frozen=True, slots=True)
class NoteTransaction:
    """What a station said when it was asked (`AskTransaction`). Nothing is sent to it."""

    transaction_id: str
    said: TransactionSaid


Amendment = CloseSession | AttachStop | DismissStop | NoteTransaction
"""What is said of a session, by a person or when asked. Whoever holds the station does it, between two of
its messages."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the command of this number back, if it still waits to be sent. The station hears nothing."""

    number: int


Command = (
    StartSession
    | StopSession
    | Reset
    | UnlockConnector
    | TriggerMessage
    | ChangeAvailability
    | SetVariables
    | GetVariables
    | GetBaseReport
    | AskTransaction
    | ClearCache
    | SendData
    | RawCall
)
"""What a station is told; each dialect has words for all of them."""

Order = Command | Amendment | Withdraw
"""What whoever holds the connection is asked for."""


class Result(StrEnum):
    """How a command ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_CONNECTED = "not-connected"
    SILENT = "silent"
    NOT_SUPPORTED = "not-supported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command. `payload` is the station's answer as it came (or its error)."""

    result: Result
    payload: dict[str, Any] | None = None
    reason: str = ""
    variables: tuple[VariableReported, ...] = ()
    transaction: TransactionSaid | None = None
