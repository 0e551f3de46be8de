"""Sites by the names that cities know, entered or made of their codes."""

from csms.domain.city_names import station_id
from csms.domain.inventory import SiteRecord
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm
from csms.store.site_names import SiteNames
from csms.store.tables import sites
from tests.store.given import OPERATOR, T0, stations

LONG = "A-SITE-WITH-A-CODE-THAT-IS-TOO-LONG"


async def test_sites_by_name(database: Database) -> None:
    """In the order asked for, without those nobody has; another operator's are not this one's."""
    await stations(database, site="S01")
    registry = Registry(database)
    await registry.put_site(SiteForm(LONG, OPERATOR, "Long", 39.9, 116.4))
    await registry.put_operator(OperatorForm("987654321", "Other", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S09", "987654321", "Theirs", 39.9, 116.4))
    result = await AssetStore(database).put([SiteRecord(OPERATOR, "S03", "0001", "Third")], T0)
    assert result.problems == []
    names = SiteNames(database)

    found = await names.numbers(OPERATOR, ["0001", "S03", station_id(LONG), "S09", "S01"])

    assert found == [await number(database, code) for code in ("S03", LONG, "S01")]
    assert await names.numbers(OPERATOR, []) == []


async def number(database: Database, code: str) -> int:
    """The site's own number."""
    (row,) = await database.read(sites.select().where(sites.c.code == code))
    return int(row.site_id)
