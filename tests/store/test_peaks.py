"""Peak power of sites: of one moment, from readings or else from energy, on both databases."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, SessionState, evolve
from csms.domain.meter import Reading
from csms.domain.power import POWER
from csms.store.database import Database
from csms.store.peaks import Peaks
from csms.store.reports import ReportStore
from csms.store.session_codec import records_of
from csms.store.times import instant
from csms.store.uptime_tables import site_peaks
from csms.store.writer import Writer
from tests.store.given import HOUR, MINUTE, T0, a_message, a_session, count, stations, told_row, write_of

GRACE = timedelta(minutes=2)


async def charge(
    database: Database,
    station: ChargingStation,
    number: int,
    energy_wh: int,
    powers: dict[float, int],
    **over: Any,
) -> Any:
    """A session from 10:00 to 12:00 with power readings (minute: W), ended and due."""
    fields = {"state": SessionState.ENDED, "ended_at": T0 + 2 * HOUR, "last_event_at": T0 + 2 * HOUR}
    session = a_session(station, number, energy_wh=energy_wh, **(fields | over))
    change = Change(session, is_new=True, message=a_message(at=T0), hours_due=True)
    rows = [
        told_row(session.session_id, [Reading(T0 + minute * MINUTE, POWER, watts * 1000)], T0)
        for minute, watts in powers.items()
    ]
    async with Writer(database, fence=False) as writer:
        await writer.write(write_of(station, *records_of(change, station), *rows))
    return session


async def compute(database: Database, now: datetime, most: int = 100) -> int:
    """Totals first, which mark the hours, then peaks; how many hours."""
    while await ReportStore(database).recompute(now, grace=GRACE):
        pass
    peaks, done = Peaks(database), 0
    while step := await peaks.compute(now, GRACE, most):
        done += step
    return done


async def found(database: Database, period: str) -> list[tuple[str, int, int]]:
    """Start, peak and whether it was measured."""
    query = select(site_peaks).where(site_peaks.c.period == period).order_by(site_peaks.c.start)
    return [
        (f"{instant(row.start):%d %H}", row.peak_w, row.is_measured) for row in await database.read(query)
    ]


async def test_the_peak_is_what_all_sessions_draw_at_one_moment(database: Database) -> None:
    """Not the sum of their own peaks; a day's and a month's is the highest of its hours."""
    one, two = await stations(database, 2)
    await charge(database, one, 1, 5000, {0: 7000, 14: 7000, 28: 3000, 40: 3000, 54: 1000, 70: 2000})
    await charge(database, two, 2, 5000, {20: 11000, 30: 500, 44: 500, 58: 500})

    assert await compute(database, T0 + 4 * HOUR) == 2

    # 10:20 to 10:28 both draw most; at 11:10 one draws 2,000 and the other, silent since 10:58, 500 no more.
    assert await found(database, "hour") == [("05 10", 18000, 1), ("05 11", 2500, 1)]
    assert await found(database, "day") == [("04 16", 18000, 1)]
    assert await found(database, "month") == [("31 16", 18000, 1)]


async def test_without_power_energy_speaks(database: Database) -> None:
    """Spread over the time that the session lasted of the hour, and marked."""
    one, two = await stations(database, 2)
    await charge(database, one, 1, 6000, {})
    await charge(database, two, 2, 2000, {0: 4000, 14: 4000}, ended_at=T0 + 20 * MINUTE)

    await compute(database, T0 + 4 * HOUR)

    assert await found(database, "hour") == [("05 10", 7000, 0), ("05 11", 3000, 0)]


async def test_an_hour_waits_for_its_end_and_is_computed_again(database: Database) -> None:
    """Late energy marks the hour; a peak that fell is lower in its day too."""
    (one,) = await stations(database)
    session = await charge(database, one, 1, 6000, {})
    assert await compute(database, T0 + HOUR) == 0
    assert await compute(database, T0 + 4 * HOUR, most=1) == 2
    assert await compute(database, T0 + 4 * HOUR) == 0

    changed = evolve(session, energy_wh=4000)
    told = Change(changed, message=a_message("late", T0 + 3 * HOUR), hours_due=True)
    async with Writer(database, fence=False) as writer:
        await writer.write(write_of(one, *records_of(told, one)))
    assert await compute(database, T0 + 5 * HOUR) == 2

    assert await found(database, "day") == [("04 16", 2000, 0)]
    assert await count(database, "peak_due") == 0


async def test_a_mark_made_meanwhile_stays(database: Database) -> None:
    """The hour is due again when its energy changed while its peak was computed."""
    (one,) = await stations(database)
    session = await charge(database, one, 1, 6000, {})
    now = T0 + 4 * HOUR
    while await ReportStore(database).recompute(now, grace=GRACE):
        pass
    look = database.look

    async def look_and_change(job: Any) -> Any:
        seen = await look(job)
        if isinstance(seen, dict):
            database.look = look  # type: ignore[method-assign]  # only the first time
            told = a_message("late", now - HOUR)
            change = Change(evolve(session, energy_wh=8000), message=told, hours_due=True)
            async with Writer(database, fence=False) as writer:
                await writer.write(write_of(one, *records_of(change, one)))
            while await ReportStore(database).recompute(now, grace=GRACE):
                pass
        return seen

    database.look = look_and_change  # type: ignore[method-assign]  # a total between two steps
    await Peaks(database).compute(now, GRACE, 10)
    assert await count(database, "peak_due") == 2

    await compute(database, now)
    assert await found(database, "day") == [("04 16", 4000, 0)]
