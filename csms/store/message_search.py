"""The message log of all stations, latest first: what was logged, and what sessions keep of their messages.

A message that a session keeps is not logged a second time, so two tables are looked through, each by its
number, which goes with the time of writing. A time is found by halving the numbers: an index over it would
be written with every message. A request looks at a bounded number of rows of each table and then says where
to go on; up to there, and no further, what it found is in order. Knows rows; no caller.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, func, literal_column, not_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from csms.store.database import Database
from csms.store.device_tables import messages
from csms.store.message_pages import AS_LOGGED
from csms.store.paging import Page, cursor_of, key_of
from csms.store.session_filter import LONGEST_SESSION
from csms.store.tables import charging_stations, operators, session_messages, sessions
from csms.store.times import micros, text_of

LOOKED_AT = 5_000  # rows of each table that a request looks at
MOST_SESSIONS = 500  # of one station, that a request looks into
DISORDER_US = 120 * 1_000_000  # by how much rows may stand out of the order of their times
LAST = 2**63 - 1
WELL = ("answered", "accepted")

m, k = messages.c, session_messages.c


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; None does not filter. `direction`: in or out. `since` <= time < `until`.

    `is_bad`: refused, unanswered, late. `text` is part of the request or its answer; a-z are as good as A-Z.
    """

    operator: str | None = None
    station: str | None = None
    action: str | None = None
    direction: str | None = None
    text: str | None = None
    is_bad: bool = False
    since: datetime | None = None
    until: datetime | None = None


class _Plain(GenericFunction[str]):
    """A text of whose letters only a-z have a case: so SQLite has it, and PostgreSQL in no language."""

    name = "csms_plain"
    inherit_cache = True
    type = Text()


@compiles(_Plain, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Plain, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'


class _Looked(NamedTuple):
    """What came of looking through one table: rows by number, latest first, and down to which number."""

    rows: list[Row[Any]]
    low: int
    low_at: int
    is_all: bool


_ENDS = {
    table: (
        select(func.min(table.c.entry_id), func.max(table.c.entry_id)),
        select(table.c.entry_id, at),
    )
    for table, at in ((messages, m.at), (session_messages, k.received_at))
}
LOGGED: Select[Any] = (
    select(messages, charging_stations.c.identity, operators.c.code.label("operator_code"))
    .join(charging_stations, charging_stations.c.station_id == m.station_id)
    .outerjoin(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .order_by(m.entry_id.desc())
)
KEPT: Select[Any] = (
    select(
        *AS_LOGGED,
        k.session_id,
        charging_stations.c.identity,
        operators.c.code.label("operator_code"),
    )
    .join(sessions, sessions.c.session_id == k.session_id)
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .outerjoin(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .where(k.action != literal_column("''"))
    .order_by(k.entry_id.desc())
)


class MessageSearch:
    """Raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: MessageFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of messages as the API gives them, latest first; perhaps short, or empty, with a page after
        it. Raises InvalidInput for a bad cursor.
        """
        return await self._database.browse(partial(_find, wanted, after, most))


def _find(wanted: MessageFilter, after: str | None, most: int, connection: Connection) -> Page:
    logged, kept = (LAST, LAST) if after is None else key_of(after, (int, int))
    station = None
    if wanted.station is not None:
        query = select(charging_stations.c.station_id).where(charging_stations.c.identity == wanted.station)
        station = connection.scalar(query)
        if station is None:
            return Page([], None)
    one = _logged(wanted, station, logged, most, connection)
    other = _kept(wanted, station, kept, most, connection)
    both = sorted(
        (entry for n, looked in enumerate((one, other)) for entry in _placed(n, looked)),
        key=lambda entry: (entry[0], entry[1], entry[2].entry_id),
        reverse=True,
    )
    # What one table was not looked at for may belong between the other's rows.
    horizon = max(_horizon(one), _horizon(other))
    found = [entry for entry in both if entry[0] >= horizon][:most]
    if one.is_all and other.is_all and len(found) == len(both):
        following = None
    else:
        is_full = len(found) == most
        following = cursor_of(
            _next(found, 0, one, logged, horizon, is_full), _next(found, 1, other, kept, horizon, is_full)
        )
    return Page([_shown(row) for _, _, row in found], following)


def _placed(n: int, looked: _Looked) -> list[tuple[int, int, Row[Any]]]:
    """Rows with the time at which they are shown: none before one of its table that has a lower number."""
    found, at = [], LAST
    for row in looked.rows:
        at = min(at, row.at)
        found.append((at, n, row))
    return found


def _horizon(looked: _Looked) -> int:
    """The time down to which a table is known."""
    return -LAST if looked.is_all else min([looked.low_at, *(row.at for row in looked.rows)])


def _next(
    found: list[tuple[int, int, Row[Any]]],
    n: int,
    looked: _Looked,
    before: int,
    horizon: int,
    is_full: bool,
) -> int:
    """The number below which table `n` is looked through next."""
    shown = [row.entry_id for _, which, row in found if which == n]
    lowest = min(shown, default=before)
    if is_full or _horizon(looked) < horizon or looked.is_all:
        return lowest
    return min(lowest, looked.low)


def _logged(
    wanted: MessageFilter, station: int | None, before: int, most: int, connection: Connection
) -> _Looked:
    lead: list[ColumnElement[bool]] = [] if station is None else [m.station_id == station]
    low, high = _span(wanted, messages, before, connection)
    lead += [m.entry_id >= low, m.entry_id < high]
    keys = connection.execute(
        select(m.entry_id, m.at).where(*lead).order_by(m.entry_id.desc()).limit(LOOKED_AT)
    ).all()
    rest = _rest(wanted, m.at, m.action, m.request, m.answer)
    if wanted.direction is not None:
        rest.append(m.direction == wanted.direction)
    if wanted.is_bad:
        rest.append(not_(m.outcome.in_(WELL)))
    return _through(LOGGED.where(*lead, *rest), keys, m.entry_id, most, connection)


def _kept(
    wanted: MessageFilter, station: int | None, before: int, most: int, connection: Connection
) -> _Looked:
    # What a session keeps came from a station, and was answered.
    if wanted.is_bad or wanted.direction == "out":
        return _Looked([], 0, -LAST, True)
    low, high = _span(wanted, session_messages, before, connection)
    lead: list[ColumnElement[bool]] = [k.entry_id >= low, k.entry_id < high]
    numbers: list[int] = []
    if station is not None:
        numbers = _sessions_of(station, wanted, high, connection)
        lead.append(k.session_id.in_(numbers))
    keys = connection.execute(
        select(k.entry_id, k.received_at).where(*lead).order_by(k.entry_id.desc()).limit(LOOKED_AT)
    ).all()
    rest = _rest(wanted, k.received_at, k.action, k.request, k.answer)
    looked = _through(KEPT.where(*lead, *rest), keys, k.entry_id, most, connection)
    return looked._replace(is_all=looked.is_all and len(numbers) < MOST_SESSIONS) if keys else looked


def _sessions_of(station: int, wanted: MessageFilter, high: int, connection: Connection) -> list[int]:
    """The station's sessions that can have kept messages of the time that is looked at, latest first."""
    query = (
        select(sessions.c.session_id)
        .where(sessions.c.station_id == station)
        .order_by(sessions.c.started_at.desc(), sessions.c.session_id.desc())
        .limit(MOST_SESSIONS)
    )
    at = connection.scalar(
        select(k.received_at).where(k.entry_id < high).order_by(k.entry_id.desc()).limit(1)
    )
    if at is not None:
        query = query.where(sessions.c.started_at <= at + 86_400_000_000)
    if wanted.since is not None:
        query = query.where(sessions.c.started_at >= micros(wanted.since - LONGEST_SESSION))
    return list(connection.scalars(query))


def _through(query: Select[Any], keys: Any, number: Any, most: int, connection: Connection) -> _Looked:
    if not keys:
        return _Looked([], 0, -LAST, True)
    end = keys[-1]
    rows = list(connection.execute(query.where(number >= end.entry_id).limit(most + 1)).all())
    if len(rows) > most:
        return _Looked(rows[:most], rows[most - 1].entry_id, rows[most - 1].at, False)
    return _Looked(rows, end.entry_id, end[1], len(keys) < LOOKED_AT)


def _rest(
    wanted: MessageFilter, at: Any, action: Any, request: Any, answer: Any
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.action is not None:
        found.append(action == wanted.action)
    if wanted.since is not None:
        found.append(at >= micros(wanted.since))
    if wanted.until is not None:
        found.append(at < micros(wanted.until))
    if wanted.operator is not None:
        found.append(operators.c.code == wanted.operator)
    if wanted.text is not None:
        sides = (_Plain(request), _Plain(answer))
        found.append(or_(*(side.icontains(wanted.text, autoescape=True) for side in sides)))
    return found


def _span(wanted: MessageFilter, table: Any, before: int, connection: Connection) -> tuple[int, int]:
    """The numbers between which the times that are asked for lie, and some more on either side."""
    low, high = 0, before
    if wanted.since is not None:
        low = _number_at(table, micros(wanted.since) - DISORDER_US, connection)
    if wanted.until is not None:
        high = min(high, _number_at(table, micros(wanted.until) + DISORDER_US, connection))
    return low, high


def _number_at(table: Any, at: int, connection: Connection) -> int:
    """The first number whose row is of `at` or later, by halving; numbers may be missing."""
    ends, rows = _ENDS[table]
    low, high = connection.execute(ends).one()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        query = rows.where(table.c.entry_id >= middle).order_by(table.c.entry_id).limit(1)
        row = connection.execute(query).one_or_none()
        if row is None or row[1] >= at:
            high = middle
        else:
            low = row[0] + 1
    return int(low)


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "at": text_of(row.at),
        "charging_station": row.identity,
        "operator": row.operator_code,
        "direction": row.direction,
        "message_id": row.message_id,
        "action": row.action,
        "request": row.request,
        "answer": row.answer,
        "outcome": row.outcome,
        "latency_ms": None if row.latency_us is None else row.latency_us / 1000,
        "session_id": str(row.session_id) if hasattr(row, "session_id") else None,
    }
