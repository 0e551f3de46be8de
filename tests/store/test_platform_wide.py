"""Operators, districts and cities are the sum of their sites, and of those in scope only."""

from csms.store.database import Database
from csms.store.platform_figures import Energy, Key, Peak
from csms.store.platform_subjects import Scope
from csms.store.platform_totals import city_name
from csms.store.platform_wide import Wide, wide_energy, wide_peaks, wide_uses
from csms.store.times import micros
from tests.store.given import OPERATOR
from tests.store.test_platform_totals import DAY, MIDNIGHT, OTHER, lived

SINCE, UNTIL = micros(MIDNIGHT), micros(MIDNIGHT + 2 * DAY)
SECOND = micros(MIDNIGHT + DAY)
ZONE = "Asia/Shanghai"


async def test_cities_and_districts(database: Database) -> None:
    """Energy, time and peaks by area code; the peak of a city is the sum of its sites' peaks."""
    await lived(database)
    district = Wide(Scope("district"), "day", SINCE, UNTIL)
    city = district._replace(scope=Scope("city"))

    energy = await database.browse(lambda c: wide_energy(district, tuple, c)())
    of_city = await database.browse(lambda c: wide_energy(city, city_name, c)())
    uses = await database.browse(lambda c: wide_uses(city, city_name, c)())
    peaks = await database.browse(lambda c: wide_peaks(city, city_name, c))

    assert energy[Key(("110105", ZONE), SINCE)] == Energy(30_000, 1, 10_800)
    assert energy[Key(("110108", ZONE), SECOND)] == Energy(12_000, 1, 3600)
    assert of_city[Key(("110000", ZONE), SECOND)] == Energy(12_000, 1, 3600)
    assert sum(uses[Key(("110000", ZONE), SINCE)].lengths) == 2 * (SECOND - SINCE)
    assert peaks == {("110000", ZONE): Peak(22_000, False)}


async def test_only_operators_in_scope(database: Database) -> None:
    """Another's figures are in no sum."""
    made = await lived(database)
    mine, other = (Wide(Scope("operator", (code,)), "day", SINCE, UNTIL) for code in (OPERATOR, OTHER))

    uses = await database.browse(lambda c: wide_uses(mine, tuple, c)())
    assert {key.numbers for key in uses} == {(made["A1"].operator_id,)}
    assert await database.browse(lambda c: wide_uses(other, tuple, c)()) == {}
    assert await database.browse(lambda c: wide_peaks(other, tuple, c)) == {}
    assert (
        await database.browse(
            lambda c: wide_energy(other._replace(scope=Scope("city", (OTHER,))), city_name, c)()
        )
        == {}
    )
