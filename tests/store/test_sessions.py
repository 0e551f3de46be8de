"""Sessions as handlers and the API ask for them, on both databases."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState, evolve
from csms.domain.quality import Flag
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.session_codec import records_of
from csms.store.session_queries import find
from csms.store.sessions import SessionFilter, SessionStore
from csms.store.writer import Writer
from tests.store.given import (
    MINUTE,
    OPERATOR,
    T0,
    a_message,
    a_reading,
    a_session,
    start_of,
    stations,
    write_of,
)


async def stored(database: Database, station: ChargingStation, *sessions: ChargingSession) -> SessionStore:
    """The store with these sessions in it."""
    async with Writer(database) as writer:
        await asyncio.gather(*(writer.write(start_of(station, session)) for session in sessions))
    return SessionStore(database)


async def all_pages(store: SessionStore, wanted: SessionFilter, most: int) -> list[dict[str, Any]]:
    """Every session of the filter, page by page."""
    items, after = [], None
    while True:
        page = await store.find(wanted, after, most)
        items += page.items
        after = page.next
        if after is None:
            return items


def ids(items: list[dict[str, Any]]) -> list[int]:
    """The sessions' numbers."""
    return [int(item["session_id"]) for item in items]


async def test_a_connection_loads_open_and_recent_sessions(database: Database) -> None:
    """Open ones however old, and the latest ended ones for messages that come late."""
    (station,) = await stations(database)
    ended = [
        a_session(station, n, started_at=T0 + n * MINUTE, state=SessionState.ENDED) for n in range(1, 31)
    ]
    old = a_session(station, 99, started_at=T0 - timedelta(days=30), state=SessionState.SUSPECTED_ENDED)
    store = await stored(database, station, *ended, old)

    found = await store.open_sessions(station.station_id)

    assert [session.session_id for session in found] == [99, *range(21, 31)]


async def test_sessions_are_found_by_their_keys(database: Database) -> None:
    """By transaction id, start key and number; another station's are not."""
    one, other = await stations(database, 2)
    session = a_session(one, 1, transaction_id="77", start_key="k")
    store = await stored(database, one, session)

    assert await store.by_transaction(one.station_id, "77") == session
    assert await store.by_start_key(one.station_id, "k") == session
    assert await store.by_id(1) == session
    assert await store.by_transaction(other.station_id, "77") is None
    assert await store.by_start_key(other.station_id, "k") is None
    assert await store.stored_answer(1, "stop") is None


async def test_a_reused_transaction_id_means_the_newest(database: Database) -> None:
    """E08: the id of last year's session names this year's."""
    (station,) = await stations(database)
    old = a_session(station, 1, transaction_id="7", start_key="a", state=SessionState.ENDED)
    new = a_session(station, 2, transaction_id="7", start_key="b", started_at=T0 + MINUTE)
    store = await stored(database, station, old, new)

    assert await store.by_transaction(station.station_id, "7") == new


async def test_orphan_stops_and_running_tokens(database: Database) -> None:
    """Flags are searched for whole; tokens without case."""
    (station,) = await stations(database)
    orphan = a_session(station, 1, flags=(Flag.ORPHAN_STOP,), state=SessionState.ENDED, token="x")
    running = a_session(station, 2, token="AbC")
    over = a_session(station, 3, token="abc", state=SessionState.ENDED)
    store = await stored(database, station, orphan, running, over)

    assert await store.orphan_stops(station.station_id) == [orphan]
    assert await store.active_by_token("aBc") == [running]


async def test_a_session_as_the_api_gives_it(database: Database) -> None:
    """Codes, not numbers; times in UTC with milliseconds; energies in Wh."""
    (station,) = await stations(database)
    session = a_session(
        station,
        7,
        state=SessionState.ENDED,
        ended_at=T0 + 45 * MINUTE,
        energy_wh=22_500,
        flags=(Flag.CLOCK, Flag.GAP),
    )
    store = await stored(database, station, session)

    shown = await store.shown(7)

    assert shown == {
        "session_id": "7",
        "operator": OPERATOR,
        "site": "S01",
        "charging_station": "CS-0001",
        "evse": 1,
        "connector": 1,
        "transaction_id": "1007",
        "id_token": "A1",
        "authorization": "accepted",
        "state": "ended",
        "started_at": "2026-01-05T10:00:00.000Z",
        "ended_at": "2026-01-05T10:45:00.000Z",
        "received_at": "2026-01-05T10:00:00.000Z",
        "meter_start_wh": 1000,
        "meter_stop_wh": None,
        "energy_wh": 22_500,
        "energy_source": "none",
        "cost": None,
        "currency": None,
        "quality": ["clock", "gap"],
        "revision": 1,
        "stop_reason": "",
        "ocpp_version": "ocpp1.6",
        "start_charge_seq": OPERATOR + "000000000000000007",
    }
    assert await store.shown(7, Scope(OPERATOR)) == shown
    assert await store.shown(7, Scope("000000000")) is None
    assert await store.shown(8) is None


async def test_pages_are_complete_while_sessions_come(database: Database) -> None:
    """Keyset paging: nothing twice, nothing left out, whatever is inserted meanwhile."""
    (station,) = await stations(database)
    # Several begin in the same instant: the number decides.
    before = [a_session(station, n, started_at=T0 + (n // 4) * MINUTE) for n in range(1, 51)]
    store = await stored(database, station, *before)
    seen: list[int] = []
    after: str | None = None

    for n in range(100, 200):
        page = await store.find(SessionFilter(), after, 7)
        seen += ids(page.items)
        after = page.next
        if after is None:
            break
        await stored(database, station, a_session(station, n, started_at=T0 + timedelta(days=n)))

    assert seen == sorted(range(1, 51), key=lambda n: (n // 4, n), reverse=True)


async def test_a_stream_gives_everything_once(database: Database) -> None:
    """As the CSV export reads it."""
    (station,) = await stations(database)
    store = await stored(database, station, *(a_session(station, n) for n in range(1, 31)))

    assert ids([item async for item in store.stream(SessionFilter())]) == list(range(30, 0, -1))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [4, 3, 2, 1]),
        ({"operator": OPERATOR}, [4, 3, 2, 1]),
        ({"operator": "000000000"}, []),
        ({"site": "S01"}, [4, 3, 2, 1]),
        ({"site": "S02"}, []),
        ({"station": "CS-0001"}, [4, 3, 2, 1]),
        ({"station": "CS-0002"}, []),
        ({"station": "unknown"}, []),
        ({"token": "A1"}, [3, 2, 1]),
        ({"token": "b2"}, [4]),
        ({"state": "active"}, [4, 1]),
        ({"state": "suspected-ended"}, [3]),
        ({"state": "ended"}, [2]),
        ({"quality": "gap"}, [2]),
        ({"quality": "ga_"}, []),
        ({"evse": 2}, [3]),
        ({"connector": 1, "evse": 1}, [4, 2, 1]),
        ({"since": T0 + 2 * MINUTE}, [4, 3, 2]),
        ({"until": T0 + 2 * MINUTE}, [1]),
        ({"since": T0 + 2 * MINUTE, "until": T0 + 4 * MINUTE, "state": "suspected-ended"}, [3]),
    ],
    ids=str,
)
async def test_filters(database: Database, wanted: dict[str, Any], expected: list[int]) -> None:
    """Each alone and some together; in whole and by pages of one."""
    one, _ = await stations(database, 2)
    store = await stored(
        database,
        one,
        a_session(one, 1, started_at=T0 + MINUTE),
        a_session(one, 2, started_at=T0 + 2 * MINUTE, state=SessionState.ENDED, flags=(Flag.GAP,)),
        a_session(one, 3, started_at=T0 + 3 * MINUTE, state=SessionState.SUSPECTED_ENDED, evse=2),
        a_session(one, 4, started_at=T0 + 4 * MINUTE, token="B2"),
    )

    assert ids((await store.find(SessionFilter(**wanted))).items) == expected
    assert ids(await all_pages(store, SessionFilter(**wanted), 1)) == expected


async def test_a_site_code_of_two_operators(database: Database) -> None:
    """Without an operator both are meant; with one, its own."""
    (station,) = await stations(database)
    registry = Registry(database)
    await registry.put_site(SiteForm("S01", await _second_operator(registry), "Other"))
    await registry.put_station(StationForm("CS-9", "S01", "999999999"), T0)
    other = await registry.station("CS-9")
    assert other is not None
    await stored(database, station, a_session(station, 1))
    store = await stored(database, other, a_session(other, 2))

    assert ids((await store.find(SessionFilter(site="S01"))).items) == [2, 1]
    assert ids((await store.find(SessionFilter(site="S01", operator=OPERATOR))).items) == [1]


async def _second_operator(registry: Registry) -> str:
    await registry.put_operator(OperatorForm("999999999", "Second", "UTC"))
    return "999999999"


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "bnVsbA", "WzEsMl0K!", "WyJhIiwxXQ", "WzFd", "W3RydWUsMV0"]
)
async def test_a_cursor_that_is_none(database: Database, cursor: str) -> None:
    """Anything we have not made ourselves is refused."""
    with pytest.raises(InvalidInput):
        await SessionStore(database).find(SessionFilter(), cursor)


async def test_the_story_of_a_session(database: Database) -> None:
    """Messages with facts and answers, and revisions, in the order of arrival."""
    (station,) = await stations(database)
    session = a_session(station, 1, energy_wh=10)
    revised = evolve(session, energy_wh=12, revision=2)
    late = Change(revised, message=a_message("late", T0 + MINUTE, n=1), revised=True, cause="late-data")
    async with Writer(database) as writer:
        await writer.write(start_of(station, session))
        await writer.write(write_of(station, *records_of(late, station)))

    first, second, third = await SessionStore(database).timeline(1)

    assert (first["kind"], first["answer"]) == ("start", {"a": 1})
    assert {second["kind"], third["kind"]} == {"late", "revision"}
    revision = second if second["kind"] == "revision" else third
    assert (revision["old_energy_wh"], revision["new_energy_wh"], revision["cause"]) == (10, 12, "late-data")


async def test_readings_page_by_page(database: Database) -> None:
    """In time order, exact to the thousandth."""
    (station,) = await stations(database)
    session = a_session(station, 1)
    readings = tuple(a_reading(T0 + n * MINUTE, 1000 + n) for n in range(25))
    odd = a_reading(T0 + 30 * MINUTE)._replace(value=1_000_001, raw="1.000001 kWh")
    unread = a_reading(T0 + 31 * MINUTE)._replace(value=None, raw="abc")
    change = Change(session, is_new=True, readings=(*readings, odd, unread), message=a_message())
    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(change, station)))
    store = SessionStore(database)

    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = await store.readings(1, after, 10)
        items += page.items
        after = page.next
        if after is None:
            break

    assert [item["value"] for item in items] == [*range(1000, 1025), 1000.001, None]
    assert items[-1]["raw"] == "abc"
    assert items[0]["measurand"] == "energy.active.import.register"
    assert items[0]["at"] == "2026-01-05T10:00:00.000Z"


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "ix_sessions_started"),
        ({"operator": OPERATOR}, "ix_sessions_operator"),
        ({"site": "S01"}, "ix_sessions_site"),
        ({"station": "CS-0001"}, "ix_sessions_station"),
        ({"token": "A1"}, "ix_sessions_token"),
        ({"state": "active"}, "ix_sessions_unended"),
        ({"quality": "gap"}, "ix_sessions_flagged"),
        ({"quality": "gap", "operator": OPERATOR}, "ix_sessions_flagged_operator"),
        ({"quality": "gap", "site": "S01"}, "ix_sessions_flagged_site"),
    ],
)
async def test_every_list_has_its_index(sqlite_url: str, wanted: dict[str, Any], index: str) -> None:
    """No page sorts or reads the table: growth is O(result)."""
    database = await Database.open(sqlite_url)
    (station,) = await stations(database)
    async with Writer(database, fence=False) as writer:
        await writer.write(start_of(station, a_session(station, flags=(Flag.GAP,))))
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT sessions."):
            rows = cursor.connection.execute("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
            plans.extend(str(row[3]) for row in rows)

    event.listen(database._reading, "before_cursor_execute", explain)  # type: ignore[attr-defined]  # SQLite only
    await database.look(partial(find, SessionFilter(**wanted), None, 10))
    await database.close()

    assert any(index in plan for plan in plans), plans
    assert not any("TEMP B-TREE" in plan for plan in plans), plans
