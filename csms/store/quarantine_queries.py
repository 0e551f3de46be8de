"""What becomes of unknown stations that were at the door. The registry puts them here."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, literal, select, tuple_, update

from csms.store.database import Database
from csms.store.jsontext import value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.tables import quarantine
from csms.store.times import micros, text_of

Q = quarantine
# One that was denied stays known, and denied when it comes again.
DENY = (
    update(Q)
    .where(Q.c.identity == bindparam("who"), Q.c.denied_at.is_(None))
    .values(denied_at=bindparam("now"))
)
HOLDS = select(Q.c.identity).where(Q.c.identity == bindparam("who"))


class Quarantine:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holds(self, identity: str) -> bool:
        """Whether an unknown station of this identity was here, denied or not."""
        return bool(await self._database.read(HOLDS, {"who": identity}))

    async def deny(self, identity: str, now: datetime) -> bool:
        """Out of the list for good. False: it was not in it."""
        return await self._database.execute(DENY, {"who": identity, "now": micros(now)}) == 1

    async def find(self, denied: bool = False, after: str | None = None, most: int = 100) -> Page:
        """Unknown stations, latest first, as the API gives them; those that were denied, or all others."""
        return await self._database.browse(partial(_find, denied, after, most))


def _find(denied: bool, after: str | None, most: int, connection: Connection) -> Page:
    place = tuple_(Q.c.last_seen_at, Q.c.identity)
    query = select(Q).where(Q.c.denied_at.is_not(None) if denied else Q.c.denied_at.is_(None))
    if after is not None:
        query = query.where(place < tuple_(*map(literal, key_of(after, (int, str)))))
    query = query.order_by(Q.c.last_seen_at.desc(), Q.c.identity.desc()).limit(most + 1)
    return page_of(
        list(connection.execute(query)), most, _shown, lambda row: (row.last_seen_at, row.identity)
    )


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "identity": row.identity,
        "first_seen_at": text_of(row.first_seen_at),
        "last_seen_at": text_of(row.last_seen_at),
        "attempts": row.attempts,
        "remote_address": row.remote_address,
        "reason": row.reason,
        "headers": value_of(row.headers),
        "denied_at": text_of(row.denied_at),
    }
