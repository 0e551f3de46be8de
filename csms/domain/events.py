"""What charging stations tell us, in the past tense and in no OCPP version's words.

Times are aware UTC datetimes. `at` is the station's own clock; None when its text could not be read.
`at_raw` keeps the text where it was repaired or unreadable. `evse` 0 is the whole station.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from csms.domain.assets import ConnectorStatus
from csms.domain.meter import Reading


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token as a station sent it. `text` is stored as sent and compared without case."""

    text: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class StationBooted:
    """BootNotification. `details` keeps every other field as sent."""

    vendor: str
    model: str
    serial_number: str = ""
    firmware_version: str = ""
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StationAlive:
    """Heartbeat."""


@dataclass(frozen=True, slots=True)
class TokenPresented:
    """Authorize."""

    token: PresentedToken


@dataclass(frozen=True, slots=True)
class ConnectorStatusChanged:
    """StatusNotification of any version; NotifyEvent about a connector's AvailabilityState."""

    evse: int
    connector: int
    status: ConnectorStatus
    at: datetime | None
    error_code: str = ""
    info: str = ""
    vendor_error: str = ""
    at_raw: str | None = None


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """1.6 StartTransaction (`transaction_id` None: we give it) or 2.x TransactionEvent Started."""

    transaction_id: str | None
    at: datetime | None
    evse: int | None
    connector: int | None
    token: PresentedToken | None = None
    meter_start_wh: int | None = None
    seq_no: int | None = None
    readings: tuple[Reading, ...] = ()
    offline: bool = False
    trigger: str = ""
    charging_state: str = ""
    remote_start_id: int | None = None
    reservation_id: int | None = None
    at_raw: str | None = None


@dataclass(frozen=True, slots=True)
class SessionMetered:
    """1.6 MeterValues with a transactionId, or 2.x TransactionEvent Updated."""

    transaction_id: str
    at: datetime | None
    evse: int | None
    connector: int | None = None
    token: PresentedToken | None = None
    seq_no: int | None = None
    readings: tuple[Reading, ...] = ()
    offline: bool = False
    trigger: str = ""
    charging_state: str = ""
    at_raw: str | None = None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """1.6 StopTransaction (+ transactionData) or 2.x TransactionEvent Ended."""

    transaction_id: str
    at: datetime | None
    evse: int | None = None
    connector: int | None = None
    token: PresentedToken | None = None
    meter_stop_wh: int | None = None
    seq_no: int | None = None
    readings: tuple[Reading, ...] = ()
    offline: bool = False
    trigger: str = ""
    reason: str = "local"
    at_raw: str | None = None


@dataclass(frozen=True, slots=True)
class MeterSampled:
    """Meter values that name no transaction."""

    evse: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class DataReceived:
    """DataTransfer from the station."""

    vendor_id: str
    message_id: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class SecurityEventRaised:
    """SecurityEventNotification; may come long after `at`."""

    kind: str
    at: datetime | None
    info: str = ""


@dataclass(frozen=True, slots=True)
class FirmwareStatusChanged:
    """FirmwareStatusNotification (and 1.6 SignedFirmwareStatusNotification)."""

    status: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogStatusChanged:
    """LogStatusNotification; 1.6 DiagnosticsStatusNotification."""

    status: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class VariableReported:
    """One attribute of one variable of the device model; 1.6: one configuration key.

    `component`/`variable` carry instance and EVSE as `Name[instance]@evse.connector` only where present.
    """

    component: str
    variable: str
    attribute: str = "Actual"
    value: str | None = None
    mutability: str = ""
    characteristics: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class VariablesReported:
    """NotifyReport: one part of a report."""

    request_id: int
    seq_no: int
    more: bool
    variables: tuple[VariableReported, ...]


@dataclass(frozen=True, slots=True)
class MonitorEvent:
    """One eventData entry of NotifyEvent."""

    event_id: int
    at: datetime | None
    trigger: str
    component: str
    variable: str
    value: str
    cleared: bool = False
    tech_code: str = ""
    tech_info: str = ""
    evse: int | None = None
    connector: int | None = None


@dataclass(frozen=True, slots=True)
class MonitorEventsReported:
    """NotifyEvent."""

    seq_no: int
    more: bool
    events: tuple[MonitorEvent, ...]


Event = (
    StationBooted
    | StationAlive
    | TokenPresented
    | ConnectorStatusChanged
    | SessionStarted
    | SessionMetered
    | SessionEnded
    | MeterSampled
    | DataReceived
    | SecurityEventRaised
    | FirmwareStatusChanged
    | LogStatusChanged
    | VariablesReported
    | MonitorEventsReported
)
