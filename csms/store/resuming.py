"""Running sessions as their messages have left them. Knows rows; the rule is the domain's (`course`).

The row of a busy session may be behind its messages for a moment: the writer puts down what a session has
come to less often than what was said of it. A process that dies leaves it behind for longer. Whoever decides
something about a session therefore reads it here.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import METERED, ChargingSession
from csms.domain.course import Course, Step
from csms.domain.meter import ENERGY_IMPORT_REGISTER, kind_number
from csms.store.reading_rows import unpack
from csms.store.records import SessionProgress
from csms.store.session_codec import progress_of, session_of
from csms.store.session_queries import UNENDED
from csms.store.statements import statements
from csms.store.tables import session_messages, sessions

MOST = 500  # sessions per transaction

_CONTEXTS = ("", "sample.clock", "trigger", "interruption.begin", "interruption.end", "other")
_REGISTERS = {kind_number(ENERGY_IMPORT_REGISTER, "", "", context) for context in _CONTEXTS}
_ANYWHERE = ChargingStation(0, "")  # what it may deliver was asked when the readings came

_m = session_messages.c
SINCE = (
    select(_m.key_number, _m.at, _m.samples, _m.nth)
    .where(
        _m.session_id == bindparam("session_id"), _m.nth > bindparam("heard"), _m.kind == bindparam("kind")
    )
    .order_by(_m.nth)
)
# By start, as their index has them: by number it would be a walk through all of history.
_PLACE = (sessions.c.started_at, sessions.c.session_id)
RUNNING = (
    select(sessions)
    .where(UNENDED, tuple_(*_PLACE) > tuple_(bindparam("at"), bindparam("number")))
    .order_by(*_PLACE)
    .limit(MOST)
)
FIRST = (-(2**62), -1)


def resumed(row: Any, connection: Connection) -> ChargingSession:
    """The session of a row of `sessions`, carried on over the messages that the row does not know of."""
    session = session_of(row)
    # Most common first: sessions of the past.
    if not Course.can_run(session):
        return session
    asked = {"session_id": session.session_id, "heard": session.heard, "kind": METERED}
    told = connection.execute(SINCE, asked).all()
    if not told:
        return session
    course, is_numbered = Course(session, _ANYWHERE), session.sequence.highest is not None
    for number, at, samples, nth in told:
        course.take(_step(number if is_numbered else -1, at, samples, nth))
    return course.session()


def catch_up(after: tuple[int, int], connection: Connection) -> tuple[int, int] | None:
    """Bring the rows of some running sessions, after this start and number, up to what was said of them.

    Start and number of the last one looked at; None when there is none left.
    """
    rows = connection.execute(RUNNING, {"at": after[0], "number": after[1]}).all()
    behind = [session for row in rows if (session := resumed(row, connection)).heard != row.heard]
    if behind:
        for statement in statements(connection.dialect)[SessionProgress]:
            records = [progress_of(session) for session in behind]
            connection.exec_driver_sql(statement.sql, statement.parameters(records))
    return (rows[-1].started_at, rows[-1].session_id) if rows else None


def all_resumed(rows: Iterable[Any], connection: Connection) -> list[ChargingSession]:
    """`resumed` for each of the rows."""
    return [resumed(row, connection) for row in rows]


def _step(number: int, at: int, packed: str, nth: int) -> Step:
    taken, energy = at, None
    for when, samples in unpack(packed):
        taken = when
        energy = next((value for kind, value, *_ in samples if kind in _REGISTERS), energy)
    return Step(at, taken, energy, number, nth)
