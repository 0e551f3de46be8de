"""No search of the operator's desk reads a table from end to end: each statement is explained.

On PostgreSQL plain scans are made dear, as they are by themselves once a table has grown.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from csms.store.curve_queries import CurveStore
from csms.store.database import Database
from csms.store.message_search import MessageFilter, MessageSearch
from csms.store.orphan_queries import OrphanFilter, Orphans
from csms.store.paging import cursor_of
from csms.store.session_filter import SessionFilter
from csms.store.session_story import SessionStories
from csms.store.session_told import SessionTold
from csms.store.session_totals import SessionTotals
from csms.store.sessions import SessionStore
from csms.store.token_queries import TokenFilter, TokenStore
from csms.store.writer import Writer
from tests.store.given import (
    HOUR,
    MINUTE,
    OPERATOR,
    T0,
    a_reading,
    a_session,
    start_of,
    stations,
    told_row,
    write_of,
)

LARGE = (
    "sessions",
    "session_messages",
    "messages",
    "outbox",
    "readings",
    "connector_states",
    "station_events",
)
LARGE += ("session_costs", "session_revisions", "commands", "totals", "id_tokens", "disputes")
SPAN = {"since": T0 - HOUR, "until": T0 + HOUR}
AFTER = cursor_of(2**61, 2**61)


def sessions(**wanted: Any) -> Callable[[Database], Awaitable[Any]]:
    async def ask(database: Database) -> None:
        await SessionStore(database).find(SessionFilter(**wanted), AFTER, 10)
        await SessionTotals(database).of(SessionFilter(**wanted))

    return ask


def messages(**wanted: Any) -> Callable[[Database], Awaitable[Any]]:
    return lambda database: MessageSearch(database).find(MessageFilter(**wanted), AFTER, 10)


ASKED: dict[str, Callable[[Database], Awaitable[Any]]] = {
    "everything": sessions(),
    "oldest": sessions(oldest_first=True, **SPAN),
    "operator": sessions(operator=OPERATOR),
    "site and operator": sessions(site="S01", operator=OPERATOR),
    "station and connector": sessions(station="CS-0001", evse=1, connector=1, operator=OPERATOR),
    "token and state": sessions(token="A1", state="ended"),
    "transaction": sessions(transaction_id="1001"),
    "transaction of a station": sessions(transaction_id="1001", station="CS-0001"),
    "live": sessions(state="live", operator=OPERATOR),
    "settled": sessions(state="settled"),
    "unsettled": sessions(state="unsettled", operator=OPERATOR),
    "quality": sessions(quality="gap", operator=OPERATOR),
    "stop reason": sessions(stop_reason="local", operator=OPERATOR),
    "ended": sessions(ended_since=T0, ended_until=T0 + HOUR),
    "energy": sessions(least_wh=1, most_wh=2),
    "cost": sessions(least_cost=1, most_cost=2),
    "disputed": sessions(is_disputed=True, operator=OPERATOR),
    "unsent": sessions(is_unsent=True),
    "text": sessions(text="A"),
    "number": sessions(text="1767261600000001"),
    "messages": messages(),
    "messages in a time": messages(text="x", **SPAN),
    "messages of a station": messages(station="CS-0001", text="x", operator=OPERATOR),
    "bad messages": messages(is_bad=True, action="Reset", direction="out"),
    "orphans": lambda database: Orphans(database).find(OrphanFilter(OPERATOR), AFTER),
    "orphans of a station": lambda database: Orphans(database).find(OrphanFilter(station="CS-0001")),
    "tokens": lambda database: TokenStore(database).find(TokenFilter()),
    "tokens of an operator": lambda database: TokenStore(database).find(TokenFilter(OPERATOR, text="x")),
    "tokens of a group": lambda database: TokenStore(database).find(TokenFilter(group="G", status="blocked")),
    "decisions": lambda database: TokenStore(database).decisions("A1", OPERATOR),
    "evidence": lambda database: SessionStories(database).evidence(1),
    "revisions": lambda database: SessionStories(database).revisions(1),
    "told": lambda database: SessionTold(database).told(1, ["beijing"]),
    "commands": lambda database: SessionTold(database).commands(1),
    "curve": lambda database: CurveStore(database).of_session(1),
    "curve of a station": lambda database: CurveStore(database).of_station(1, T0, T0 + timedelta(days=31)),
}


def explained(database: Database) -> list[str]:
    """Fills with the plan of every statement from here on, a line each."""
    plans: list[str] = []

    def explain(
        connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if not statement.startswith("SELECT"):
            return
        if database.dialect == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            plans.extend(f"{row[3]} <- {statement}" for row in rows)
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()
            plans.extend(f"{row[0].strip()} <- {statement}" for row in rows)

    engine = database._browsing.sync_engine  # type: ignore[attr-defined]  # both kinds have it
    event.listen(engine, "before_cursor_execute", explain)
    return plans


def is_scan(plan: str) -> bool:
    """Whether a line says that a large table, under its own name or another, is read without an index."""
    step, _, statement = plan.partition(" <- ")
    found = re.search(r"^SCAN (\w+)(?! USING)$|Seq Scan on (\w+)", step)
    if found is None:
        return False
    name = found[1] or found[2]
    meant = re.search(rf"(\w+) AS {name}\b", statement)
    return (meant[1] if meant else name) in LARGE


@pytest.fixture
async def filled(database: Database) -> Database:
    """A station with two sessions, one of them with readings."""
    (station,) = await stations(database)
    async with Writer(database, fence=False) as writer:
        for number in (1, 2):
            await writer.write(start_of(station, a_session(station, number)))
        await writer.write(write_of(station, told_row(1, [a_reading(T0 + MINUTE)], T0 + MINUTE)))
    return database


@pytest.mark.parametrize("asked", ASKED)
async def test_nothing_large_is_read_from_end_to_end(filled: Database, asked: str) -> None:
    """Growth is O(what is shown), whatever is asked for."""
    plans = explained(filled)

    await ASKED[asked](filled)

    assert plans
    assert [plan for plan in plans if is_scan(plan)] == []


def test_a_scan_is_known_when_it_is_seen() -> None:
    """Under an alias too; an index, the primary key and small tables are none."""
    assert is_scan("SCAN sessions <- SELECT")
    assert is_scan("SCAN revisions <- SELECT x FROM session_costs AS revisions")
    assert is_scan("Seq Scan on messages  (cost=1) <- SELECT")
    assert not is_scan("SCAN sessions USING INDEX ix_sessions_started <- SELECT")
    assert not is_scan("SCAN operators <- SELECT")
    assert not is_scan("SEARCH sessions USING INTEGER PRIMARY KEY (rowid=?) <- SELECT")
