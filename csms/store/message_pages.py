"""The message log of a station, latest first: what was logged, and what its sessions keep of their messages.

A message that a session keeps is not logged a second time, so the log is merged from two tables. Knows rows;
no caller.
"""

from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, literal_column, select

from csms.store.device_tables import messages
from csms.store.paging import Page, cursor_of, key_of
from csms.store.tables import session_messages, sessions
from csms.store.times import text_of

MOST_SESSIONS = 200  # that a page looks into; those before are found by the pages after it
SLACK = 86_400_000_000  # microseconds that a station's clock may be ahead of ours
LAST = 2**63 - 1

LOGGED = (
    select(messages)
    .where(messages.c.station_id == bindparam("station_id"), messages.c.entry_id < bindparam("logged"))
    .order_by(messages.c.entry_id.desc())
    .limit(bindparam("most"))
)
_latest = (
    select(sessions.c.session_id)
    .where(sessions.c.station_id == bindparam("station_id"), sessions.c.started_at <= bindparam("before"))
    .order_by(sessions.c.started_at.desc(), sessions.c.session_id.desc())
    .limit(MOST_SESSIONS)
    .scalar_subquery()
)
_m = session_messages.c
# A message that its session keeps, in the columns of the message log.
AS_LOGGED: tuple[ColumnElement[Any], ...] = (
    _m.entry_id,
    _m.received_at.label("at"),
    literal_column("'in'").label("direction"),
    _m.message_id,
    _m.action,
    _m.request,
    func.coalesce(_m.answer, literal_column("'{}'")).label("answer"),
    literal_column("'answered'").label("outcome"),
    literal_column("NULL").label("latency_us"),
)
KEPT = (
    select(*AS_LOGGED)
    .where(_m.session_id.in_(_latest), _m.entry_id < bindparam("kept"), _m.action != literal_column("''"))
    .order_by(_m.entry_id.desc())
    .limit(bindparam("most"))
)


def find(station_id: int, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` messages, from after the cursor on. Raises InvalidInput for a bad cursor."""
    logged, kept, before = (LAST, LAST, LAST) if after is None else key_of(after, (int, int, int))
    asked = {"station_id": station_id, "most": most + 1}
    rows = islice(
        merge(
            ((row.at, 0, row) for row in connection.execute(LOGGED, asked | {"logged": logged}).all()),
            (
                (row.at, 1, row)
                for row in connection.execute(KEPT, asked | {"kept": kept, "before": before}).all()
            ),
            key=lambda entry: entry[0],
            reverse=True,
        ),
        most + 1,
    )
    found = list(rows)
    for at, source, row in found[:most]:
        logged, kept = (row.entry_id, kept) if source == 0 else (logged, row.entry_id)
        before = min(at + SLACK, LAST)
    following = cursor_of(logged, kept, before) if len(found) > most else None
    return Page([_shown(row) for _, _, row in found[:most]], following)


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "at": text_of(row.at),
        "direction": row.direction,
        "message_id": row.message_id,
        "action": row.action,
        "request": row.request,
        "answer": row.answer,
        "outcome": row.outcome,
        "latency_ms": None if row.latency_us is None else row.latency_us / 1000,
    }
