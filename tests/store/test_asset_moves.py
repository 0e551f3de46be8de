"""What the registry's moves do to equipment, beyond what `test_assets` shows."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.inventory import ChargerClass, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.errors import InvalidInput
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm

A, B = "MA1JXN9C2", "MA2KYP7D5"
NOW = datetime(2018, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


async def prepared(database: Database) -> tuple[Registry, AssetStore]:
    """A station at the first operator's site, entered as equipment with a connector."""
    registry, store = Registry(database), AssetStore(database)
    for code, site in ((A, "S1"), (B, "T1")):
        await registry.put_operator(OperatorForm(code, code, "Asia/Shanghai"))
        await registry.put_site(SiteForm(site, code, site), NOW)
    await registry.put_station(StationForm("CS-1", "S1"), NOW)
    records = [
        EquipmentRecord(
            A, "S1", "E1", identity="CS-1", charger_class=ChargerClass.SOCIAL_PUBLIC, joined_at=NOW
        ),
        ConnectorRecord(A, "E1", "E1-1", identity="CS-1", evse=1, connector=1),
    ]
    assert (await store.put(records, NOW)).problems == []
    return registry, store


async def test_to_another_operator(database: Database) -> None:
    """Equipment and connectors change hands; the stays tell since when."""
    registry, store = await prepared(database)

    await registry.put_station(StationForm("CS-1", "T1"), LATER)

    spells = await store.history(EquipmentRecord, (B, "E1")) or ()
    assert [(each.place.operator, each.until) for each in spells] == [(A, LATER), (B, None)]
    assert await store.record(ConnectorRecord, (B, "E1-1")) is not None
    assert len(await store.changed_sites(A, LATER)) == len(await store.changed_sites(B, LATER)) == 1


async def test_a_name_the_other_operator_has_is_refused(database: Database) -> None:
    """Nothing moves then, in the registry neither."""
    registry, store = await prepared(database)
    assert (await store.put([EquipmentRecord(B, "T1", "E1")], NOW)).problems == []

    with pytest.raises(InvalidInput, match="E1 already"):
        await registry.put_station(StationForm("CS-1", "T1"), LATER)

    station = await registry.station("CS-1")
    assert station is not None
    assert station.site_code == "S1"


async def test_taken_off_every_site_and_retired(database: Database) -> None:
    """The equipment stays where it was; a move of what has retired is no return."""
    registry, store = await prepared(database)
    await registry.put_station(StationForm("CS-1"), LATER)
    assert (await store.record(EquipmentRecord, (A, "E1"))).site == "S1"
    record = await store.record(EquipmentRecord, (A, "E1"))
    retired = EquipmentRecord(
        A, "S1", "E1", identity="CS-1", charger_class=record.charger_class, retired_at=NOW + timedelta(days=1)
    )
    assert (await store.put([retired, OperatorRecord(A), SiteRecord(A, "S1", "S1")], LATER)).problems == []

    await registry.put_station(StationForm("CS-1", "T1"), LATER)

    spells = await store.history(EquipmentRecord, (B, "E1")) or ()
    assert [each.until for each in spells] == [NOW + timedelta(days=1)]
