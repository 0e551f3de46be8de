"""What is known of connectors in a window, read in a few queries on both databases."""

from datetime import timedelta

from csms.domain.assets import ConnectorStatus as S
from csms.domain.timeline import Evidence, Link, Span, Told, timeline, usage
from csms.store.database import Database
from csms.store.evidence import FAR, EvidenceReader
from csms.store.served import Place
from csms.store.writer import Writer
from tests.store.connector_history import SOON, link, state, tell
from tests.store.given import HOUR, MINUTE, T0, a_session, start_of, stations

DAY = timedelta(days=1)


async def read(database: Database, window: Span, *places: Place) -> dict[Place, Evidence]:
    """As the store's readers do."""
    reader = EvidenceReader(database.dialect_of)
    return await database.look(lambda connection: reader.read(places, window, connection))


async def test_a_window_begins_with_what_held_before(database: Database) -> None:
    """The last status and connection before it, and the margin of two days; nothing after its end."""
    one, two = await stations(database, 2)
    await tell(
        database,
        one,
        [
            link(one, T0 - 30 * DAY, "connected"),
            state(one, T0 - 30 * DAY, S.AVAILABLE),
            state(one, T0 - 20 * DAY, S.CHARGING),
            state(one, T0 - 20 * DAY, S.FAULTED, evse=2),
            state(one, T0 + 10 * MINUTE, S.AVAILABLE),
            link(one, T0 + 20 * MINUTE, "disconnected"),
            state(one, T0 + HOUR, S.FAULTED),
            link(one, T0 + HOUR, "connected"),
        ],
    )
    await tell(database, two, [state(two, T0, S.AVAILABLE)])

    first, second, other = (
        Place(one.station_id, 1, 1),
        Place(one.station_id, 2, 1),
        Place(two.station_id, 1, 1),
    )
    found = await read(database, Span(T0, T0 + HOUR), first, second, other)

    def told(at: timedelta, status: S) -> Told:
        return Told(T0 + at, status, T0 + at + SOON)

    links = [Link(T0 - 30 * DAY, True), Link(T0 + 20 * MINUTE, False)]
    assert found[first] == Evidence(
        [told(-20 * DAY, S.CHARGING), told(10 * MINUTE, S.AVAILABLE)], (), links, []
    )
    assert found[second].told == [told(-20 * DAY, S.FAULTED)]
    assert found[other] == Evidence([told(timedelta(0), S.AVAILABLE)], (), (), [])


async def test_the_station_as_a_whole_and_sessions_of_vague_stations(database: Database) -> None:
    """EVSE 0 belongs to every connector; sessions are read where `occupied` is all that is told."""
    one, two = await stations(database, 2)
    for station, status in ((one, S.OCCUPIED), (two, S.CHARGING)):
        await tell(
            database,
            station,
            [state(station, T0, status), state(station, T0, S.UNAVAILABLE, evse=0, connector=0)],
        )
    sessions = [
        a_session(one, 1, started_at=T0 - HOUR, ended_at=T0 + 10 * MINUTE),
        a_session(one, 2, connector=0, started_at=T0 + 20 * MINUTE),
        a_session(one, 3, evse=2, started_at=T0),
        a_session(one, 4, started_at=T0 - 2 * HOUR, ended_at=T0 - HOUR),
        a_session(two, 5, started_at=T0),
    ]
    async with Writer(database, fence=False) as writer:
        for session in sessions:
            await writer.write(start_of(one if session.station_id == one.station_id else two, session))

    first, other = Place(one.station_id, 1, 1), Place(two.station_id, 1, 1)
    found = await read(database, Span(T0, T0 + HOUR), first, other)

    assert sorted(found[first].sessions) == [
        Span(T0 - HOUR, T0 + 10 * MINUTE),
        Span(T0 + 20 * MINUTE, FAR),
    ]
    assert found[other].sessions == []
    assert [told.status for told in found[other].whole] == [S.UNAVAILABLE]


async def test_a_clock_set_back_is_seen_within_the_margin(database: Database) -> None:
    """What was told last holds, although its time lies before what was told first."""
    (one,) = await stations(database)
    await tell(
        database,
        one,
        [
            link(one, T0 - 9 * DAY, "connected"),
            state(one, T0, S.FAULTED),
            state(one, T0 - DAY, S.AVAILABLE, arrived=T0 + 10 * MINUTE),
        ],
    )
    place, window = Place(one.station_id, 1, 1), Span(T0 + 30 * MINUTE, T0 + HOUR)

    found = await read(database, window, place)

    assert usage(timeline(found[place]), window).free == 30 * MINUTE


async def test_histories_are_read_by_their_indexes(sqlite_url: str) -> None:
    """No scan of a table whose size is all that ever happened."""
    database = await Database.open(sqlite_url)
    reader = EvidenceReader(database.dialect_of)

    plans = []
    for query in (reader._told, reader._links, reader._sessions):
        sql = query._prepared.sql
        rows = await database.look(
            lambda connection, sql=sql: connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN " + sql, ("[[1,1,1,0,9]]",)
            ).all()
        )
        plans.append(" ".join(row[3] for row in rows))
    await database.close()

    assert "ix_connector_states_time (station_id=? AND evse=? AND connector=? AND at>? AND at<?)" in plans[0]
    assert "ix_station_events_links (station_id=? AND at>? AND at<?)" in plans[1]
    assert "ix_sessions_station (station_id=? AND started_at>? AND started_at<?)" in plans[2]
    assert not any("SCAN" in plan.replace("SCAN each", "").replace("SCAN given", "") for plan in plans), plans
