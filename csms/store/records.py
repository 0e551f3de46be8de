"""One NamedTuple per kind of row that the writer puts down; its fields are the SQL parameters, in order.

Knows how a domain value becomes a row; the statements are in `statements`. `of` builds the row from the
domain's words.
"""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from csms.domain.assets import ChargingStation
from csms.domain.events import ConnectorStatusChanged, StationBooted, VariableReported
from csms.domain.meter import Reading
from csms.store.jsontext import json_of
from csms.store.session_rows import (
    SessionDue,
    SessionInsert,
    SessionMessageRow,
    SessionProgress,
    SessionRevisionRow,
    SessionUpdate,
)
from csms.store.times import EPOCH, MICROSECOND, micros


class ReadingKind(NamedTuple):
    """What a reading measures. `kind_id` is made from the words: every process gives the same."""

    kind_id: int
    measurand: str
    phase: str
    location: str
    context: str


@lru_cache(maxsize=4096)
def kind_of(measurand: str, phase: str, location: str, context: str) -> ReadingKind:
    """The kind of these words. 47 bits: a clash among a thousand kinds has a chance of 1 in 10^8."""
    text = "\0".join((measurand, phase, location, context)).encode()
    number = int.from_bytes(blake2b(text, digest_size=6).digest(), "big") >> 1
    return ReadingKind(number, measurand, phase, location, context)


class ReadingRow(NamedTuple):
    """One value. `owner_id`: a session, or minus a station. `kind` goes down as its number."""

    owner_id: int
    at: int
    kind: ReadingKind
    evse: int
    value: int | None
    raw: str | None
    received_at: int

    @classmethod
    def of(
        cls,
        station_id: int,
        evse: int,
        reading: Reading,
        arrived: datetime,
        session_id: int | None = None,
    ) -> "ReadingRow":
        """A reading of `session_id`, or of the station's EVSE when it belongs to no session."""
        return cls.owned(-station_id if session_id is None else session_id, evse, reading, micros(arrived))

    @classmethod
    def owned(cls, owner_id: int, evse: int, reading: Reading, received_at: int) -> "ReadingRow":
        """The same for a caller with many: `received_at` in microseconds."""
        at, measurand, value, phase, location, context, raw = reading
        kind = kind_of(measurand, phase, location, context)
        # A third of the time of `cls(...)`; thousands of these are made a second.
        return tuple.__new__(
            cls, (owner_id, (at - EPOCH) // MICROSECOND, kind, evse, value, raw, received_at)
        )


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

    @classmethod
    def of(cls, at: datetime, actor: str, action: str, subject: str, details: dict[str, Any]) -> "AuditRow":
        """`details` must hold no secret."""
        return cls(micros(at), actor, action, subject, json_of(details))


__all__ = [
    "SessionDue",
    "SessionInsert",
    "SessionMessageRow",
    "SessionProgress",
    "SessionRevisionRow",
    "SessionUpdate",
]

Record = (
    SessionInsert
    | SessionUpdate
    | SessionProgress
    | SessionMessageRow
    | SessionRevisionRow
    | SessionDue
    | ReadingRow
    | ConnectorStateRow
    | StationBootUpdate
    | StationEventRow
    | VariableRow
    | OutboxRow
    | AuditRow
)
