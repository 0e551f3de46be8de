"""Rows of the feed of changes. Each is put down in the transaction of its cause.

As late in it as can be: readers wait for who has a number and has not ended (`changes`). Knows the kinds and
what each tells; whoever causes a change builds its row here.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, insert, literal_column, select

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, SessionState
from csms.store.change_tables import changes
from csms.store.jsontext import json_of
from csms.store.tables import charging_stations, operators, sessions


class Kind(StrEnum):
    """What happened. SESSION_PROGRESS is told to whoever listens and never kept."""

    SESSION_STARTED = "session_started"
    SESSION_PROGRESS = "session_progress"
    SESSION_SUSPECTED = "session_suspected"
    SESSION_RESUMED = "session_resumed"
    SESSION_ENDED = "session_ended"
    SESSION_REVISED = "session_revised"
    SESSION_SETTLED = "session_settled"
    CONNECTOR_STATUS = "connector_status"
    STATION_CONNECTED = "station_connected"
    STATION_DISCONNECTED = "station_disconnected"
    STATION_BOOTED = "station_booted"
    REGISTRATION_CHANGED = "registration_changed"
    QUARANTINE_ARRIVED = "quarantine_arrived"
    ALARM_RAISED = "alarm_raised"
    ALARM_CLEARED = "alarm_cleared"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_REFUSED = "order_refused"
    DISPUTE_RAISED = "dispute_raised"


class ChangeRow(NamedTuple):
    """A row of the feed."""

    at: int
    kind: str
    operator_id: int | None
    site_id: int | None
    station_id: int | None
    session_id: int | None
    body: str


FIELDS = ChangeRow._fields


def of_station(kind: Kind, station: ChargingStation, at: int, body: dict[str, Any]) -> ChangeRow:
    """Something about a charging station, at `at` (microseconds)."""
    return ChangeRow(
        at, kind._value_, station.operator_id, station.site_id, station.station_id, None, json_of(body)
    )


def of_session(kind: Kind, session: ChargingSession, at: int, **more: Any) -> ChangeRow:
    """Something about a session, with its figures as they are now (Wh)."""
    body = {
        "evse": session.evse,
        "connector": session.connector,
        "state": session.state._value_,
        "energy_wh": session.energy_wh,
        "quality": session.flags,
        **more,
    }
    where = (session.operator_id, session.site_id, session.station_id, session.session_id)
    return ChangeRow(at, kind._value_, *where, json_of(body))


def session_changes(change: Change, before: ChargingSession | None, at: int) -> list[ChangeRow]:
    """What a change of a session means to those who watch. `before` None: unknown, or there was none."""
    session, was = change.session, None if before is None else before.state
    if change.is_new:
        kind = Kind.SESSION_ENDED if session.state is SessionState.ENDED else Kind.SESSION_STARTED
        return [of_session(kind, session, at, started_at=session.started_at, ended_at=session.ended_at)]
    if change.revised:
        more = {"revision": session.revision, "cause": change.cause}
        return [of_session(Kind.SESSION_REVISED, session, at, **more)]
    if session.state is was or (was is None and not change.hours_due):
        return []
    if session.state is SessionState.ENDED:
        more = {"ended_at": session.ended_at, "stop_reason": session.stop_reason}
        return [of_session(Kind.SESSION_ENDED, session, at, **more)]
    if session.state is SessionState.SUSPECTED_ENDED:
        evidence = None if session.suspected_by is None else session.suspected_by.value
        return [of_session(Kind.SESSION_SUSPECTED, session, at, evidence=evidence)]
    return [of_session(Kind.SESSION_RESUMED, session, at)] if was is not None else []


def _announcement(query: Select[Any]) -> Any:
    return insert(changes).from_select(list(FIELDS), query)


_at = bindparam("at", type_=changes.c.at.type)
_kind = bindparam("kind", type_=changes.c.kind.type)
_body = bindparam("body", type_=changes.c.body.type)
_NONE: ColumnElement[Any] = literal_column("NULL")
C, S = charging_stations, sessions
OF_STATION = _announcement(
    select(_at, _kind, C.c.operator_id, C.c.site_id, C.c.station_id, _NONE, _body).where(
        C.c.identity == bindparam("who")
    )
)
OF_SESSION = _announcement(
    select(_at, _kind, S.c.operator_id, S.c.site_id, S.c.station_id, S.c.session_id, _body).where(
        S.c.session_id == bindparam("which")
    )
)
OF_OPERATOR = _announcement(
    select(_at, _kind, func.max(operators.c.operator_id), _NONE, _NONE, _NONE, _body).where(
        operators.c.code == bindparam("code")
    )
)
PLAIN = insert(changes)


def announce(rows: Sequence[ChangeRow], connection: Connection) -> None:
    """Put rows down, in somebody's transaction, behind what they tell of."""
    if rows:
        connection.execute(PLAIN, [row._asdict() for row in rows])


def announce_station(
    kind: Kind, identity: str, now: int, body: dict[str, Any], connection: Connection
) -> None:
    """The same about the station of this identity, as it is registered now."""
    asked = {"at": now, "kind": kind.value, "who": identity, "body": json_of(body)}
    connection.execute(OF_STATION, asked)


def announce_session(
    kind: Kind, session_id: int, now: int, body: dict[str, Any], connection: Connection
) -> None:
    """The same about a session that is stored."""
    asked = {"at": now, "kind": kind.value, "which": session_id, "body": json_of(body)}
    connection.execute(OF_SESSION, asked)


def announce_operator(kind: Kind, code: str, now: int, body: dict[str, Any], connection: Connection) -> None:
    """The same about the operator of this code; of nobody's where there is none."""
    asked = {"at": now, "kind": kind.value, "code": code, "body": json_of(body)}
    connection.execute(OF_OPERATOR, asked)
