"""Carries out a plan of asset changes, in one transaction. Knows tables; decides nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, insert, literal_column, select, update

from csms.domain.city_names import station_id as default_city_id
from csms.domain.inventory import AssetRecord, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.placing import Spell
from csms.store.asset_plan import Change, Plan
from csms.store.asset_queries import LEVEL_OF, Key, key_of
from csms.store.asset_rows import attributes_of
from csms.store.asset_tables import (
    asset_spells,
    equipment,
    equipment_connectors,
    operator_assets,
    site_assets,
)
from csms.store.statements import upsert
from csms.store.tables import charging_stations, counters, operators, sites
from csms.store.times import micros, micros_or_none

MOST_AT_ONCE = 5_000
TIME_ZONE = "Asia/Shanghai"  # of an operator first heard of here
VERSION = "assets"

SEEN = select(counters.c.next).where(counters.c.name == literal_column(f"'{VERSION}'"))
RAISE = (
    update(counters).where(counters.c.name == literal_column(f"'{VERSION}'")).values(next=counters.c.next + 1)
)
RAISE_SEEN = RAISE.where(counters.c.next == bindparam("seen"))
FORGET_SPELLS = delete(asset_spells).where(
    asset_spells.c.level == bindparam("of_level"), asset_spells.c.subject_id == bindparam("of")
)
FOLLOW = (
    update(charging_stations)
    .where(charging_stations.c.station_id == bindparam("of"))
    .values(site_id=bindparam("at"), operator_id=bindparam("whose"))
)
CONNECTORS_FOLLOW = (
    update(equipment_connectors)
    .where(equipment_connectors.c.equipment_no == bindparam("of"))
    .values(operator_id=bindparam("whose"))
)


def version(connection: Connection) -> int:
    """Counts changes of assets: what was planned at one version may be carried out at that one only."""
    return connection.scalar(SEEN) or 0


def raise_version(connection: Connection, seen: int | None = None) -> bool:
    """Count a change. False: somebody else changed assets since `seen`. Holds the row until the commit."""
    first = upsert(connection.dialect)(counters).values(name=VERSION, next=0)
    connection.execute(first.on_conflict_do_nothing())
    if seen is None:
        return connection.execute(RAISE).rowcount == 1
    return connection.execute(RAISE_SEEN, {"seen": seen}).rowcount == 1


def touch(site_numbers: Iterable[int], now: int, connection: Connection) -> None:
    """Something at these sites changed now."""
    owners = dict(connection.execute(select(sites.c.site_id, sites.c.operator_id)).all())
    rows = [
        {"site_id": n, "operator_id": owners[n], "attributes": "{}", "changed_at": now}
        for n in sorted(set(site_numbers))
        if n in owners
    ]
    _upsert(connection, site_assets, ("site_id",), rows, fresh=("changed_at",))


class Carrier:
    """Writes the changes of one plan."""

    def __init__(self, plan: Plan, now: int, connection: Connection) -> None:
        self._plan, self._now, self._connection = plan, now, connection
        self._numbers: dict[type[AssetRecord], dict[Key, int]] = {
            OperatorRecord: dict(_named(connection, select(operators.c.code, operators.c.operator_id))),
            SiteRecord: dict(
                _named(
                    connection,
                    select(operators.c.code, sites.c.code, sites.c.site_id).join(
                        operators, operators.c.operator_id == sites.c.operator_id
                    ),
                )
            ),
            EquipmentRecord: {},
            ConnectorRecord: {},
        }
        self._touched: set[int] = set()

    def carry_out(self) -> list[str]:
        """Write everything; the identities of charging stations that stand elsewhere now."""
        changes = self._plan.changes
        self._operators(changes.get(OperatorRecord, []))
        self._sites(changes.get(SiteRecord, []))
        moved = self._equipment(changes.get(EquipmentRecord, []))
        self._connectors(changes.get(ConnectorRecord, []))
        for kind, done in changes.items():
            self._spells(kind, done)
        touch(self._touched, self._now, self._connection)
        return moved

    def _operators(self, changes: Sequence[Change]) -> None:
        self._put(
            OperatorRecord,
            operators,
            "operator_id",
            changes,
            lambda r, fresh: {
                "name": r.name,
                **({"code": r.operator, "time_zone": TIME_ZONE} if fresh else {}),
            },
        )
        rows = [
            {
                "operator_id": self._operator(each.record.operator),
                "attributes": attributes_of(each.record),
                "modified_at": self._now,
            }
            for each in changes
        ]
        _upsert(self._connection, operator_assets, ("operator_id",), rows)

    def _sites(self, changes: Sequence[Change]) -> None:
        self._put(SiteRecord, sites, "site_id", changes, self._site_values)
        rows = [
            {
                "site_id": self._number(each.record),
                "operator_id": self._operator(each.record.operator),
                "city_id": _given_name(each.record),
                "attributes": attributes_of(each.record),
                "modified_at": self._now,
                "changed_at": self._now,
            }
            for each in changes
        ]
        _upsert(self._connection, site_assets, ("site_id",), rows)

    def _site_values(self, record: SiteRecord, fresh: bool) -> dict[str, Any]:
        values = {"name": record.name, "latitude": record.latitude, "longitude": record.longitude}
        if fresh:
            values |= {"operator_id": self._operator(record.operator), "code": record.site}
        return values

    def _equipment(self, changes: Sequence[Change]) -> list[str]:
        self._put(EquipmentRecord, equipment, "equipment_no", changes, self._equipment_values)
        owned = [
            {"of": each.before.number, "whose": self._operator(each.record.operator)}
            for each in changes
            if each.before is not None and each.before.record.operator != each.record.operator
        ]
        if owned:
            self._connection.execute(CONNECTORS_FOLLOW, owned)
        self._touched |= {each.before.site_no for each in changes if each.before is not None}
        self._touched |= {self._site(each.record) for each in changes}
        return self._registry_follows(changes)

    def _equipment_values(self, record: EquipmentRecord, _: bool) -> dict[str, Any]:
        return {
            "operator_id": self._operator(record.operator),
            "equipment_id": record.equipment_id,
            "site_id": self._site(record),
            "station_id": self._station(record.identity),
            "charger_class": record.charger_class or "",
            "attributes": attributes_of(record),
            "modified_at": self._now,
        }

    def _registry_follows(self, changes: Sequence[Change]) -> list[str]:
        """Sessions are accounted to where the registry says a charging station stands."""
        moved = {}
        for each in changes:
            station = self._plan.stations.get(each.record.identity or "")
            if (
                station is not None
                and each.record.retired_at is None
                and station.site_id != self._site(each.record)
            ):
                moved[station.identity] = {
                    "of": station.station_id,
                    "at": self._site(each.record),
                    "whose": self._operator(each.record.operator),
                }
        if moved:
            self._connection.execute(FOLLOW, list(moved.values()))
        return sorted(moved)

    def _connectors(self, changes: Sequence[Change]) -> None:
        wanted: set[Key] = {(each.record.operator, each.record.equipment_id) for each in changes}
        places = _places(wanted, self._numbers[OperatorRecord], self._connection)
        self._numbers[EquipmentRecord] |= {key: number for key, (number, _) in places.items()}

        def values(record: ConnectorRecord, _: bool) -> dict[str, Any]:
            return {
                "equipment_no": places[record.operator, record.equipment_id][0],
                "operator_id": self._operator(record.operator),
                "connector_id": record.connector_id,
                "station_id": self._station(record.identity),
                "evse": record.evse,
                "connector": record.connector,
                "attributes": attributes_of(record),
                "modified_at": self._now,
            }

        self._put(ConnectorRecord, equipment_connectors, "connector_no", changes, values)
        self._touched |= {each.before.site_no for each in changes if each.before is not None}
        self._touched |= {site_no for _, site_no in places.values()}

    def _put(
        self,
        kind: type[AssetRecord],
        table: Table,
        number: str,
        changes: Sequence[Change],
        values: Callable[[Any, bool], dict[str, Any]],
    ) -> None:
        """Insert what is new, update the rest; numbers of all of them are known afterwards."""
        column = table.c[number]
        fresh = [each.record for each in changes if each.before is None]
        put = insert(table).returning(column, sort_by_parameter_order=True)
        for part in _parts(fresh):
            made = self._connection.scalars(put, [values(record, True) for record in part]).all()
            self._numbers[kind] |= dict(zip(map(key_of, part), made, strict=True))
        known = [(each.before.number, each.record) for each in changes if each.before is not None]
        self._numbers[kind] |= {key_of(record): n for n, record in known}
        for some in _parts(known):
            rows = [values(record, False) | {"of": n} for n, record in some]
            self._connection.execute(update(table).where(column == bindparam("of")), rows)

    def _spells(self, kind: type[AssetRecord], changes: Sequence[Change]) -> None:
        level = LEVEL_OF[kind]
        done = [each for each in changes if each.before is None or each.before.spells != each.spells]
        old = [
            {"of_level": level, "of": each.before.number}
            for each in done
            if each.before and each.before.spells
        ]
        for part in _parts(old):
            self._connection.execute(FORGET_SPELLS, part)
        for some in _parts(done):
            rows = [
                self.spell_row(level, self._number(each.record), spell)
                for each in some
                for spell in each.spells
            ]
            self._connection.execute(insert(asset_spells), rows)

    def spell_row(self, level: str, number: int, spell: Spell) -> dict[str, Any]:
        """A spell as a row."""
        place = spell.place
        return {
            "level": level,
            "subject_id": number,
            "since": micros(spell.since),
            "until": micros_or_none(spell.until),
            "operator_id": self._operator(place.operator),
            "site_id": self._numbers[SiteRecord][place.operator, place.site] if place.site else None,
            "charger_class": place.charger_class,
        }

    def _number(self, record: AssetRecord) -> int:
        return self._numbers[type(record)][key_of(record)]

    def _operator(self, code: str) -> int:
        return self._numbers[OperatorRecord][code,]

    def _site(self, record: EquipmentRecord) -> int:
        return self._numbers[SiteRecord][record.operator, record.site]

    def _station(self, identity: str | None) -> int | None:
        return None if identity is None else self._plan.stations[identity].station_id


def _given_name(record: SiteRecord) -> str | None:
    return None if record.station_id == default_city_id(record.site) else record.station_id


def _named(connection: Connection, query: Any) -> Iterable[tuple[Key, int]]:
    """Numbers by the texts before them."""
    return ((tuple(row[:-1]), row[-1]) for row in connection.execute(query))


def _places(
    keys: set[Key], operator_numbers: dict[Key, int], connection: Connection
) -> dict[Key, tuple[int, int]]:
    """(equipment number, site number) of equipment."""
    codes = {number: code for (code,), number in operator_numbers.items()}
    wanted = {operator_numbers[operator,] for operator, _ in keys}
    query = select(
        equipment.c.operator_id, equipment.c.equipment_id, equipment.c.equipment_no, equipment.c.site_id
    ).where(equipment.c.operator_id.in_(sorted(wanted)))
    if len(keys) == 1:
        query = query.where(equipment.c.equipment_id == next(iter(keys))[1])
    found: dict[Key, tuple[int, int]] = {
        (codes[row.operator_id], row.equipment_id): (row.equipment_no, row.site_id)
        for row in connection.execute(query)
    }
    return {key: found[key] for key in keys}


def _upsert(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    rows: list[dict[str, Any]],
    fresh: Sequence[str] | None = None,
) -> None:
    """Insert, or replace the columns of `fresh` (all) of what has the same keys."""
    if not rows:
        return
    put = upsert(connection.dialect)(table)
    names = fresh if fresh is not None else [name for name in rows[0] if name not in keys]
    changed = {name: put.excluded[name] for name in names}
    for part in _parts(rows):
        connection.execute(put.on_conflict_do_update(index_elements=list(keys), set_=changed), part)


T = TypeVar("T")


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """So few at once that no statement of PostgreSQL meets its time limit."""
    return (rows[n : n + MOST_AT_ONCE] for n in range(0, len(rows), MOST_AT_ONCE))
