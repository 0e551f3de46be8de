"""Readings of a session, or of a station for some time, for charts. Knows rows; no chart."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from csms.domain.curve import UNITS, Sampled
from csms.store.database import Database
from csms.store.reading_rows import ReadingKind, samples_of, unpack
from csms.store.readings import samples
from csms.store.session_filter import LONGEST_SESSION
from csms.store.tables import reading_kinds, readings, session_messages, sessions
from csms.store.times import instant, micros

MOST_ROWS = 50_000  # messages of a station; who asks for more is told where it ends

KINDS = select(reading_kinds)
OF_STATION = (
    select(readings.c.at, readings.c.evse, readings.c.samples)
    .where(
        readings.c.station_id == bindparam("station"),
        readings.c.at >= bindparam("since"),
        readings.c.at < bindparam("until"),
    )
    .order_by(readings.c.at)
    .limit(bindparam("most"))
)
SESSIONS = (
    select(sessions.c.session_id)
    .where(
        sessions.c.station_id == bindparam("station"),
        sessions.c.started_at >= bindparam("earliest"),
        sessions.c.started_at < bindparam("until"),
        or_(sessions.c.ended_at.is_(None), sessions.c.ended_at >= bindparam("since")),
    )
    .order_by(sessions.c.started_at)
)
TOLD = (
    select(session_messages.c.evse, session_messages.c.samples)
    .where(session_messages.c.session_id == bindparam("session"), session_messages.c.samples != "")
    .order_by(session_messages.c.entry_id)
    .limit(bindparam("most"))
)


class CurveStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_session(self, session_id: int) -> list[Sampled]:
        """What a session's messages gave."""
        return await self._database.browse(partial(_of_session, session_id))

    async def of_station(
        self, station_id: int, since: datetime, until: datetime
    ) -> tuple[list[Sampled], bool]:
        """What a station gave from `since` on, before `until`; and whether that is all."""
        return await self._database.browse(partial(_of_station, station_id, micros(since), micros(until)))


def _of_session(session_id: int, connection: Connection) -> list[Sampled]:
    return [
        _sampled(one.at, one.evse, one.kind, one.value)
        for one in samples(session_id, connection)
        if one.value is not None and one.kind.measurand in UNITS
    ]


def _of_station(
    station_id: int, since: int, until: int, connection: Connection
) -> tuple[list[Sampled], bool]:
    kinds = {row.kind_id: ReadingKind(*row) for row in connection.execute(KINDS)}
    wanted = {number: kind for number, kind in kinds.items() if kind.measurand in UNITS}
    asked: dict[str, Any] = {"station": station_id, "since": since, "until": until}
    rows = connection.execute(OF_STATION, asked | {"most": MOST_ROWS + 1}).all()
    found, looked = [], len(rows)
    for row in rows:
        found += _of_samples(row.at, row.evse, samples_of(row.samples), wanted)
    earliest = since - LONGEST_SESSION.days * 86_400_000_000
    for number in connection.scalars(SESSIONS, asked | {"earliest": earliest}).all():
        if looked > MOST_ROWS:
            break
        told = connection.execute(TOLD, {"session": number, "most": MOST_ROWS + 1 - looked}).all()
        looked += len(told)
        for evse, packed in told:
            for at, some in unpack(packed):
                if since <= at < until:
                    found += _of_samples(at, evse, some, wanted)
    return found, looked <= MOST_ROWS


def _of_samples(at: int, evse: int, some: Any, wanted: dict[int, ReadingKind]) -> list[Sampled]:
    return [
        _sampled(at, evse, wanted[number], value)
        for number, value, *_ in some
        if number in wanted and value is not None
    ]


def _sampled(at: int, evse: int, kind: ReadingKind, value: int) -> Sampled:
    return Sampled(instant(at), evse, kind.measurand, kind.phase, kind.location, value)
