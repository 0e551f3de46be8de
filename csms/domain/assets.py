"""What the system is about: operators, sites, charging stations, connectors, id tokens. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OcppVersion(StrEnum):
    """The protocol a connection speaks; the value is its WebSocket subprotocol."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"


class ConnectorStatus(StrEnum):
    """Every state any version reports; 2.x says `occupied` where 1.6 tells more."""

    AVAILABLE = "available"
    OCCUPIED = "occupied"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended-ev"
    SUSPENDED_EVSE = "suspended-evse"
    FINISHING = "finishing"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class BootStatus(StrEnum):
    """Whether a charging station may do more than boot."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"


class TokenStatus(StrEnum):
    """What we say of an id token, in every version alike."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    INVALID = "invalid"
    CONCURRENT = "concurrent"
    UNKNOWN = "unknown"
    NOT_PRESENTED = "not-presented"


@dataclass(frozen=True, slots=True)
class IdToken:
    """A token as registered. Compared without case (1.6 CiString, 2.x identifierString).

    It may charge at stations of `operator_id` and at sites of these codes only, where they are given.
    """

    token: str
    type: str = "ISO14443"
    status: TokenStatus = TokenStatus.ACCEPTED
    group: str | None = None
    expires_at: datetime | None = None
    concurrent_limit: int = 1
    operator_id: int | None = None
    sites: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class TokenVerdict:
    """What a token may do, and why; told to the station and kept with the session."""

    status: TokenStatus
    reason: str = ""
    expires_at: datetime | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class ChargingStation:
    """A charging station as the registry knows it.

    `max_power_w` bounds what energy is plausible. `time_zone` is its operator's.
    """

    station_id: int
    identity: str
    site_id: int | None = None
    operator_id: int | None = None
    operator_code: str = ""
    site_code: str = ""
    time_zone: str = "UTC"
    enabled: bool = True
    boot_status: BootStatus = BootStatus.PENDING
    vendor: str = ""
    model: str = ""
    firmware_version: str = ""
    vendor_profile: str | None = None
    max_power_w: int | None = None
    security_profile: int = 1
    assume_version: OcppVersion | None = None
