"""Commands to many stations: put down with one item a station, taken by lease, completed one by one.

An item is sent at most once: what was taken and not completed counts as silent when its lease is over. Rate
and concurrency are kept in the database, over all nodes. Knows rows; not what a command means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select

from csms.errors import Conflict, InvalidInput, NotFound
from csms.store import batch_statements as q
from csms.store.command_tables import command_batch_items, command_batches
from csms.store.database import Database
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.station_filters import StationFilter, conditions
from csms.store.tables import charging_stations, operators
from csms.store.times import micros, text_of

MOST_STATIONS = 100_000
PIECE = 2_000  # items of one transaction: stations' commits wait for it
MOST_BATCHES = 20  # looked after in one turn
BURST_S = 0.5  # of a batch's rate, in one turn
LOST = {"reason": "the process that sent it ended before the answer came; it may have been carried out"}
LEFT = {"reason": "the station is not the operator's any more"}

S = charging_stations


@dataclass(frozen=True, slots=True)
class BatchForm:
    """Commands to be given. `stations`: identities; without them, what `wanted` selects.

    `operator`: whose stations alone it may reach (a code), None for all. `stop_after`: failures.
    """

    actor: str
    operator: str | None
    command: dict[str, Any]
    stations: tuple[str, ...] = ()
    wanted: StationFilter = field(default_factory=StationFilter)
    selection: dict[str, Any] = field(default_factory=dict)
    per_s: int = 10
    concurrency: int = 50
    stop_after: int | None = None


class Item(NamedTuple):
    """One station's turn, leased to whoever has taken it."""

    item_id: int
    identity: str
    command: dict[str, Any]


class BatchStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, form: BatchForm, now: datetime) -> int:
        """A new batch; its number. Raises NotFound for a station or operator that is not there, and
        InvalidInput when no station is selected, or too many are.
        """
        batch, stations = await self._database.run(partial(_put, form, micros(now)))
        for n in range(0, len(stations), PIECE):
            await self._database.execute(q.FILL, {"batch": batch, "stations": stations[n : n + PIECE]})
        await self._database.execute(q.RUN_AGAIN, {"batch": batch, "now": micros(now)})
        return batch

    async def take(self, now: datetime, lease: timedelta, most: int) -> list[Item]:
        """At most `most` items that may be sent now. What ends a batch, ends it here."""
        return await self._database.run(partial(_take, micros(now), micros(now + lease), most))

    async def done(self, item: int, result: str, detail: dict[str, Any], now: datetime) -> None:
        """What came of an item."""
        told = {"item": item, "outcome": result, "told": json_of(detail), "now": micros(now)}
        await self._database.execute(q.DONE, told)

    async def cancel(self, batch: int, now: datetime) -> None:
        """Nothing more is sent; what was sent is completed. Raises Conflict when it has ended."""
        await self._database.run(partial(_end, batch, "cancelled", micros(now)))

    async def retry_failed(self, batch: int, now: datetime) -> int:
        """Send once more to every station that did not accept and may another time; how many."""
        return await self._database.run(partial(_again, batch, micros(now)))

    async def shown(self, batch: int, operator: str | None) -> dict[str, Any] | None:
        """A batch with its counts, as the API gives it; None when `operator` may not see it."""
        return await self._database.browse(partial(_one, batch, operator))

    async def find(self, operator: str | None, after: str | None, most: int) -> Page:
        """Batches, latest first, without counts."""
        return await self._database.browse(partial(_find, operator, after, most))

    async def items(self, batch: int, result: str | None, after: str | None, most: int) -> Page:
        """Items of a batch, in their order; `result` may be a state, too."""
        return await self._database.browse(partial(_items, batch, result, after, most))


def _put(form: BatchForm, now: int, connection: Connection) -> tuple[int, Sequence[int]]:
    """It stands still until all its items are there: whoever dies before that leaves it so."""
    operator_id = None
    if form.operator is not None:
        operator_id = connection.scalar(
            select(operators.c.operator_id).where(operators.c.code == form.operator)
        )
        if operator_id is None:
            raise NotFound(f"operator {form.operator}")
    stations = _named(form, operator_id, connection) if form.stations else _selected(form, connection)
    values = {
        "operator_id": operator_id,
        "actor": form.actor,
        "command": json_of(form.command),
        "selection": json_of(form.selection),
        "per_s": form.per_s,
        "concurrency": form.concurrency,
        "stop_after": form.stop_after,
        "state": "stopped",
        "next_at": now,
        "created_at": now,
    }
    batch = connection.scalars(
        insert(command_batches).values(values).returning(command_batches.c.batch_id)
    ).one()
    return int(batch), stations


def _named(form: BatchForm, operator_id: int | None, connection: Connection) -> Sequence[int]:
    wanted = sorted(set(form.stations))
    query = select(S.c.identity, S.c.station_id).where(S.c.identity.in_(wanted))
    if operator_id is not None:
        query = query.where(S.c.operator_id == operator_id)
    found = {row.identity: row.station_id for row in connection.execute(query)}
    for identity in wanted:
        if identity not in found:
            raise NotFound(f"charging station {identity}")
    return [found[identity] for identity in wanted]


def _selected(form: BatchForm, connection: Connection) -> Sequence[int]:
    query = select(S.c.station_id).where(*conditions(form.wanted, connection)).order_by(S.c.identity)
    found = connection.scalars(query.limit(MOST_STATIONS + 1)).all()
    if not 0 < len(found) <= MOST_STATIONS:
        raise InvalidInput(f"filter: it selects {len(found) or 'no'} stations; 1 to {MOST_STATIONS} may be")
    return found


def _take(now: int, until: int, most: int, connection: Connection) -> list[Item]:
    connection.execute(q.LOST, {"now": now, "at": now, "told": json_of(LOST)})
    taken: list[Item] = []
    due = connection.execute(q.RUNNING, {"now": now, "most": MOST_BATCHES}).all()
    for n, batch in enumerate(due):
        if room := most - len(taken):
            # To each its share of what those before it have left.
            taken += _take_of(batch, now, until, max(1, room // (len(due) - n)), connection)
    return taken


def _take_of(batch: Row[Any], now: int, until: int, most: int, connection: Connection) -> list[Item]:
    this = {"batch": batch.batch_id}
    failures = 0 if batch.stop_after is None else connection.scalar(q.FAILURES, this) or 0
    if batch.stop_after is not None and failures >= batch.stop_after:
        _end(batch.batch_id, "stopped", now, connection)
        return []
    under_way = connection.scalar(q.UNDER_WAY, this) or 0
    burst = max(1, int(batch.per_s * BURST_S))
    room = min(most, burst, batch.concurrency - under_way)
    if batch.stop_after is not None:
        # So that no more can fail than may.
        room = min(room, batch.stop_after - failures - under_way)
    rows = connection.execute(q.NEXT, {**this, "most": max(0, room)}).all()
    own = [row for row in rows if row.is_own]
    left = [{"item": row.item_id, "told": json_of(LEFT), "at": now} for row in rows if not row.is_own]
    if left:
        connection.execute(q.LEAVE_OUT, left)
    if own:
        connection.execute(q.TAKE, [{"item": row.item_id, "until": until} for row in own])
    elif not left and room > 0 and under_way == 0:
        connection.execute(q.END, {**this, "became": "finished", "at": now})
    # Also without any: now it is the others' turn.
    connection.execute(q.LATER, {**this, "then": now + len(own) * 1_000_000 // batch.per_s})
    return [Item(row.item_id, row.identity, value_of(batch.command)) for row in own]


def _end(batch: int, became: str, now: int, connection: Connection) -> None:
    if connection.execute(q.END, {"batch": batch, "became": became, "at": now}).rowcount != 1:
        raise Conflict(f"command batch {batch} has ended")
    connection.execute(q.DROP_WAITING, {"batch": batch})


def _again(batch: int, now: int, connection: Connection) -> int:
    number = connection.execute(q.AGAIN, {"batch": batch}).rowcount
    if number:
        connection.execute(q.RUN_AGAIN, {"batch": batch, "now": now})
    return int(number)


def _one(batch: int, operator: str | None, connection: Connection) -> dict[str, Any] | None:
    query = q.SHOWN.where(command_batches.c.batch_id == batch)
    if operator is not None:
        query = query.where(operators.c.code == operator)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    counts = {each.word: each.n for each in connection.execute(q.COUNTS, {"batch": batch})}
    return {**_shown(row), "counts": counts}


def _find(operator: str | None, after: str | None, most: int, connection: Connection) -> Page:
    query = q.SHOWN.order_by(command_batches.c.batch_id.desc()).limit(most + 1)
    if operator is not None:
        query = query.where(operators.c.code == operator)
    if after is not None:
        query = query.where(command_batches.c.batch_id < key_of(after, (int,))[0])
    return page_of(list(connection.execute(query)), most, _shown, lambda row: (row.batch_id,))


def _items(batch: int, result: str | None, after: str | None, most: int, connection: Connection) -> Page:
    first = key_of(after, (int,))[0] if after is not None else 0
    query = q.ITEMS
    if result is not None:
        column = "state" if result in ("waiting", "sent", "cancelled") else "result"
        query = query.where(command_batch_items.c[column] == result)
    rows = connection.execute(query, {"batch": batch, "after": first, "most": most + 1}).all()
    return page_of(list(rows), most, _shown_item, lambda row: (row.item_id,))


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "batch_id": str(row.batch_id),
        "operator": row.operator_code,
        "actor": row.actor,
        "command": value_of(row.command),
        "selection": value_of(row.selection),
        "per_second": row.per_s,
        "concurrency": row.concurrency,
        "stop_after": row.stop_after,
        "state": row.state,
        "created_at": text_of(row.created_at),
        "finished_at": text_of(row.finished_at),
    }


def _shown_item(row: Row[Any]) -> dict[str, Any]:
    detail = value_of(row.detail) if row.detail else {}
    return {
        "charging_station": row.identity,
        "state": row.state,
        "result": row.result,
        "detail": detail if row.is_own else LEFT,  # what it answered may be about its new operator
        "attempts": row.attempts,
        "finished_at": text_of(row.finished_at),
    }
