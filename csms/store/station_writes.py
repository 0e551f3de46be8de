"""Changes to a registered station, its passwords and its hardware: each one transaction's job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from csms.errors import Conflict, NotFound
from csms.store.asset_moves import station_placed
from csms.store.change_rows import Kind, announce_station
from csms.store.device_tables import station_events
from csms.store.jsontext import json_of
from csms.store.tables import charging_stations, quarantine

S = charging_stations
NO_PASSWORD: dict[str, Any] = {
    "salt": None, "password_hash": None, "previous_salt": None, "previous_hash": None
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StationChange:
    """What becomes different. `place`: numbers of its site and operator, where it moves."""

    values: Mapping[str, Any] = field(default_factory=dict)
    place: tuple[int | None, int | None] | None = None


SET_PASSWORD = (
    update(S)
    .where(S.c.identity == bindparam("who"))
    .values(
        salt=bindparam("new_salt"),
        password_hash=bindparam("new_hash"),
        previous_salt=None,
        previous_hash=None,
    )
)
BEGIN = (
    update(S)
    .where(S.c.identity == bindparam("who"), S.c.previous_hash.is_(None), S.c.password_hash.is_not(None))
    .values(
        previous_salt=S.c.salt,
        previous_hash=S.c.password_hash,
        previous_until=None,
        salt=bindparam("new_salt"),
        password_hash=bindparam("new_hash"),
    )
)
# The station has taken the new one and uses it after its next restart.
POSTPONE = (
    update(S)
    .where(
        S.c.identity == bindparam("who"),
        S.c.password_hash == bindparam("new_hash"),
        S.c.previous_hash.is_not(None),
    )
    .values(previous_until=bindparam("until"))
)
# The station refused, or never heard: unless it was settled or set meanwhile, the old one is the password.
WITHDRAW = (
    update(S)
    .where(
        S.c.identity == bindparam("who"),
        S.c.password_hash == bindparam("new_hash"),
        S.c.previous_hash.is_not(None),
    )
    .values(salt=S.c.previous_salt, password_hash=S.c.previous_hash, previous_salt=None, previous_hash=None)
)
EVENT = insert(station_events)


def change_station(identity: str, change: StationChange, now: int, connection: Connection) -> None:
    """Put it down; equipment goes along with a station that moves. Raises NotFound and InvalidInput."""
    station_id = _number(identity, connection)
    values = dict(change.values)
    if change.place is not None:
        values |= {"site_id": change.place[0], "operator_id": change.place[1]}
    if values:
        connection.execute(update(S).where(S.c.station_id == station_id).values(values))
    _announce(identity, values, now, connection)
    if change.place is not None:
        station_placed(station_id, *change.place, now, connection)
        _note(station_id, "moved", now, {}, connection)


def retire_station(identity: str, now: int, connection: Connection) -> None:
    """Out of every list and kept out of the door, without a password; everything it did stays."""
    station_id = _number(identity, connection)
    gone = {"enabled": 0, "retired_at": now, **NO_PASSWORD}
    connection.execute(update(S).where(S.c.station_id == station_id).values(gone))
    _note(station_id, "retired", now, {}, connection)
    _announce(identity, {"enabled": 0, "retired_at": now}, now, connection)


def exchange_hardware(
    identity: str, new: str, secret: tuple[bytes, bytes], now: int, connection: Connection
) -> None:
    """Other hardware, known by `new`, stands where the station stood: its history goes on under that name.

    Raises NotFound, and Conflict when a station is registered as `new`.
    """
    station_id = _number(identity, connection)
    if connection.scalar(select(S.c.station_id).where(S.c.identity == new)) is not None:
        raise Conflict(f"a charging station {new} is registered")
    values = NO_PASSWORD | {
        "identity": new,
        "salt": secret[0],
        "password_hash": secret[1],
        "highest_profile": 0,
        "hex_on_wire": 0,
        "ocpp_version": None,
        "boot_details": "{}",
        "enabled": 1,
        "retired_at": None,
        **dict.fromkeys(("vendor", "model", "serial_number", "firmware_version"), ""),
    }
    connection.execute(update(S).where(S.c.station_id == station_id).values(values))
    connection.execute(delete(quarantine).where(quarantine.c.identity == new))
    _note(station_id, "hardware-exchanged", now, {"before": identity, "now": new}, connection)
    _announce(new, {"identity": new, "before": identity}, now, connection)


def set_password(identity: str, secret: tuple[bytes, bytes], connection: Connection) -> bool:
    """The only password from here on."""
    return _with_secret(SET_PASSWORD, identity, secret, connection)


def begin_rotation(identity: str, secret: tuple[bytes, bytes], connection: Connection) -> bool:
    """Both hold. False: there is no password to change, or another change is not settled yet."""
    return _with_secret(BEGIN, identity, secret, connection)


def postpone_rotation(identity: str, digest: bytes, until: int, connection: Connection) -> None:
    """Until then, a login with the old password settles nothing."""
    connection.execute(POSTPONE, {"who": identity, "new_hash": digest, "until": until})


def withdraw_rotation(identity: str, digest: bytes, connection: Connection) -> None:
    """The new password ends here."""
    connection.execute(WITHDRAW, {"who": identity, "new_hash": digest})


def _with_secret(statement: Any, identity: str, secret: tuple[bytes, bytes], connection: Connection) -> bool:
    told = {"who": identity, "new_salt": secret[0], "new_hash": secret[1]}
    return connection.execute(statement, told).rowcount == 1


def _number(identity: str, connection: Connection) -> int:
    station_id = connection.scalar(select(S.c.station_id).where(S.c.identity == identity))
    if station_id is None:
        raise NotFound(f"charging station {identity}")
    return int(station_id)


def _announce(identity: str, values: dict[str, Any], now: int, connection: Connection) -> None:
    announce_station(Kind.REGISTRATION_CHANGED, identity, now, {"new": False, **values}, connection)


def _note(station_id: int, kind: str, now: int, details: dict[str, Any], connection: Connection) -> None:
    event = {"station_id": station_id, "kind": kind, "at": now, "received_at": now}
    connection.execute(EVENT, event | {"details": json_of(details)})
