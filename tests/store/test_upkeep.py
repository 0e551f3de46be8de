"""What upkeep asks and writes: only what nobody else has changed, and no query over all of history."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, text

from csms.domain.charging_session import SessionState
from csms.store import upkeep
from csms.store.database import Database
from csms.store.records import SessionDue
from csms.store.registry import Registry
from csms.store.sessions import SessionStore
from csms.store.tables import session_due, totals
from csms.store.times import micros
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Writer
from tests.store.given import HOUR, MINUTE, T0, a_session, count, start_of, stations


async def put(database: Database, *sessions: Any) -> None:
    """Store sessions of the first station."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        for session in sessions:
            await writer.write(start_of(station, session))
    await database.execute(session_due.delete())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (upkeep.SILENT, "ix_sessions_unended"),
        (upkeep.SUSPECTED, "ix_sessions_unended"),
        (upkeep.RUNNING, "ix_totals_unclosed"),
    ],
)
async def test_no_query_reads_all_of_history(sqlite_url: str, query: Select[Any], index: str) -> None:
    """Each begins with the few rows that are not done yet."""
    database = await Database.open(sqlite_url)
    compiled = query.compile(dialect=database.dialect_of, compile_kwargs={"render_postcompile": True})
    sql = str(compiled).replace("?", "1")

    plan = await database.read(text("EXPLAIN QUERY PLAN " + sql.replace(":", "\\:")))

    reads = [row.detail for row in plan if row.detail.startswith(("SCAN", "SEARCH"))]
    assert f"USING INDEX {index} (" in reads[0]
    assert all("USING" in detail for detail in reads), reads
    await database.close()


async def test_a_session_is_replaced_only_as_it_was_seen(database: Database) -> None:
    """Whoever looked before the last change writes nothing, and nothing of the rest either."""
    (station,) = await stations(database)
    await put(database, a_session(station, 1), a_session(station, 2))
    store, sessions = UpkeepStore(database), SessionStore(database)
    seen = await sessions.by_id(1)
    gone = a_session(station, 3)
    assert seen is not None
    mark = SessionDue(1, micros(T0))

    assert not await store.replace(gone, [mark])
    assert not await store.replace(a_session(station, 1, energy_wh=7), [mark])
    assert await count(database, "session_due") == 0
    assert await store.replace(seen, [mark])
    assert await count(database, "session_due") == 1


async def test_while_away_is_asked_in_the_same_transaction(database: Database) -> None:
    """A connected station's session stays; after the connection's end it can be replaced."""
    (station,) = await stations(database)
    await put(database, a_session(station, 1))
    store, registry = UpkeepStore(database), Registry(database)
    seen = await SessionStore(database).by_id(1)
    assert seen is not None
    epoch = await registry.raise_epoch(station.station_id, now=T0)

    assert not await store.replace(seen, [SessionDue(1, 1)], while_away=True)
    assert await store.silent(T0 + HOUR) == []
    await registry.note_disconnected(station.station_id, epoch, T0 + MINUTE)
    assert [session.session_id for session in await store.silent(T0 + HOUR)] == [1]
    assert await store.replace(seen, [SessionDue(1, 1)], while_away=True)


async def test_suspected_sessions_come_page_by_page(database: Database) -> None:
    """Oldest first, from after the last of the page before; running and ended ones do not come."""
    (station,) = await stations(database)
    suspected = {"state": SessionState.SUSPECTED_ENDED, "suspected_at": T0 + HOUR}
    made = [a_session(station, n, started_at=T0 - n * MINUTE, **suspected) for n in range(1, 6)]
    other = a_session(station, 6)
    late = a_session(station, 7, state=SessionState.SUSPECTED_ENDED, suspected_at=T0 + 2 * HOUR)
    await put(database, *made, other, late)
    store = UpkeepStore(database)

    first = await store.suspected(T0 + HOUR, most=3)
    second = await store.suspected(T0 + HOUR, first[-1], most=3)

    assert [session.session_id for session in first + second] == [5, 4, 3, 2, 1]


async def test_running_sessions_of_an_hour_that_ended_are_marked(database: Database) -> None:
    """Those last heard in it; not those heard later, nor those whose hour is closed."""
    (station,) = await stations(database)
    in_the_hour = {"last_event_at": T0 + 20 * MINUTE}
    await put(
        database,
        a_session(station, 1, **in_the_hour),
        a_session(station, 2, last_event_at=T0 + 70 * MINUTE),
        a_session(station, 3, **in_the_hour, state=SessionState.ENDED, ended_at=T0 + 20 * MINUTE),
    )
    hour = {
        "period": "hour",
        "level": "operator",
        "subject_id": station.operator_id,
        "evse": 0,
        "connector": 0,
        "start": micros(T0),
        "until": micros(T0 + HOUR),
        "operator_id": station.operator_id,
        "energy_wh": 0,
        "sessions": 1,
        "charging_s": 0,
        "revision": 1,
        "computed_at": micros(T0),
    }
    await database.execute(totals.insert(), hour)
    store, second = UpkeepStore(database), timedelta(seconds=1)

    assert await store.mark_running(T0, T0 + HOUR - second, T0 + HOUR) == 0
    assert await store.mark_running(T0, T0 + HOUR, T0 + HOUR) == 1
    (mark,) = await database.read(session_due.select())
    assert (mark.session_id, mark.due_at) == (1, micros(T0 + HOUR))
    assert await store.mark_running(T0 + HOUR, T0 + 2 * HOUR, T0 + HOUR) == 0
    await database.execute(totals.update().values(closed_at=1))
    assert await store.mark_running(T0, T0 + HOUR, T0 + HOUR) == 0
