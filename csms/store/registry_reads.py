"""Queries of slow data, and what their rows become. Knows tables; no caller."""

from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, literal_column, select

from csms.domain.assets import BootStatus, ChargingStation, IdToken, OcppVersion, TokenStatus
from csms.store.glances import Glance
from csms.store.jsontext import value_of
from csms.store.session_queries import ACTIVE
from csms.store.tables import api_keys, charging_stations, id_tokens, operators, sessions, sites
from csms.store.times import instant_or_none

S = charging_stations


class ApiKey(NamedTuple):
    """A key that was not revoked. `operator`: the code of the only operator it may see."""

    key_id: int
    name: str
    key_hash: bytes
    role: str
    operator: str | None
    sites: str | None


class Credentials(NamedTuple):
    """What the door needs to know of a station. The `previous` pair is there while a password is changing."""

    station: ChargingStation
    enabled: bool
    security_profile: int
    highest_profile: int
    salt: bytes | None
    password_hash: bytes | None
    previous_salt: bytes | None
    previous_hash: bytes | None
    hex_on_wire: bool


STATION = (
    select(
        S,
        operators.c.code.label("operator_code"),
        operators.c.time_zone,
        sites.c.code.label("site_code"),
    )
    .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
    .outerjoin(sites, sites.c.site_id == S.c.site_id)
)
BY_IDENTITY = Glance(STATION.where(S.c.identity == bindparam("identity")), "identity")
BY_ID = Glance(STATION.where(S.c.station_id == bindparam("station_id")), "station_id")

ACTIVE_SESSIONS = (
    select(func.count())
    .select_from(sessions)
    .where(
        sessions.c.token_folded == bindparam("token"),
        ACTIVE,
        sessions.c.authorization == literal_column("'accepted'"),
        sessions.c.session_id != bindparam("except_session"),
    )
    .scalar_subquery()
    .label("active")
)
# One row always: the count stands beside a token that may be unknown.
_TOKEN_USE = select(ACTIVE_SESSIONS, id_tokens).select_from(
    select(bindparam("token", type_=id_tokens.c.folded.type).label("asked"))
    .subquery("asked")
    .outerjoin(id_tokens, id_tokens.c.folded == bindparam("token"))
)
TOKEN_USE = Glance(_TOKEN_USE, "token", "except_session", by_index=("sessions", "ix_sessions_open_token"))
OPERATORS = select(operators).order_by(operators.c.code)
SITES = (
    select(sites, operators.c.code.label("operator_code"))
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .order_by(operators.c.code, sites.c.code)
)
KEYS = (
    select(api_keys, operators.c.code.label("operator_code"))
    .outerjoin(operators, operators.c.operator_id == api_keys.c.operator_id)
    .order_by(api_keys.c.key_id)
)
KEY_FIELDS = ("key_id", "name", "key_hash", "role", "operator_code", "sites")
KEY = KEYS.where(api_keys.c.key_hash == bindparam("key_hash"), api_keys.c.revoked_at.is_(None))


def station_of(row: Row[Any]) -> ChargingStation:
    """The station of a row of `STATION`."""
    return ChargingStation(
        station_id=row.station_id,
        identity=row.identity,
        site_id=row.site_id,
        operator_id=row.operator_id,
        operator_code=row.operator_code or "",
        site_code=row.site_code or "",
        time_zone=row.time_zone or "UTC",
        enabled=bool(row.enabled),
        boot_status=BootStatus(row.boot_status),
        vendor=row.vendor,
        model=row.model,
        firmware_version=row.firmware_version,
        vendor_profile=row.vendor_profile,
        max_power_w=row.max_power_w,
        security_profile=row.security_profile,
        assume_version=None if row.assume_version is None else OcppVersion(row.assume_version),
    )


def credentials_of(row: Row[Any]) -> Credentials:
    """The credentials of a row of `STATION`."""
    return Credentials(
        station_of(row),
        bool(row.enabled),
        row.security_profile,
        row.highest_profile,
        row.salt,
        row.password_hash,
        row.previous_salt,
        row.previous_hash,
        bool(row.hex_on_wire),
    )


def token_of(row: Row[Any]) -> IdToken:
    """The token of a row of `id_tokens`."""
    return IdToken(
        token=row.token,
        type=row.type,
        status=TokenStatus(row.status),
        group=row.group_token,
        expires_at=instant_or_none(row.expires_at),
        concurrent_limit=row.concurrent_limit,
        operator_id=row.operator_id,
        # Most common first: a token of every site.
        sites=() if row.sites == "[]" else tuple(value_of(row.sites)),
        note=row.note,
    )
