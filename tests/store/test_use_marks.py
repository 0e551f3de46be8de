"""What is told late sets days back; every row is looked at once, on both databases."""

from datetime import datetime

from sqlalchemy import select

from csms.domain.assets import ConnectorStatus as S
from csms.store.database import Database
from csms.store.times import instant
from csms.store.uptime_tables import use_progress
from csms.store.use_marks import UseMarks
from tests.store.connector_history import link, state, tell
from tests.store.test_use_days import DAY, HOUR, MIDNIGHT, registered


async def done_until(database: Database) -> datetime:
    """Up to when the only station's days are computed."""
    (row,) = await database.read(select(use_progress))
    return instant(row.done_until)


async def test_rows_of_a_moment_ago_are_looked_at_later(database: Database) -> None:
    """A commit may still bring a lower number."""
    (station,) = await registered(database)
    now = MIDNIGHT + 5 * HOUR
    await tell(database, station, [state(station, now - 4 * HOUR, S.AVAILABLE, arrived=now)])
    marks = UseMarks(database)
    assert await marks.note_late(now) == 1  # the station itself

    assert await marks.note_late(now + HOUR / 60) == 0
    assert await marks.note_late(now + HOUR / 20) == 1
    assert await marks.note_late(now + HOUR) == 0


async def test_the_earliest_of_what_is_told_counts(database: Database) -> None:
    """By the station's clock, or by the arrival where that is earlier; other events say nothing of states."""
    (station,) = await registered(database)
    marks, now = UseMarks(database), MIDNIGHT + 5 * DAY
    await marks.note_late(now)
    registered_at = await done_until(database)

    await tell(database, station, [state(station, MIDNIGHT + 3 * DAY, S.AVAILABLE)])
    await marks.note_late(now)
    assert await done_until(database) == registered_at

    await tell(database, station, [link(station, MIDNIGHT - 4 * DAY, "booted")])
    await marks.note_late(now)
    assert await done_until(database) == registered_at

    await tell(database, station, [state(station, MIDNIGHT - HOUR, S.FAULTED, arrived=now - HOUR)])
    await tell(database, station, [link(station, MIDNIGHT - 2 * HOUR, "disconnected")])
    await marks.note_late(now)
    assert await done_until(database) == MIDNIGHT - 2 * HOUR

    await tell(database, station, [state(station, now, S.AVAILABLE, arrived=MIDNIGHT - 3 * HOUR)])
    await marks.note_late(now)
    assert await done_until(database) == MIDNIGHT - 3 * HOUR
