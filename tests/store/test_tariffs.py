"""Tariffs as they are made, given versions, and assigned, on both databases."""

from datetime import timedelta

import pytest

from csms.domain.inventory import SiteRecord
from csms.domain.tariff import Tariff
from csms.errors import Conflict, InvalidInput, NotFound
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from tests.domain.prices import BEIJING, SHANGHAI, band
from tests.store.given import OPERATOR, T0, count, stations

DAY = timedelta(days=1)
OTHER = "987654321"
FORM = VersionForm(BEIJING, T0)


@pytest.fixture
async def store(database: Database) -> TariffStore:
    """Two operators with a site S01 each, the first with a tariff T1."""
    await stations(database)
    registry = Registry(database)
    await registry.put_operator(OperatorForm(OTHER, "Other", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S01", OTHER, "Site"))
    await registry.put_station(StationForm("CS-9", "S01", operator=OTHER), T0)
    made = TariffStore(database)
    await made.add(OPERATOR, "T1", "Tariff", FORM, T0)
    return made


async def test_a_tariff_is_made_once(store: TariffStore) -> None:
    """Each operator has its own codes."""
    with pytest.raises(Conflict, match="tariff T1"):
        await store.add(OPERATOR, "T1", "Again", FORM, T0)
    with pytest.raises(NotFound, match="operator 000000000"):
        await store.add("000000000", "T1", "Nobody's", FORM, T0)
    await store.add(OTHER, "T1", "Other's", FORM, T0)

    assert [(row["operator"], row["code"]) for row in await store.find()] == [
        (OPERATOR, "T1"),
        (OTHER, "T1"),
    ]
    assert [row["name"] for row in await store.find(OTHER)] == ["Other's"]
    with pytest.raises(InvalidInput, match="operator: 2 operators have a tariff T1"):
        await store.one("T1")
    assert (await store.one("T1", OTHER))["name"] == "Other's"


async def test_a_version_is_added_and_none_is_changed(store: TariffStore, database: Database) -> None:
    """What says the same as the latest is no other."""
    other = VersionForm(Tariff((band(0),)), T0 + DAY, T0 + 2 * DAY)
    assert [await store.add_version("T1", None, form, T0) for form in (FORM, other, other, FORM)] == [
        1,
        2,
        2,
        3,
    ]
    shown = await store.one("T1", OPERATOR)
    assert [(one["number"], one["tariff"]) for one in shown["versions"]] == [
        (1, BEIJING),
        (2, other.tariff),
        (3, BEIJING),
    ]
    assert (await store.find(OPERATOR))[0]["version"] == 3
    with pytest.raises(NotFound, match="tariff T1"):
        await store.add_version("T1", OTHER, FORM, T0)
    with pytest.raises(InvalidInput, match="valid_until"):
        VersionForm(BEIJING, T0, T0)
    assert await count(database, "tariff_versions") == 3


async def test_a_tariff_is_for_its_operators_places(store: TariffStore) -> None:
    """Another's site of the same code is not meant; another's station is nowhere."""
    await store.assign("T1", OPERATOR, PlaceForm("S01"), T0, T0)
    await store.assign("T1", OPERATOR, PlaceForm(None, "CS-0001", 1, 2), T0, T0)
    await store.assign("T1", OPERATOR, PlaceForm(), T0 + DAY, T0)

    shown = (await store.one("T1"))["assignments"]
    assert [(one["level"], one["site"], one["charging_station"], one["connector"]) for one in shown] == [
        ("site", "S01", None, None),
        ("connector", None, "CS-0001", 2),
        ("operator", None, None, None),
    ]
    for place, what in (
        (PlaceForm("S77"), "site S77"),
        (PlaceForm(None, "CS-9", 1, 1), "charging station CS-9"),
        (PlaceForm(None, "CS-77", 1, 1), "charging station CS-77"),
    ):
        with pytest.raises(NotFound, match=what):
            await store.assign("T1", None, place, T0, T0)


async def test_what_applies_where(store: TariffStore) -> None:
    """The closest; nothing where nothing is assigned; a site that two have needs its operator."""
    await store.assign("T1", OPERATOR, PlaceForm("S01"), T0, T0)

    at_connector = await store.applies(None, PlaceForm(None, "CS-0001"), T0)
    assert at_connector is not None
    assert (at_connector.version.code, at_connector.assignment.place[0].value) == ("T1", "site")
    assert await store.applies(OPERATOR, PlaceForm("S01"), T0) is not None
    assert await store.applies(OPERATOR, PlaceForm("S01"), T0 - DAY) is None
    assert await store.applies(OTHER, PlaceForm("S01"), T0) is None
    assert await store.applies(OPERATOR, PlaceForm(), T0) is None
    with pytest.raises(InvalidInput, match="operator: 2 operators have a site S01"):
        await store.applies(None, PlaceForm("S01"), T0)
    with pytest.raises(NotFound, match="CS-0001"):
        await store.applies(OTHER, PlaceForm(None, "CS-0001"), T0)
    with pytest.raises(NotFound, match="operator 000000000"):
        await store.applies("000000000", PlaceForm(), T0)


async def test_a_session_is_marked_due(store: TariffStore, database: Database) -> None:
    """Once, however often it is asked for; it has no cost before it is settled."""
    await store.mark_due(1, T0)
    await store.mark_due(1, T0)

    assert await count(database, "session_due") == 1
    assert await store.costs(1) == []


async def test_who_is_told_of_sites_is_told_of_prices(store: TariffStore, database: Database) -> None:
    """A price from today on stands at the site, and the site has changed; another operator's has not."""
    assets = AssetStore(database)
    await assets.put([SiteRecord(OPERATOR, "S01", "S01"), SiteRecord(OTHER, "S01", "S01")], T0)
    days = [T0 + n * DAY for n in range(1, 4)]

    await store.assign("T1", OPERATOR, PlaceForm(site="S01"), T0 + 5 * DAY, days[0])
    changed = [await assets.changed_sites(OPERATOR, day) for day in days[:2]]
    await store.assign("T1", OPERATOR, PlaceForm(), T0, days[1])
    changed.append(await assets.changed_sites(OPERATOR, days[1]))
    await store.add_version("T1", OPERATOR, VersionForm(Tariff((band(0),)), T0 + 2 * DAY), days[2])
    changed.append(await assets.changed_sites(OPERATOR, days[2]))
    await store.assign("T1", OPERATOR, PlaceForm(station="CS-0001", evse=1, connector=1), T0, T0 + 9 * DAY)
    changed.append(await assets.changed_sites(OPERATOR, T0 + 9 * DAY))
    (site,) = await assets.sites(await assets.changed_sites(OPERATOR), days[2])

    assert [len(some) for some in changed] == [1, 0, 1, 1, 0]
    assert await assets.changed_sites(OTHER, days[0]) == []
    assert [(one.first, one.last, one.bands) for one in site.prices] == [
        (days[2].astimezone(SHANGHAI).date(), None, (band(0),))
    ]
