"""Sites and operators one at a time: looked at, changed, and removed while nothing is known of them."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from csms.errors import Conflict, NotFound
from csms.store.asset_tables import asset_spells, equipment, operator_assets, site_assets
from csms.store.asset_writes import touch
from csms.store.billing import rezone
from csms.store.change_tables import webhooks
from csms.store.database import Database
from csms.store.tables import charging_stations, operators, sessions, sites
from csms.store.times import micros

SITE = (
    select(sites, operators.c.code.label("operator_code"))
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .where(operators.c.code == bindparam("operator"), sites.c.code == bindparam("site"))
)
OPERATOR = select(operators).where(operators.c.code == bindparam("operator"))
# What a place has been used for; its totals are made of these.
USES_OF_SITE: tuple[Table, ...] = (charging_stations, sessions, equipment, asset_spells)
USES_OF_OPERATOR: tuple[Table, ...] = (sites, charging_stations, sessions, equipment, webhooks)


Fields = dict[str, Any]
Change = tuple[dict[str, Any], dict[str, Any]]


class Places:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def site(self, operator: str, code: str) -> dict[str, Any] | None:
        """A site as the API gives it."""
        rows = await self._database.read(SITE, {"operator": operator, "site": code})
        if not rows:
            return None
        return _site(rows[0])

    async def operator(self, code: str) -> dict[str, Any] | None:
        """An operator as the API gives it."""
        rows = await self._database.read(OPERATOR, {"operator": code})
        return _operator(rows[0]) if rows else None

    async def change_site(self, operator: str, code: str, asked: Fields, now: datetime) -> Change:
        """Set these fields of a site; how it was and is. The others stay as they are. Raises NotFound."""
        return await self._database.run(partial(_change_site, operator, code, asked, micros(now)))

    async def change_operator(self, code: str, asked: Fields) -> Change:
        """The same for an operator."""
        return await self._database.run(partial(_change_operator, code, asked))

    async def remove_site(self, operator: str, code: str) -> None:
        """Raises NotFound, and Conflict where something stands or stood there: history needs it."""
        await self._database.run(partial(_remove_site, operator, code))

    async def remove_operator(self, code: str) -> None:
        """Raises NotFound, and Conflict for one that has anything."""
        await self._database.run(partial(_remove_operator, code))


def _site(row: Row[Any]) -> dict[str, Any]:
    where = {"latitude": row.latitude, "longitude": row.longitude}
    return {"code": row.code, "operator": row.operator_code, "name": row.name, **where}


def _operator(row: Row[Any]) -> dict[str, Any]:
    return {"code": row.code, "name": row.name, "time_zone": row.time_zone}


def _change_site(operator: str, code: str, asked: Fields, now: int, connection: Connection) -> Change:
    query = SITE.with_for_update(of=sites)
    row = connection.execute(query, {"operator": operator, "site": code}).one_or_none()
    if row is None:
        raise NotFound(f"site {code}")
    if asked:
        connection.execute(update(sites).where(sites.c.site_id == row.site_id).values(asked))
        touch([row.site_id], now, connection)
    return _site(row), {**_site(row), **asked}


def _change_operator(code: str, asked: Fields, connection: Connection) -> Change:
    row = connection.execute(OPERATOR.with_for_update(), {"operator": code}).one_or_none()
    if row is None:
        raise NotFound(f"operator {code}")
    after = {**_operator(row), **asked}
    if asked:
        connection.execute(update(operators).where(operators.c.operator_id == row.operator_id).values(asked))
    if after["time_zone"] != row.time_zone:
        rezone(row.operator_id, after["time_zone"], connection)
    return _operator(row), after


def _remove_site(operator: str, code: str, connection: Connection) -> None:
    row = connection.execute(SITE, {"operator": operator, "site": code}).one_or_none()
    if row is None:
        raise NotFound(f"site {code}")
    _refuse_used(USES_OF_SITE, "site_id", row.site_id, f"site {code}", connection)
    connection.execute(delete(site_assets).where(site_assets.c.site_id == row.site_id))
    _remove(sites, "site_id", row.site_id, f"site {code}", connection)


def _remove_operator(code: str, connection: Connection) -> None:
    row = connection.execute(OPERATOR, {"operator": code}).one_or_none()
    if row is None:
        raise NotFound(f"operator {code}")
    _refuse_used(USES_OF_OPERATOR, "operator_id", row.operator_id, f"operator {code}", connection)
    connection.execute(delete(operator_assets).where(operator_assets.c.operator_id == row.operator_id))
    _remove(operators, "operator_id", row.operator_id, f"operator {code}", connection)


def _refuse_used(tables: tuple[Table, ...], column: str, number: int, what: str, c: Connection) -> None:
    for table in tables:
        if c.execute(select(table.c[column]).where(table.c[column] == number).limit(1)).first():
            raise Conflict(f"{what} is in use: {table.name.replace('_', ' ')}")


def _remove(table: Table, column: str, number: int, what: str, connection: Connection) -> None:
    try:
        connection.execute(delete(table).where(table.c[column] == number))
    except IntegrityError as exc:
        raise Conflict(f"{what} is in use") from exc
