"""What a platform may know of: connectors that exist, sites that are told, nothing that has retired."""

from __future__ import annotations

from dataclasses import replace

import pytest

from csms.domain.assets import ConnectorStatus
from csms.domain.inventory import ConnectorKind, ConnectorRecord
from csms.reporting.tcec.server.catalogue import Catalogue
from csms.reporting.tcec.server.inbound import Inbound
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.live_states import LiveStates
from csms.store.registry import OperatorForm, Registry
from csms.store.site_names import SiteNames
from tests.reporting.tcec.server.kit import inbound_of
from tests.reporting.tcec.server.places import charger, enter, operator, site
from tests.reporting.tcec.server.world import a_world, online
from tests.store.given import HOUR, T0


def a_catalogue(database: Database) -> Catalogue:
    """By a clock that stands."""
    return Catalogue(AssetStore(database), SiteNames(database), LiveStates(database), lambda: T0 + 9 * HOUR)


@pytest.fixture
def platform() -> Inbound:
    """One that is told of everything."""
    return inbound_of()


async def test_a_connector_by_its_name(database: Database, platform: Inbound) -> None:
    """Heard of or entered, under the name that was entered for it; a name of the right form is not enough."""
    (station,) = await online(database)
    catalogue = a_catalogue(database)
    *_, entered = charger("CS-0001", plugs=2)
    assert isinstance(entered, ConnectorRecord)
    plug = replace(entered, connector_id="PLUG-B")
    await enter(database, [operator(), site(), charger("CS-0001")[0], plug])
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)

    heard = await catalogue.outlet(platform, "CS-00010101")
    named = await catalogue.outlet(platform, "PLUG-B")
    others = [await catalogue.outlet(platform, name) for name in ("CS-00010201", "CS-00010301", "", "x" * 64)]

    assert heard is not None
    assert (heard.identity, heard.evse, heard.status, heard.is_online) == (
        "CS-0001", 1, ConnectorStatus.PREPARING, True,
    )  # fmt: skip
    assert named is not None
    assert (named.evse, named.status) == (2, ConnectorStatus.UNKNOWN)
    assert others == [None] * 4
    assert await catalogue.kind(platform, "PLUG-B") is ConnectorKind.DC_PLUG
    assert await catalogue.kind(platform, "CS-00010101") is None


async def test_only_some_sites(database: Database, platform: Inbound) -> None:
    """Those of the settings: no other site, and no connector at another, exists."""
    (station,) = await online(database)
    await enter(database, [operator(), site(), site("S02")])
    catalogue = a_catalogue(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
    other = replace(platform, only=("S02",))

    assert len(await catalogue.changed(platform, None)) == 2
    assert len(await catalogue.changed(other, None)) == 1
    assert [one.site.site for one in await catalogue.named(other, ["S01", "S02"])] == ["S02"]
    assert await catalogue.outlet(platform, "CS-00010101") is not None
    assert await catalogue.outlet(other, "CS-00010101") is None


async def test_what_has_retired(database: Database, platform: Inbound) -> None:
    """Sites and equipment that are gone are not told."""
    gone = T0 + HOUR
    charger_one, *plugs = charger("CS-0001")
    await online(database)
    records = [operator(), site(), site("S02", joined_at=T0, retired_at=gone), charger_one, *plugs]
    await enter(database, records)
    catalogue = a_catalogue(database)

    assert [one.site.site for one in await catalogue.named(platform, ["S01", "S02"])] == ["S01"]


async def test_another_operator(database: Database, platform: Inbound) -> None:
    """Its sites and the operator itself are its own."""
    await online(database)
    await Registry(database).put_operator(OperatorForm("555555555", "Other", "Asia/Shanghai"))
    catalogue = a_catalogue(database)
    other = replace(platform, operator="555555555")

    assert await catalogue.changed(other, None) == []
    assert await catalogue.named(other, ["S01"]) == []
    found = await catalogue.operator(other)
    assert found is not None
    assert found.operator == "555555555"
    assert await catalogue.operator(replace(platform, operator="000000000")) is None
