"""What is wrong at the moment, read from where it is kept anyway: connectors, events, stations, platforms.

Each question is answered by an index over what is wrong, or by the newest rows; none reads a history.
Every method raises StoreUnavailable when the database is away. Which of it is an alarm, and after how long,
is the caller's to say.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select

from csms.store.alarms import Condition
from csms.store.change_tables import session_marks, webhooks
from csms.store.database import Database
from csms.store.device_tables import connectors, station_events
from csms.store.jsontext import value_of
from csms.store.outbox_statements import WAITING
from csms.store.tables import charging_stations, operators, outbox, platform_state, sessions
from csms.store.times import micros, text_of

MOST = 5_000  # conditions of one kind
EVENTS, SESSIONS = 20_000, 5_000  # the newest ones, which are looked at

c, d, e, s = charging_stations, connectors, station_events, sessions
_WHERE = (c.c.operator_id, c.c.site_id, c.c.station_id, c.c.identity)
FAULTED: ColumnElement[bool] = literal_column(
    "(connectors.status = 'faulted' OR connectors.error_code <> '')"
)

FAULTS = select(d, *_WHERE).join_from(d, c, c.c.station_id == d.c.station_id).where(FAULTED).limit(MOST)
_NEWEST_EVENTS = (
    select(e.c.station_id, e.c.details, e.c.received_at)
    .where(e.c.kind == literal_column("'security'"))
    .order_by(e.c.event_id.desc())
    .limit(bindparam("most"))
    .subquery()
)
_SAME = (*_WHERE, _NEWEST_EVENTS.c.details)
# Added up where they are: a station that says the same thing a thousand times is one row.
SECURITY = (
    select(*_SAME, func.min(_NEWEST_EVENTS.c.received_at).label("received_at"), func.count().label("events"))
    .join_from(_NEWEST_EVENTS, c, c.c.station_id == _NEWEST_EVENTS.c.station_id)
    .where(_NEWEST_EVENTS.c.received_at >= bindparam("since"))
    .group_by(*_SAME)
    .order_by(literal_column("received_at").desc())
)
AWAY: ColumnElement[bool] = literal_column("charging_stations.disconnected_at IS NOT NULL")
SILENT = (
    select(c.c.disconnected_at, c.c.last_seen_at, *_WHERE)
    .where(AWAY, c.c.disconnected_at <= bindparam("before"), c.c.enabled == literal_column("1"))
    .limit(MOST)
)
_NEWEST_CLOCKS = (
    select(session_marks.c.session_id)
    .where(session_marks.c.queue == literal_column("'clock-errors'"))
    .order_by(session_marks.c.session_id.desc())
    .limit(bindparam("most"))
    .subquery()
)
CLOCKS = (
    select(s.c.received_at, s.c.session_id, *_WHERE)
    .join_from(_NEWEST_CLOCKS, s, s.c.session_id == _NEWEST_CLOCKS.c.session_id)
    .join(c, c.c.station_id == s.c.station_id)
    .where(s.c.received_at >= bindparam("since"))
    .order_by(s.c.received_at)
)
STATIONS = select(*_WHERE).where(c.c.identity.in_(bindparam("identities", expanding=True)))
PAUSED = select(platform_state).where(platform_state.c.paused == literal_column("1"))
# The first by the time it is due: an index has it, whatever the backlog.
FIRST_OWED = (
    select(outbox.c.kind, outbox.c.about, outbox.c.created_at, outbox.c.last_error)
    .where(WAITING, outbox.c.platform == bindparam("whose"))
    .order_by(outbox.c.due_at)
    .limit(1)
)
OPERATORS = select(operators.c.operator_id, operators.c.code)
HOOKS = select(webhooks).where(
    webhooks.c.enabled == literal_column("1"), webhooks.c.paused != literal_column("''")
)


class Found(NamedTuple):
    """What was found. `is_whole` False: there was more of late than was looked at."""

    conditions: list[Condition]
    is_whole: bool


class AlarmLooks:
    """Reads what is wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def faults(self) -> list[Condition]:
        """Connectors that are faulted, or tell an error."""
        return [
            Condition(
                f"{row.identity}/{row.evse}/{row.connector}",
                "major" if row.status == "faulted" else "minor",
                row.since,
                {
                    "evse": row.evse, "connector": row.connector, "status": row.status,
                    "error_code": row.error_code, "info": row.info, "vendor_error": row.vendor_error,
                },
                *_where(row),
            )
            for row in await self._rows(FAULTS)
        ]  # fmt: skip

    async def security(self, since: datetime, most: int = EVENTS) -> Found:
        """Security events that stations have told of since then; the first of each kind counts."""
        first: dict[str, Condition] = {}
        rows = await self._rows(SECURITY, {"since": micros(since), "most": most})
        for row in rows:
            told = value_of(row.details)
            name = str(told.get("type", ""))
            details = {"type": name, "info": told.get("info") or ""}
            subject = f"{row.identity}/{name}"
            first[subject] = Condition(subject, "major", row.received_at, details, *_where(row))
        return Found(list(first.values()), sum(row.events for row in rows) < most)

    async def silent(self, before: datetime) -> list[Condition]:
        """Enabled stations that have had no connection since `before` or longer."""
        return [
            Condition(
                row.identity,
                "major",
                row.disconnected_at,
                {"last_seen_at": text_of(row.last_seen_at)},
                *_where(row),
            )
            for row in await self._rows(SILENT, {"before": micros(before)})
        ]

    async def clocks(self, since: datetime, most: int = SESSIONS) -> Found:
        """Stations that have sent unusable times in sessions since then."""
        found: dict[str, Condition] = {}
        rows = await self._rows(CLOCKS, {"since": micros(since), "most": most})
        for row in rows:
            if row.identity not in found:
                details = {"session_id": str(row.session_id)}
                found[row.identity] = Condition(row.identity, "minor", row.received_at, details, *_where(row))
        return Found(list(found.values()), len(rows) < most)

    async def refused(self, counts: dict[str, int], ending: str, now: datetime) -> list[Condition]:
        """Stations whose credentials were refused so often."""
        rows = await self._rows(STATIONS, {"identities": sorted(counts)}) if counts else []
        return [
            Condition(
                row.identity + ending,
                "major",
                micros(now),
                {"refusals": counts[row.identity]},
                *_where(row),
            )
            for row in rows
        ]

    async def platforms_paused(self, owners: dict[str, str]) -> list[Condition]:
        """City platforms that are told nothing. `owners`: operator codes by platform."""
        numbers = await self._operators()
        return [
            Condition(
                row.platform, "major", row.changed_at, {"reason": row.reason},
                numbers.get(owners.get(row.platform, "")),
            )
            for row in await self._rows(PAUSED)
            if row.platform in owners
        ]  # fmt: skip

    async def platforms_late(self, owners: dict[str, str], before: datetime) -> list[Condition]:
        """City platforms that are owed something since `before` or longer, and not paused."""
        numbers = await self._operators()
        paused = {row.platform for row in await self._rows(PAUSED)}
        found = []
        for name in owners.keys() - paused:
            for row in await self._rows(FIRST_OWED, {"whose": name}):
                if row.created_at <= micros(before):
                    details = {"record": f"{row.kind} {row.about}", "last_error": row.last_error or ""}
                    found.append(Condition(name, "major", row.created_at, details, numbers.get(owners[name])))
        return found

    async def webhooks(self) -> list[Condition]:
        """Webhooks that were given up."""
        return [
            Condition(
                str(row.webhook_id), "major", row.last_at or row.created_at, {"reason": row.paused},
                row.operator_id,
            )
            for row in await self._rows(HOOKS)
        ]  # fmt: skip

    async def _operators(self) -> dict[str, int]:
        return {row.code: row.operator_id for row in await self._rows(OPERATORS)}

    async def _rows(self, query: Any, asked: dict[str, Any] | None = None) -> Any:
        return await self._database.browse(lambda connection: connection.execute(query, asked or {}).all())


def _where(row: Any) -> tuple[int | None, int | None, int]:
    return row.operator_id, row.site_id, row.station_id
