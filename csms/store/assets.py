"""What cities ask about assets: put, listed, resolved, and where each was when. No city and no code of one.

A change is planned from what is stored, outside any transaction, and carried out only if nobody changed
assets meanwhile; so even a city's import keeps stations' messages waiting no longer than its rows take.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, insert, or_
from sqlalchemy.exc import IntegrityError

from csms.domain.inventory import (
    AssetRecord,
    ConnectorRecord,
    EquipmentRecord,
    OperatorRecord,
    SiteRecord,
    missing,
)
from csms.domain.placing import Spell, checked
from csms.errors import Conflict, InvalidInput, NotFound
from csms.store import asset_rows as r
from csms.store import asset_sites as s
from csms.store import asset_writes as w
from csms.store.asset_plan import Plan, Planner, Problem
from csms.store.asset_queries import LEVEL_OF, AssetQueries, Key
from csms.store.asset_rows import Known
from csms.store.asset_sites import ConnectorNames, EquipmentAssets, SiteAssets
from csms.store.asset_tables import asset_spells, equipment, equipment_connectors
from csms.store.database import Database
from csms.store.paging import cursor_of
from csms.store.paging import key_of as key_of_cursor
from csms.store.tables import operators, sites
from csms.store.tariff_reads import KeptBook
from csms.store.times import micros

__all__ = [
    "AssetStore",
    "ConnectorNames",
    "EquipmentAssets",
    "Problem",
    "PutResult",
    "RecordPage",
    "SiteAssets",
]

MOST_TRIES = 5
_SCANNED = 1_000  # records looked at for what is missing before a page is given


class PutResult(NamedTuple):
    """Per level how many were added, changed and unchanged; with a problem nothing was written.

    `moved`: identities of charging stations that belong to another site in the registry now.
    """

    tally: dict[str, dict[str, int]]
    problems: list[Problem]
    moved: list[str]


class RecordPage(NamedTuple):
    """Records by operator and name; `next` is the cursor of the page after, None at the end."""

    items: list[Any]
    next: str | None


class AssetStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ask = AssetQueries(database.dialect_of)
        self._book = KeptBook()

    async def put(
        self, records: Sequence[AssetRecord], now: datetime, *, own: str | None = None, dry_run: bool = False
    ) -> PutResult:
        """Store records, all or nothing; equal ones stay as they are. New operators and sites are registered.

        `own`: the only operator whose records exist for the caller. Raises Conflict when others kept
        changing assets.
        """
        for _ in range(MOST_TRIES):
            planner, seen = await self._database.browse(partial(self._planner, records, now, own))
            # A city's plan takes seconds of computing: no transaction and no event loop waits for it.
            plan = await asyncio.to_thread(planner.plan)
            if plan.problems or dry_run or not plan.changes:
                return PutResult(plan.tally, plan.problems, [])
            try:
                moved = await self._database.run(partial(_carried_out, plan, micros(now), seen))
            except IntegrityError:
                continue  # the registry got the same site or operator meanwhile: look again
            if moved is not None:
                return PutResult(plan.tally, [], moved)
        raise Conflict("assets are being changed by others all the time; try again")

    async def record(self, kind: type[AssetRecord], key: Key) -> Any:
        """The record of this natural key; None when there is none."""
        known = await self._known(kind, key)
        return None if known is None else known.record

    async def records(self, kind: type[AssetRecord], keys: Sequence[Key]) -> dict[Key, Any]:
        """The records of these natural keys that there are."""
        found = await self._database.browse(partial(self._ask.known, kind, keys))
        return {key: each.record for key, each in found.items()}

    async def everything(self, kind: type[AssetRecord], operator: str | None = None) -> list[Any]:
        """Every record, perhaps of one operator only. Read page by page."""
        found: list[Any] = []
        after = None
        while True:
            page = await self.page(kind, operator, after=after, most=_SCANNED)
            found += page.items
            after = page.next
            if after is None:
                return found

    async def site(self, operator: str, code: str, now: datetime | None = None) -> SiteAssets | None:
        """A site and everything at it. With `now`, what has retired by then is left out."""
        known = await self._known(SiteRecord, (operator, code))
        return (await self.sites([known.number], now))[0] if known is not None else None

    async def changed_sites(self, operator: str, since: datetime | None = None) -> list[int]:
        """Numbers of the operator's sites, in a lasting order, of which anything changed at or after `since`.

        Anything: the site, its equipment or its connectors. Cut the list into pages, and give a page to
        `sites`.
        """
        return await self._database.browse(partial(s.changed_sites, operator, since))

    async def sites(self, numbers: Sequence[int], now: datetime | None = None) -> list[SiteAssets]:
        """Everything of these sites, in that order. With `now`, what has retired by then is left out."""
        return await self._database.browse(partial(s.assemble, self._ask, self._book, numbers, now))

    async def names_of(self, identity: str, evse: int, connector: int) -> ConnectorNames | None:
        """What a city calls this connector. None: no such charging station, or it stands nowhere."""
        return await self._database.look(partial(s.names_of, self._ask, identity, evse, connector))

    async def named(self, operator: str, connector_id: str) -> ConnectorNames | None:
        """The connector that an operator's city calls so."""
        return await self._database.look(partial(s.named, self._ask, operator, connector_id))

    async def page(
        self,
        kind: type[AssetRecord],
        operator: str | None = None,
        site: str | None = None,
        after: str | None = None,
        most: int = 100,
    ) -> RecordPage:
        """A page of records. Raises InvalidInput for a bad cursor."""
        known, following = await self._database.browse(partial(self._page, kind, operator, site, after, most))
        return RecordPage([each.record for each in known], following)

    async def missing(
        self,
        kind: type[AssetRecord],
        required: Sequence[str],
        operator: str | None = None,
        after: str | None = None,
        most: int = 100,
    ) -> RecordPage:
        """(record, fields) of those of which a required field is unknown.

        A page may be short before the end: at most a thousand records are looked at for one. Raises
        InvalidInput for a field there is not.
        """
        unknown = sorted(set(required) - set(kind.__dataclass_fields__))
        if unknown:
            raise InvalidInput(f"required: {LEVEL_OF[kind]} have no field {unknown[0]}")
        known, following = await self._database.browse(
            partial(self._page, kind, operator, None, after, _SCANNED)
        )
        found = [(each.record, gaps) for each in known if (gaps := missing(each.record, required))]
        if len(found) > most:
            last = next(each for each in known if each.record is found[most - 1][0])
            return RecordPage(found[:most], await self._database.browse(partial(_cursor, kind, last)))
        return RecordPage(found, following)

    async def history(self, kind: type[AssetRecord], key: Key) -> tuple[Spell, ...] | None:
        """Where an asset was, from when to when; None when there is no such asset."""
        known = await self._known(kind, key)
        return None if known is None else known.spells

    async def put_history(
        self, kind: type[AssetRecord], key: Key, spells: Sequence[Spell], now: datetime
    ) -> None:
        """Replace an asset's past. Its last spell must be in the place where the record has it.

        Raises NotFound, and InvalidInput for spells without order.
        """
        await self._database.run(partial(self._put_history, kind, key, checked(tuple(spells)), now))

    async def _known(self, kind: type[AssetRecord], key: Key) -> Known | None:
        found = await self._database.browse(partial(self._ask.known, kind, [key]))
        return found.get(key)

    def _planner(
        self, records: Sequence[AssetRecord], now: datetime, own: str | None, connection: Connection
    ) -> tuple[Planner, int]:
        seen = w.version(connection)
        return Planner(records, self._ask, now, own, connection), seen

    def _page(
        self,
        kind: type[AssetRecord],
        operator: str | None,
        site: str | None,
        after: str | None,
        most: int,
        connection: Connection,
    ) -> tuple[list[Known], str | None]:
        entity, whose, name = _ORDER[kind]
        query = entity.query().order_by(whose, name).limit(most + 1)
        if operator is not None:
            query = query.where(operators.c.code == operator)
        if site is not None:
            query = query.where(sites.c.code == site)
        if after is not None:
            number, last = key_of_cursor(after, (int, str))
            query = query.where(or_(whose > number, and_(whose == number, name > last)))
        rows = connection.execute(query.add_columns(whose.label("whose"), name.label("its_name"))).all()
        known = self._ask.with_spells(kind, rows[:most], connection)
        following = None
        if len(rows) > most:
            following = cursor_of(rows[most - 1].whose, rows[most - 1].its_name)
        return known, following

    def _put_history(
        self,
        kind: type[AssetRecord],
        key: Key,
        spells: tuple[Spell, ...],
        now: datetime,
        connection: Connection,
    ) -> None:
        known = self._ask.known(kind, [key], connection).get(key)
        if known is None:
            raise NotFound(f"{LEVEL_OF[kind]} {'/'.join(key)}")
        if not spells or spells[-1].place != r.place_of(known.record):
            raise InvalidInput("the last spell must be in the place where the asset is now")
        w.raise_version(connection)
        level = LEVEL_OF[kind]
        of_it = and_(asset_spells.c.level == level, asset_spells.c.subject_id == known.number)
        carrier = w.Carrier(Plan(), micros(now), connection)
        try:
            rows = [carrier.spell_row(level, known.number, spell) for spell in spells]
        except KeyError as exc:
            raise InvalidInput(f"place: there is no {'/'.join(exc.args[0])}") from exc
        connection.execute(delete(asset_spells).where(of_it))
        connection.execute(insert(asset_spells), rows)
        w.touch([known.site_no], micros(now), connection)


_ORDER: dict[type[AssetRecord], tuple[r.Entity, Any, Any]] = {
    OperatorRecord: (r.OPERATORS, operators.c.operator_id, operators.c.code),
    SiteRecord: (r.SITES, sites.c.operator_id, sites.c.code),
    EquipmentRecord: (r.EQUIPMENT, equipment.c.operator_id, equipment.c.equipment_id),
    ConnectorRecord: (
        r.CONNECTORS,
        equipment_connectors.c.operator_id,
        equipment_connectors.c.connector_id,
    ),
}


def _carried_out(plan: Plan, now: int, seen: int, connection: Connection) -> list[str] | None:
    """The stations that moved; None when assets changed since they were planned."""
    if not w.raise_version(connection, seen):
        return None
    return w.Carrier(plan, now, connection).carry_out()


def _cursor(kind: type[AssetRecord], known: Known, connection: Connection) -> str:
    entity, whose, name = _ORDER[kind]
    number = entity.base.primary_key.columns[0]
    row = connection.execute(
        entity.query().with_only_columns(whose, name).where(number == known.number)
    ).one()
    return cursor_of(row[0], row[1])
