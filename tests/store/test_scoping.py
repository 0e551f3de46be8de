"""What somebody may see, on both databases: another operator's site of the same code is not one's own."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from csms.domain.scope import WHOLE, Scope
from csms.errors import InvalidInput, NotFound
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.scoping import columns_of, sites_of, within
from csms.store.tables import charging_stations

MINE, OTHER = "123456789", "987654321"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def fill(database: Database) -> None:
    """Two operators with a site S01 each, a second site of the first, and a station that stands nowhere."""
    registry = Registry(database)
    for code in (MINE, OTHER):
        await registry.put_operator(OperatorForm(code, code, "UTC"))
        await registry.put_site(SiteForm("S01", code, "One", None, None), NOW)
    await registry.put_site(SiteForm("S02", MINE, "Two", None, None), NOW)
    stations = [("M1", "S01", MINE), ("M2", "S02", MINE), ("O1", "S01", OTHER), ("N", None, None)]
    for identity, site, operator in stations:
        await registry.put_station(StationForm(identity, site, operator), NOW)


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (WHOLE, ["M1", "M2", "N", "O1"]),
        (Scope(MINE), ["M1", "M2"]),
        (Scope(OTHER), ["O1"]),
        (Scope(MINE, frozenset({"S01"})), ["M1"]),
        (Scope(MINE, frozenset({"S01", "S02"})), ["M1", "M2"]),
        (Scope(MINE, frozenset()), []),
        (Scope(None, frozenset({"S01"})), []),
        (Scope("000000000"), []),
    ],
)
async def test_rows_in_sight(database: Database, scope: Scope, seen: list[str]) -> None:
    """Of the operator, and at the sites where there are any named. Sites of nobody are none."""
    await fill(database)
    s = charging_stations.c
    query = select(s.identity).where(*within(scope, s.operator_id, s.site_id)).order_by(s.identity)

    assert [row.identity for row in await database.read(query)] == seen


async def test_how_a_scope_is_kept(database: Database) -> None:
    """Only with an operator and sites that there are."""
    await fill(database)

    async def kept(scope: Scope) -> dict[str, Any]:
        return await database.browse(lambda connection: columns_of(scope, connection))

    assert await kept(WHOLE) == {"operator_id": None, "sites": None}
    row = await kept(Scope(MINE, frozenset({"S02", "S01"})))
    assert (row["sites"], sites_of(row["sites"])) == ('["S01","S02"]', frozenset({"S01", "S02"}))
    assert sites_of(None) is None
    for unknown in (Scope("000000000"), Scope(OTHER, frozenset({"S02"}))):
        with pytest.raises(NotFound):
            await kept(unknown)
    with pytest.raises(InvalidInput):
        await kept(Scope(None, frozenset({"S01"})))
