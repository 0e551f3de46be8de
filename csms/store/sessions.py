"""Charging sessions as handlers and the API ask for them. Knows which query answers what; no rule.

Writing is the writer's: `records_of` says what a change puts down.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, select

from csms.domain.charging_session import ChargingSession, SessionMessage, key_number
from csms.domain.meter import Reading
from csms.domain.scope import WHOLE, Scope
from csms.store import session_queries as q
from csms.store.database import Database
from csms.store.message_codec import hash_of, message_of
from csms.store.paging import Page
from csms.store.readings import samples
from csms.store.resuming import FIRST, all_resumed, catch_up
from csms.store.session_codec import folded, records_of
from csms.store.session_queries import SessionFilter
from csms.store.tables import session_messages, sessions

__all__ = ["SessionFilter", "SessionStore", "StoredAnswer", "records_of"]

STREAMED = 1000  # sessions per page of a stream
RECENT = 10  # ended sessions of a station that a new connection keeps in memory for late messages
MOST_ORPHANS = 50

_OF_STATION = sessions.c.station_id == bindparam("station_id")
_NEWEST_FIRST = (sessions.c.started_at.desc(), sessions.c.session_id.desc())

OPEN = select(sessions).where(_OF_STATION, q.UNENDED)
LATEST = select(sessions).where(_OF_STATION).order_by(*_NEWEST_FIRST).limit(RECENT)
BY_TRANSACTION = (
    select(sessions)
    .where(_OF_STATION, sessions.c.transaction_id == bindparam("transaction_id"))
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)
BY_START_KEY = select(sessions).where(_OF_STATION, sessions.c.start_key == bindparam("start_key"))
BY_ID = select(sessions).where(sessions.c.session_id == bindparam("session_id"))
ORPHANS = (
    select(sessions)
    .where(_OF_STATION, sessions.c.flags.contains(",orphan-stop,", autoescape=True))
    .order_by(*_NEWEST_FIRST)
    .limit(MOST_ORPHANS)
)
ACTIVE_BY_TOKEN = select(sessions).where(sessions.c.token_folded == bindparam("token"), q.ACTIVE)
MESSAGES = (
    select(session_messages)
    .where(session_messages.c.session_id == bindparam("session_id"))
    .order_by(session_messages.c.received_at, session_messages.c.entry_id)
)
ANSWER = select(session_messages.c.payload_hash, session_messages.c.request, session_messages.c.answer).where(
    session_messages.c.session_id == bindparam("session_id"),
    session_messages.c.key_number == bindparam("number"),
)


class StoredAnswer(NamedTuple):
    """The answer an earlier delivery of a message got; `answer` None was an empty payload."""

    payload_hash: str
    answer: str | None


class SessionStore:
    """Reads sessions. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_sessions(self, station_id: int) -> list[ChargingSession]:
        """What a connection keeps in memory: sessions that have not ended, and the latest that have."""

        def job(connection: Connection) -> list[ChargingSession]:
            asked = {"station_id": station_id}
            rows = [*connection.execute(LATEST, asked), *connection.execute(OPEN, asked)]
            return all_resumed({row.session_id: row for row in rows}.values(), connection)

        return sorted(await self._database.look(job), key=lambda session: session.started_at)

    async def catch_up(self) -> None:
        """Bring rows that a killed process left behind up to what was said of their sessions."""
        after: tuple[int, int] | None = FIRST
        while after is not None:
            after = await self._database.run(partial(catch_up, after))

    async def by_transaction(self, station_id: int, transaction_id: str) -> ChargingSession | None:
        """The station's newest session of this transaction id."""
        return await self._one(BY_TRANSACTION, station_id=station_id, transaction_id=transaction_id)

    async def by_start_key(self, station_id: int, start_key: str) -> ChargingSession | None:
        """The session that a retried start belongs to."""
        return await self._one(BY_START_KEY, station_id=station_id, start_key=start_key)

    async def by_id(self, session_id: int) -> ChargingSession | None:
        """The session of this number."""
        return await self._one(BY_ID, session_id=session_id)

    async def orphan_stops(self, station_id: int) -> list[ChargingSession]:
        """Sessions known by their stop only, newest first."""
        return await self._all(ORPHANS, station_id=station_id)

    async def active_by_token(self, token: str) -> list[ChargingSession]:
        """Running sessions of a token, compared without case."""
        return await self._all(ACTIVE_BY_TOKEN, token=folded(token))

    async def readings_of(self, session: ChargingSession) -> list[Reading]:
        """Every reading of the session, by time."""

        def job(connection: Connection) -> list[Reading]:
            return [sample.reading() for sample in samples(session.session_id, connection)]

        return await self._database.look(job)

    async def messages_of(self, session_id: int) -> list[SessionMessage]:
        """Every message that spoke of the session, in order of arrival."""
        return [message_of(row) for row in await self._database.read(MESSAGES, {"session_id": session_id})]

    async def stored_answer(self, session_id: int, key: str) -> StoredAnswer | None:
        """What the message of this key was answered, or None if it never came."""
        rows = await self._database.read(ANSWER, {"session_id": session_id, "number": key_number(key)})
        return StoredAnswer(hash_of(rows[0]), rows[0].answer) if rows else None

    async def find(self, wanted: SessionFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of sessions as the API gives them, newest first. Raises InvalidInput for a bad cursor."""
        return await self._database.browse(partial(q.find, wanted, after, most))

    async def stream(self, wanted: SessionFilter) -> AsyncIterator[dict[str, Any]]:
        """Every session of the filter, newest first, a page at a time: memory stays flat."""
        after: str | None = None
        while True:
            page = await self.find(wanted, after, STREAMED)
            for item in page.items:
                yield item
            after = page.next
            if after is None:
                return

    async def shown(self, session_id: int, scope: Scope = WHOLE) -> dict[str, Any] | None:
        """One session as the API gives it; None when there is none or it is out of sight."""
        return await self._database.browse(partial(q.one, session_id, scope))

    async def timeline(self, session_id: int) -> list[dict[str, Any]]:
        """Messages, answers and revisions of a session, as the API gives them."""
        return await self._database.browse(partial(q.timeline, session_id))

    async def readings(self, session_id: int, after: str | None = None, most: int = 1000) -> Page:
        """A page of a session's readings as the API gives them."""
        return await self._database.browse(partial(q.values, session_id, after, most))

    async def _one(self, query: Select[Any], **asked: object) -> ChargingSession | None:
        found = await self._all(query, **asked)
        return found[0] if found else None

    async def _all(self, query: Select[Any], **asked: object) -> list[ChargingSession]:
        return await self._database.look(
            lambda connection: all_resumed(connection.execute(query, asked), connection)
        )
