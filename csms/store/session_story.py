"""Everything that bears on one session: what was said, seen, commanded and revised. Knows rows.

The evidence of a session is mixed from five tables in the order in which it came, a page at a time: its
messages, its connector's states, its station's connections and faults, commands to the station, revisions.
"""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, or_, select

from csms.domain.charging_session import METERED
from csms.store.database import Database
from csms.store.device_tables import connector_states, station_events
from csms.store.jsontext import value_of
from csms.store.message_codec import facts_of
from csms.store.paging import Page, key_of, page_of
from csms.store.tables import commands, session_messages, session_revisions, sessions
from csms.store.tariff_tables import session_costs
from csms.store.times import text_of

BEFORE_US, AFTER_US = 10 * 60 * 1_000_000, 30 * 60 * 1_000_000
"""How long before the start and after the end something belongs to a session's evidence."""

COMPARED = (
    "state", "started_at", "ended_at", "energy_wh", "energy_source", "meter_start_wh", "meter_stop_wh",
    "evse", "connector", "token", "stop_reason", "flags",
)  # fmt: skip
MONEY = (
    "version_id", "energy_wh", "elec_money", "service_money", "idle_money", "parking_money", "total",
)  # fmt: skip

ONE = select(sessions).where(sessions.c.session_id == bindparam("session"))
REVISIONS = (
    select(session_revisions)
    .where(session_revisions.c.session_id == bindparam("session"))
    .order_by(session_revisions.c.revision)
)
COSTS = (
    select(session_costs)
    .where(session_costs.c.session_id == bindparam("session"))
    .order_by(session_costs.c.revision)
)


def _since(at: Any, number: Any) -> ColumnElement[bool]:
    """From after the cursor on: by time of arrival, then by number."""
    return or_(at > bindparam("at"), and_(at == bindparam("at"), number > bindparam("number")))


def within(at: Any) -> ColumnElement[bool]:
    """Whether a time belongs to a session (`bounds_of`)."""
    return and_(at >= bindparam("since"), at <= bindparam("until"))


_m, _c, _e, _r, _o = (
    session_messages.c, connector_states.c, station_events.c, session_revisions.c, commands.c,
)  # fmt: skip
SOURCES: dict[str, tuple[Select[Any], Any, Any]] = {
    "message": (
        select(session_messages).where(_m.session_id == bindparam("session")),
        _m.received_at,
        _m.entry_id,
    ),
    "status": (
        select(connector_states).where(
            _c.station_id == bindparam("station"),
            _c.evse == bindparam("evse"),
            _c.connector == bindparam("connector"),
            within(_c.at),
        ),
        _c.received_at,
        _c.state_id,
    ),
    "event": (
        select(station_events).where(_e.station_id == bindparam("station"), within(_e.received_at)),
        _e.received_at,
        _e.event_id,
    ),
    "command": (
        select(commands).where(_o.station_id == bindparam("station"), within(_o.created_at)),
        _o.created_at,
        _o.command_id,
    ),
    "revision": (
        select(session_revisions).where(_r.session_id == bindparam("session")),
        _r.at,
        _r.revision,
    ),
}
PAGES = {
    name: query.where(_since(at, number)).order_by(at, number).limit(bindparam("most"))
    for name, (query, at, number) in SOURCES.items()
}
NUMBERS = {name: number.name for name, (_, _, number) in SOURCES.items()}
TIMES = {name: at.name for name, (_, at, _) in SOURCES.items()}


class SessionStories:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def evidence(self, session_id: int, after: str | None = None, most: int = 100) -> Page:
        """A page of everything that bears on a session, in order of arrival. Raises InvalidInput."""
        return await self._database.browse(partial(_evidence, session_id, after, most))

    async def revisions(self, session_id: int) -> dict[str, Any]:
        """What late data changed of the session, and what was told of its price, oldest first."""
        return await self._database.browse(partial(_revisions, session_id))


def bounds_of(session_id: int, connection: Connection) -> tuple[Row[Any], dict[str, Any]]:
    """The row of a session that is there, and its station and time as parameters."""
    row = connection.execute(ONE, {"session": session_id}).one()
    end = row.end_received_at or row.ended_at
    return row, {
        "station": row.station_id,
        "since": row.started_at - BEFORE_US,
        "until": 2**62 if end is None else max(end, row.ended_at or end) + AFTER_US,
    }


def _evidence(session_id: int, after: str | None, most: int, connection: Connection) -> Page:
    row, asked = bounds_of(session_id, connection)
    last_at, last_source, last_number = (-(2**62), "", 0) if after is None else key_of(after, (int, str, int))
    asked |= {"session": session_id, "evse": row.evse, "connector": row.connector, "most": most + 1}
    found: list[tuple[tuple[int, str, int], dict[str, Any]]] = []
    for name, query in PAGES.items():
        # Of equal times the sources come by their names: those before the cursor's are done with.
        number = last_number if name == last_source else (2**62 if name < last_source else -(2**62))
        mine = {key: value for key, value in asked.items() if key in query.compile().params}
        rows = connection.execute(query, mine | {"at": last_at, "number": number}).all()
        for one in rows:
            values = one._mapping
            key = (values[TIMES[name]], name, values[NUMBERS[name]])
            found.append((key, _entry(name, one)))
    found.sort(key=lambda entry: entry[0])
    return page_of(found[: most + 1], most, lambda entry: entry[1], lambda entry: entry[0])


def _entry(name: str, row: Row[Any]) -> dict[str, Any]:
    values = row._mapping
    return {
        "received_at": text_of(values[TIMES[name]]),
        "at": text_of(values.get("at")),
        "source": name,
        "kind": KIND_OF[name](row),
        "details": DETAILS[name](row),
    }


def _message(row: Row[Any]) -> dict[str, Any]:
    told = {} if row.answer is None else {"answer": value_of(row.answer)}
    return {"action": row.action, "message_id": row.message_id, "facts": facts_of(row), **told}


KIND_OF: dict[str, Any] = {
    "message": lambda row: "reading" if row.kind == METERED else row.kind,
    "status": lambda row: row.status,
    "event": lambda row: row.kind,
    "command": lambda row: row.kind,
    "revision": lambda row: row.cause,
}
DETAILS: dict[str, Any] = {
    "message": _message,
    "status": lambda row: {
        "error_code": row.error_code, "vendor_error": row.vendor_error, "info": row.info,
    },
    "event": lambda row: value_of(row.details),
    "command": lambda row: {
        "command_id": str(row.command_id), "actor": row.actor, "result": row.result,
        "given": value_of(row.body).get("given"),
    },
    "revision": lambda row: {
        "revision": row.revision, "old_energy_wh": row.old_energy_wh, "new_energy_wh": row.new_energy_wh,
    },
}  # fmt: skip


def _revisions(session_id: int, connection: Connection) -> dict[str, Any]:
    asked = {"session": session_id}
    return {
        "session": _changes(connection.execute(REVISIONS, asked).all()),
        "orders": _prices(connection.execute(COSTS, asked).all()),
    }


def _changes(rows: Any) -> list[dict[str, Any]]:
    """Each revision with the fields in which it differs from the one before, as far as that was kept."""
    found, before = [], None
    for row in rows:
        after = value_of(row.snapshot)
        changed = {"energy_wh": [row.old_energy_wh, row.new_energy_wh]}
        if before is not None:
            pairs = {name: [before.get(name), after.get(name)] for name in COMPARED}
            changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        elif row.old_energy_wh == row.new_energy_wh:
            changed = {}
        found.append(
            {
                "revision": row.revision,
                "at": text_of(row.at),
                "cause": row.cause,
                "changed": changed,
                "after": {name: after.get(name) for name in COMPARED},
            }
        )
        before = after
    return found


def _prices(rows: Any) -> list[dict[str, Any]]:
    found, before = [], None
    for row in rows:
        values = {name: row._mapping[name] for name in MONEY}
        known = before or dict.fromkeys(MONEY)
        found.append(
            {
                "revision": row.revision,
                "at": text_of(row.at),
                "session_revision": row.session_revision,
                "currency": row.currency,
                "total": row.total,
                "changed": {
                    ("tariff_version" if name == "version_id" else name): [known[name], value]
                    for name, value in values.items()
                    if known[name] != value
                },
            }
        )
        before = values
    return found
