"""What we answer to an event. A dialect turns each into its version's payload."""

from dataclasses import dataclass
from datetime import datetime

from csms.domain.assets import BootStatus, TokenVerdict


@dataclass(frozen=True, slots=True)
class Done:
    """Taken note of; the payload is empty."""


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """`interval_s`: heartbeat interval when accepted, else the time to wait before the next boot."""

    status: BootStatus
    now: datetime
    interval_s: int


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """The central system's clock."""

    now: datetime


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """Verdict on a presented token."""

    verdict: TokenVerdict


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """Answer to a transaction message. 1.6 StartTransaction needs both fields; others what is there."""

    transaction_id: str
    verdict: TokenVerdict | None = None


@dataclass(frozen=True, slots=True)
class DataAnswer:
    """`status`: accepted, rejected, unknown-vendor-id, unknown-message-id."""

    status: str
    data: str | None = None


Answer = Done | BootAnswer | TimeAnswer | TokenAnswer | SessionAnswer | DataAnswer

DONE = Done()
