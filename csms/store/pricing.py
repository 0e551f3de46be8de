"""Ended sessions that are due: priced, and their charge orders put down where anything is new to be told.

`price` only reads, and is done before the transaction that settles; `put_down` is in it. A session whose
order says what the last one said gets no other. Knows tariffs, costs and the canonical order; which platform
is owed it is the caller's to say.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Dialect, Select, bindparam, insert, select

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import ChargingSession
from csms.domain.cost import Cost, cost_of, needs_readings
from csms.domain.meter import Reading
from csms.domain.orders import charge_order, line_of, money_text
from csms.domain.settling import is_order_due
from csms.domain.tariff_book import Applied, TariffBook, Where
from csms.store import tariff_reads
from csms.store.change_rows import ChangeRow, Kind, announce, of_session
from csms.store.jsontext import json_of
from csms.store.key_sets import Columns, KeyQuery
from csms.store.records import OutboxRow
from csms.store.session_hours import Due
from csms.store.statements import prepare
from csms.store.tables import charging_stations, operators, sessions, sites
from csms.store.tariff_tables import session_costs

Readings = Mapping[int, Sequence[Reading]]
FetchReadings = Callable[[Sequence[int], Connection], Readings]


class Order(NamedTuple):
    """A charge order that is new: `revision` counts what was ever told of the session."""

    operator_code: str
    session_id: int
    revision: int
    payload: dict[str, Any]


class Orders(NamedTuple):
    """Whose orders anybody wants, and what is owed for new ones. Called in the transaction; must be quick."""

    operators: frozenset[str]
    owed: Callable[[Sequence[Order]], Sequence[OutboxRow]]


NO_ORDERS = Orders(frozenset(), lambda orders: ())


class Draft(NamedTuple):
    """An ended session's order and cost, as computed for a mark; the revision is yet to be found."""

    session: ChargingSession
    operator_code: str
    is_wanted: bool
    version_id: int | None
    cost: Cost | None
    payload: dict[str, Any]
    digest: str


class _Ended(NamedTuple):
    """An ended session and what it takes to price it."""

    due: Due
    station: ChargingStation
    applied: Applied | None


COST_COLUMNS = tuple(session_costs.c.keys())
_encode = msgspec.json.Encoder().encode


def _stations(given: Any) -> Select[Any]:
    """Where sessions were: station as it is, operator and site as they were."""
    s, c = sessions.c, charging_stations.c
    return (
        select(
            s.session_id,
            c.station_id,
            c.identity,
            s.site_id,
            s.operator_id,
            operators.c.code.label("operator_code"),
            sites.c.code.label("site_code"),
            c.max_power_w,
        )
        .join_from(given.session_id.table, sessions, s.session_id == given.session_id)
        .join(charging_stations, c.station_id == s.station_id)
        .outerjoin(operators, operators.c.operator_id == s.operator_id)
        .outerjoin(sites, sites.c.site_id == s.site_id)
    )


def _told(given: Any) -> Select[Any]:
    c = session_costs.c
    return (
        select(c.session_id, c.revision, c.digest)
        .join_from(given.session_id.table, session_costs, c.session_id == given.session_id)
        .order_by(c.session_id, c.revision)
    )


class Pricing:
    """Statements over costs, compiled once for a database, and the tariffs as last read."""

    def __init__(self, dialect: Dialect) -> None:
        by_session: Columns = {"session_id": int}
        self._stations = KeyQuery(dialect, _stations, by_session)
        self._told = KeyQuery(dialect, _told, by_session)
        keep = insert(session_costs).values({name: bindparam(name) for name in COST_COLUMNS})
        self._keep = prepare(keep.inline(), COST_COLUMNS, dialect)
        self._book = tariff_reads.KeptBook()

    def price(
        self, found: Sequence[Due], orders: Orders, readings: FetchReadings, connection: Connection
    ) -> list[Draft]:
        """Orders of the sessions among `found` that have one. Reads only.

        Without a tariff and a platform that is one small query for all of them.
        """
        book = self._book.of(connection)
        ended = [due for due in found if is_order_due(due.session)]
        if not ended or (book is None and not orders.operators):
            return []
        keys = [(due.session.session_id,) for due in ended]
        stations = {row[0]: _station(row) for row in self._stations.rows(keys, connection)}
        placed = [_placed(due, stations[due.session.session_id], book) for due in ended]
        asked = [one.due.session.session_id for one in placed if _needs_readings(one)]
        told = readings(asked, connection) if asked else {}
        return [_draft(one, told, orders.operators) for one in placed]

    def put_down(self, drafts: Sequence[Draft], now: int, connection: Connection) -> list[Order]:
        """Keep the costs of orders that say anything new; which they are."""
        keys = [(draft.session.session_id,) for draft in drafts]
        told = {row[0]: (row[1], row[2]) for row in self._told.rows(keys, connection)}
        rows, fresh, news = [], [], []
        for draft in drafts:
            number = draft.session.session_id
            revision, digest = told.get(number, (0, ""))
            # What nobody wants and nothing applies to leaves no trace, unless there is one to correct.
            if digest == draft.digest or not (draft.is_wanted or draft.cost is not None or revision):
                continue
            payload = {**draft.payload, "revision": revision + 1}
            fresh.append(Order(draft.operator_code, number, revision + 1, payload))
            rows.append(_cost_row(draft, revision + 1, now))
            news.append(_news(draft, revision + 1, now))
        if rows:
            connection.exec_driver_sql(self._keep.sql, self._keep.parameters(rows))
            announce(news, connection)
        return fresh


def _station(row: Any) -> ChargingStation:
    _, station_id, identity, site_id, operator_id, operator_code, site_code, max_power_w = row
    return ChargingStation(
        station_id,
        identity,
        site_id,
        operator_id,
        operator_code or "",
        site_code or "",
        max_power_w=max_power_w,
    )


def _placed(due: Due, station: ChargingStation, book: TariffBook | None) -> _Ended:
    session = due.session
    if book is None:
        return _Ended(due, station, None)
    # A connector that nobody named is the EVSE's only one.
    plug = (session.evse, session.connector or 1)
    where = Where(station.operator_id, station.site_id, station.station_id, *plug)
    return _Ended(due, station, book.applies(where, session.started_at))


def _needs_readings(one: _Ended) -> bool:
    return one.applied is not None and needs_readings(
        one.due.session, one.applied.version.tariff, one.due.local
    )


def _draft(one: _Ended, told: Readings, wanted: frozenset[str]) -> Draft:
    session, applied = one.due.session, one.applied
    cost = None
    if applied is not None:
        readings = told.get(session.session_id, ())
        cost = cost_of(session, readings, applied.version.tariff, one.due.local)
    payload = charge_order(session, one.station, cost)
    return Draft(
        session,
        one.station.operator_code,
        one.station.operator_code in wanted,
        None if applied is None or cost is None else applied.version.version_id,
        cost,
        payload,
        blake2b(_encode(payload), digest_size=16).hexdigest(),
    )


def _news(draft: Draft, revision: int, now: int) -> ChangeRow:
    cost = draft.cost
    money = None if cost is None else {"total": money_text(cost.total), "currency": cost.currency}
    return of_session(Kind.SESSION_SETTLED, draft.session, now, cost=money, settlement=revision)


def _cost_row(draft: Draft, revision: int, now: int) -> tuple[Any, ...]:
    session, cost = draft.session, draft.cost
    head = (session.session_id, revision, now, session.revision, draft.digest, draft.version_id)
    if cost is None:
        return (*head, session.energy_wh, *(None,) * 8, "[]")
    return (
        *head,
        session.energy_wh,
        cost.currency,
        money_text(cost.elec_money),
        money_text(cost.service_money),
        cost.idle_minutes,
        money_text(cost.idle_money),
        cost.parking_minutes,
        money_text(cost.parking_money),
        money_text(cost.total),
        json_of([line_of(line) for line in cost.lines]),
    )
