"""Assets put, listed, resolved and dated, on both databases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus
from csms.domain.inventory import (
    AssetRecord,
    ChargerClass,
    ConnectorKind,
    ConnectorRecord,
    EquipmentKind,
    EquipmentRecord,
    OperatorRecord,
    SiteKind,
    SiteRecord,
)
from csms.domain.placing import Place, Spell
from csms.errors import InvalidInput, NotFound
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.device_tables import connectors
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm

NOW = datetime(2018, 6, 1, 12, tzinfo=UTC)
JOINED = datetime(2016, 3, 1, tzinfo=UTC)
A, B = "MA1JXN9C2", "MA2KYP7D5"
DAY = timedelta(days=1)


def operator(code: str = A) -> OperatorRecord:
    """An operator with some attributes."""
    return OperatorRecord(code, f"Operator {code}", tel="010-65550000", joined_at=JOINED)


def site(code: str = "S1", whose: str = A, **over: Any) -> SiteRecord:
    """A public site."""
    made = SiteRecord(whose, code, code, f"Site {code}", kind=SiteKind.PUBLIC, area_code="110105")
    return replace(made, latitude=39.9, longitude=116.4, joined_at=JOINED, **over)


def charger(name: str = "E1", where: str = "S1", whose: str = A, **over: Any) -> EquipmentRecord:
    """A DC charger."""
    made = EquipmentRecord(whose, where, name, kind=EquipmentKind.DC, power_w=60_000, joined_at=JOINED)
    return replace(made, **({"charger_class": ChargerClass.SOCIAL_PUBLIC} | over))


def plug(name: str = "E1-1", of: str = "E1", whose: str = A, **over: Any) -> ConnectorRecord:
    """A DC plug."""
    return replace(ConnectorRecord(whose, of, name, kind=ConnectorKind.DC_PLUG, voltage_upper_v=750), **over)


@pytest.fixture
def assets(database: Database) -> AssetStore:
    """The store under test."""
    return AssetStore(database)


async def put(assets: AssetStore, *records: AssetRecord, now: datetime = NOW, **how: Any) -> Any:
    """Store records and expect no problem."""
    done = await assets.put(records, now, **how)
    assert done.problems == []
    return done


async def registered(database: Database, *identities: str, at: str = "S1") -> Registry:
    """Charging stations at a site of the first operator."""
    registry = Registry(database)
    await registry.put_operator(OperatorForm(A, "A", "Asia/Shanghai"))
    await registry.put_site(SiteForm(at, A, "Site"), NOW)
    for identity in identities:
        await registry.put_station(StationForm(identity, at, A, max_power_w=60_000), NOW)
    return registry


async def heard(database: Database, registry: Registry, identity: str, *places: tuple[int, int]) -> None:
    """Connectors a station told of."""
    station = await registry.station(identity)
    assert station is not None
    for evse, connector in places:
        row = {
            "station_id": station.station_id, "evse": evse, "connector": connector,
            "status": ConnectorStatus.AVAILABLE.value, "error_code": "", "info": "", "vendor_error": "",
            "since": 1, "received_at": 1,
        }  # fmt: skip
        await database.execute(connectors.insert(), row)


async def test_everything_is_read_as_it_was_put(assets: AssetStore) -> None:
    """All four levels at once, in any order; dates are filled in."""
    done = await put(assets, plug(), charger(), site(), operator())

    assert done.tally == {
        level: {"added": 1, "changed": 0, "unchanged": 0}
        for level in ("operators", "sites", "equipment", "connectors")
    }
    whole = await assets.site(A, "S1")
    assert whole is not None
    assert whole.record == site(modified_at=NOW)
    assert whole.changed_at == NOW
    ((equipment, plugs),) = whole.equipment
    assert equipment == charger(placed_at=JOINED, modified_at=NOW)
    assert plugs == (plug(joined_at=NOW, modified_at=NOW),)
    assert await assets.record(OperatorRecord, (A,)) == replace(operator(), modified_at=NOW)


async def test_repeating_changes_nothing(assets: AssetStore) -> None:
    """What is equal keeps its time of modification, and so does its site."""
    records = [operator(), site(), charger(), plug()]
    await put(assets, *records)

    again = await put(assets, *records, now=NOW + DAY)
    changed = await put(assets, replace(plug(), current_a=250), now=NOW + 2 * DAY)

    assert all(counts == {"added": 0, "changed": 0, "unchanged": 1} for counts in again.tally.values())
    assert changed.tally == {"connectors": {"added": 0, "changed": 1, "unchanged": 0}}
    assert await assets.changed_sites(A, NOW + DAY) == await assets.changed_sites(A)
    assert await assets.changed_sites(A, NOW + 3 * DAY) == []
    assert await assets.changed_sites(B) == []


async def test_a_dry_run_and_a_problem_write_nothing(assets: AssetStore) -> None:
    """All or nothing."""
    dry = await assets.put([operator(), site()], NOW, dry_run=True)
    bad = await assets.put([operator(), site(), charger(where="S9"), plug(of="E9")], NOW)

    assert dry.tally["sites"]["added"] == 1
    assert [(p.index, p.field) for p in bad.problems] == [(2, "site"), (3, "equipment_id")]
    assert (await assets.page(OperatorRecord)).items == []


@pytest.mark.parametrize(
    ("records", "problems"),
    [
        ([site()], [(0, "operator", "no operator")]),
        ([operator(), operator()], [(1, "", "stands twice; first as record 1")]),
        ([operator(), site(), site("S2", station_id="S1")], [(2, "station_id", "site S1 is known")]),
        ([operator(), site(), charger(identity="NOBODY")], [(2, "identity", "no charging station")]),
        (
            [operator(), site(), charger(joined_at=JOINED - DAY)],
            [(2, "joined_at", "its site joined later")],
        ),
        ([operator(), site(retired_at=JOINED)], [(1, "joined_at", "before it begins")]),
        ([operator(), site(), charger(placed_at=NOW + DAY)], [(2, "placed_at", "future")]),
        ([operator(), site(area_code="x"), charger()], [(1, "area_code", "GB/T"), (2, "site", "no site")]),
    ],
)
async def test_every_problem_is_told(
    assets: AssetStore, records: Sequence[AssetRecord], problems: list[tuple[int, str, str]]
) -> None:
    """By record and field."""
    done = await assets.put(records, NOW)

    assert [(p.index, p.field) for p in done.problems] == [(n, name) for n, name, _ in problems]
    assert all(told in p.text for p, (_, _, told) in zip(done.problems, problems, strict=True))


async def test_other_operators_do_not_exist_for_a_limited_caller(assets: AssetStore) -> None:
    """The problem does not tell whether the operator is there."""
    await put(assets, operator(B))

    done = await assets.put([site(whose=B), operator(B), operator(A)], NOW, own=A)

    assert [(p.index, p.text) for p in done.problems] == [
        (0, f"there is no operator {B}"),
        (1, f"there is no operator {B}"),
    ]


async def test_moving_to_another_site_keeps_the_past(assets: AssetStore) -> None:
    """The spells say where it was when; both sites changed."""
    await put(assets, operator(), site(), site("S2"), charger(), plug())
    moved = JOINED + 100 * DAY

    await put(assets, charger(where="S2", placed_at=moved), now=NOW + DAY)

    public = ChargerClass.SOCIAL_PUBLIC.value
    assert await assets.history(EquipmentRecord, (A, "E1")) == (
        Spell(JOINED, moved, Place(A, "S1", public)),
        Spell(moved, None, Place(A, "S2", public)),
    )
    assert len(await assets.changed_sites(A, NOW + DAY)) == 2
    first, second = await assets.sites(await assets.changed_sites(A))
    assert (len(first.equipment), len(second.equipment)) == (0, 1)


async def test_moving_to_another_operator_takes_the_charging_station_along(
    assets: AssetStore, database: Database
) -> None:
    """Same identity, same name: one equipment; the registry has it at the new site."""
    registry = await registered(database, "CS-1")
    await put(assets, operator(B), site("T1", B), charger(identity="CS-1"), plug(whose=A))

    done = await put(assets, charger(where="T1", whose=B, identity="CS-1"))

    station = await registry.station("CS-1")
    assert station is not None
    assert (station.operator_code, station.site_code) == (B, "T1")
    assert done.moved == ["CS-1"]
    assert await assets.record(EquipmentRecord, (A, "E1")) is None
    assert (await assets.record(ConnectorRecord, (B, "E1-1"))).equipment_id == "E1"
    spells = await assets.history(EquipmentRecord, (B, "E1"))
    assert [spell.place[:2] for spell in spells or ()] == [(A, "S1"), (B, "T1")]


async def test_the_registry_moves_equipment_too(assets: AssetStore, database: Database) -> None:
    """Registering the station elsewhere is a move now; registering it again is none."""
    registry = await registered(database, "CS-1")
    await put(assets, site(), site("S2"), charger(identity="CS-1"))

    for _ in range(2):
        await registry.put_station(StationForm("CS-1", "S2", A), NOW + DAY)

    spells = await assets.history(EquipmentRecord, (A, "E1")) or ()
    assert [(s.since, s.until, s.place.site) for s in spells] == [
        (JOINED, NOW + DAY, "S1"),
        (NOW + DAY, None, "S2"),
    ]
    assert (await assets.record(EquipmentRecord, (A, "E1"))).site == "S2"


async def test_stations_nobody_entered_are_equipment_all_the_same(
    assets: AssetStore, database: Database
) -> None:
    """Existing rows keep working under the names made of their identities."""
    registry = await registered(database, "CS-1", "CHARGER-OF-THE-NORTHERN-CAR-PARK")
    await heard(database, registry, "CS-1", (0, 0), (1, 1), (2, 1))

    whole = await assets.site(A, "S1")

    assert whole is not None
    assert [each.record.equipment_id for each in whole.equipment] == ["CHARGER-OF--91F8ECD5A4", "CS-1"]
    assert [each.connector_id for each in whole.equipment[1].connectors] == ["CS-10101", "CS-10201"]
    assert whole.equipment[1].record.power_w == 60_000
    assert whole.record.kind is None
    found = await assets.named(A, "CHARGER-OF--91F8ECD5A40102")
    assert found is not None
    assert (found.identity, found.evse, found.connector) == ("CHARGER-OF-THE-NORTHERN-CAR-PARK", 1, 2)


async def test_names_lead_to_connectors_and_back(assets: AssetStore, database: Database) -> None:
    """Entered names first, those made of the identity else; nobody's names lead nowhere."""
    registry = await registered(database, "CS-1", "CS-2")
    await heard(database, registry, "CS-1", (1, 1), (2, 1))
    linked = plug("GUN-1", identity="CS-1", evse=1, connector=1)
    await put(assets, site(station_id="BJ-1"), charger(identity="CS-1"), linked)

    entered = await assets.names_of("CS-1", 1, 1)
    made = await assets.names_of("CS-1", 2, 1)

    assert entered is not None
    assert entered[:5] == (A, "S1", "BJ-1", "E1", "GUN-1")
    assert made is not None
    assert made[:5] == (A, "S1", "BJ-1", "E1", "CS-10201")
    assert await assets.named(A, "GUN-1") == entered
    assert await assets.named(A, "CS-10201") == made
    assert await assets.named(A, "CS-10101") is None
    assert await assets.named(B, "GUN-1") is None
    assert await assets.names_of("NOBODY", 1, 1) is None
    whole = await assets.site(A, "S1")
    assert whole is not None
    (first, _) = whole.equipment
    assert [each.connector_id for each in first.connectors] == ["GUN-1", "CS-10201"]


async def test_a_connector_of_ocpp_has_one_name(assets: AssetStore, database: Database) -> None:
    """Two connectors cannot be the same one of a charging station."""
    await registered(database, "CS-1")
    address = {"identity": "CS-1", "evse": 1, "connector": 1}
    await put(assets, charger(), plug(**address), now=NOW)

    done = await assets.put([plug("E1-2", **address)], NOW)

    assert [(p.field, "E1-1 already" in p.text) for p in done.problems] == [("identity", True)]


async def test_what_has_retired_is_left_out_when_asked(assets: AssetStore) -> None:
    """And stays in the history; entered again it joins again."""
    await put(assets, operator(), site(), charger(), charger("E2"))
    await put(assets, charger(retired_at=NOW - DAY))

    (now,) = await assets.sites(await assets.changed_sites(A), NOW)
    (ever,) = await assets.sites(await assets.changed_sites(A))
    await put(assets, charger(), now=NOW + DAY)

    assert [len(each.equipment) for each in (now, ever)] == [1, 2]
    spells = await assets.history(EquipmentRecord, (A, "E1")) or ()
    assert [(s.since, s.until) for s in spells] == [(JOINED, NOW - DAY), (NOW + DAY, None)]


async def test_history_can_be_put_right(assets: AssetStore) -> None:
    """In order, and ending where the asset is now."""
    await put(assets, operator(), site(), site("S2"), charger(where="S2"))
    key, public = (A, "E1"), ChargerClass.SOCIAL_PUBLIC.value
    right = (
        Spell(JOINED, JOINED + DAY, Place(A, "S1", "")),
        Spell(JOINED + 2 * DAY, None, Place(A, "S2", public)),
    )

    await assets.put_history(EquipmentRecord, key, right, NOW + DAY)

    assert await assets.history(EquipmentRecord, key) == right
    assert len(await assets.changed_sites(A, NOW + DAY)) == 1
    for wrong in (
        right[:1],
        (),
        (right[1], right[0]),
        (right[0]._replace(place=Place(A, "S9", "")), right[1]),
    ):
        with pytest.raises(InvalidInput):
            await assets.put_history(EquipmentRecord, key, wrong, NOW)
    with pytest.raises(NotFound):
        await assets.put_history(EquipmentRecord, (A, "E9"), right, NOW)


async def test_pages_go_on_where_they_ended(assets: AssetStore) -> None:
    """By operator and name; limited to one operator or site on demand."""
    names = [f"E{n}" for n in range(7)]
    await put(assets, operator(), operator(B), site(), site("T1", B))
    await put(assets, *map(charger, names), *(charger(name, "T1", B) for name in names))
    seen: list[tuple[str, str]] = []
    after = None
    while True:
        page = await assets.page(EquipmentRecord, after=after, most=3)
        seen += [(each.operator, each.equipment_id) for each in page.items]
        after = page.next
        if after is None:
            break

    assert seen == [(whose, name) for whose in (A, B) for name in names]
    assert len((await assets.page(EquipmentRecord, A)).items) == 7
    assert len((await assets.page(EquipmentRecord, site="T1")).items) == 7
    with pytest.raises(InvalidInput):
        await assets.page(EquipmentRecord, after="nonsense")


async def test_what_is_missing_of_what_a_city_requires(assets: AssetStore, database: Database) -> None:
    """Rows from before have everything to be entered; a field there is not is refused."""
    await registered(database, "CS-1")
    await put(assets, site("S2", address="Jianguo Road 1"), site("S3"))

    found = await assets.missing(SiteRecord, ["address", "area_code"])
    first = await assets.missing(SiteRecord, ["address"], most=1)
    second = await assets.missing(SiteRecord, ["address"], after=first.next, most=1)

    assert [(each.site, gaps) for each, gaps in found.items] == [
        ("S1", ("address", "area_code")),
        ("S3", ("address",)),
    ]
    assert [each.site for each, _ in (*first.items, *second.items)] == ["S1", "S3"]
    with pytest.raises(InvalidInput, match="no field adress"):
        await assets.missing(SiteRecord, ["adress"])
