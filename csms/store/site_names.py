"""Which sites of an operator a city means by its names for them. Knows no profile.

A site is known by the name that was entered for it, else by the one made of its code.
"""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, bindparam, select

from csms.domain.city_names import station_id
from csms.store.asset_tables import site_assets
from csms.store.database import Database
from csms.store.tables import operators, sites

NAMES = (
    select(sites.c.site_id, sites.c.code, site_assets.c.city_id)
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .outerjoin(site_assets, site_assets.c.site_id == sites.c.site_id)
    .where(operators.c.code == bindparam("operator"))
)


class SiteNames:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def numbers(self, operator: str, station_ids: Sequence[str]) -> list[int]:
        """Numbers of the sites of these names, in their order; names nobody has are left out."""
        found = await self._database.browse(partial(_numbers, operator, frozenset(station_ids)))
        return [found[name] for name in station_ids if name in found]


def _numbers(operator: str, wanted: frozenset[str], connection: Connection) -> dict[str, int]:
    names: dict[str, int] = {}
    for row in connection.execute(NAMES, {"operator": operator}):
        name = row.city_id or station_id(row.code)
        if name in wanted:
            names[name] = row.site_id
    return names
