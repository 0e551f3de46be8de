"""Orders of city platforms: begun once, bound to their sessions, changed from a known state."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, text

from csms.domain.assets import ChargingStation, TokenStatus
from csms.domain.charging_session import ChargingSession
from csms.store import platform_order_queries as queries
from csms.store.database import Database
from csms.store.platform_orders import Came, Due, OrderForm, PlatformOrder, PlatformOrders, Step
from csms.store.records import OutboxRow
from csms.store.registry import Registry
from csms.store.tables import sessions
from csms.store.writer import Writer
from tests.store.given import HOUR, MINUTE, T0, a_session, count, start_of, stations

SEQ = "123456789" + "0" * 17 + "1"
SECOND = timedelta(seconds=1)
TOKEN = "PABCDEFGHIJKLMNOPQRS"


def a_form(station: ChargingStation, **changes: Any) -> OrderForm:
    """A start at connector 1 of `station`."""
    fields: dict[str, Any] = {
        "platform": "beijing",
        "start_charge_seq": SEQ,
        "station_id": station.station_id,
        "identity": station.identity,
        "evse": 1,
        "connector": 1,
        "connector_id": f"{station.identity}0101",
        "id_token": TOKEN,
    }
    return OrderForm(**(fields | changes))


async def begun(database: Database, **changes: Any) -> tuple[PlatformOrders, ChargingStation, PlatformOrder]:
    """A store with a station and one order."""
    (station,) = await stations(database)
    store = PlatformOrders(database)
    order, is_new = await store.begin(a_form(station, **changes), T0 + 50 * MINUTE / 60, T0)
    assert is_new
    return store, station, order


async def stored(store: PlatformOrders) -> PlatformOrder:
    """The order as it is now."""
    order = await store.by_seq("beijing", SEQ)
    assert order is not None
    return order


async def begin_session(database: Database, station: ChargingStation, **changes: Any) -> ChargingSession:
    """A session as the station's own message puts it down."""
    number = changes.pop("number", 1)
    session = a_session(station, number, **changes)
    async with Writer(database, fence=False) as writer:
        await writer.write(start_of(station, session))
    return session


async def test_a_repeated_start_is_one_order(database: Database) -> None:
    """Many at once: one is new, and its token may charge; the others get the same order."""
    (station,) = await stations(database)
    store = PlatformOrders(database)

    came = await asyncio.gather(*(store.begin(a_form(station), T0 + MINUTE, T0) for _ in range(8)))

    assert sum(is_new for _, is_new in came) == 1
    assert len({order.order_id for order, _ in came}) == 1
    token = await Registry(database).token(TOKEN)
    assert token is not None
    assert (token.status, token.type, token.concurrent_limit) == (TokenStatus.ACCEPTED, "Central", 1)


async def test_two_platforms_may_use_one_name(database: Database) -> None:
    """A StartChargeSeq is the platform's own."""
    store, station, order = await begun(database)

    other, is_new = await store.begin(a_form(station, platform="other"), T0 + MINUTE, T0)

    assert is_new
    assert await store.by_seq("other", SEQ) == other
    assert await store.by_seq("beijing", SEQ) == order
    assert await store.by_seq("beijing", "x" * 27) is None


async def test_the_first_answer_stays(database: Database) -> None:
    """Whoever asks again is told the same."""
    store, _, order = await begun(database)

    await store.start_told(order.order_id, {"SuccStat": 0})
    await store.start_told(order.order_id, {"SuccStat": 1})

    kept = await stored(store)
    assert kept.start_answer == {"SuccStat": 0}


@pytest.mark.parametrize(
    ("session", "is_its"),
    [
        ({"token": TOKEN.lower()}, True),
        ({"token": "OTHER", "remote_start_id": 77}, True),
        ({"token": TOKEN, "evse": 2}, True),  # where the station chose to begin it
        ({"token": "OTHER", "remote_start_id": 78}, False),
        ({"token": "OTHER"}, False),
        ({"token": "OTHER", "remote_start_id": 77, "received_at": T0 - HOUR}, False),
        ({"token": TOKEN, "started_at": T0 - timedelta(hours=3)}, True),  # a clock that lags
    ],
)
async def test_which_session_is_its(database: Database, session: dict[str, Any], is_its: bool) -> None:
    """By the order's own token, in any case, or by the number of the start; whatever the connector."""
    store, station, order = await begun(database)
    await store.number(order.order_id, 77)
    made = await begin_session(database, station, **({"received_at": T0} | session))

    due = await store.due(["beijing"], T0, T0 - HOUR)

    assert due.began == ([Came((await stored(store)), made.session_id, made.started_at)] if is_its else [])
    assert await store.seq_of("beijing", made.session_id) == (SEQ if is_its else None)
    assert await store.seq_of("other", made.session_id) is None


async def test_a_session_of_another_station_is_not_its(database: Database) -> None:
    """A token that leaks to a neighbour binds nothing."""
    _, neighbour = await stations(database, 2)
    store, _, _ = await begun(database)
    await begin_session(database, neighbour, token=TOKEN)

    assert await store.due(["beijing"], T0, T0 - HOUR) == Due([], [], [], [])


async def test_a_step_is_taken_once_and_owes_once(database: Database) -> None:
    """Several processes look at once; one of them tells the platform."""
    store, _, order = await begun(database)
    owed = OutboxRow.of("beijing", "start-result", SEQ, SEQ, {"a": 1}, T0)
    step = Step(order.order_id, "starting", {"state": "charging", "session_id": 5, "stop_by": T0}, [owed])

    taken = await asyncio.gather(*(PlatformOrders(database).take(step, T0 + MINUTE) for _ in range(6)))

    kept = await store.by_seq("beijing", SEQ)
    assert sum(taken) == 1
    assert await count(database, "outbox") == 1
    assert kept is not None
    assert (kept.state, kept.session_id, kept.stop_by, kept.changed_at) == ("charging", 5, T0, T0 + MINUTE)
    assert await store.seq_of("beijing", 5) == SEQ


async def test_the_first_of_two_sessions_is_its(database: Database) -> None:
    """A station that begins twice on one start: the order is bound to what came first."""
    store, station, _ = await begun(database)
    await begin_session(database, station, number=1, token=TOKEN)
    await begin_session(database, station, number=2, token=TOKEN)

    (came,) = (await store.due(["beijing"], T0, T0)).began

    assert came.session_id == 1


async def test_nothing_came_in_time(database: Database) -> None:
    """Due from the moment on at which the platform must hear; not for another platform."""
    store, _, order = await begun(database)

    early = await store.due(["beijing"], order.start_by - SECOND, T0)
    late = await store.due(["beijing"], order.start_by, T0)
    other = await store.due(["other"], order.start_by, T0)

    assert (early.unheard, late.unheard, other.unheard) == ([], [order], [])


async def test_a_failed_start_is_watched_for_a_while(database: Database) -> None:
    """A session that begins after all is found, as long as anybody looks."""
    store, station, order = await begun(database)
    await store.take(Step(order.order_id, "starting", {"state": "failed", "failure": "silent"}), T0 + MINUTE)
    made = await begin_session(database, station, token=TOKEN)

    watched = await store.due(["beijing"], T0 + HOUR, T0 + MINUTE)
    forgotten = await store.due(["beijing"], T0 + HOUR, T0 + 2 * MINUTE)

    assert [came.session_id for came in watched.began] == [made.session_id]
    assert forgotten == Due([], [], [], [])


@pytest.mark.parametrize("state", ["charging", "unwanted"])
async def test_its_session_has_ended(database: Database, state: str) -> None:
    """Found once it is over, not before."""
    store, station, order = await begun(database)
    await begin_session(database, station, token=TOKEN)
    await store.take(Step(order.order_id, "starting", {"state": state, "session_id": 1}), T0)

    running = (await store.due(["beijing"], T0, T0)).ended
    await database.execute(sessions.update().values(state="ended"))
    ended = (await store.due(["beijing"], T0, T0)).ended

    assert running == []
    assert [(came.order.order_id, came.session_id) for came in ended] == [(order.order_id, 1)]


async def test_a_stop_is_asked_for_once(database: Database) -> None:
    """Many at once: one is to be carried out, and its time is watched; over is over."""
    store, _, order = await begun(database)
    by = T0 + MINUTE

    asked = await asyncio.gather(*(store.ask_stop(order.order_id, by, T0) for _ in range(6)))
    await store.stop_told(order.order_id, {"SuccStat": 0})
    kept = await stored(store)
    await store.take(Step(order.order_id, "starting", {"state": "charging"}), T0)
    unstopped = [(await store.due(["beijing"], at, T0)).unstopped for at in (by - SECOND, by)]
    await store.take(Step(order.order_id, "charging", {"state": "finished", "stop_asked_at": None}), T0)

    assert sum(asked) == 1
    assert (kept.stop_asked_at, kept.stop_by, kept.stop_answer) == (T0, by, {"SuccStat": 0})
    assert [len(orders) for orders in unstopped] == [0, 1]
    assert not await store.ask_stop(order.order_id, by, T0)


async def test_a_session_that_the_platform_did_not_start(database: Database) -> None:
    """It can be stopped under an order of its own, made once, with no token."""
    (station,) = await stations(database)
    store = PlatformOrders(database)

    order, is_new = await store.adopt(a_form(station), 5, T0)
    again, is_new_again = await store.adopt(a_form(station), 5, T0 + MINUTE)

    assert (is_new, is_new_again, again) == (True, False, order)
    assert (order.state, order.session_id) == ("charging", 5)
    assert await Registry(database).token(TOKEN) is None


async def test_the_token_of_a_failed_start_charges_no_more(database: Database) -> None:
    """Blocked while a late start may come, gone in the end; those of running orders stay."""
    store, station, order = await begun(database)
    running, _ = await store.begin(a_form(station, start_charge_seq="9" * 27, id_token="RUNS"), T0, T0)
    registry = Registry(database)
    await store.take(Step(order.order_id, "starting", {"state": "failed"}), T0)

    await store.block_token(order.id_token, T0)
    blocked = await registry.token(order.id_token)
    spans = ((T0 - MINUTE, T0), (T0 + MINUTE, T0 + 2 * MINUTE), (T0, T0 + MINUTE))
    gone = [await store.forget_tokens(["beijing"], *span) for span in spans]

    assert blocked is not None
    assert blocked.status is TokenStatus.BLOCKED
    assert gone == [0, 0, 1]
    assert await registry.token(order.id_token) is None
    assert await registry.token(running.id_token) is not None


@pytest.mark.parametrize(
    "query", [queries.BEGAN, queries.BEGAN_LATE, queries.UNHEARD, queries.ENDED, queries.UNSTOPPED]
)
async def test_no_look_reads_all_of_history(sqlite_url: str, query: Select[Any]) -> None:
    """Every second: each begins with the few orders that are under way, or have failed of late."""
    database = await Database.open(sqlite_url)
    known = {"platforms": ["beijing"], "now": 1, "failed_since": 1}
    asked = query.params({name: known[name] for name in query.compile().params if name in known})
    compiled = asked.compile(dialect=database.dialect_of, compile_kwargs={"render_postcompile": True})
    sql = str(compiled).replace("?", "1")

    plan = await database.read(text("EXPLAIN QUERY PLAN " + sql.replace(":", "\\:")))

    reads = [row.detail for row in plan if row.detail.startswith(("SCAN", "SEARCH"))]
    assert "USING INDEX ix_platform_orders_state (platform=? AND state=?" in reads[0]
    assert all("USING" in detail for detail in reads), reads
    await database.close()
