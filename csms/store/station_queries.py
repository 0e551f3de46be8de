"""Charging stations as the API shows them, with their connectors and running sessions. No caller's rights."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)

from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.device_tables import connectors
from csms.store.jsontext import value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import within
from csms.store.session_queries import UNENDED
from csms.store.station_filters import IS_IN_USE, STATES, StationFilter, conditions
from csms.store.tables import charging_stations, operators, sessions, sites
from csms.store.times import text_of

S = charging_stations

IS_ONLINE = and_(S.c.connected_at.is_not(None), S.c.disconnected_at.is_(None))
LAST_SEEN = func.coalesce(S.c.last_seen_at, literal_column("0"))

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


CONNECTOR_COUNTS = select(connectors.c.status, func.count().label("n")).group_by(connectors.c.status)


def find(wanted: StationFilter, sort: str, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` stations, from after the cursor on, by `identity`, `last-seen` or `state`.

    There is no index on when a station was last seen, which every few seconds would be written anew for
    each: that order reads every station the filter leaves.
    """
    if sort not in SORTS:
        raise InvalidInput(f"sort: one of {', '.join(SORTS)}")
    query = SHOWN.where(*conditions(wanted, connection))
    if sort == "state" and wanted.state is not None:
        sort = "identity"  # they are all in one state
    return SORTS[sort](query, after, most, connection)


def _by_identity(query: Select[Any], after: str | None, most: int, connection: Connection) -> Page:
    if after is not None:
        query = query.where(S.c.identity > key_of(after, (str,))[0])
    rows = connection.execute(query.order_by(S.c.identity).limit(most + 1)).all()
    return _page(rows, most, connection, lambda row: (row.identity,))


def _by_last_seen(query: Select[Any], after: str | None, most: int, connection: Connection) -> Page:
    place = tuple_(LAST_SEEN, S.c.station_id)
    if after is not None:
        query = query.where(place < tuple_(*map(literal, key_of(after, (int, int)))))
    order = (LAST_SEEN.desc(), S.c.station_id.desc())
    # The keys first, alone: sorting whole rows would carry all that stations said of themselves along.
    wanted = query.with_only_columns(S.c.station_id).order_by(*order).limit(most + 1)
    these = {"stations": list(connection.scalars(wanted))}
    rows = connection.execute(SHOWN.where(S.c.station_id.in_(_THESE)).order_by(*order), these).all()
    return _page(rows, most, connection, lambda row: (row.last_seen_at or 0, row.station_id))


def _by_state(query: Select[Any], after: str | None, most: int, connection: Connection) -> Page:
    """Each state's stations by identity, one state after the other: every part has an index."""
    first, last = key_of(after, (int, str)) if after is not None else (0, "")
    rows: list[Row[Any]] = []
    for rank, is_so in list(enumerate(STATES.values()))[max(0, first) :]:
        part = query.where(is_so).order_by(S.c.identity).limit(most + 1 - len(rows))
        if rank == first and last:
            part = part.where(S.c.identity > last)
        rows += connection.execute(part).all()
        if len(rows) > most:
            break
    return _page(rows, most, connection, lambda row: (list(STATES).index(_state(row)), row.identity))


SORTS: dict[str, Callable[..., Page]] = {
    "identity": _by_identity,
    "last-seen": _by_last_seen,
    "state": _by_state,
}


def counts(wanted: StationFilter, connection: Connection) -> dict[str, Any]:
    """How many stations are in each state, and how many connectors."""
    if wanted == StationFilter():
        return {"stations": _counted_by_index(connection), "connectors": _plugs(CONNECTOR_COUNTS, connection)}
    these = select(S.c.station_id).where(*conditions(wanted, connection))
    numbers = [func.count(case((is_so, 1))).label(name) for name, is_so in STATES.items()]
    row = connection.execute(these.with_only_columns(*numbers).select_from(S)).one()
    told = CONNECTOR_COUNTS.where(connectors.c.station_id.in_(these))
    return {"stations": dict(zip(STATES, row, strict=True)), "connectors": _plugs(told, connection)}


def _counted_by_index(connection: Connection) -> dict[str, int]:
    """Each state has an index of its own, which is all that is read."""
    return {
        name: connection.scalar(select(func.count()).select_from(S).where(IS_IN_USE, is_so)) or 0
        for name, is_so in STATES.items()
    }


def _plugs(query: Select[Any], connection: Connection) -> dict[str, int]:
    return {row.status: row.n for row in connection.execute(query)}


def one(identity: str, scope: Scope, connection: Connection) -> Page:
    """A page of one station, or of none; retired ones too."""
    query = SHOWN.where(S.c.identity == identity, *within(scope, S.c.operator_id, S.c.site_id))
    return _page(connection.execute(query).all(), 1, connection, lambda row: (row.identity,))


def _page(rows: Sequence[Row[Any]], most: int, connection: Connection, key: Callable[[Any], Any]) -> Page:
    these = {"stations": [row.station_id for row in rows]}
    plugs = _by_station(connection.execute(CONNECTORS, these).all() if rows else ())
    live = _by_station(connection.execute(LIVE, these).all() if rows else ())
    return page_of(
        list(rows),
        most,
        lambda row: _shown(row, plugs.get(row.station_id, []), live.get(row.station_id, [])),
        key,
    )


def _by_station(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.station_id, []).append(row)
    return found


def _shown(row: Row[Any], plugs: list[Any], live: list[Any]) -> dict[str, Any]:
    return {
        "identity": row.identity,
        "name": row.name,
        "labels": value_of(row.labels),
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
        "retired_at": text_of(row.retired_at),
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
