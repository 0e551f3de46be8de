"""Sessions as the API shows them: rows to JSON-ready values. Knows nothing of a caller's rights."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, literal_column, select, tuple_

from csms.store.jsontext import value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.readings import Sample, samples
from csms.store.session_codec import flags_of, folded
from csms.store.tables import (
    charging_stations,
    operators,
    session_messages,
    session_revisions,
    sessions,
    sites,
)
from csms.store.times import micros, text_of

# Written out, because SQLite uses a partial index only for the very words of its condition.
UNENDED: ColumnElement[bool] = literal_column("sessions.state <> 'ended'")
ACTIVE: ColumnElement[bool] = literal_column("sessions.state = 'active'")
FLAGGED: ColumnElement[bool] = literal_column("sessions.flags <> ''")


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; None does not filter. Codes and identities, not numbers. `since` <= start < `until`."""

    operator: str | None = None
    site: str | None = None
    station: str | None = None
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    state: str | None = None
    quality: str | None = None
    since: datetime | None = None
    until: datetime | None = None


SHOWN = (
    select(
        sessions,
        charging_stations.c.identity,
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
    )
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .outerjoin(sites, sites.c.site_id == sessions.c.site_id)
)
KEY = (sessions.c.started_at, sessions.c.session_id)
TIMELINE = (
    select(session_messages)
    .where(session_messages.c.session_id == bindparam("session_id"))
    .order_by(session_messages.c.received_at, session_messages.c.key)
)
REVISIONS = (
    select(session_revisions)
    .where(session_revisions.c.session_id == bindparam("session_id"))
    .order_by(session_revisions.c.revision)
)


def find(wanted: SessionFilter, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` sessions, newest first, from after the cursor on."""
    conditions = _conditions(wanted, connection)
    if conditions is None:
        return Page([], None)
    query = SHOWN.where(*conditions).order_by(*(column.desc() for column in KEY)).limit(most + 1)
    if after is not None:
        started_at, session_id = key_of(after, (int, int))
        query = query.where(tuple_(*KEY) < tuple_(started_at, session_id))
    rows = list(connection.execute(query))
    return page_of(rows, most, shown, lambda row: (row.started_at, row.session_id))


def one(session_id: int, operator: str | None, connection: Connection) -> dict[str, Any] | None:
    """The session, if it is one of `operator` (None: of anyone)."""
    query = SHOWN.where(sessions.c.session_id == session_id)
    if operator is not None:
        query = query.where(operators.c.code == operator)
    row = connection.execute(query).one_or_none()
    return None if row is None else shown(row)


def _conditions(wanted: SessionFilter, connection: Connection) -> list[ColumnElement[bool]] | None:
    """WHERE of a filter. Codes become numbers first, so that an index serves; None: nothing can match."""
    found: list[ColumnElement[bool]] = []
    for column, query in _named(wanted):
        numbers = list(connection.scalars(query))
        if not numbers:
            return None
        found.append(column == numbers[0] if len(numbers) == 1 else column.in_(numbers))
    found += _plain(wanted)
    if wanted.state not in (None, "ended"):
        found.append(UNENDED)
    if wanted.quality is not None:
        found += [FLAGGED, sessions.c.flags.contains(f",{wanted.quality},", autoescape=True)]
    return found


def _named(wanted: SessionFilter) -> list[tuple[Any, Select[Any]]]:
    queries: list[tuple[Any, Select[Any]]] = []
    if wanted.operator is not None:
        operator = select(operators.c.operator_id).where(operators.c.code == wanted.operator)
        queries.append((sessions.c.operator_id, operator))
    if wanted.site is not None:
        site = select(sites.c.site_id).where(sites.c.code == wanted.site)
        queries.append((sessions.c.site_id, site))
    if wanted.station is not None:
        station = select(charging_stations.c.station_id).where(charging_stations.c.identity == wanted.station)
        queries.append((sessions.c.station_id, station))
    return queries


def _plain(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    token = None if wanted.token is None else folded(wanted.token)
    equal = {"evse": wanted.evse, "connector": wanted.connector, "token_folded": token, "state": wanted.state}
    found = [sessions.c[name] == value for name, value in equal.items() if value is not None]
    if wanted.since is not None:
        found.append(sessions.c.started_at >= micros(wanted.since))
    if wanted.until is not None:
        found.append(sessions.c.started_at < micros(wanted.until))
    return found


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
        "key": row.key,
        "message_id": row.message_id,
        "facts": value_of(row.facts),
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
        found = (one for one in samples(session_id, connection, last[0]) if one.key > last)
    return page_of(list(islice(found, most + 1)), most, _value, attrgetter("key"))


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
