"""What is told late of days that are computed: those days are due again. Knows tables; computes no day.

Rows of the evidence are looked at once, in the order of their numbers, some time after their arrival: a
commit may put a lower number into the table after a higher one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update

from csms.store.database import Database
from csms.store.device_tables import connector_states, station_events
from csms.store.statements import upsert
from csms.store.tables import charging_stations
from csms.store.times import micros
from csms.store.uptime_tables import use_marks, use_progress

LOCK = 7_341_004  # any number, the same for all nodes: one settles, the others wait
LAG = timedelta(minutes=2)  # a commit takes at most so long: what is older by its arrival is all there
MOST_ROWS = 20_000  # of evidence looked at in one go
SOURCES = {
    "connector_states": (connector_states, connector_states.c.state_id),
    "station_events": (station_events, station_events.c.event_id),
}
_MISSING = select(charging_stations.c.station_id, charging_stations.c.created_at).where(
    ~select(use_progress.c.station_id)
    .where(use_progress.c.station_id == charging_stations.c.station_id)
    .exists()
)
MARKS = select(use_marks)
SET_BACK = (
    update(use_progress)
    .where(use_progress.c.station_id == bindparam("id"), use_progress.c.done_until > bindparam("at"))
    .values(done_until=bindparam("at"))
)


class UseMarks:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note_late(self, now: datetime) -> int:
        """Look at what was told since the last time; how many rows there were (0: nothing new)."""
        marks = await self._database.look(partial(_new, micros(now - LAG)))
        missing = await self._database.read(_MISSING)
        if not marks and not missing:
            return 0
        return await self._database.run(partial(_note, marks, missing))


def take_turn(connection: Connection) -> None:
    """Wait until no other node sets back or settles."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _note(marks: dict[str, int], missing: Sequence[Any], connection: Connection) -> int:
    take_turn(connection)
    if missing:
        fresh = upsert(connection.dialect)(use_progress).on_conflict_do_nothing()
        connection.execute(
            fresh, [{"station_id": row.station_id, "done_until": row.created_at} for row in missing]
        )
    seen = dict(map(tuple, connection.execute(MARKS)))
    told = 0
    for source, until in marks.items():
        since = seen.get(source, 0)
        late = _earliest(source, since, until, connection)
        if late:
            connection.execute(SET_BACK, [{"id": number, "at": at} for number, at in late])
        mark = upsert(connection.dialect)(use_marks).values(source=source, seen_id=max(since, until))
        connection.execute(
            mark.on_conflict_do_update(index_elements=["source"], set_={"seen_id": mark.excluded.seen_id})
        )
        told += max(until - since, 0)
    return told + len(missing)


def _new(before: int, connection: Connection) -> dict[str, int]:
    """Of each source with news: up to which row it can be looked at."""
    seen = dict(map(tuple, connection.execute(MARKS)))
    found: dict[str, int] = {}
    for source, (table, number) in SOURCES.items():
        first = seen.get(source, 0)
        some = (
            select(number, table.c.received_at)
            .where(number > first)
            .order_by(number)
            .limit(MOST_ROWS)
            .subquery()
        )
        # A row that is too new ends the look: a number below it may still be on its way into the table.
        newer = select(func.min(some.c[number.name])).where(some.c.received_at > before)
        last = select(func.max(some.c[number.name]))
        is_new, is_last = connection.execute(select(newer.scalar_subquery(), last.scalar_subquery())).one()
        until = is_last if is_new is None else is_new - 1
        if until is not None and until > first:
            found[source] = until
    return found


def _earliest(source: str, since: int, until: int, connection: Connection) -> list[tuple[int, int]]:
    """Stations of which these rows tell, and since when."""
    table, number = SOURCES[source]
    when = func.min(case((table.c.at < table.c.received_at, table.c.at), else_=table.c.received_at))
    query = select(table.c.station_id, when).where(number > since, number <= until)
    if source == "station_events":
        query = query.where(table.c.kind.in_(("connected", "disconnected")))
    return [(row[0], row[1]) for row in connection.execute(query.group_by(table.c.station_id))]
