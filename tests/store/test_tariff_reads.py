"""Tariffs from their rows, and the stamp by which a book is known to be the newest."""

import asyncio
from datetime import timedelta
from decimal import Decimal

from csms.domain.tariff import Season, Tariff, TimeFee
from csms.domain.tariff_book import Where
from csms.store import tariff_reads
from csms.store.database import Database
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from tests.domain.prices import BEIJING, band
from tests.store.given import OPERATOR, T0, stations

DAY = timedelta(days=1)
FULL = Tariff(
    BEIJING.bands,
    (*BEIJING.seasons, Season("winter", (12, 1), (2, 29), (band(0), band(1439)))),
    TimeFee(Decimal("0.1234"), 15, Decimal(50)),
    TimeFee(Decimal(1)),
)


async def test_a_tariff_is_stored_as_it_is(database: Database) -> None:
    """Every price, season and fee; valid from and until; where it was assigned."""
    (station,) = await stations(database)
    store = TariffStore(database)
    assert await database.look(tariff_reads.stamp) is None
    await store.add(OPERATOR, "T1", "Tariff", VersionForm(FULL, T0, T0 + DAY), T0)
    places = (PlaceForm(), PlaceForm("S01"), PlaceForm(None, "CS-0001", 2, 1))
    for day, place in enumerate(places):
        await store.assign("T1", None, place, T0 + day * DAY / 4, T0)

    book = await database.look(tariff_reads.book)

    here = Where(station.operator_id, station.site_id, station.station_id, 2, 1)
    applied = [book.applies(here, T0 + n * DAY / 4) for n in range(-1, 5)]
    levels = [None if one is None else one.assignment.place[0].value for one in applied]
    assert levels == [None, "operator", "site", "connector", "connector", None]
    assert applied[1] is not None
    version = applied[1].version
    assert (version.code, version.number, version.tariff) == ("T1", 1, FULL)
    assert (version.valid_from, version.valid_until) == (T0, T0 + DAY)


async def test_an_assignment_is_its_operators(database: Database) -> None:
    """Of a site or a connector it is not told by the place alone."""
    (station,) = await stations(database)
    store = TariffStore(database)
    await store.add(OPERATOR, "T1", "Tariff", VersionForm(BEIJING, T0), T0)
    for place in (PlaceForm("S01"), PlaceForm(None, "CS-0001", 2, 1)):
        await store.assign("T1", None, place, T0, T0)

    book = await database.look(tariff_reads.book)

    here = Where(station.operator_id, station.site_id, station.station_id, 2, 1)
    assert book.applies(here, T0) is not None
    assert book.applies(here._replace(operator_id=99), T0) is None


async def test_every_write_has_another_stamp(database: Database) -> None:
    """Also when several write at once."""
    await stations(database)
    store = TariffStore(database)
    await store.add(OPERATOR, "T1", "Tariff", VersionForm(BEIJING, T0), T0)
    before = await database.look(tariff_reads.stamp)

    await asyncio.gather(*(store.assign("T1", None, PlaceForm(), T0, T0) for _ in range(5)))
    numbers = await asyncio.gather(
        *(store.add_version("T1", None, VersionForm(BEIJING, T0 + n * DAY), T0) for n in range(1, 6))
    )

    assert before is not None
    assert await database.look(tariff_reads.stamp) == before + 10
    assert sorted(numbers) == [2, 3, 4, 5, 6]
