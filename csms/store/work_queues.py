"""What waits for a person, by queue. Counts and pages cost what is open, never what there was.

Sessions are found by their marks, stations by the index of those that are away, records and disputes by
those of what is set aside or open. Every method raises StoreUnavailable when the database is away.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from csms.domain.scope import WHOLE, Scope
from csms.errors import InvalidInput, NotFound
from csms.store.change_tables import session_marks
from csms.store.database import Database
from csms.store.delivery_tables import disputes
from csms.store.outbox_statements import IN_STATE
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import within
from csms.store.session_codec import QUEUES, flags_of
from csms.store.session_queries import start_charge_seq
from csms.store.tables import charging_stations, operators, outbox, quarantine, sessions, sites
from csms.store.times import micros, text_of

SESSION_QUEUES = tuple(dict.fromkeys(QUEUES.values()))
# Whoever was denied waits for nobody any more.
STRANGERS = select(quarantine).where(quarantine.c.denied_at.is_(None))
ALL_QUEUES = (*SESSION_QUEUES, "silent-stations", "unsent-records", "disputes", "quarantine")
COUNTED = 10_000  # more than that is said to be as many, and more

m, s, c, o, d = session_marks, sessions, charging_stations, outbox, disputes
AWAY: ColumnElement[bool] = literal_column("charging_stations.disconnected_at IS NOT NULL")
IS_OPEN: ColumnElement[bool] = literal_column("disputes.resolved_at IS NULL")
DISMISS = delete(m).where(m.c.queue == bindparam("which"), m.c.session_id == bindparam("number"))


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Whose work, of all in sight. `operator` None: everybody's. `platforms`: those the caller may see."""

    operator: str | None
    platforms: tuple[str, ...]
    silent_before: datetime
    site: str | None = None
    scope: Scope = WHOLE


class WorkQueues:
    """Reads what waits for a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, wanted: QueueFilter) -> dict[str, int]:
        """How much waits in each queue; at most COUNTED is counted. Quarantine is the whole network's."""
        return await self._database.browse(partial(_counts, wanted))

    async def items(self, queue: str, wanted: QueueFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of a queue, newest first. Raises NotFound for another word, InvalidInput for a cursor."""
        if queue not in ALL_QUEUES:
            raise NotFound(f"work queue {queue}")
        return await self._database.browse(partial(_items, queue, wanted, after, most))

    async def dismiss(self, queue: str, session_id: int, own: Scope) -> None:
        """A person has seen to it that nothing is to be done. Raises NotFound."""
        if queue not in SESSION_QUEUES:
            raise NotFound(f"work queue {queue} of sessions")
        await self._database.run(partial(_dismiss, queue, session_id, own))


def _dismiss(queue: str, session_id: int, own: Scope, connection: Connection) -> None:
    query = select(m.c.session_id).where(m.c.queue == queue, m.c.session_id == session_id)
    query = query.where(*within(own, m.c.operator_id, m.c.site_id))
    if connection.execute(query).first() is None:
        raise NotFound(f"{queue} {session_id}")
    connection.execute(DISMISS, {"which": queue, "number": session_id})


def _number(operator: str, connection: Connection) -> int:
    """The operator's number; -1, which nobody has, for an unknown one."""
    return connection.scalar(select(operators.c.operator_id).where(operators.c.code == operator)) or -1


def _counts(wanted: QueueFilter, connection: Connection) -> dict[str, int]:
    counted = {}
    for queue in ALL_QUEUES:
        query = _query(queue, wanted, connection)
        if query is not None:
            some = (
                query.limit(COUNTED)
                .with_only_columns(literal_column("1"), maintain_column_froms=True)
                .order_by(None)
                .subquery()
            )
            counted[queue] = int(connection.scalar(select(func.count()).select_from(some)) or 0)
    return counted


def _query(queue: str, wanted: QueueFilter, connection: Connection) -> Select[Any] | None:
    """What is in a queue, without names; None where the caller sees nothing of it."""
    number = None if wanted.operator is None else _number(wanted.operator, connection)
    if queue in SESSION_QUEUES:
        query = select(m).where(m.c.queue == queue, *within(wanted.scope, m.c.operator_id, m.c.site_id))
        query = query if number is None else query.where(m.c.operator_id == number)
        return _at_site(query, m.c.site_id, wanted)
    if queue == "silent-stations":
        query = select(c).where(
            AWAY, c.c.disconnected_at <= micros(wanted.silent_before), c.c.enabled == literal_column("1"),
            *within(wanted.scope, c.c.operator_id, c.c.site_id),
        )  # fmt: skip
        query = query if number is None else query.where(c.c.operator_id == number)
        return _at_site(query, c.c.site_id, wanted)
    if wanted.site is not None or wanted.scope.sites is not None:
        return None  # what platforms and strangers have to do with belongs to no site
    if queue == "unsent-records":
        return select(o).where(IN_STATE["dead"], o.c.platform.in_(wanted.platforms))
    if queue == "disputes":
        return select(d).where(IS_OPEN, d.c.platform.in_(wanted.platforms))
    return STRANGERS if wanted.operator is None else None


def _at_site(query: Select[Any], column: Any, wanted: QueueFilter) -> Select[Any]:
    if wanted.site is None:
        return query
    return query.where(column.in_(select(sites.c.site_id).where(sites.c.code == wanted.site)))


def _items(queue: str, wanted: QueueFilter, after: str | None, most: int, connection: Connection) -> Page:
    query = _query(queue, wanted, connection)
    if query is None:
        return Page([], None)
    if queue in SESSION_QUEUES:
        return _sessions(queue, query, after, most, connection)
    if queue == "silent-stations":
        return _stations(query, after, most, connection)
    if queue == "quarantine":
        return _strangers(query, after, most, connection)
    return _of_platforms(queue, query, after, most, connection)


def _sessions(queue: str, query: Select[Any], after: str | None, most: int, connection: Connection) -> Page:
    if after is not None:
        query = query.where(m.c.session_id < key_of(after, (int,))[0])
    marks = query.order_by(m.c.session_id.desc()).limit(most + 1).subquery("marks")
    named = (
        select(s, c.c.identity, operators.c.code.label("operator"), sites.c.code.label("site"))
        .join_from(marks, s, s.c.session_id == marks.c.session_id)
        .join(c, c.c.station_id == s.c.station_id)
        .outerjoin(operators, operators.c.operator_id == s.c.operator_id)
        .outerjoin(sites, sites.c.site_id == s.c.site_id)
        .order_by(s.c.session_id.desc())
    )
    rows = list(connection.execute(named))
    return page_of(rows, most, _session, lambda row: (row.session_id,))


def _session(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.session_id),
        "operator": row.operator,
        "site": row.site,
        "charging_station": row.identity,
        "session_id": str(row.session_id),
        "since": text_of(row.received_at),
        "facts": {
            "state": row.state,
            "started_at": text_of(row.started_at),
            "ended_at": text_of(row.ended_at),
            "evse": row.evse,
            "connector": row.connector,
            "energy_wh": row.energy_wh,
            "meter_start_wh": row.meter_start_wh,
            "meter_stop_wh": row.meter_stop_wh,
            "quality": flags_of(row.flags),
            "start_charge_seq": start_charge_seq(row.operator, row.session_id),
        },
    }


def _stations(query: Select[Any], after: str | None, most: int, connection: Connection) -> Page:
    if after is not None:
        at, number = key_of(after, (int, int))
        query = query.where(
            or_(c.c.disconnected_at < at, and_(c.c.disconnected_at == at, c.c.station_id < number))
        )
    query = (
        query.add_columns(operators.c.code.label("operator"), sites.c.code.label("site"))
        .outerjoin(operators, operators.c.operator_id == c.c.operator_id)
        .outerjoin(sites, sites.c.site_id == c.c.site_id)
        .order_by(c.c.disconnected_at.desc(), c.c.station_id.desc())
        .limit(most + 1)
    )
    rows = list(connection.execute(query))
    return page_of(rows, most, _station, lambda row: (row.disconnected_at, row.station_id))


def _station(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.identity,
        "operator": row.operator,
        "site": row.site,
        "charging_station": row.identity,
        "session_id": None,
        "since": text_of(row.disconnected_at),
        "facts": {
            "last_seen_at": text_of(row.last_seen_at),
            "vendor": row.vendor,
            "model": row.model,
            "firmware_version": row.firmware_version,
        },
    }


def _of_platforms(
    queue: str, query: Select[Any], after: str | None, most: int, connection: Connection
) -> Page:
    number = o.c.outbox_id if queue == "unsent-records" else d.c.dispute_id
    if after is not None:
        query = query.where(number < key_of(after, (int,))[0])
    rows = list(connection.execute(query.order_by(number.desc()).limit(most + 1)))
    shape = _record if queue == "unsent-records" else _dispute
    return page_of(rows, most, shape, lambda row: (getattr(row, number.name),))


def _plain(number: int, since: int, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(number),
        "operator": None,
        "site": None,
        "charging_station": None,
        "session_id": None,
        "since": text_of(since),
        "facts": facts,
    }


def _record(row: Row[Any]) -> dict[str, Any]:
    names = ("platform", "kind", "about", "attempts", "last_error")
    return _plain(row.outbox_id, row.created_at, {name: getattr(row, name) for name in names})


def _dispute(row: Row[Any]) -> dict[str, Any]:
    names = (
        "platform", "source", "about", "start_charge_seq", "reason", "their_power", "their_money",
        "our_energy_wh", "our_money",
    )  # fmt: skip
    return _plain(row.dispute_id, row.raised_at, {name: getattr(row, name) for name in names})


def _strangers(query: Select[Any], after: str | None, most: int, connection: Connection) -> Page:
    if after is not None:
        key = key_of(after, (str,))[0]
        if "\0" in key:
            raise InvalidInput("after: this is no cursor")
        query = query.where(quarantine.c.identity > key)
    rows = list(connection.execute(query.order_by(quarantine.c.identity).limit(most + 1)))
    return page_of(rows, most, _stranger, lambda row: (row.identity,))


def _stranger(row: Row[Any]) -> dict[str, Any]:
    facts = {
        "last_seen_at": text_of(row.last_seen_at),
        "attempts": row.attempts,
        "remote_address": row.remote_address,
        "reason": row.reason,
    }
    return {**_plain(0, row.first_seen_at, facts), "id": row.identity}


def silent_before(now: datetime, silent_after_s: float) -> datetime:
    """Since when a station must have been away to be in the queue."""
    return now - timedelta(seconds=silent_after_s)
