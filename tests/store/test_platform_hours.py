"""Hours read from histories: bounded, up to now, the same as what days say."""

from datetime import timedelta
from typing import NamedTuple

from csms.domain.timeline import Span
from csms.store import platform_hours
from csms.store.database import Database
from csms.store.platform_figures import Key
from csms.store.platform_hours import PlatformHours
from csms.store.platform_subjects import Scope, Subject
from csms.store.times import MICROSECOND, micros
from tests.store.given import OPERATOR
from tests.store.test_platform_totals import HOUR, MIDNIGHT, NOW, OTHER, lived


class Asked(NamedTuple):
    """A line of a page."""

    subject: Subject
    span: Span


def asked(numbers: tuple[int, ...], first: int, last: int) -> list[Asked]:
    """Hours of one subject, counted from midnight."""
    subject = Subject(("x", "", 0, 0), "x", None, "Asia/Shanghai", numbers)
    return [Asked(subject, Span(MIDNIGHT + n * HOUR, MIDNIGHT + (n + 1) * HOUR)) for n in range(first, last)]


async def test_hours_add_up_to_the_day(database: Database) -> None:
    """In chunks of one station too."""
    made = await lived(database)
    hours, number = PlatformHours(database), made["A1"].operator_id
    assert number is not None
    chunk, platform_hours.CHUNK = platform_hours.CHUNK, 1
    try:
        found = await hours.uses(Scope("operator"), asked((number,), 0, 24), NOW)
    finally:
        platform_hours.CHUNK = chunk

    assert len(found) == 24
    charging, _, free, _, offline, fault, _ = (
        sum((use.lengths[n] for use in found.values()), 0) * MICROSECOND / HOUR for n in range(7)
    )
    assert (charging, free, offline, fault) == (2, 28, 6, 12)
    assert sum(use.records for use in found.values()) == 8  # five of one station, three of the other


async def test_up_to_now_and_nothing_before_service(database: Database) -> None:
    """The hour that runs is as long as it has run."""
    made = await lived(database)
    hours, station = PlatformHours(database), made["A1"].station_id
    found = await hours.uses(Scope("connector"), asked((station, 1, 1), 47, 49), NOW)
    last = found[Key((station, 1, 1), micros(MIDNIGHT + 48 * HOUR))]

    assert sum(last.lengths) * MICROSECOND == timedelta(minutes=15)
    assert last.until == micros(NOW)
    assert await hours.uses(Scope("connector"), asked((station, 1, 1), -5, -2), NOW) == {}
    assert await hours.uses(Scope("connector"), [], NOW) == {}


async def test_stations_in_scope_are_counted(database: Database) -> None:
    """Those that stand at a site."""
    await lived(database)

    async def count(*operators: str) -> int:
        scope = Scope("city", operators or None)
        return await database.browse(lambda c: PlatformHours.count_stations(scope, c))

    assert [await count(), await count(OPERATOR), await count(OTHER)] == [3, 2, 1]
