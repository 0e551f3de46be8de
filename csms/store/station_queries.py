"""Charging stations as the API shows them, with their connectors and running sessions. No caller's rights."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, and_, bindparam, select

from csms.errors import InvalidInput
from csms.store.device_tables import connectors
from csms.store.paging import Page, key_of, page_of
from csms.store.session_queries import UNENDED
from csms.store.tables import charging_stations, operators, sessions, sites
from csms.store.times import text_of

S = charging_stations

# One meaning of the three states, for filters and for rows.
IS_ONLINE = and_(S.c.connected_at.is_not(None), S.c.disconnected_at.is_(None))
STATES: dict[str, ColumnElement[bool]] = {
    "online": IS_ONLINE,
    "offline": and_(S.c.connected_at.is_not(None), S.c.disconnected_at.is_not(None)),
    "never-seen": S.c.connected_at.is_(None),
}


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations; None does not filter. `state`: online, offline or never-seen."""

    operator: str | None = None
    site: str | None = None
    state: str | None = None


SHOWN = (
    select(S, operators.c.code.label("operator_code"), sites.c.code.label("site_code"))
    .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
    .outerjoin(sites, sites.c.site_id == S.c.site_id)
)
_THESE: BindParameter[int] = bindparam("stations", expanding=True)
CONNECTORS = (
    select(connectors)
    .where(connectors.c.station_id.in_(_THESE))
    .order_by(connectors.c.station_id, connectors.c.evse, connectors.c.connector)
)
LIVE = (
    select(sessions.c.station_id, sessions.c.session_id)
    .where(sessions.c.station_id.in_(_THESE), UNENDED)
    .order_by(sessions.c.session_id)
)


def find(wanted: StationFilter, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` stations by identity, from after the cursor on."""
    query = SHOWN.where(*_conditions(wanted)).order_by(S.c.identity).limit(most + 1)
    if after is not None:
        query = query.where(S.c.identity > key_of(after, (str,))[0])
    return _page(query, most, connection)


def one(identity: str, operator: str | None, connection: Connection) -> Page:
    """A page of one station, or of none."""
    query = SHOWN.where(S.c.identity == identity)
    if operator is not None:
        query = query.where(operators.c.code == operator)
    return _page(query, 1, connection)


def _conditions(wanted: StationFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.operator is not None:
        operator = select(operators.c.operator_id).where(operators.c.code == wanted.operator)
        found.append(S.c.operator_id == operator.scalar_subquery())
    if wanted.site is not None:
        found.append(S.c.site_id.in_(select(sites.c.site_id).where(sites.c.code == wanted.site)))
    if wanted.state is not None:
        if wanted.state not in STATES:
            raise InvalidInput(f"state: one of {', '.join(STATES)}")
        found.append(STATES[wanted.state])
    return found


def _page(query: Select[Any], most: int, connection: Connection) -> Page:
    rows = list(connection.execute(query))
    these = {"stations": [row.station_id for row in rows]}
    plugs = _by_station(connection.execute(CONNECTORS, these).all() if rows else ())
    live = _by_station(connection.execute(LIVE, these).all() if rows else ())
    return page_of(
        rows,
        most,
        lambda row: _shown(row, plugs.get(row.station_id, []), live.get(row.station_id, [])),
        lambda row: (row.identity,),
    )


def _by_station(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.station_id, []).append(row)
    return found


def _shown(row: Row[Any], plugs: list[Any], live: list[Any]) -> dict[str, Any]:
    return {
        "identity": row.identity,
        "operator": row.operator_code,
        "site": row.site_code,
        "enabled": bool(row.enabled),
        "state": _state(row),
        "ocpp_version": row.ocpp_version,
        "security_profile": row.security_profile,
        "vendor": row.vendor,
        "model": row.model,
        "serial_number": row.serial_number,
        "firmware_version": row.firmware_version,
        "boot_status": row.boot_status,
        "max_power_w": row.max_power_w,
        "last_seen_at": text_of(row.last_seen_at),
        "connected_at": text_of(row.connected_at),
        "disconnected_at": text_of(row.disconnected_at),
        "remote_address": row.remote_address,
        "connectors": [
            {
                "evse": plug.evse,
                "connector": plug.connector,
                "status": plug.status,
                "error_code": plug.error_code,
                "since": text_of(plug.since),
            }
            for plug in plugs
        ],
        "live_sessions": [str(one.session_id) for one in live],
    }


def _state(row: Row[Any]) -> str:
    if row.connected_at is None:
        return "never-seen"
    return "online" if row.disconnected_at is None else "offline"
