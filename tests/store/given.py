"""Operators, stations, sessions as store tests need them, and rows counted. Written once, by name."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from csms.domain.assets import BootStatus, ChargingStation, TokenStatus
from csms.domain.charging_session import Change, ChargingSession, SessionMessage, SessionState, key_number
from csms.domain.meter import Reading
from csms.store.database import Database
from csms.store.message_codec import Sent
from csms.store.reading_rows import pack
from csms.store.records import ReadingRow, Record, SessionMessageRow
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.session_codec import records_of
from csms.store.tables import metadata
from csms.store.times import micros
from csms.store.writer import Write

T0 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
OPERATOR = "123456789"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def stations(database: Database, count: int = 1, site: str = "S01") -> list[ChargingStation]:
    """`count` registered stations CS-0001... of one site, accepted."""
    registry = Registry(database)
    await registry.put_operator(OperatorForm(OPERATOR, "Operator", "Asia/Shanghai"))
    await registry.put_site(SiteForm(site, OPERATOR, "Site", 39.9, 116.4))
    made = []
    for n in range(1, count + 1):
        identity = f"CS-{n:04d}"
        await registry.put_station(StationForm(identity, site), T0)
        await registry.set_boot_status(identity, BootStatus.ACCEPTED)
        station = await registry.station(identity)
        assert station is not None
        made.append(station)
    return made


def a_session(station: ChargingStation, number: int = 1, **changes: Any) -> ChargingSession:
    """A running session of `station`."""
    fields: dict[str, Any] = {
        "session_id": number,
        "station_id": station.station_id,
        "site_id": station.site_id,
        "operator_id": station.operator_id,
        "ocpp_version": "ocpp1.6",
        "transaction_id": str(1000 + number),
        "start_key": f"start:{number}",
        "evse": 1,
        "connector": 1,
        "token": "A1",
        "token_type": "ISO14443",
        "authorization": TokenStatus.ACCEPTED,
        "authorization_reason": "",
        "state": SessionState.ACTIVE,
        "started_at": T0,
        "received_at": T0,
        "meter_start_wh": 1000,
    }
    return ChargingSession(**(fields | changes))


def a_message(key: str = "start", at: datetime = T0, **facts: Any) -> SessionMessage:
    """A message that spoke of a session."""
    return SessionMessage(key, key, f"m-{key}", at, at, f"hash-{key}", facts)


def a_reading(at: datetime = T0, wh: int = 1000) -> Reading:
    """The energy register, in Wh."""
    return Reading(at, "energy.active.import.register", wh * 1000, context="sample.periodic")


def write_of(station: ChargingStation, *records: Record, epoch: int = 0) -> Write:
    """What a message of `station` puts down."""
    return Write(station.station_id, epoch, list(records))


def start_of(station: ChargingStation, session: ChargingSession, answer: str | None = '{"a":1}') -> Write:
    """The write of a session's start."""
    change = Change(session, is_new=True, message=a_message(at=session.started_at), hours_due=True)
    return write_of(station, *records_of(change, station, sent=Sent("StartTransaction", b"{}", answer)))


def told_row(
    session_id: int, readings: Sequence[Reading], arrived: datetime, *, evse: int = 1
) -> SessionMessageRow:
    """A message of a session that gave readings."""
    samples, kinds = pack(readings)
    at, key = micros(arrived), f"told {samples}"
    return SessionMessageRow(
        *(session_id, key_number(key), key, 0, "metered", "m", at, at, "hash", "{}", None, evse, samples),
        kinds=kinds,
    )


def reading_write(station: ChargingStation, number: int, owner: int | None = None) -> Write:
    """A write of one reading, another for each number."""
    at = T0 + timedelta(seconds=number)
    if owner is not None:
        return write_of(station, told_row(owner, [a_reading(at, number)], at))
    return write_of(station, ReadingRow.of(station.station_id, 1, a_reading(at, number), at))


async def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    (row,) = await database.read(select(func.count()).select_from(metadata.tables[table]))
    return int(row[0])
