"""Requests that are safe to repeat: who sent them under which key, and what was answered. Knows rows only."""

from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from csms.store.command_tables import idempotency_keys as keys
from csms.store.database import Database
from csms.store.statements import upsert
from csms.store.times import micros

KEPT = timedelta(hours=24)
LOST = 0  # in place of a status


class Request(NamedTuple):
    """A request under its sender's key. `digest` names what it asks for."""

    actor: str
    key: str
    digest: str


class Given(NamedTuple):
    """What is known of a key. `status` None: not answered yet, or its process died; LOST: it failed."""

    is_new: bool
    digest: str
    status: int | None = None
    media_type: str = ""
    answer: bytes = b""


_THIS = (keys.c.actor == bindparam("whose"), keys.c.idempotency_key == bindparam("which"))
KNOWN = select(keys).where(*_THIS)
FORGET = delete(keys).where(keys.c.created_at < bindparam("before"))
RELEASE = delete(keys).where(*_THIS, keys.c.status.is_(None))
ANSWERED = (
    update(keys)
    .where(*_THIS, keys.c.status.is_(None))
    .values(status=bindparam("code"), media_type=bindparam("kind"), answer=bindparam("body"))
)


class OnceStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, request: Request, now: datetime) -> Given:
        """The key is this request's from here on, unless it was somebody's within a day."""
        return await self._database.run(partial(_claim, request, micros(now), micros(now - KEPT)))

    async def known(self, request: Request) -> Given | None:
        """How the request under this key fares; None when it was released."""
        rows = await self._database.read(KNOWN, {"whose": request.actor, "which": request.key})
        if not rows:
            return None
        row = rows[0]
        return Given(False, row.digest, row.status, row.media_type or "", bytes(row.answer or b""))

    async def answered(self, request: Request, status: int, media_type: str, answer: bytes) -> None:
        """Keep what was answered, for whoever repeats the request."""
        told = {"code": status, "kind": media_type, "body": answer}
        await self._database.execute(ANSWERED, {"whose": request.actor, "which": request.key, **told})

    async def lost(self, request: Request) -> None:
        """It failed half-way: nobody knows what it has done, and it must not be done again."""
        await self.answered(request, LOST, "", b"")

    async def release(self, request: Request) -> None:
        """The request was refused and did nothing: its key is free again."""
        await self._database.execute(RELEASE, {"whose": request.actor, "which": request.key})


def _claim(request: Request, now: int, before: int, connection: Connection) -> Given:
    connection.execute(FORGET, {"before": before})
    values = {
        "actor": request.actor,
        "idempotency_key": request.key,
        "digest": request.digest,
        "created_at": now,
    }
    fresh = upsert(connection.dialect)(keys).values(values).on_conflict_do_nothing()
    if connection.execute(fresh).rowcount == 1:
        return Given(True, request.digest)
    row = connection.execute(KNOWN, {"whose": request.actor, "which": request.key}).one_or_none()
    if row is None:
        return Given(False, request.digest)  # released this moment
    return Given(False, row.digest, row.status, row.media_type or "", bytes(row.answer or b""))
