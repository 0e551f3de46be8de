"""Everything of sites as a city sees them, and what connectors are called there. Knows queries; no writing.

A charging station that nobody entered as equipment is one equipment all the same, under the name made of its
identity, with the connectors it was heard to have; a connector that was entered is called as entered.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, or_, select

from csms.domain.city_names import connector_id as default_connector_id
from csms.domain.city_names import equipment_id as default_equipment_id
from csms.domain.city_names import parts_of_connector_id, shown_beginning
from csms.domain.city_names import station_id as default_station_id
from csms.domain.inventory import ConnectorRecord, EquipmentRecord, SiteRecord
from csms.domain.local_time import zone
from csms.domain.price_days import PriceDays, price_days
from csms.domain.tariff_book import TariffBook, Where
from csms.store.asset_queries import AssetQueries
from csms.store.asset_rows import Known, Station
from csms.store.asset_tables import site_assets
from csms.store.tables import charging_stations, operators, sites
from csms.store.tariff_reads import KeptBook
from csms.store.times import instant, micros


class EquipmentAssets(NamedTuple):
    """An equipment and its connectors. Without `modified_at` they were not entered by anybody."""

    record: EquipmentRecord
    connectors: tuple[ConnectorRecord, ...]


class SiteAssets(NamedTuple):
    """A site and what stands there. `changed_at`: the latest modification of any of it; None: unknown.

    `prices`: of the site, from today on; only where a time was given.
    """

    record: SiteRecord
    changed_at: datetime | None
    equipment: tuple[EquipmentAssets, ...]
    prices: tuple[PriceDays, ...] = ()


class ConnectorNames(NamedTuple):
    """What a connector is called in the city's words, and where it is in OCPP's (None: not connected)."""

    operator: str
    site: str
    station_id: str
    equipment_id: str
    connector_id: str
    identity: str | None
    evse: int | None
    connector: int | None


_CHANGED = (
    select(sites.c.site_id)
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .outerjoin(site_assets, site_assets.c.site_id == sites.c.site_id)
    .where(operators.c.code == bindparam("operator"))
    .order_by(sites.c.site_id)
)
ALL_SITES = _CHANGED
CHANGED_SITES = _CHANGED.where(site_assets.c.changed_at >= bindparam("since"))
CHANGED_AT = select(site_assets.c.site_id, site_assets.c.changed_at).where(
    site_assets.c.site_id.in_(bindparam("numbers", expanding=True))
)
OWNERS = (
    select(sites.c.site_id, sites.c.operator_id, operators.c.time_zone)
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .where(sites.c.site_id.in_(bindparam("numbers", expanding=True)))
)
CITY_ID = select(site_assets.c.city_id).where(site_assets.c.site_id == bindparam("site"))
NAMED = (
    select(charging_stations.c.identity)
    .join(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .where(
        operators.c.code == bindparam("operator"),
        or_(
            charging_stations.c.identity == bindparam("name"),
            charging_stations.c.identity.between(bindparam("first"), bindparam("last")),
        ),
    )
)
LAST_LETTER = "\x7f"  # after every letter an identity may have


def changed_sites(operator: str, since: datetime | None, connection: Connection) -> list[int]:
    """Numbers of the operator's sites of which anything changed at or after `since`; None: all."""
    if since is None:
        return list(connection.scalars(ALL_SITES, {"operator": operator}))
    return list(connection.scalars(CHANGED_SITES, {"operator": operator, "since": micros(since)}))


def assemble(
    ask: AssetQueries, book: KeptBook, numbers: Sequence[int], now: datetime | None, connection: Connection
) -> list[SiteAssets]:
    """Sites with everything at them. With `now`, what has retired by then is left out."""
    found = ask.sites(numbers, connection)
    equipment = ask.equipment_at(numbers, connection)
    stations = ask.stations_at(numbers, connection)
    connectors: dict[int, list[ConnectorRecord]] = {}
    by_name = {(each.record.operator, each.record.equipment_id): each.number for each in equipment}
    for each in ask.connectors_of(by_name.values(), connection):
        number = by_name[each.record.operator, each.record.equipment_id]
        connectors.setdefault(number, []).append(each.record)
    devices = ask.devices([station.station_id for station in stations], connection)
    whole = _Assembly(equipment, stations, connectors, devices, now)
    changed = dict(connection.execute(CHANGED_AT, {"numbers": list(numbers)}).all())
    prices = {} if now is None else _prices(book.of(connection), numbers, now, connection)
    return [
        SiteAssets(
            site.record,
            instant(changed[site.number]) if site.number in changed else None,
            tuple(whole.at(site)),
            prices.get(site.number, ()),
        )
        for site in found
    ]


def _prices(
    book: TariffBook | None, numbers: Sequence[int], now: datetime, connection: Connection
) -> dict[int, tuple[PriceDays, ...]]:
    """By site; most sites of an operator have the same."""
    if book is None:
        return {}
    found: dict[int, tuple[PriceDays, ...]] = {}
    made: dict[tuple[Any, ...], tuple[PriceDays, ...]] = {}
    for site_id, operator_id, name in connection.execute(OWNERS, {"numbers": list(numbers)}):
        valid = book.coming(Where(operator_id, site_id), now)
        same = (name, *((one.start, one.end, one.version.version_id) for one in valid))
        if same not in made:
            made[same] = tuple(price_days(valid, now, zone(name or "UTC")))
        found[site_id] = made[same]
    return found


class _Assembly:
    """What stands at sites, entered or only heard of."""

    def __init__(
        self,
        equipment: list[Known],
        stations: list[Station],
        connectors: dict[int, list[ConnectorRecord]],
        devices: dict[int, list[tuple[int, int]]],
        now: datetime | None,
    ) -> None:
        self._now, self._connectors, self._devices = now, connectors, devices
        self._equipment: dict[int, list[Known]] = {}
        for each in equipment:
            self._equipment.setdefault(each.site_no, []).append(each)
        self._stations: dict[int, list[Station]] = {}
        for station in stations:
            self._stations.setdefault(station.site_id or 0, []).append(station)
        self._numbers = {station.identity: station.station_id for station in stations}
        # One station split into several equipments: its unentered connectors belong to none of them.
        self._entered = Counter(each.record.identity for each in equipment)

    def at(self, site: Known) -> Iterable[EquipmentAssets]:
        """The equipment of one site: what was entered, then stations nobody entered."""
        for each in self._equipment.get(site.number, []):
            if self._is_there(each.record.retired_at):
                yield EquipmentAssets(each.record, tuple(self._connectors_of(each)))
        for station in self._stations.get(site.number, []):
            if not self._entered[station.identity]:
                record = equipment_of(station)
                places = self._devices.get(station.station_id, [])
                yield EquipmentAssets(record, tuple(_unentered(record, each) for each in places))

    def _is_there(self, retired_at: datetime | None) -> bool:
        return self._now is None or retired_at is None or retired_at > self._now

    def _connectors_of(self, each: Known) -> Iterable[ConnectorRecord]:
        entered = self._connectors.get(each.number, [])
        yield from (record for record in entered if self._is_there(record.retired_at))
        if each.record.identity is not None and self._entered[each.record.identity] == 1:
            taken = {(record.evse, record.connector) for record in entered}
            heard = self._devices.get(self._numbers.get(each.record.identity, 0), [])
            yield from (_unentered(each.record, place) for place in heard if place not in taken)


def equipment_of(station: Station) -> EquipmentRecord:
    """The equipment a charging station is when nobody entered one; what it told of itself is taken over."""
    return EquipmentRecord(
        operator=station.operator,
        site=station.site,
        equipment_id=default_equipment_id(station.identity),
        identity=station.identity,
        power_w=station.max_power_w,
        manufacturer_name=station.vendor or None,
        model=station.model or None,
        serial_number=station.serial_number or None,
    )


def _unentered(equipment: EquipmentRecord, place: tuple[int, int]) -> ConnectorRecord:
    identity = equipment.identity or ""
    return ConnectorRecord(
        operator=equipment.operator,
        equipment_id=equipment.equipment_id,
        connector_id=default_connector_id(identity, *place),
        identity=identity,
        evse=place[0],
        connector=place[1],
    )


def names_of(
    ask: AssetQueries, identity: str, evse: int, connector: int, connection: Connection
) -> ConnectorNames | None:
    """What a connector of a charging station is called. None: there is no such station, or it is nobody's."""
    station = ask.stations([identity], connection).get(identity)
    if station is None:
        return None
    address = (identity, evse, connector)
    for each in ask.connectors_by_address([(station.station_id, evse, connector)], connection):
        return _entered_names(ask, each, connection)
    if not station.site:
        return None
    entered = ask.equipment_of([station.station_id], connection)
    name = entered[0].record.equipment_id if len(entered) == 1 else default_equipment_id(identity)
    city_id = connection.scalar(CITY_ID, {"site": station.site_id}) or default_station_id(station.site)
    names = (station.operator, station.site, city_id, name, default_connector_id(*address))
    return ConnectorNames(*names, *address)


def named(
    ask: AssetQueries, operator: str, connector_id: str, connection: Connection
) -> ConnectorNames | None:
    """The connector an operator's city knows by this name."""
    key = (operator, connector_id)
    entered = ask.known(ConnectorRecord, [key], connection).get(key)
    if entered is not None:
        return _entered_names(ask, entered, connection)
    parts = parts_of_connector_id(connector_id)
    if parts is None:
        return None
    name, evse, connector = parts
    beginning = shown_beginning(name)
    asked = {
        "operator": operator,
        "name": name,
        "first": name if beginning is None else beginning,
        "last": name if beginning is None else beginning + LAST_LETTER,
    }
    for identity in connection.scalars(NAMED, asked):
        if default_equipment_id(identity) == name:
            found = names_of(ask, identity, evse, connector, connection)
            # Entered under another name: this one is free, and means nothing.
            return found if found is not None and found.connector_id == connector_id else None
    return None


def _entered_names(ask: AssetQueries, each: Known, connection: Connection) -> ConnectorNames:
    record = each.record
    (site,) = ask.sites([each.site_no], connection)
    place = (record.operator, site.record.site, site.record.station_id)
    names = (record.equipment_id, record.connector_id)
    return ConnectorNames(*place, *names, record.identity, record.evse, record.connector)
