"""Hours of sessions that are due: computed from their readings, and put down where they changed.

Knows marks, readings and hours of sessions; no total.
"""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Select, bindparam, delete, literal_column, or_, select

from csms.domain.charging_session import ChargingSession
from csms.domain.local_time import zone
from csms.domain.meter import ENERGY_IMPORT_INTERVAL, ENERGY_IMPORT_REGISTER, Reading
from csms.domain.rollup import SessionHour
from csms.domain.rollup import session_hours as hours_of
from csms.store.key_sets import Columns, KeyQuery
from csms.store.reading_rows import unpack
from csms.store.session_codec import session_of
from csms.store.statements import prepare, upsert
from csms.store.tables import operators, reading_kinds, session_due, session_hours, session_messages, sessions
from csms.store.times import instant, micros

HourRow = tuple[Any, ...]  # the columns of `session_hours`, in order


class Mark(NamedTuple):
    """Why a session is due. Another mark differs in one of these, even if this one was removed meanwhile."""

    version: int
    due_at: int


class Due(NamedTuple):
    """A session's hours, computed for a mark."""

    session: ChargingSession
    local: tzinfo
    mark: Mark
    rows: list[HourRow]

    @property
    def session_id(self) -> int:
        """Which session."""
        return self.session.session_id


DUE = (
    select(sessions, session_due.c.version, session_due.c.due_at, operators.c.time_zone)
    .join(session_due, session_due.c.session_id == sessions.c.session_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .where(session_due.c.due_at <= bindparam("until"))
    .order_by(session_due.c.due_at)
    .limit(bindparam("most"))
)
DONE = delete(session_due).where(
    session_due.c.session_id == bindparam("session_id"), session_due.c.version == bindparam("version")
)
COLUMNS = tuple(session_hours.c.keys())
REMOVE = delete(session_hours).where(
    session_hours.c.session_id == bindparam("session_id"), session_hours.c.hour == bindparam("hour")
)
KINDS = select(reading_kinds).where(
    or_(
        reading_kinds.c.measurand == ENERGY_IMPORT_REGISTER,
        reading_kinds.c.measurand == ENERGY_IMPORT_INTERVAL,
    )
)


def _marks(given: Any) -> Select[Any]:
    due = session_due.c
    return select(due.session_id, due.version, due.due_at).join_from(
        given.session_id.table, session_due, due.session_id == given.session_id
    )


def _told(given: Any) -> Select[Any]:
    # Of equal values the first that came counts.
    told = session_messages.c
    return (
        select(told.session_id, told.samples)
        .join_from(given.session_id.table, session_messages, told.session_id == given.session_id)
        .where(told.samples != literal_column("''"))
        .order_by(told.session_id, told.entry_id)
    )


def _hours(given: Any) -> Select[Any]:
    return select(session_hours).join_from(
        given.session_id.table, session_hours, session_hours.c.session_id == given.session_id
    )


class DueHours:
    """Statements over due sessions, compiled once for a database."""

    def __init__(self, dialect: Dialect) -> None:
        by_session: Columns = {"session_id": int}
        self._done = prepare(DONE, ("session_id", "version"), dialect)
        self._marks = KeyQuery(dialect, _marks, by_session)
        self._told = KeyQuery(dialect, _told, by_session)
        self._known = KeyQuery(dialect, _hours, by_session)
        self._remove = prepare(REMOVE, ("session_id", "hour"), dialect)
        put = upsert(dialect)(session_hours).values({name: bindparam(name) for name in COLUMNS}).inline()
        fresh = {name: put.excluded[name] for name in COLUMNS[2:]}
        put = put.on_conflict_do_update(index_elements=COLUMNS[:2], set_=fresh)
        self._put = prepare(put, COLUMNS, dialect)

    def compute(self, until: int, most: int, connection: Connection) -> list[Due]:
        """The hours of sessions that are due by `until`, longest due first. Reads only."""
        rows = connection.execute(DUE, {"until": until, "most": most}).all()
        found = [(session_of(row), zone(row.time_zone or "UTC")) for row in rows]
        # Within one hour no reading matters: all of the session's energy is that hour's.
        hours = [hours_of(session, (), local) for session, local in found]
        several = [n for n, some in enumerate(hours) if len(some) > 1]
        told = self.readings([found[n][0].session_id for n in several], connection)
        for n in several:
            session, local = found[n]
            hours[n] = hours_of(session, told.get(session.session_id, ()), local)
        return [
            Due(session, local, Mark(row.version, row.due_at), [_row(session, hour) for hour in some])
            for row, (session, local), some in zip(rows, found, hours, strict=True)
        ]

    def held(self, found: Sequence[Due], connection: Connection) -> list[Due]:
        """Those of `found` whose mark is still there.

        A session that was marked again or computed by another meanwhile is left to its next turn.
        """
        marks = {
            row.session_id: Mark(row.version, row.due_at)
            for row in self._marks.rows([(due.session_id,) for due in found], connection)
        }
        return [due for due in found if marks.get(due.session_id) == due.mark]

    def put_down(self, found: Sequence[Due], connection: Connection) -> list[HourRow]:
        """Store the hours that changed and take the marks off; rows as they were and as they are now.

        `found` are those that are still `held` in this transaction.
        """
        if not found:
            return []
        known = self._known.rows([(due.session_id,) for due in found], connection)
        before = {(row[0], row[1]): tuple(row) for row in known}
        after = {(row[0], row[1]): row for due in found for row in due.rows}
        changed = [row for key, row in after.items() if before.get(key) != row]
        gone = [key for key in before if key not in after]
        if gone:
            connection.exec_driver_sql(self._remove.sql, self._remove.parameters(gone))
        if changed:
            connection.exec_driver_sql(self._put.sql, self._put.parameters(changed))
        done = [(due.session_id, due.mark.version) for due in found]
        connection.exec_driver_sql(self._done.sql, self._done.parameters(done))
        return [
            *changed,
            *(before[key] for key in gone),
            *(before[row[0], row[1]] for row in changed if (row[0], row[1]) in before),
        ]

    def readings(self, numbers: Iterable[int], connection: Connection) -> dict[int, list[Reading]]:
        """The energy readings of each session, in the order in which they came."""
        kinds = {row.kind_id: row[1:] for row in connection.execute(KINDS)}
        found: dict[int, list[Reading]] = {}
        for session_id, packed in self._told.rows([(number,) for number in numbers], connection):
            readings = found.setdefault(session_id, [])
            for at, samples in unpack(packed):
                when = instant(at)
                for kind, value, *raw in samples:
                    if kind in kinds:
                        measurand, phase, location, context = kinds[kind]
                        readings.append(Reading(when, measurand, value, phase, location, context, *raw))
        return found


def _row(session: ChargingSession, hour: SessionHour) -> HourRow:
    return (
        session.session_id,
        micros(hour.hour_start),
        session.operator_id,
        session.site_id,
        session.station_id,
        session.evse,
        session.connector,
        hour.energy_wh,
        hour.charging_s,
        hour.sessions,
    )
