"""Alarms: what is wrong now, since when, who knows, and what was wrong before. No rule of its own.

A look gives everything of a kind that is so at the moment; `settle` compares it with the alarms that are
open. What has lasted long enough is raised, what has been gone long enough is cleared, and what comes back
sooner stays the same alarm. Nodes that look at once agree: an open alarm's kind and subject are unique.

Every method raises StoreUnavailable when the database is away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)

from csms.domain.scope import WHOLE, Scope
from csms.errors import Conflict, NotFound
from csms.store.change_rows import ChangeRow, Kind, announce
from csms.store.change_tables import OPEN, alarms
from csms.store.database import Database
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import within
from csms.store.statements import upsert
from csms.store.tables import charging_stations, operators, sites
from csms.store.times import micros, text_of

a = alarms
PRUNED = 1_000
IS_OPEN: ColumnElement[bool] = literal_column("alarms.cleared_at IS NULL")
IS_OVER: ColumnElement[bool] = literal_column("alarms.cleared_at IS NOT NULL")

OPEN_OF = select(a).where(IS_OPEN, a.c.kind == bindparam("what"), a.c.subject.endswith(bindparam("ending")))
_BY_ID = a.c.alarm_id == bindparam("id")
BACK = update(a).where(_BY_ID, IS_OPEN).values(gone_at=None)
GONE = update(a).where(_BY_ID, IS_OPEN, a.c.gone_at.is_(None)).values(gone_at=bindparam("now"))
CLEAR = update(a).where(_BY_ID, IS_OPEN).values(cleared_at=bindparam("now"))
ACKNOWLEDGE = (
    update(a)
    .where(_BY_ID, a.c.acknowledged_at.is_(None))
    .values(acknowledged_at=bindparam("now"), acknowledged_by=bindparam("actor"), note=bindparam("said"))
)
ONE = select(a).where(_BY_ID)
SHOWN = (
    select(
        a,
        operators.c.code.label("operator"),
        sites.c.code.label("site"),
        charging_stations.c.identity.label("station"),
    )
    .outerjoin(operators, operators.c.operator_id == a.c.operator_id)
    .outerjoin(sites, sites.c.site_id == a.c.site_id)
    .outerjoin(charging_stations, charging_stations.c.station_id == a.c.station_id)
)
COUNTS = (
    select(a.c.kind, a.c.severity, func.count().label("n")).where(IS_OPEN).group_by(a.c.kind, a.c.severity)
)
AMONG = (
    select(a.c.alarm_id)
    .where(IS_OVER, a.c.cleared_at < bindparam("before"))
    .order_by(a.c.cleared_at)
    .limit(PRUNED)
)
FORGET = delete(a).where(a.c.alarm_id.in_(bindparam("ids", expanding=True)))


class Condition(NamedTuple):
    """Something that is wrong at the moment. `subject` names it among those of its kind. `since`: micros."""

    subject: str
    severity: str
    since: int
    details: Mapping[str, Any]
    operator_id: int | None = None
    site_id: int | None = None
    station_id: int | None = None


class Look(NamedTuple):
    """Everything of a kind that is wrong now. `ending`: only subjects that end so were looked at.

    `is_whole` False: there was more than was read, so that what is missing is not known to be over.
    """

    kind: str
    conditions: Sequence[Condition]
    raise_after: timedelta
    clear_after: timedelta
    ending: str = ""
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms, of those in sight; None does not filter."""

    scope: Scope = WHOLE
    operator: str | None = None
    is_open: bool | None = None
    kind: str | None = None
    severity: str | None = None
    station: str | None = None
    site: str | None = None


class AlarmStore:
    """Reads and writes alarms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self, look: Look, now: datetime) -> tuple[int, int]:
        """Bring the alarms of a kind up to date: how many were raised, how many cleared."""
        asked = {"what": look.kind, "ending": look.ending}
        at = micros(now)
        rows = await self._database.browse(lambda connection: connection.execute(OPEN_OF, asked).all())
        # Most common first: nothing has changed, and nothing is written.
        if not _steps(look, rows, at).any():
            return 0, 0
        return await self._database.run(partial(_settle, look, asked, at))

    async def find(self, wanted: AlarmFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of alarms as the API gives them, latest first. Raises InvalidInput for a bad cursor."""
        query = SHOWN.where(*_conditions(wanted)).order_by(a.c.alarm_id.desc()).limit(most + 1)
        if after is not None:
            query = query.where(a.c.alarm_id < key_of(after, (int,))[0])
        rows = await self._database.browse(lambda connection: connection.execute(query).all())
        return page_of(list(rows), most, shown, lambda row: (row.alarm_id,))

    async def one(self, alarm_id: int, own: Scope) -> dict[str, Any]:
        """An alarm as the API gives it. Raises NotFound, also for one that is out of sight."""
        query = SHOWN.where(a.c.alarm_id == alarm_id, *_conditions(AlarmFilter(own)))
        rows = await self._database.read(query)
        if not rows:
            raise NotFound(f"alarm {alarm_id}")
        return shown(rows[0])

    async def acknowledge(self, alarm_id: int, actor: str, note: str, now: datetime) -> None:
        """Somebody knows. Raises Conflict when somebody did before."""
        await self._database.run(partial(_acknowledge, alarm_id, actor, note, micros(now)))

    async def counts(self) -> dict[tuple[str, str], int]:
        """Open alarms by kind and severity."""
        rows = await self._database.browse(lambda connection: connection.execute(COUNTS).all())
        return {(row.kind, row.severity): row.n for row in rows}

    async def prune(self, before: datetime) -> int:
        """Forget a bounded number of alarms that were over before `before`; how many."""
        return await self._database.run(partial(_prune, micros(before)))


class _Steps(NamedTuple):
    fresh: list[Condition]
    back: list[Row[Any]]
    gone: list[Row[Any]]
    over: list[Row[Any]]

    def any(self) -> bool:
        return bool(self.fresh or self.back or self.gone or self.over)


def _steps(look: Look, rows: Sequence[Row[Any]], now: int) -> _Steps:
    known = {row.subject: row for row in rows}
    wrong = {one.subject: one for one in look.conditions}
    old = now - look.raise_after // timedelta(microseconds=1)
    cleared = now - look.clear_after // timedelta(microseconds=1)
    missing = [row for row in rows if row.subject not in wrong] if look.is_whole else []
    return _Steps(
        fresh=[one for one in wrong.values() if one.subject not in known and one.since <= old],
        back=[row for row in rows if row.subject in wrong and row.gone_at is not None],
        gone=[row for row in missing if row.gone_at is None],
        over=[row for row in missing if row.gone_at is not None and row.gone_at <= cleared],
    )


def _settle(look: Look, asked: dict[str, Any], now: int, connection: Connection) -> tuple[int, int]:
    steps = _steps(look, connection.execute(OPEN_OF, asked).all(), now)
    for row in steps.back:
        connection.execute(BACK, {"id": row.alarm_id})
    for row in steps.gone:
        connection.execute(GONE, {"id": row.alarm_id, "now": now})
    raised = [new for one in steps.fresh if (new := _raise(look.kind, one, connection)) is not None]
    cleared = [
        row for row in steps.over if connection.execute(CLEAR, {"id": row.alarm_id, "now": now}).rowcount == 1
    ]
    news = [_news(Kind.ALARM_RAISED, row, now) for row in raised]
    announce(news + [_news(Kind.ALARM_CLEARED, row, now) for row in cleared], connection)
    return len(raised), len(cleared)


def _raise(kind: str, one: Condition, connection: Connection) -> Row[Any] | None:
    """The new alarm; None where another node was first."""
    values = {
        "kind": kind, "subject": one.subject, "severity": one.severity, "operator_id": one.operator_id,
        "site_id": one.site_id, "station_id": one.station_id, "details": json_of(dict(one.details)),
        "raised_at": one.since,
    }  # fmt: skip
    mark = upsert(connection.dialect)(a).values(values)
    mark = mark.on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=OPEN)
    row: Row[Any] | None = connection.execute(mark.returning(a)).one_or_none()
    return row


def _news(what: Kind, row: Any, now: int, **more: Any) -> ChangeRow:
    body = {
        "alarm": str(row.alarm_id), "kind": row.kind, "severity": row.severity, "subject": row.subject,
        "details": value_of(row.details), "raised_at": text_of(row.raised_at), **more,
    }  # fmt: skip
    return ChangeRow(now, what.value, row.operator_id, row.site_id, row.station_id, None, json_of(body))


def _acknowledge(alarm_id: int, actor: str, note: str, now: int, connection: Connection) -> None:
    done = connection.execute(ACKNOWLEDGE, {"id": alarm_id, "now": now, "actor": actor, "said": note})
    if done.rowcount != 1:
        raise Conflict(f"alarm {alarm_id} is acknowledged already")
    row = connection.execute(ONE, {"id": alarm_id}).one()
    announce([_news(Kind.ALARM_ACKNOWLEDGED, row, now, note=note)], connection)


def _prune(before: int, connection: Connection) -> int:
    ids = list(connection.scalars(AMONG, {"before": before}))
    return int(connection.execute(FORGET, {"ids": ids}).rowcount) if ids else 0


def _conditions(wanted: AlarmFilter) -> list[ColumnElement[bool]]:
    equal: list[tuple[Any, str | None]] = [
        (operators.c.code, wanted.operator),
        (a.c.kind, wanted.kind),
        (a.c.severity, wanted.severity),
        (charging_stations.c.identity, wanted.station),
        (sites.c.code, wanted.site),
    ]
    found = within(wanted.scope, a.c.operator_id, a.c.site_id)
    found += [column == value for column, value in equal if value is not None]
    if wanted.is_open is not None:
        found.append(IS_OPEN if wanted.is_open else IS_OVER)
    return found


def shown(row: Any) -> dict[str, Any]:
    """An alarm as the API gives it."""
    return {
        "id": str(row.alarm_id),
        "kind": row.kind,
        "severity": row.severity,
        "subject": row.subject,
        "operator": row.operator,
        "site": row.site,
        "charging_station": row.station,
        "details": value_of(row.details),
        "raised_at": text_of(row.raised_at),
        "cleared_at": text_of(row.cleared_at),
        "acknowledged_at": text_of(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
        "note": row.note,
    }
