"""Commands that people gave, and the audit log. Knows rows; not what a command means.

A command is put down before it is sent and completed when it has ended. `actor` and Idempotency-Key
together name a command: giving it again finds the one before.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from csms.domain.scope import WHOLE, Scope
from csms.store import audit_queries
from csms.store.audit_queries import AuditFilter
from csms.store.database import Database
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page
from csms.store.records import AuditRow
from csms.store.scoping import within
from csms.store.statements import upsert
from csms.store.tables import audit_log, charging_stations, commands
from csms.store.times import micros, text_of


@dataclass(frozen=True, slots=True)
class CommandForm:
    """A command as given. `body` is compared when the same idempotency key comes again."""

    station_id: int
    actor: str
    kind: str
    body: dict[str, Any]
    idempotency_key: str | None = None


class Begun(NamedTuple):
    """The stored command. `is_new` False: it was given before; `is_same` tells whether with this body."""

    command_id: int
    is_new: bool
    is_same: bool
    result: str | None
    detail: dict[str, Any]


S = charging_stations.c
SHOWN = select(commands, charging_stations.c.identity).join(
    charging_stations, charging_stations.c.station_id == commands.c.station_id
)
EARLIER = select(commands).where(
    commands.c.actor == bindparam("actor"), commands.c.idempotency_key == bindparam("idempotency_key")
)
FINISH = (
    update(commands)
    .where(commands.c.command_id == bindparam("id"), commands.c.finished_at.is_(None))
    .values(finished_at=bindparam("now"), result=bindparam("outcome"), detail=bindparam("told"))
)
AUDIT = insert(audit_log)


class CommandDesk:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, form: CommandForm, audit: AuditRow, now: datetime) -> Begun:
        """Put a command and its audit entry down, unless it was given before."""
        return await self._database.run(partial(_begin, form, audit, micros(now)))

    async def finish(self, command_id: int, result: str, detail: dict[str, Any], audit: AuditRow) -> None:
        """How a command ended, and the audit entry that says so."""
        await self._database.run(partial(_finish, command_id, result, json_of(detail), audit))

    async def shown(self, command_id: int, scope: Scope = WHOLE) -> dict[str, Any] | None:
        """A command as the API gives it; None when there is none or its station is out of sight."""
        query = SHOWN.where(commands.c.command_id == command_id, *within(scope, S.operator_id, S.site_id))
        rows = await self._database.read(query)
        return _shown(rows[0]) if rows else None

    async def audit(self, row: AuditRow) -> None:
        """Who did what to what."""
        await self._database.execute(AUDIT, row._asdict())

    async def audited(self, wanted: AuditFilter, after: str | None, most: int) -> Page:
        """Entries of the audit log, newest first."""
        return await self._database.browse(partial(audit_queries.find, wanted, after, most))


def _begin(form: CommandForm, audit: AuditRow, now: int, connection: Connection) -> Begun:
    values = {
        "station_id": form.station_id,
        "actor": form.actor,
        "kind": form.kind,
        "body": json_of(form.body),
        "idempotency_key": form.idempotency_key,
        "created_at": now,
    }
    mark = upsert(connection.dialect)(commands).values(values)
    # A row without a key never conflicts: NULLs are all different.
    fresh = mark.on_conflict_do_nothing(index_elements=["actor", "idempotency_key"])
    command_id = connection.scalar(fresh.returning(commands.c.command_id))
    if command_id is not None:
        connection.execute(AUDIT, audit._asdict())
        return Begun(int(command_id), True, True, None, {})
    row = connection.execute(EARLIER, {"actor": form.actor, "idempotency_key": form.idempotency_key}).one()
    same = (row.station_id, row.kind, row.body) == (form.station_id, form.kind, values["body"])
    return Begun(row.command_id, False, same, row.result, value_of(row.detail) if row.detail else {})


def _finish(command_id: int, result: str, detail: str, audit: AuditRow, connection: Connection) -> None:
    connection.execute(FINISH, {"id": command_id, "now": audit.at, "outcome": result, "told": detail})
    connection.execute(AUDIT, audit._asdict())


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "command_id": str(row.command_id),
        "charging_station": row.identity,
        "command": row.kind,
        "result": row.result,
        "detail": value_of(row.detail) if row.detail else {},
        "created_at": text_of(row.created_at),
        "finished_at": text_of(row.finished_at),
    }
