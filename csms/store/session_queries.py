"""Sessions as the API shows them: rows to JSON-ready values. Knows nothing of a caller's rights."""

from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    select,
    tuple_,
)

from csms.domain.scope import Scope
from csms.store.jsontext import value_of
from csms.store.message_codec import facts_of
from csms.store.message_codec import key_of as message_key
from csms.store.paging import Page, cursor_of, key_of, page_of
from csms.store.readings import Sample, samples
from csms.store.scoping import within
from csms.store.session_codec import flags_of
from csms.store.session_filter import ACTIVE, FLAGGED, UNENDED, Plan, SessionFilter, plan_of
from csms.store.tables import (
    charging_stations,
    operators,
    session_messages,
    session_revisions,
    sessions,
    sites,
)
from csms.store.tariff_tables import session_costs
from csms.store.times import text_of

__all__ = [
    "ACTIVE", "FLAGGED", "IS_COST", "KEY", "KEYS", "SHOWN", "UNENDED", "SessionFilter", "find", "in_order",
    "last_of", "one", "shown", "start_charge_seq", "timeline", "until_key", "values",
]  # fmt: skip

CHUNKS = (500, 1_000, 1_500)  # rows of the leading index that a page looks at before it says: go on

_revisions = session_costs.alias("revisions")
_CURRENT = (
    select(func.max(_revisions.c.revision))
    .where(_revisions.c.session_id == sessions.c.session_id)
    .correlate(sessions)
    .scalar_subquery()
)
IS_COST = and_(session_costs.c.session_id == sessions.c.session_id, session_costs.c.revision == _CURRENT)
SHOWN = (
    select(
        sessions,
        charging_stations.c.identity,
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
        session_costs.c.total.label("cost"),
        session_costs.c.currency,
    )
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .outerjoin(sites, sites.c.site_id == sessions.c.site_id)
    .outerjoin(session_costs, IS_COST)
)
KEY = (sessions.c.started_at, sessions.c.session_id)
KEYS = select(*KEY)
TIMELINE = (
    select(session_messages)
    .where(session_messages.c.session_id == bindparam("session_id"))
    .order_by(session_messages.c.received_at, session_messages.c.entry_id)
)
REVISIONS = (
    select(session_revisions)
    .where(session_revisions.c.session_id == bindparam("session_id"))
    .order_by(session_revisions.c.revision)
)


def find(wanted: SessionFilter, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` sessions, newest first, from after the cursor on.

    A page that has looked at its share of rows ends there, perhaps short or empty, and has a page after it.
    """
    plan = plan_of(wanted, connection)
    if plan is None:
        return Page([], None)
    last = None if after is None else tuple(key_of(after, (int, int)))
    if not plan.rest:
        query = in_order(SHOWN.where(*plan.lead), wanted.oldest_first, last).limit(most + 1)
        return page_of(list(connection.execute(query)), most, shown, _key)
    return _looked_through(plan, wanted.oldest_first, last, most, connection)


def _looked_through(plan: Plan, oldest_first: bool, last: Any, most: int, connection: Connection) -> Page:
    rows: list[Row[Any]] = []
    for chunk in CHUNKS:
        keys = in_order(KEYS.where(*plan.lead), oldest_first, last).limit(chunk)
        end = connection.execute(last_of(keys, oldest_first)).one_or_none()
        if end is None:
            return Page([shown(row) for row in rows], None)
        number, key = end[0], tuple(end[1:])
        query = in_order(SHOWN.where(*plan.lead, *plan.rest), oldest_first, last)
        query = query.where(_among(keys, key, oldest_first, connection)).limit(most + 1 - len(rows))
        rows += connection.execute(query)
        if len(rows) > most:
            return page_of(rows, most, shown, _key)
        if number < chunk:
            return Page([shown(row) for row in rows], None)
        last = key
    return Page([shown(row) for row in rows], cursor_of(*last))


def _among(
    keys: Select[Any], end: tuple[int, ...], oldest_first: bool, connection: Connection
) -> ColumnElement[bool]:
    """The rows of these keys, the last of which is `end`."""
    if connection.dialect.name == "sqlite":
        return until_key(end, oldest_first)
    # PostgreSQL reckons with a third of all sessions between two keys, and would hash every station for them.
    return sessions.c.session_id.in_(select(keys.subquery().c.session_id))


def last_of(keys: Select[Any], oldest_first: bool) -> Select[Any]:
    """How many keys there are, and the last: one row, where fetching all of them would take longest."""
    these = keys.subquery()
    columns = [these.c[column.name] for column in KEY]
    last_first = [column.desc() if oldest_first else column for column in columns]
    return select(func.count().over(), *columns).order_by(*last_first).limit(1)


def in_order(query: Select[Any], oldest_first: bool, last: Any) -> Select[Any]:
    """The query in the order of the page, from after the key `last` on."""
    if last is not None:
        key, bound = tuple_(*KEY), tuple_(*last)
        query = query.where(key > bound if oldest_first else key < bound)
    return query.order_by(*(column if oldest_first else column.desc() for column in KEY))


def until_key(end: tuple[int, ...], oldest_first: bool) -> ColumnElement[bool]:
    key, bound = tuple_(*KEY), tuple_(*end)
    return key <= bound if oldest_first else key >= bound


def _key(row: Row[Any]) -> tuple[int, int]:
    return row.started_at, row.session_id


def one(session_id: int, scope: Scope, connection: Connection) -> dict[str, Any] | None:
    """The session, if it is in sight."""
    query = SHOWN.where(
        sessions.c.session_id == session_id, *within(scope, sessions.c.operator_id, sessions.c.site_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else shown(row)


def start_charge_seq(operator_code: str | None, session_id: int) -> str:
    """The session's number with city platforms: operator (9) and 18 digits."""
    return f"{operator_code or '':0>9}{session_id:018d}"


def shown(row: Row[Any]) -> dict[str, Any]:
    """A session as the API gives it."""
    return {
        "session_id": str(row.session_id),
        "operator": row.operator_code,
        "site": row.site_code,
        "charging_station": row.identity,
        "evse": row.evse,
        "connector": row.connector,
        "transaction_id": row.transaction_id,
        "id_token": row.token,
        "authorization": row.authorization,
        "state": row.state,
        "started_at": text_of(row.started_at),
        "ended_at": text_of(row.ended_at),
        "received_at": text_of(row.received_at),
        "meter_start_wh": row.meter_start_wh,
        "meter_stop_wh": row.meter_stop_wh,
        "energy_wh": row.energy_wh,
        "energy_source": row.energy_source,
        "cost": row.cost,
        "currency": row.currency,
        "quality": flags_of(row.flags),
        "revision": row.revision,
        "stop_reason": row.stop_reason,
        "ocpp_version": row.ocpp_version,
        "start_charge_seq": start_charge_seq(row.operator_code, row.session_id),
    }


def timeline(session_id: int, connection: Connection) -> list[dict[str, Any]]:
    """Everything that spoke of the session, and every revision, in the order in which it came."""
    told = [_told(row) for row in connection.execute(TIMELINE, {"session_id": session_id})]
    revised = [_revised(row) for row in connection.execute(REVISIONS, {"session_id": session_id})]
    return sorted(told + revised, key=lambda entry: str(entry["received_at"]))


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "received_at": text_of(row.received_at),
        "at": text_of(row.at),
        "kind": row.kind,
        "key": message_key(row),
        "message_id": row.message_id,
        "facts": facts_of(row),
        "answer": None if row.answer is None else value_of(row.answer),
    }


def _revised(row: Row[Any]) -> dict[str, Any]:
    return {
        "received_at": text_of(row.at),
        "kind": "revision",
        "revision": row.revision,
        "cause": row.cause,
        "old_energy_wh": row.old_energy_wh,
        "new_energy_wh": row.new_energy_wh,
        "snapshot": value_of(row.snapshot),
    }


def values(session_id: int, after: str | None, most: int, connection: Connection) -> Page:
    """The session's readings in time order."""
    if after is None:
        found = samples(session_id, connection)
    else:
        last = tuple(key_of(after, (int, int, int)))
        found = [one for one in samples(session_id, connection, last[0]) if one.key > last]
    return page_of(found[: most + 1], most, _value, attrgetter("key"))


def _value(sample: Sample) -> dict[str, Any]:
    return {
        "at": text_of(sample.at),
        "received_at": text_of(sample.received_at),
        "evse": sample.evse,
        "measurand": sample.kind.measurand,
        "phase": sample.kind.phase,
        "location": sample.kind.location,
        "context": sample.kind.context,
        "value": None if sample.value is None else _exact(sample.value),
        "raw": sample.raw,
    }


def _exact(thousandths: int) -> int | float:
    """Thousandths as a number: whole where it is whole. A double holds what any meter counts."""
    whole, rest = divmod(thousandths, 1000)
    return thousandths / 1000 if rest else whole
