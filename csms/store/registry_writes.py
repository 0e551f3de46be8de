"""What changes slow data: plain functions of a connection, each one transaction's job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, case, delete, func, insert, select, update

from csms.domain.assets import IdToken, OcppVersion
from csms.domain.scope import Scope
from csms.errors import InvalidInput, NotFound
from csms.store.asset_moves import station_placed
from csms.store.asset_writes import touch
from csms.store.billing import rezone
from csms.store.change_rows import ChangeRow, Kind, announce, announce_station
from csms.store.jsontext import json_of
from csms.store.scoping import columns_of
from csms.store.session_codec import folded
from csms.store.statements import upsert
from csms.store.tables import api_keys, charging_stations, id_tokens, operators, quarantine, sites
from csms.store.times import micros_or_none

S = charging_stations

MOST_QUARANTINED = 1_000


@dataclass(frozen=True, slots=True)
class OperatorForm:
    """`code`: the 9 characters by which city platforms know the operator. `time_zone`: IANA name."""

    code: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class SiteForm:
    """A place, by its operator's code. Coordinates in degrees (WGS 84)."""

    code: str
    operator: str
    name: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class StationForm:
    """A charging station as registered. `secret`: salt and digest; None leaves the password as it is.

    `operator` is needed only where two operators have a site of the same code.
    """

    identity: str
    site: str | None = None
    operator: str | None = None
    secret: tuple[bytes, bytes] | None = None
    security_profile: int = 1
    assume_version: OcppVersion | None = None
    max_power_w: int | None = None
    hex_on_wire: bool = False
    vendor_profile: str | None = None
    enabled: bool = True


class Arrival(NamedTuple):
    """A new connection of a station."""

    station_id: int
    at: int
    version: OcppVersion | None
    node: str
    remote_address: str
    security_profile: int


RAISE_EPOCH = (
    update(S)
    .where(S.c.station_id == bindparam("id"))
    .values(
        epoch=S.c.epoch + 1,
        node=bindparam("on_node"),
        ocpp_version=func.coalesce(bindparam("version"), S.c.ocpp_version),
        remote_address=bindparam("address"),
        connected_at=bindparam("now"),
        last_seen_at=bindparam("now"),
        disconnected_at=None,
        # A05: having reached a profile, a station may not come with a lower one.
        highest_profile=case(
            (S.c.highest_profile < bindparam("profile"), bindparam("profile")), else_=S.c.highest_profile
        ),
    )
    .returning(S.c.epoch)
)
DISCONNECT = (
    update(S)
    .where(S.c.station_id == bindparam("id"), S.c.epoch == bindparam("mine"))
    .values(disconnected_at=bindparam("now"), last_seen_at=bindparam("now"))
)
SEEN = update(S).where(S.c.station_id == bindparam("id")).values(last_seen_at=bindparam("now"))
_CHANGING = (S.c.station_id == bindparam("id"), S.c.previous_hash.is_not(None))
KEEP_CURRENT = update(S).where(*_CHANGING).values(previous_salt=None, previous_hash=None)
# Not while it has yet to restart: it would be kept out with the new password, which it has taken.
KEEP_PREVIOUS = (
    update(S)
    .where(*_CHANGING, func.coalesce(S.c.previous_until, 0) <= bindparam("now"))
    .values(salt=S.c.previous_salt, password_hash=S.c.previous_hash, previous_salt=None, previous_hash=None)
)


def raise_epoch(arrival: Arrival, connection: Connection) -> int:
    """The station's new epoch. Raises NotFound."""
    epoch = connection.scalar(
        RAISE_EPOCH,
        {
            "id": arrival.station_id,
            "on_node": arrival.node,
            "version": arrival.version,
            "address": arrival.remote_address,
            "now": arrival.at,
            "profile": arrival.security_profile,
        },
    )
    if epoch is None:
        raise NotFound(f"charging station {arrival.station_id}")
    return int(epoch)


def note_disconnected(station_id: int, epoch: int, at: int, connection: Connection) -> bool:
    """Whether the connection of `epoch` was still the station's."""
    return connection.execute(DISCONNECT, {"id": station_id, "mine": epoch, "now": at}).rowcount == 1


def seen(when: Sequence[tuple[int, int]], connection: Connection) -> None:
    """Last-seen times, in the order of stations, so that two nodes never wait for each other in a ring."""
    connection.execute(SEEN, [{"id": station_id, "now": at} for station_id, at in when])


def change(identity: str, values: Mapping[str, Any], now: int | None, connection: Connection) -> bool:
    """Whether there was such a station to change. `now` dates it in the feed of changes."""
    done = connection.execute(update(S).where(S.c.identity == identity).values(values)).rowcount == 1
    if done and now is not None:
        announce_station(Kind.REGISTRATION_CHANGED, identity, now, {"new": False, **values}, connection)
    return done


def settle_password(station_id: int, is_previous: bool, now: int, connection: Connection) -> None:
    """One password again, unless the station is yet to restart and came with the previous one."""
    if is_previous:
        connection.execute(KEEP_PREVIOUS, {"id": station_id, "now": now})
    else:
        connection.execute(KEEP_CURRENT, {"id": station_id})


def put_operator(form: OperatorForm, connection: Connection) -> bool:
    """Insert or replace by code."""
    before = connection.execute(
        select(operators).where(operators.c.code == form.code).with_for_update()
    ).first()
    values = {"code": form.code, "name": form.name, "time_zone": form.time_zone}
    is_new = _put(connection, operators, ("code",), values)
    if before is not None and before.time_zone != form.time_zone:
        rezone(before.operator_id, form.time_zone, connection)
    return is_new


def put_site(form: SiteForm, now: int | None, connection: Connection) -> bool:
    """Insert or replace by operator and code; what cities ask about the site changed `now`."""
    values = {
        "operator_id": _operator(form.operator, connection),
        "code": form.code,
        "name": form.name,
        "latitude": form.latitude,
        "longitude": form.longitude,
    }
    is_new = _put(connection, sites, ("operator_id", "code"), values)
    if now is not None:
        same = (sites.c.operator_id == values["operator_id"], sites.c.code == form.code)
        touch(connection.scalars(select(sites.c.site_id).where(*same)), now, connection)
    return is_new


def put_station(form: StationForm, now: int, connection: Connection) -> bool:
    """Insert or replace by identity; what the station said of itself stays."""
    site_id, operator_id = place_of(form, connection)
    values: dict[str, Any] = {
        "identity": form.identity,
        "site_id": site_id,
        "operator_id": operator_id,
        "enabled": int(form.enabled),
        "vendor_profile": form.vendor_profile,
        "max_power_w": form.max_power_w,
        "security_profile": form.security_profile,
        "assume_version": form.assume_version,
        # An administrator may lower the profile; nobody else can (A00.FR.005).
        "highest_profile": form.security_profile,
        "hex_on_wire": int(form.hex_on_wire),
        "retired_at": None,
        "created_at": now,
    }
    if form.secret is not None:
        salt, digest = form.secret
        values |= {"salt": salt, "password_hash": digest, "previous_salt": None, "previous_hash": None}
    connection.execute(delete(quarantine).where(quarantine.c.identity == form.identity))
    is_new = _put(connection, S, ("identity",), values, kept=("created_at",))
    station_id = connection.scalars(select(S.c.station_id).where(S.c.identity == form.identity)).one()
    station_placed(station_id, site_id, operator_id, now, connection)
    body = {"new": is_new, "enabled": form.enabled}
    announce_station(Kind.REGISTRATION_CHANGED, form.identity, now, body, connection)
    return is_new


def put_token(token: IdToken, now: int, connection: Connection) -> bool:
    """Insert or replace by the token without case."""
    values = {
        "folded": folded(token.token),
        "token": token.token,
        "type": token.type,
        "status": token.status.value,
        "group_token": token.group,
        "expires_at": micros_or_none(token.expires_at),
        "concurrent_limit": token.concurrent_limit,
        "operator_id": token.operator_id,
        "sites": json_of(token.sites),
        "note": token.note,
        "updated_at": now,
    }
    return _put(connection, id_tokens, ("folded",), values)


def put_api_key(name: str, key_hash: bytes, role: str, scope: Scope, now: int, connection: Connection) -> int:
    """The new key's number."""
    values = {
        "name": name,
        "key_hash": key_hash,
        "role": role,
        "created_at": now,
        **columns_of(scope, connection),
    }
    return int(connection.scalars(insert(api_keys).values(values).returning(api_keys.c.key_id)).one())


def note_key_used(key_id: int, now: int, connection: Connection) -> None:
    """Last use of a key."""
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=now))


def revoke_api_key(key_id: int, now: int, connection: Connection) -> bool:
    """Whether there was a key to revoke."""
    live = (api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
    return connection.execute(update(api_keys).where(*live).values(revoked_at=now)).rowcount == 1


def _operator(code: str, connection: Connection) -> int:
    operator_id = connection.scalar(select(operators.c.operator_id).where(operators.c.code == code))
    if operator_id is None:
        raise NotFound(f"operator {code}")
    return int(operator_id)


def quarantine_one(
    identity: str, remote_address: str, reason: str, headers: str, now: int, connection: Connection
) -> None:
    """Count a visit. Strangers cannot fill the disk: the one longest unseen makes room."""
    known = connection.scalar(select(quarantine.c.attempts).where(quarantine.c.identity == identity))
    count = connection.scalar(select(func.count()).select_from(quarantine)) or 0
    if known is None and count >= MOST_QUARANTINED:
        oldest = select(func.min(quarantine.c.last_seen_at)).scalar_subquery()
        connection.execute(delete(quarantine).where(quarantine.c.last_seen_at == oldest))
    values = {
        "identity": identity,
        "first_seen_at": now,
        "last_seen_at": now,
        "attempts": (known or 0) + 1,
        "remote_address": remote_address,
        "reason": reason,
        "headers": headers,
    }
    _put(connection, quarantine, ("identity",), values, kept=("first_seen_at",))
    if known is None:
        body = json_of({"identity": identity, "remote_address": remote_address, "reason": reason})
        announce([ChangeRow(now, Kind.QUARANTINE_ARRIVED.value, None, None, None, None, body)], connection)


def place_of(form: StationForm, connection: Connection) -> tuple[int | None, int | None]:
    """Numbers of the site and operator. Raises NotFound, and InvalidInput where the code is ambiguous."""
    if form.site is None:
        return None, None
    query = (
        select(sites.c.site_id, sites.c.operator_id)
        .join(operators, operators.c.operator_id == sites.c.operator_id)
        .where(sites.c.code == form.site)
    )
    if form.operator is not None:
        query = query.where(operators.c.code == form.operator)
    found = connection.execute(query).all()
    if not found:
        raise NotFound(f"site {form.site}")
    if len(found) > 1:
        raise InvalidInput(f"site: several operators have a site {form.site}; name the operator too")
    return found[0].site_id, found[0].operator_id


def _put(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    values: Mapping[str, Any],
    kept: Sequence[str] = (),
) -> bool:
    """Insert, or replace what has the same `keys` but for the columns of `kept`. True: it was not there."""
    same = [table.c[name] == values[name] for name in keys]
    is_new = connection.scalar(select(func.count()).select_from(table).where(*same)) == 0
    mark = upsert(connection.dialect)(table).values(values)
    fresh = {name: mark.excluded[name] for name in values if name not in (*keys, *kept)}
    connection.execute(mark.on_conflict_do_update(index_elements=list(keys), set_=fresh))
    return is_new
