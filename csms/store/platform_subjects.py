"""What totals for platforms are of: connectors, equipment, sites, operators, districts, cities. Knows tables.

A district is the GB/T 2260 area code of a site, a city what the code says; sites whose code nobody entered
are together under an empty one. Operators in several time zones make several subjects of one district: their
days are not the same days.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal_column, select, tuple_, union

from csms.domain.calendar import city_of
from csms.store.asset_tables import equipment_connectors, site_assets
from csms.store.device_tables import connectors
from csms.store.json_fields import field_of
from csms.store.tables import charging_stations, operators, sites

S, A = charging_stations, equipment_connectors
ZONE: ColumnElement[str] = func.coalesce(operators.c.time_zone, literal_column("'UTC'"))
AREA: ColumnElement[str] = func.coalesce(
    func.substr(field_of(site_assets.c.attributes, "area_code"), 1, 6), literal_column("''")
)
LEVELS = ("connector", "equipment", "site", "operator", "district", "city")
NARROW = ("connector", "equipment", "site")  # looked up one by one; the others are read as a whole


Key = tuple[str, str, int, int]
"""Gives the order of subjects of one level, as the database sorts text."""


class Subject(NamedTuple):
    """One line of a report. `numbers` is what the stored figures know it by."""

    key: Key
    id: str
    operator: str | None
    zone: str
    numbers: tuple[Any, ...]


class Scope(NamedTuple):
    """What a caller may see and asks for. `operators`: codes of the only ones; None: all."""

    of: str
    operators: tuple[str, ...] | None = None
    id: str | None = None


class Chunk(NamedTuple):
    """At most `most` subjects by the clock of a zone, by key, from after `after` on."""

    zone: str
    after: Key | None
    most: int


def clocks(scope: Scope, connection: Connection) -> list[str]:
    """The time zones of the operators in scope, and UTC for stations of nobody."""
    query = _scoped(select(ZONE.label("zone")).select_from(operators).distinct(), scope)
    found = {row.zone for row in connection.execute(query)}
    return sorted(found | {"UTC"} if scope.operators is None else found)


def subjects(scope: Scope, chunk: Chunk, connection: Connection) -> list[Subject]:
    """A chunk of the subjects in scope."""
    if scope.of in NARROW:
        return NARROW_MAKERS[scope.of](scope, chunk, connection)
    found = sorted(one for one in WIDE_MAKERS[scope.of](scope, connection) if one.zone == chunk.zone)
    found = [one for one in found if chunk.after is None or one.key > chunk.after]
    return [one for one in found if scope.id in (None, one.id)][: chunk.most]


def _scoped(query: Any, scope: Scope) -> Any:
    if scope.operators is not None:
        query = query.where(operators.c.code.in_(scope.operators))
    return query


def _chunk(query: Select[Any], scope: Scope, chunk: Chunk, **key: Any) -> Any:
    """The rows of a chunk, by the columns `key`, whose names say which parts of a subject's key they are."""
    query = _scoped(query.where(ZONE.in_((chunk.zone,))), scope).order_by(*key.values()).limit(chunk.most)
    if chunk.after is not None:
        values = dict(zip(("text", "more", "evse", "plug"), chunk.after, strict=True))
        query = query.where(tuple_(*key.values()) > tuple_(*(values[name] for name in key)))
    return query


def _stations(scope: Scope, *columns: Any) -> Any:
    query = (
        select(S.c.station_id, S.c.identity, operators.c.code, ZONE.label("zone"), *columns)
        .select_from(S)
        .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
    )
    if scope.id is not None:
        query = query.where(S.c.identity == scope.id.split("/")[0])
    return query


def _connectors(scope: Scope, chunk: Chunk, connection: Connection) -> list[Subject]:
    told = select(connectors.c.station_id, connectors.c.evse, connectors.c.connector).where(
        connectors.c.evse > 0
    )
    known = select(A.c.station_id, A.c.evse, A.c.connector).where(
        A.c.station_id.is_not(None), A.c.evse > 0, A.c.connector.is_not(None)
    )
    p = union(told, known).subquery("places")
    query = _stations(scope, p.c.evse, p.c.connector).join(p, p.c.station_id == S.c.station_id)
    made = [
        Subject(
            (row.identity, "", row.evse, row.connector),
            f"{row.identity}/{row.evse}/{row.connector}",
            row.code,
            row.zone,
            (row.station_id, row.evse, row.connector),
        )
        for row in connection.execute(
            _chunk(query, scope, chunk, text=S.c.identity, evse=p.c.evse, plug=p.c.connector)
        )
    ]
    return [one for one in made if scope.id in (None, one.id)]


def _equipment(scope: Scope, chunk: Chunk, connection: Connection) -> list[Subject]:
    return [
        Subject((row.identity, "", 0, 0), row.identity, row.code, row.zone, (row.station_id,))
        for row in connection.execute(_chunk(_stations(scope), scope, chunk, text=S.c.identity))
        if scope.id in (None, row.identity)
    ]


def _sites(scope: Scope, chunk: Chunk, connection: Connection) -> list[Subject]:
    query = select(sites.c.site_id, sites.c.code.label("site"), operators.c.code, ZONE.label("zone")).join(
        operators, operators.c.operator_id == sites.c.operator_id
    )
    if scope.id is not None:
        query = query.where(sites.c.code == scope.id)
    return [
        Subject((row.code, row.site, 0, 0), row.site, row.code, row.zone, (row.site_id,))
        for row in connection.execute(_chunk(query, scope, chunk, text=operators.c.code, more=sites.c.code))
    ]


def _operators(scope: Scope, connection: Connection) -> list[Subject]:
    query = select(operators.c.operator_id, operators.c.code, ZONE.label("zone"))
    return [
        Subject((row.code, "", 0, 0), row.code, row.code, row.zone, (row.operator_id,))
        for row in connection.execute(_scoped(query, scope))
    ]


def _areas(scope: Scope, connection: Connection) -> list[Row[Any]]:
    query = (
        select(AREA.label("area"), ZONE.label("zone"))
        .select_from(sites)
        .join(operators, operators.c.operator_id == sites.c.operator_id)
        .outerjoin(site_assets, site_assets.c.site_id == sites.c.site_id)
        .distinct()
    )
    return list(connection.execute(_scoped(query, scope)))


def _districts(scope: Scope, connection: Connection) -> list[Subject]:
    return [
        Subject((row.area, "", 0, 0), row.area, None, row.zone, (row.area, row.zone))
        for row in _areas(scope, connection)
    ]


def _cities(scope: Scope, connection: Connection) -> list[Subject]:
    found = {(city_of(row.area), row.zone) for row in _areas(scope, connection)}
    return [Subject((city, "", 0, 0), city, None, clock, (city, clock)) for city, clock in found]


NARROW_MAKERS: dict[str, Callable[[Scope, Chunk, Connection], list[Subject]]] = {
    "connector": _connectors,
    "equipment": _equipment,
    "site": _sites,
}
WIDE_MAKERS: dict[str, Callable[[Scope, Connection], list[Subject]]] = {
    "operator": _operators,
    "district": _districts,
    "city": _cities,
}
