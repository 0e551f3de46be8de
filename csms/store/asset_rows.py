"""Assets as rows, and the records they are. Knows tables; no question and no rule."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import FromClause, Select, Table, select

from csms.domain.city_names import station_id as default_city_id
from csms.domain.inventory import AssetRecord, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.placing import Place, Spell
from csms.store.asset_tables import (
    asset_spells,
    equipment,
    equipment_connectors,
    operator_assets,
    site_assets,
)
from csms.store.device_tables import connectors
from csms.store.jsontext import json_of, value_of
from csms.store.tables import charging_stations, operators, sites
from csms.store.times import instant, instant_or_none

DATES = ("joined_at", "placed_at", "retired_at", "modified_at")
# What has a column of its own; everything else is in `attributes`.
COLUMNS: dict[type[AssetRecord], frozenset[str]] = {
    OperatorRecord: frozenset({"operator", "name", *DATES}),
    SiteRecord: frozenset({"operator", "site", "station_id", "name", "latitude", "longitude", *DATES}),
    EquipmentRecord: frozenset({"operator", "site", "equipment_id", "identity", "charger_class", *DATES}),
    ConnectorRecord: frozenset(
        {"operator", "equipment_id", "connector_id", "identity", "evse", "connector", *DATES}
    ),
}
_FIELDS = {
    kind: tuple(each.name for each in fields(kind) if each.name not in COLUMNS[kind]) for kind in COLUMNS
}


class Known(NamedTuple):
    """An asset as stored: its number, its record, where it was when, and the number of its site (or 0)."""

    number: int
    record: Any
    spells: tuple[Spell, ...]
    site_no: int = 0


class Station(NamedTuple):
    """A charging station as the registry has it; empty texts and None where it stands nowhere yet."""

    station_id: int
    identity: str
    site_id: int | None
    operator_id: int | None
    operator: str
    site: str
    vendor: str
    model: str
    serial_number: str
    max_power_w: int | None


def attributes_of(record: AssetRecord) -> str:
    """The known values of the fields that have no column, as JSON text."""
    values = ((name, getattr(record, name)) for name in _FIELDS[type(record)])
    return json_of({name: value for name, value in values if value is not None and value != ()})


class Entity(NamedTuple):
    """A table, what is shown of it, and the tables joined for that."""

    base: Table
    columns: tuple[Any, ...]
    inner: tuple[tuple[Table, Any], ...] = ()
    outer: tuple[tuple[Table, Any], ...] = ()

    def query(self, given: Any = None, on: Any = None) -> Select[Any]:
        """All of it, or what matches the relation `given` by `on`; that relation is read first."""
        source: FromClause = self.base if given is None else given.join(self.base, on)
        for table, condition in self.inner:
            source = source.join(table, condition)
        for table, condition in self.outer:
            source = source.outerjoin(table, condition)
        return select(*self.columns).select_from(source)


OPERATORS = Entity(
    operators,
    (
        operators.c.operator_id.label("number"),
        operators.c.code,
        operators.c.name,
        operator_assets.c.attributes,
        operator_assets.c.modified_at,
    ),
    outer=((operator_assets, operator_assets.c.operator_id == operators.c.operator_id),),
)
SITES = Entity(
    sites,
    (
        sites.c.site_id.label("number"),
        *(sites.c[name] for name in ("code", "name", "latitude", "longitude")),
        operators.c.code.label("operator_code"),
        *(site_assets.c[name] for name in ("city_id", "attributes", "modified_at", "changed_at")),
    ),
    ((operators, operators.c.operator_id == sites.c.operator_id),),
    ((site_assets, site_assets.c.site_id == sites.c.site_id),),
)
SITE_NAMES = Entity(
    site_assets,
    (site_assets.c.city_id, sites.c.code, operators.c.code.label("operator_code")),
    (
        (sites, sites.c.site_id == site_assets.c.site_id),
        (operators, operators.c.operator_id == site_assets.c.operator_id),
    ),
)
EQUIPMENT = Entity(
    equipment,
    (
        equipment.c.equipment_no.label("number"),
        *(
            equipment.c[name]
            for name in ("equipment_id", "site_id", "charger_class", "attributes", "modified_at")
        ),
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
        charging_stations.c.identity,
    ),
    (
        (operators, operators.c.operator_id == equipment.c.operator_id),
        (sites, sites.c.site_id == equipment.c.site_id),
    ),
    ((charging_stations, charging_stations.c.station_id == equipment.c.station_id),),
)
_C = equipment_connectors.c
CONNECTORS = Entity(
    equipment_connectors,
    (
        _C.connector_no.label("number"),
        *(_C[name] for name in ("connector_id", "evse", "connector", "attributes", "modified_at")),
        equipment.c.equipment_no,
        equipment.c.equipment_id,
        equipment.c.site_id,
        operators.c.code.label("operator_code"),
        charging_stations.c.identity,
    ),
    (
        (equipment, equipment.c.equipment_no == _C.equipment_no),
        (operators, operators.c.operator_id == _C.operator_id),
    ),
    ((charging_stations, charging_stations.c.station_id == _C.station_id),),
)
SPELLS = Entity(
    asset_spells,
    (asset_spells, operators.c.code.label("operator_code"), sites.c.code.label("site_code")),
    ((operators, operators.c.operator_id == asset_spells.c.operator_id),),
    ((sites, sites.c.site_id == asset_spells.c.site_id),),
)
STATIONS = Entity(
    charging_stations,
    (
        *(charging_stations.c[name] for name in ("station_id", "identity", "site_id", "operator_id")),
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
        *(charging_stations.c[name] for name in ("vendor", "model", "serial_number", "max_power_w")),
    ),
    outer=(
        (operators, operators.c.operator_id == charging_stations.c.operator_id),
        (sites, sites.c.site_id == charging_stations.c.site_id),
    ),
)
DEVICES = Entity(connectors, (connectors.c.station_id, connectors.c.evse, connectors.c.connector))


def spells_of(rows: Iterable[Any]) -> dict[int, tuple[Spell, ...]]:
    """The spells of each number, in order."""
    found: dict[int, list[Spell]] = {}
    for row in rows:
        place = Place(row.operator_code, row.site_code or "", row.charger_class)
        spell = Spell(instant(row.since), instant_or_none(row.until), place)
        found.setdefault(row.subject_id, []).append(spell)
    return {number: tuple(sorted(spells)) for number, spells in found.items()}


def known_of(kind: type[AssetRecord], row: Any, spells: tuple[Spell, ...]) -> Known:
    """The asset of a row of its entity."""
    values = {} if row.attributes is None else value_of(row.attributes)
    values |= _KEYED[kind](row)
    values["modified_at"] = instant_or_none(row.modified_at)
    if spells:
        values["joined_at"], values["retired_at"] = spells[0].since, spells[-1].until
        if kind is EquipmentRecord:
            values["placed_at"] = spells[-1].since
    site_no = row.number if kind is SiteRecord else getattr(row, "site_id", 0)
    return Known(row.number, msgspec.convert(values, kind), spells, site_no)


def place_of(record: AssetRecord) -> Place:
    """Whose, where and as what the record has it."""
    if isinstance(record, EquipmentRecord):
        return Place(record.operator, record.site, record.charger_class or "")
    return Place(record.operator)


def _operator(row: Any) -> dict[str, Any]:
    return {"operator": row.code, "name": row.name}


def _site(row: Any) -> dict[str, Any]:
    return {
        "operator": row.operator_code,
        "site": row.code,
        "station_id": row.city_id or default_city_id(row.code),
        "name": row.name,
        "latitude": row.latitude,
        "longitude": row.longitude,
    }


def _equipment(row: Any) -> dict[str, Any]:
    return {
        "operator": row.operator_code,
        "site": row.site_code,
        "equipment_id": row.equipment_id,
        "identity": row.identity,
        "charger_class": row.charger_class or None,
    }


def _connector(row: Any) -> dict[str, Any]:
    return {
        "operator": row.operator_code,
        "equipment_id": row.equipment_id,
        "connector_id": row.connector_id,
        "identity": row.identity,
        "evse": row.evse,
        "connector": row.connector,
    }


_KEYED: dict[type[AssetRecord], Callable[[Any], dict[str, Any]]] = {
    OperatorRecord: _operator,
    SiteRecord: _site,
    EquipmentRecord: _equipment,
    ConnectorRecord: _connector,
}
