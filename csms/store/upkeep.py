"""What nobody's message changes: sessions to suspect, close or total. Knows rows; no rule.

A session is replaced only if it is still what the caller looked at, in the transaction that reads it: its
station's own messages always win.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, not_, select, tuple_

from csms.domain.charging_session import ChargingSession
from csms.store.database import Database
from csms.store.records import Record, SessionDue
from csms.store.resuming import all_resumed, resumed
from csms.store.session_queries import ACTIVE, UNENDED
from csms.store.statements import statements
from csms.store.station_queries import IS_ONLINE
from csms.store.tables import charging_stations, sessions, totals
from csms.store.times import micros

MOST_MARKS = 1_000  # in one transaction

# Whatever began later is not meant: an index finds the few running sessions that are that old.
_IS_OLD = sessions.c.started_at <= bindparam("before")
_PLACE = (sessions.c.started_at, sessions.c.session_id)

SILENT = (
    select(sessions)
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .where(
        UNENDED,
        ACTIVE,
        _IS_OLD,
        func.coalesce(sessions.c.last_event_at, sessions.c.started_at) <= bindparam("before"),
        not_(IS_ONLINE),
    )
    .order_by(*_PLACE)
    .limit(bindparam("most"))
)
SUSPECTED = (
    select(sessions)
    .where(
        UNENDED,
        _IS_OLD,
        sessions.c.state == "suspected-ended",
        sessions.c.suspected_at <= bindparam("before"),
        tuple_(*_PLACE) > tuple_(bindparam("started_at"), bindparam("session_id")),
    )
    .order_by(*_PLACE)
    .limit(bindparam("most"))
)
UNCLOSED: ColumnElement[bool] = literal_column("totals.closed_at IS NULL")
# What a session is marked for is that its last readings of an hour are not in its totals yet: only a
# reading of the next hour would mark it. Which hours (and days, for stations of nobody) have ended is read
# off the totals that wait to be closed.
_ENDING = (
    select(totals.c.operator_id, totals.c.start, totals.c.until)
    .distinct()
    .where(
        literal_column("totals.closed_at IS NULL"),
        totals.c.until > bindparam("since"),
        totals.c.until <= bindparam("until"),
    )
    .subquery()
)
RUNNING = (
    select(sessions.c.session_id)
    .select_from(sessions)
    .join(_ENDING, _ENDING.c.operator_id == func.coalesce(sessions.c.operator_id, literal_column("0")))
    .where(
        UNENDED,
        sessions.c.started_at < bindparam("until"),  # so that an index finds the running ones
        sessions.c.last_event_at >= _ENDING.c.start,
        sessions.c.last_event_at < _ENDING.c.until,
    )
)
AWAY = (
    select(charging_stations.c.station_id)
    .where(charging_stations.c.station_id == bindparam("station_id"), not_(IS_ONLINE))
    .with_for_update(read=True)
)
STILL = select(sessions).where(sessions.c.session_id == bindparam("session_id")).with_for_update()


class UpkeepStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = statements(database.dialect_of)

    async def silent(self, before: datetime, most: int = 100) -> list[ChargingSession]:
        """Active sessions of stations without a connection, of which nothing was heard since `before`."""
        asked = {"before": micros(before), "most": most}
        return await self._database.look(
            lambda connection: all_resumed(connection.execute(SILENT, asked), connection)
        )

    async def suspected(
        self, before: datetime, after: ChargingSession | None = None, most: int = 100
    ) -> list[ChargingSession]:
        """Sessions suspected since `before` or longer, oldest first, from after `after` on."""
        started_at, number = (micros(after.started_at), after.session_id) if after is not None else (0, 0)
        asked = {"before": micros(before), "started_at": started_at, "session_id": number, "most": most}
        return await self._database.look(
            lambda connection: all_resumed(connection.execute(SUSPECTED, asked), connection)
        )

    async def replace(
        self, known: ChargingSession, records: Sequence[Record], *, while_away: bool = False
    ) -> bool:
        """Put `records` down if the session is still as `known`. False: it went on meanwhile.

        `while_away`: and if its station has no connection. One that comes waits, and then sees `records`.
        """
        return await self.replace_all([known], records, while_away=while_away)

    async def replace_all(
        self, known: Sequence[ChargingSession], records: Sequence[Record], *, while_away: bool = False
    ) -> bool:
        """The same for several sessions of one station: all of them, or nothing."""
        return await self._database.run(partial(self._replace, known, records, while_away))

    async def mark_running(self, since: datetime, until: datetime, now: datetime) -> int:
        """Running sessions last heard in an hour that ended from `since` to `until` are due; how many."""
        asked = {"since": micros(since), "until": micros(until)}
        found = sorted({row.session_id for row in await self._database.read(RUNNING, asked)})
        for n in range(0, len(found), MOST_MARKS):
            marks = [SessionDue(number, micros(now)) for number in found[n : n + MOST_MARKS]]
            await self._database.run(partial(self._put_down, marks))
        return len(found)

    def _replace(
        self,
        known: Sequence[ChargingSession],
        records: Sequence[Record],
        while_away: bool,
        connection: Connection,
    ) -> bool:
        if while_away and connection.execute(AWAY, {"station_id": known[0].station_id}).first() is None:
            return False
        for one in sorted(known, key=lambda session: session.session_id):
            row = connection.execute(STILL, {"session_id": one.session_id}).one_or_none()
            if row is None or resumed(row, connection) != one:
                return False
        self._put_down(records, connection)
        return True

    def _put_down(self, records: Sequence[Record], connection: Connection) -> None:
        for kind, prepared in self._statements.items():
            rows = [record for record in records if type(record) is kind]
            for statement in prepared if rows else ():
                connection.exec_driver_sql(statement.sql, statement.parameters(rows))
