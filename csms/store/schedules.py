"""Schedules as people enter them, and the history of what they delivered. Knows rows; makes no file."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    insert,
    select,
    update,
)

from csms.domain.local_time import zone
from csms.domain.schedule import Every, Rhythm, Run
from csms.errors import InvalidInput, NotFound
from csms.store.database import Database
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.schedule_tables import deliveries, schedules
from csms.store.statements import upsert
from csms.store.tables import operators
from csms.store.times import micros, text_of

s, d = schedules, deliveries


@dataclass(frozen=True, slots=True)
class ScheduleForm:
    """A schedule as entered. `operator` None: the whole network. `options` are what the report takes."""

    name: str
    operator: str | None
    report: str
    options: dict[str, str]
    form: str
    language: str
    time_zone: str
    every: str
    at_minute: int
    target: str
    address: str
    enabled: bool

    @property
    def rhythm(self) -> Rhythm:
        """When it is due."""
        return Rhythm(Every(self.every), self.at_minute, zone(self.time_zone))


HERE = s.c.removed_at.is_(None)
SHOWN: Select[Any] = select(s, operators.c.code.label("operator_code")).outerjoin(
    operators, operators.c.operator_id == s.c.operator_id
)
ONE = SHOWN.where(s.c.schedule_id == bindparam("id"))
OPERATOR = select(operators.c.operator_id).where(operators.c.code == bindparam("code"))
REMOVE = update(s).where(s.c.schedule_id == bindparam("id"), HERE).values(removed_at=bindparam("now"))


class ScheduleStore:
    """Every method raises StoreUnavailable when the database is away.

    `own`: the only operator whose schedules exist for the caller; None: all.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, form: ScheduleForm, secret: str | None, now: datetime) -> str:
        """Keep a new schedule; its number. Its first period is the one that ends next. Raises NotFound."""
        return await self._database.run(partial(_add, form, self._closed(secret), now))

    async def put(
        self, number: int, own: str | None, form: ScheduleForm, now: datetime, secret: str | None = None
    ) -> None:
        """Change a schedule; `secret` None stays as it was. Raises NotFound, InvalidInput."""
        await self._database.run(partial(_put, number, own, form, now, self._closed(secret)))

    def _closed(self, secret: str | None) -> str | None:
        return None if secret is None else self._database.seal.close(secret)

    async def remove(self, number: int, own: str | None, now: datetime) -> dict[str, Any]:
        """End a schedule; what it was. Its deliveries stay. Raises NotFound."""
        return await self._database.run(partial(_remove, number, own, micros(now)))

    async def one(self, number: int, own: str | None) -> dict[str, Any]:
        """A schedule as the API gives it. Raises NotFound."""
        return _shown(await self._database.look(partial(_known, number, own)))

    async def find(self, own: str | None, after: str | None = None, most: int = 100) -> Page:
        """A page of schedules as the API gives them, oldest first."""
        return await self._database.browse(partial(_find, own, after, most))

    async def history(self, number: int, own: str | None, after: str | None = None, most: int = 100) -> Page:
        """A page of a schedule's deliveries, latest first; also of one that was removed. Raises NotFound."""
        return await self._database.browse(partial(_history, number, own, after, most))

    async def ask(self, number: int, own: str | None, now: datetime) -> dict[str, Any]:
        """Owe the latest period once more, now; the delivery as the API gives it. Raises NotFound."""
        return await self._database.run(partial(_ask, number, own, now))


def _values(form: ScheduleForm, now: datetime, connection: Connection) -> dict[str, Any]:
    values = asdict(form)
    code = values.pop("operator")
    number = None if code is None else connection.scalar(OPERATOR, {"code": code})
    if code is not None and number is None:
        raise NotFound(f"operator {code}")
    return values | {
        "operator_id": number,
        "options": json_of(form.options),
        "enabled": int(form.enabled),
        "changed_at": micros(now),
        "next_at": micros(form.rhythm.next_after(now).due_at),
    }


def _add(form: ScheduleForm, secret: str | None, now: datetime, connection: Connection) -> str:
    values = _values(form, now, connection) | {"secret": secret, "created_at": micros(now)}
    return str(connection.scalar(insert(s).values(values).returning(s.c.schedule_id)))


def _put(
    number: int,
    own: str | None,
    form: ScheduleForm,
    now: datetime,
    secret: str | None,
    connection: Connection,
) -> None:
    before = _known(number, own, connection)
    values = _values(form, now, connection)
    if before.enabled and form_of(before).rhythm == form.rhythm:
        values["next_at"] = before.next_at  # what is due stays due
    if secret is not None:
        values["secret"] = secret
    elif form.target == "webhook" and before.secret is None:
        raise InvalidInput("secret: a webhook needs one")
    connection.execute(update(s).where(s.c.schedule_id == number).values(values))


def _remove(number: int, own: str | None, now: int, connection: Connection) -> dict[str, Any]:
    before = _known(number, own, connection)
    connection.execute(REMOVE, {"id": number, "now": now})
    return _shown(before)


def _known(number: int, own: str | None, connection: Connection, removed: bool = False) -> Row[Any]:
    row = connection.execute(ONE, {"id": number}).one_or_none()
    if row is None or own not in (None, row.operator_code) or (row.removed_at is not None and not removed):
        raise NotFound(f"schedule {number}")
    return row


def _find(own: str | None, after: str | None, most: int, connection: Connection) -> Page:
    query = SHOWN.where(HERE).order_by(s.c.schedule_id).limit(most + 1)
    if own is not None:
        query = query.where(operators.c.code == own)
    if after is not None:
        query = query.where(s.c.schedule_id > key_of(after, (int,))[0])
    return page_of(list(connection.execute(query)), most, _shown, lambda row: (row.schedule_id,))


def _history(number: int, own: str | None, after: str | None, most: int, connection: Connection) -> Page:
    _known(number, own, connection, removed=True)
    query = select(d).where(d.c.schedule_id == number).order_by(d.c.delivery_id.desc()).limit(most + 1)
    if after is not None:
        query = query.where(d.c.delivery_id < key_of(after, (int,))[0])
    return page_of(list(connection.execute(query)), most, _delivery, lambda row: (row.delivery_id,))


def _ask(number: int, own: str | None, now: datetime, connection: Connection) -> dict[str, Any]:
    row = _known(number, own, connection)
    run = form_of(row).rhythm.last_before(now)
    label = f"{run.label}/{micros(now)}"
    owe(number, run._replace(label=label), micros(now), connection)
    found = select(d).where(d.c.schedule_id == number, d.c.period == label)
    return _delivery(connection.execute(found).one())


def owe(schedule_id: int, run: Run, now: int, connection: Connection) -> None:
    """Owe a period's file, unless it is owed already."""
    values = {
        "schedule_id": schedule_id,
        "period": run.label,
        "since": micros(run.since),
        "until": micros(run.until),
        "created_at": now,
        "due_at": now,
        "file_name": "",
    }
    connection.execute(upsert(connection.dialect)(d).values(values).on_conflict_do_nothing())


def form_of(row: Row[Any]) -> ScheduleForm:
    """The schedule of a row of `SHOWN`."""
    same = ("name", "report", "form", "language", "time_zone", "every", "at_minute", "target", "address")
    return ScheduleForm(
        operator=row.operator_code,
        options=value_of(row.options),
        enabled=bool(row.enabled),
        **{name: getattr(row, name) for name in same},
    )


def _shown(row: Row[Any]) -> dict[str, Any]:
    """A schedule as the API gives it; never its secret."""
    return {
        "id": str(row.schedule_id),
        **asdict(form_of(row)),
        "created_at": text_of(row.created_at),
        "next_at": text_of(row.next_at) if row.enabled else None,
    }


def _delivery(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.delivery_id),
        "period": row.period.partition("/")[0],
        "asked_for": "/" in row.period,
        "from": text_of(row.since),
        "to": text_of(row.until),
        "created_at": text_of(row.created_at),
        "due_at": text_of(row.due_at) if row.state == "waiting" else None,
        "state": row.state,
        "attempts": row.attempts,
        "delivered_at": text_of(row.delivered_at),
        "file_name": row.file_name or None,
        "bytes": row.bytes,
        "sha256": row.sha256,
        "last_error": row.last_error,
    }
