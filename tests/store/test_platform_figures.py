"""Figures by exact keys, and how they are added."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from csms.store.database import Database
from csms.store.platform_figures import Energy, Key, Peak, PlatformFigures, Use, add_use
from csms.store.platform_subjects import Scope
from csms.store.registry import Registry, StationForm
from csms.store.reports import ReportStore
from csms.store.times import micros
from tests.store.given import OPERATOR
from tests.store.test_platform_totals import DAY, HOUR, MIDNIGHT, OTHER, charged, lived

LENGTHS = (1, 2, 3, 4, 5, 6, 7)


def test_uses_add_up() -> None:
    """A rated energy that is unknown stays unknown; the later end counts."""
    use = Use(LENGTHS, 10, 100, 3, 1, 50)

    assert use.plus(use) == Use(tuple(2 * n for n in LENGTHS), 20, 200, 6, 2, 50)
    assert use.plus(use._replace(capacity_wh=None, until=60)).capacity_wh is None
    assert use.plus(use._replace(until=60)).until == 60
    found = {Key((1,), 0): use}
    add_use(found, Key((1,), 0), use)
    add_use(found, Key((2,), 0), use)
    assert [one.records for one in found.values()] == [6, 3]
    assert Use.of([*LENGTHS, None, 100, 3, 1], 50) == use._replace(capacity_wh=None)


async def test_only_what_is_asked_for(database: Database) -> None:
    """Of each level, by number and start."""
    made = await lived(database)
    figures, one = PlatformFigures(database.dialect_of), made["A1"]
    day, hour = micros(MIDNIGHT), micros(MIDNIGHT + 3 * HOUR)
    place = (one.station_id, 1, 1)

    def read(c: Any) -> list[Any]:
        return [
            figures.energy(Scope("connector"), "day", [Key(place, day)], c)(),
            figures.energy(Scope("equipment"), "hour", [Key(place[:1], hour)], c)(),
            figures.energy(Scope("operator"), "month", [Key((one.operator_id,), day)], c)(),
            figures.peaks("hour", [Key((one.site_id,), hour)], c)(),
            figures.peaks("hour", [Key((one.site_id,), day)], c)(),
        ]

    assert await database.browse(read) == [
        {Key(place, day): Energy(30_000, 1, 10_800)},
        {Key(place[:1], hour): Energy(10_000, 0, 3600)},
        {},  # no month begins on the fifth
        {Key((one.site_id,), hour): Peak(10_000, False)},
        {},
    ]


async def test_hours_are_whose_the_sessions_were(database: Database) -> None:
    """A station that came from another operator does not show what it gave out there."""
    made = await lived(database)
    figures, one = PlatformFigures(database.dialect_of), made["A1"]
    key = Key((one.station_id, 1, 1), micros(MIDNIGHT + 3 * HOUR))

    def read(c: Any) -> list[Any]:
        scopes = [Scope("connector", operators) for operators in (None, (one.operator_code,), ("NOBODY000",))]
        return [figures.energy(scope, "hour", [key], c)() for scope in scopes]

    everyones, own, others = await database.browse(read)
    assert everyones == own == {key: Energy(10_000, 0, 3600)}
    assert others == {}


async def test_a_station_is_the_sum_of_its_connectors(database: Database) -> None:
    """And a site of its stations."""
    made = await lived(database)
    figures, one = PlatformFigures(database.dialect_of), made["A1"]
    start = micros(MIDNIGHT)

    def read(connection: Any) -> list[Use]:
        return [
            found
            for of, number in (("equipment", one.station_id), ("site", one.site_id))
            for found in figures.uses(Scope(of), "day", [Key((number,), start)], connection)().values()
        ]

    station, site = await database.browse(read)
    assert station == site
    assert sum(station.lengths) == DAY.total_seconds() * 1_000_000


async def test_a_station_that_came_from_another(database: Database) -> None:
    """Days and months are those of the sessions that were its operator's; who sees all sees all of it."""
    made = await lived(database)
    figures, one = PlatformFigures(database.dialect_of), made["A1"]
    form = StationForm("CS-A1", "B1", max_power_w=60_000)
    await Registry(database).put_station(form, MIDNIGHT + 12 * HOUR)
    moved = await Registry(database).station("CS-A1")
    assert moved is not None
    await charged(database, moved, 9, MIDNIGHT + 13 * HOUR, HOUR, 5_000)
    await charged(database, moved, 10, MIDNIGHT + 25 * HOUR, HOUR, 7_000)
    while await ReportStore(database).recompute(MIDNIGHT + 3 * DAY, grace=HOUR):
        pass
    station, plug = (one.station_id,), (one.station_id, 1, 1)
    month = micros(datetime(2025, 12, 31, 16, tzinfo=UTC))
    asked = [
        ("day", "equipment", [Key(station, micros(MIDNIGHT)), Key(station, micros(MIDNIGHT + DAY))]),
        ("day", "connector", [Key(plug, micros(MIDNIGHT))]),
        ("month", "equipment", [Key(station, month)]),
    ]

    def read(operators: Any, c: Any) -> list[list[int]]:
        found = [figures.energy(Scope(of, operators), unit, keys, c)() for unit, of, keys in asked]
        return [
            [each.get(key, Energy()).energy_wh for key in keys]
            for each, (_, _, keys) in zip(found, asked, strict=True)
        ]

    whole, own, former = [
        await database.browse(partial(read, operators)) for operators in (None, (OTHER,), (OPERATOR,))
    ]
    assert whole == [[35_000, 7_000], [35_000], [42_000]]
    assert own == [[5_000, 7_000], [5_000], [12_000]]
    assert former == [[30_000, 0], [30_000], [30_000]]
