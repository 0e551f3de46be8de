"""One NamedTuple per kind of row that the writer puts down; its fields are the SQL parameters, in order.

Knows how a domain value becomes a row; the statements are in `statements`. `of` builds the row from the
domain's words.
"""

from datetime import datetime
from typing import Any, NamedTuple

from csms.domain.assets import ChargingStation
from csms.domain.events import ConnectorStatusChanged, StationBooted, VariableReported
from csms.store.change_rows import ChangeRow
from csms.store.jsontext import json_of
from csms.store.reading_rows import ReadingKind, ReadingRow, kind_of
from csms.store.session_rows import (
    NextReadingRow,
    SessionDue,
    SessionInsert,
    SessionMark,
    SessionMessageRow,
    SessionProgress,
    SessionRevisionRow,
    SessionUnmark,
    SessionUpdate,
)
from csms.store.times import micros


class ConnectorStateRow(NamedTuple):
    """A connector's state: replaces the current one; joins the history when it differs from the last."""

    station_id: int
    evse: int
    connector: int
    status: str
    error_code: str
    info: str
    vendor_error: str
    at: int
    received_at: int

    @classmethod
    def of(cls, station_id: int, event: ConnectorStatusChanged, arrived: datetime) -> "ConnectorStateRow":
        """The state as a station told it; arrival time where its own is unreadable."""
        return cls(
            station_id,
            event.evse,
            event.connector,
            event.status.value,
            event.error_code,
            event.info,
            event.vendor_error,
            micros(event.at or arrived),
            micros(arrived),
        )


class StationBootUpdate(NamedTuple):
    """What a station said of itself at boot. Empty fields of a later boot do replace earlier ones."""

    boot_status: str
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    boot_details: str
    last_seen_at: int
    station_id: int

    @classmethod
    def of(cls, station: ChargingStation, event: StationBooted, arrived: datetime) -> "StationBootUpdate":
        """`station` as it is after the boot."""
        details = json_of({"reason": event.reason, **event.details})
        return cls(
            station.boot_status.value,
            event.vendor,
            event.model,
            event.serial_number,
            event.firmware_version,
            details,
            micros(arrived),
            station.station_id,
        )


class StationEventRow(NamedTuple):
    """Something a station did or that was done to its connection. Kept as a list."""

    station_id: int
    kind: str
    at: int
    received_at: int
    details: str

    @classmethod
    def of(
        cls, station_id: int, kind: str, at: datetime, arrived: datetime, details: dict[str, Any]
    ) -> "StationEventRow":
        """`kind`: booted, connected, disconnected, takeover, security, firmware, log, monitor, data, ..."""
        return cls(station_id, kind, micros(at), micros(arrived), json_of(details))


class VariableRow(NamedTuple):
    """An attribute of a variable (1.6: a configuration key); replaces what was known of it."""

    station_id: int
    component: str
    variable: str
    attribute: str
    value: str | None
    mutability: str
    characteristics: str | None
    received_at: int

    @classmethod
    def of(cls, station_id: int, told: VariableReported, arrived: datetime) -> "VariableRow":
        """A variable as a station told it."""
        known = None if told.characteristics is None else json_of(told.characteristics)
        return cls(
            station_id,
            told.component,
            told.variable,
            told.attribute,
            told.value,
            told.mutability,
            known,
            micros(arrived),
        )


class OutboxRow(NamedTuple):
    """Something owed to a platform. The same (platform, kind, about) again changes nothing."""

    platform: str
    kind: str
    key: str
    about: str
    payload: str
    due_at: int
    created_at: int

    @classmethod
    def of(
        cls, platform: str, kind: str, key: str, about: str, payload: dict[str, Any], now: datetime
    ) -> "OutboxRow":
        """Due at once. Rows of one (platform, key) are delivered in the order they were put down."""
        return cls(platform, kind, key, about, json_of(payload), micros(now), micros(now))


class AuditRow(NamedTuple):
    """Who did what to what."""

    at: int
    actor: str
    action: str
    subject: str
    details: str
    address: str = ""
    before: str | None = None

    @classmethod
    def of(cls, at: datetime, actor: str, action: str, subject: str, details: dict[str, Any]) -> "AuditRow":
        """`details` must hold no secret."""
        return cls(micros(at), actor, action, subject, json_of(details))


__all__ = [
    "ChangeRow",
    "NextReadingRow",
    "ReadingKind",
    "ReadingRow",
    "SessionDue",
    "SessionInsert",
    "SessionMark",
    "SessionMessageRow",
    "SessionProgress",
    "SessionRevisionRow",
    "SessionUnmark",
    "SessionUpdate",
    "kind_of",
]

Record = (
    SessionInsert
    | SessionUpdate
    | SessionProgress
    | SessionMessageRow
    | NextReadingRow
    | SessionRevisionRow
    | SessionDue
    | SessionMark
    | SessionUnmark
    | ReadingRow
    | ConnectorStateRow
    | StationBootUpdate
    | StationEventRow
    | VariableRow
    | OutboxRow
    | AuditRow
    | ChangeRow
)
