"""What given records would change: planned from what is stored, before anything is written. No statement.

All problems are found, not the first; a plan with a problem is never carried out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from csms.domain.asset_fields import LEVELS
from csms.domain.asset_fields import faults as faults_of
from csms.domain.inventory import AssetRecord, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.placing import Dates, Spell, settle
from csms.errors import InvalidInput
from csms.store.asset_queries import LEVEL_OF, AssetQueries, Key, key_of
from csms.store.asset_rows import Known, Station, place_of


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with the record of this place in the list, and in which of its fields (empty: all)."""

    index: int
    field: str
    text: str


class Change(NamedTuple):
    """A record to be stored, and what it replaces (None: new). The record is as it will be read."""

    record: Any
    spells: tuple[Spell, ...]
    before: Known | None


@dataclass(slots=True)
class Plan:
    """Changes by kind, and how many records there were of each sort by level."""

    problems: list[Problem] = field(default_factory=list)
    changes: dict[type[AssetRecord], list[Change]] = field(default_factory=dict)
    tally: dict[str, dict[str, int]] = field(default_factory=dict)
    stations: dict[str, Station] = field(default_factory=dict)


class Planner:
    """Plans for one list of records. `own`: the only operator whose records exist for the caller.

    The constructor reads what the records refer to; `plan` computes and needs no database.
    """

    def __init__(
        self,
        records: Sequence[AssetRecord],
        queries: AssetQueries,
        now: datetime,
        own: str | None,
        connection: Connection,
    ) -> None:
        self._records, self._now, self._own = records, now, own
        self._plan = Plan()
        self._known: dict[type[AssetRecord], dict[Key, Known]] = {}
        self._will_be: dict[tuple[type[AssetRecord], Key], Change] = {}
        self._rows: dict[tuple[type[AssetRecord], Key], int] = {}
        self._city_ids: dict[Key, str] = {}
        self._addresses: dict[tuple[str | None, int | None, int | None], Key] = {}
        self._faults = [faults_of(record) for record in records]
        # Of what cannot be right nobody asks the database: it may hold what no column takes.
        sound = [record for record, faults in zip(records, self._faults, strict=True) if not faults]
        self._load(sound, queries, connection)

    def plan(self) -> Plan:
        """What storing the records means; operators come before sites, and those before what stands there."""
        for kind in LEVELS.values():
            for index, record in enumerate(self._records):
                if isinstance(record, kind):
                    self._take(index, record)
        self._plan.problems.sort()
        return self._plan

    def _load(self, records: Sequence[AssetRecord], ask: AssetQueries, connection: Connection) -> None:
        """Everything the records refer to, in a few questions whatever their number."""
        keys: dict[type[AssetRecord], set[Key]] = {kind: set() for kind in LEVELS.values()}
        for record in records:
            keys[type(record)].add(key_of(record))
            keys[OperatorRecord].add((record.operator,))
            if isinstance(record, SiteRecord):
                keys[SiteRecord].add((record.operator, record.station_id))  # whose default name that is
            elif isinstance(record, EquipmentRecord):
                keys[SiteRecord].add((record.operator, record.site))
            elif isinstance(record, ConnectorRecord):
                keys[EquipmentRecord].add((record.operator, record.equipment_id))
        for kind, wanted in keys.items():
            self._known[kind] = ask.known(kind, wanted, connection)
        names = [(each.operator, each.station_id) for each in records if isinstance(each, SiteRecord)]
        self._city_ids = ask.city_ids(names, connection)
        for site in self._known[SiteRecord].values():
            self._city_ids.setdefault((site.record.operator, site.record.station_id), site.record.site)
        identities = [each for record in records if (each := getattr(record, "identity", None))]
        self._plan.stations = ask.stations(identities, connection)
        self._load_links(records, ask, connection)

    def _load_links(self, records: Iterable[AssetRecord], ask: AssetQueries, connection: Connection) -> None:
        stations = self._plan.stations
        moved = [s.station_id for s in stations.values()]
        for each in ask.equipment_of(moved, connection):
            self._known[EquipmentRecord].setdefault(key_of(each.record), each)
        addresses = [
            (stations[record.identity].station_id, record.evse or 0, record.connector or 0)
            for record in records
            if isinstance(record, ConnectorRecord) and record.identity in stations
        ]
        for each in ask.connectors_by_address(addresses, connection):
            self._addresses[_address(each.record)] = key_of(each.record)

    def _take(self, index: int, record: AssetRecord) -> None:
        problems = [Problem(index, *fault) for fault in self._faults[index]]
        key = (type(record), key_of(record))
        if key in self._rows:
            problems.append(Problem(index, "", f"this stands twice; first as record {self._rows[key] + 1}"))
        self._rows.setdefault(key, index)
        if not problems:
            problems = [Problem(index, *each) for each in self._references(record)]
        if not problems:
            try:
                self._settle(record)
            except InvalidInput as exc:
                text = str(exc.args[0])
                name, colon, rest = text.partition(": ")
                problems.append(Problem(index, name, rest) if colon else Problem(index, "joined_at", text))
        self._plan.problems += problems

    def _references(self, record: AssetRecord) -> list[tuple[str, str]]:
        """What a record refers to and nobody knows, or is taken."""
        if self._own is not None and record.operator != self._own:
            return [("operator", f"there is no operator {record.operator}")]
        if isinstance(record, OperatorRecord):
            return []
        found: list[tuple[str, str]] = []
        if self._now_of(OperatorRecord, (record.operator,)) is None:
            return [("operator", f"there is no operator {record.operator}")]
        if isinstance(record, SiteRecord):
            return self._city_id_taken(record)
        if isinstance(record, EquipmentRecord):
            found += self._site_of(record)
        elif self._now_of(EquipmentRecord, (record.operator, record.equipment_id)) is None:
            found.append(("equipment_id", f"there is no equipment {record.equipment_id}"))
        if record.identity is not None and not self._may_use(record.identity):
            found.append(("identity", f"there is no charging station {record.identity}"))
        if isinstance(record, ConnectorRecord) and record.identity is not None:
            holder = self._addresses.setdefault(_address(record), key_of(record))
            if holder != key_of(record):
                found.append(("identity", f"this connector of {record.identity} is {holder[1]} already"))
        return found

    def _may_use(self, identity: str) -> bool:
        station = self._plan.stations.get(identity)
        return station is not None and self._own in (None, station.operator)

    def _city_id_taken(self, record: SiteRecord) -> list[tuple[str, str]]:
        holder = self._city_ids.setdefault((record.operator, record.station_id), record.site)
        if holder != record.site and self._renamed(record.operator, holder, record.station_id):
            holder = self._city_ids[record.operator, record.station_id] = record.site
        if holder == record.site:
            return []
        return [("station_id", f"site {holder} is known to the city as {record.station_id}")]

    def _renamed(self, operator: str, site: str, station_id: str) -> bool:
        """Whether the same list gives the other site another name."""
        change = self._will_be.get((SiteRecord, (operator, site)))
        return change is not None and change.record.station_id != station_id

    def _site_of(self, record: EquipmentRecord) -> list[tuple[str, str]]:
        site = self._now_of(SiteRecord, (record.operator, record.site))
        if site is None:
            return [("site", f"there is no site {record.site} of operator {record.operator}")]
        joined = record.joined_at
        if joined is not None and site.spells and joined < site.spells[0].since and not self._moved(record):
            return [("joined_at", f"its site joined later, at {site.spells[0].since.isoformat()}")]
        return []

    def _moved(self, record: EquipmentRecord) -> bool:
        before = self._before(record)
        place = (record.operator, record.site)
        return before is not None and (before.record.operator, before.record.site) != place

    def _now_of(self, kind: type[AssetRecord], key: Key) -> Change | Known | None:
        """What another record will be, or is."""
        return self._will_be.get((kind, key)) or self._known[kind].get(key)

    def _before(self, record: AssetRecord) -> Known | None:
        known = self._known[type(record)].get(key_of(record))
        if known is None and isinstance(record, EquipmentRecord) and record.identity is not None:
            # The same name of the same charging station, until now another operator's: it moved.
            for each in self._known[EquipmentRecord].values():
                other = each.record
                if (other.identity, other.equipment_id) == (record.identity, record.equipment_id):
                    return each
        return known

    def _settle(self, record: AssetRecord) -> None:
        before = self._before(record)
        dates = Dates(record.joined_at, getattr(record, "placed_at", None), record.retired_at)
        spells = settle(before.spells if before else (), place_of(record), dates, self._now)
        # An asset known to the registry only has never been entered: what is read of it is not stored yet.
        entered = None if before is None else before.record.modified_at
        will_be = _dated(record, spells, entered or self._now)
        is_same = entered is not None and before is not None and before.record == will_be
        is_same = is_same and before is not None and before.spells == spells
        if not is_same and entered is not None:
            will_be = replace(will_be, modified_at=self._now)
        change = Change(will_be, spells, before)
        self._will_be[type(record), key_of(record)] = change
        sort = "unchanged" if is_same else "added" if before is None else "changed"
        tally = self._plan.tally.setdefault(
            LEVEL_OF[type(record)], {"added": 0, "changed": 0, "unchanged": 0}
        )
        tally[sort] += 1
        if not is_same:
            self._plan.changes.setdefault(type(record), []).append(change)


def _dated(record: Any, spells: tuple[Spell, ...], modified_at: datetime | None) -> Any:
    """The record as it is read once stored."""
    dates = {"joined_at": spells[0].since, "retired_at": spells[-1].until, "modified_at": modified_at}
    if isinstance(record, EquipmentRecord):
        dates["placed_at"] = spells[-1].since
    return replace(record, **dates)


def _address(record: ConnectorRecord) -> tuple[str | None, int | None, int | None]:
    return record.identity, record.evse, record.connector
