"""Every question about assets by key. Knows tables and records; no rule.

A question is for any number of keys at once (`key_sets`): one asset and a whole city's are asked for by the
same statement.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Executable, and_, literal_column

from csms.domain.asset_fields import KEYS
from csms.domain.inventory import AssetRecord, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.store import asset_rows as r
from csms.store.asset_rows import Entity, Known, Station
from csms.store.asset_tables import asset_spells, equipment, equipment_connectors, site_assets
from csms.store.device_tables import connectors
from csms.store.key_sets import Columns, KeyQuery
from csms.store.tables import charging_stations, operators, sites

Key = tuple[str, ...]

_OPERATOR: Columns = {"operator": str}
_NAMED: Columns = {"operator": str, "id": str}
_NUMBER: Columns = {"number": int}
_LEVELLED: Columns = {"level": str, "number": int}
_IDENTITY: Columns = {"identity": str}
_ADDRESS: Columns = {"station_id": int, "evse": int, "connector": int}

LEVEL_OF: dict[type[AssetRecord], str] = {
    OperatorRecord: "operators",
    SiteRecord: "sites",
    EquipmentRecord: "equipment",
    ConnectorRecord: "connectors",
}
_C = equipment_connectors.c
_S = charging_stations.c
_KEYS: dict[type[AssetRecord], tuple[Entity, Columns, Callable[[Any], Any]]] = {
    OperatorRecord: (r.OPERATORS, _OPERATOR, lambda g: operators.c.code == g.operator),
    SiteRecord: (r.SITES, _NAMED, lambda g: sites.c.code == g.id),
    EquipmentRecord: (r.EQUIPMENT, _NAMED, lambda g: equipment.c.equipment_id == g.id),
    ConnectorRecord: (r.CONNECTORS, _NAMED, lambda g: _C.connector_id == g.id),
}


class AssetQueries:
    """Compiled once for a database. Records come as `Known`: with number, spells and site."""

    def __init__(self, dialect: Dialect) -> None:
        def ask(entity: Entity, columns: Columns, on: Callable[[Any], Any], named: bool = False) -> KeyQuery:
            def build(given: Any) -> Executable:
                query = entity.query(given[next(iter(columns))].table, on(given))
                return query.where(operators.c.code == given.operator) if named else query

            return KeyQuery(dialect, build, columns)

        self._by_key = {kind: ask(*how, named=kind is not OperatorRecord) for kind, how in _KEYS.items()}
        self._spells = ask(r.SPELLS, _LEVELLED, _is_spell)
        self._sites = ask(r.SITES, _NUMBER, lambda g: sites.c.site_id == g.number)
        self._city_ids = ask(r.SITE_NAMES, _NAMED, lambda g: site_assets.c.city_id == g.id, named=True)
        self._equipment_at = ask(r.EQUIPMENT, _NUMBER, lambda g: equipment.c.site_id == g.number)
        self._equipment_of = ask(r.EQUIPMENT, _NUMBER, lambda g: equipment.c.station_id == g.number)
        self._connectors_of = ask(r.CONNECTORS, _NUMBER, lambda g: _C.equipment_no == g.number)
        self._connectors_by_address = ask(r.CONNECTORS, _ADDRESS, _is_address)
        self._stations_at = ask(r.STATIONS, _NUMBER, lambda g: _S.site_id == g.number)
        self._stations = ask(r.STATIONS, _IDENTITY, lambda g: _S.identity == g.identity)
        self._devices = ask(r.DEVICES, _NUMBER, _is_device_of)

    def known(self, kind: type[AssetRecord], keys: Iterable[Key], connection: Connection) -> dict[Key, Known]:
        """The assets of these natural keys."""
        rows = self._by_key[kind].rows(sorted(set(keys)), connection)
        return {key_of(each.record): each for each in self.with_spells(kind, rows, connection)}

    def sites(self, numbers: Sequence[int], connection: Connection) -> list[Known]:
        """Sites by number, in that order; those that are gone are left out."""
        rows = self._sites.rows(_one(numbers), connection)
        found = {each.number: each for each in self.with_spells(SiteRecord, rows, connection)}
        return [found[number] for number in numbers if number in found]

    def city_ids(self, names: Iterable[Key], connection: Connection) -> dict[Key, str]:
        """The code of the site that was given this name, by (operator, name)."""
        rows = self._city_ids.rows(sorted(set(names)), connection)
        return {(row.operator_code, row.city_id): row.code for row in rows}

    def equipment_at(self, site_numbers: Iterable[int], connection: Connection) -> list[Known]:
        """What stands at sites, by its name."""
        rows = self._equipment_at.rows(_one(site_numbers), connection)
        return self._in_order(EquipmentRecord, rows, connection)

    def equipment_of(self, station_ids: Iterable[int], connection: Connection) -> list[Known]:
        """What charging stations are in the city's words."""
        rows = self._equipment_of.rows(_one(station_ids), connection)
        return self._in_order(EquipmentRecord, rows, connection)

    def connectors_of(self, equipment_numbers: Iterable[int], connection: Connection) -> list[Known]:
        """Connectors of equipment, by their names."""
        rows = self._connectors_of.rows(_one(equipment_numbers), connection)
        return self._in_order(ConnectorRecord, rows, connection)

    def connectors_by_address(
        self, addresses: Iterable[tuple[int, int, int]], connection: Connection
    ) -> list[Known]:
        """Connectors by (number of the charging station, EVSE, connector)."""
        rows = self._connectors_by_address.rows(sorted(set(addresses)), connection)
        return self.with_spells(ConnectorRecord, rows, connection)

    def stations_at(self, site_numbers: Iterable[int], connection: Connection) -> list[Station]:
        """Charging stations at sites, by identity."""
        rows = self._stations_at.rows(_one(site_numbers), connection)
        return sorted(map(_station, rows), key=lambda station: station.identity)

    def stations(self, identities: Iterable[str], connection: Connection) -> dict[str, Station]:
        """Charging stations by identity."""
        rows = self._stations.rows(sorted({(identity,) for identity in identities}), connection)
        return {row.identity: _station(row) for row in rows}

    def devices(self, station_ids: Iterable[int], connection: Connection) -> dict[int, list[tuple[int, int]]]:
        """(EVSE, connector) that charging stations were heard to have, in order; EVSE 0 is no connector."""
        found: dict[int, list[tuple[int, int]]] = {}
        for row in self._devices.rows(_one(station_ids), connection):
            found.setdefault(row.station_id, []).append((row.evse, row.connector))
        return {number: sorted(places) for number, places in found.items()}

    def _in_order(self, kind: type[AssetRecord], rows: Sequence[Any], connection: Connection) -> list[Known]:
        return sorted(self.with_spells(kind, rows, connection), key=lambda each: key_of(each.record))

    def with_spells(
        self, kind: type[AssetRecord], rows: Sequence[Any], connection: Connection
    ) -> list[Known]:
        """The assets of rows of their entity, in that order."""
        keys = sorted({(LEVEL_OF[kind], row.number) for row in rows})
        spells = r.spells_of(self._spells.rows(keys, connection))
        return [r.known_of(kind, row, spells.get(row.number, ())) for row in rows]


def key_of(record: AssetRecord) -> Key:
    """The natural key of a record."""
    return tuple(getattr(record, name) for name in KEYS[type(record)])


def _is_spell(given: Any) -> Any:
    # The level comes with the keys: as a constant SQLite would read all spells of it first.
    return and_(asset_spells.c.level == given.level, asset_spells.c.subject_id == given.number)


def _is_address(given: Any) -> Any:
    return and_(_C.station_id == given.station_id, _C.evse == given.evse, _C.connector == given.connector)


def _is_device_of(given: Any) -> Any:
    one: ColumnElement[int] = literal_column("1")
    c = connectors.c
    return and_(c.station_id == given.number, c.evse >= one, c.connector >= one)


def _one(numbers: Iterable[int]) -> list[tuple[int]]:
    return [(number,) for number in sorted(set(numbers))]


def _station(row: Any) -> Station:
    return Station(
        row.station_id,
        row.identity,
        row.site_id,
        row.operator_id,
        row.operator_code or "",
        row.site_code or "",
        row.vendor,
        row.model,
        row.serial_number,
        row.max_power_w,
    )
