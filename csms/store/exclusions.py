"""Dated times in which an outage is not the operator's, and why. Knows the table and whose a station is."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from csms.domain.scope import WHOLE, Scope
from csms.domain.timeline import Span
from csms.domain.uptime import Exclusion, Reason
from csms.errors import InvalidInput, NotFound
from csms.store.database import Database
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import within
from csms.store.tables import charging_stations, operators
from csms.store.times import instant, micros, text_of
from csms.store.uptime_tables import uptime_exclusions

X, S = uptime_exclusions, charging_stations


@dataclass(frozen=True, slots=True)
class ExclusionForm:
    """`evse` 0 is all of the station. `note` says what a reader must know of it."""

    station: str
    evse: int
    span: Span
    reason: Reason
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExclusionFilter:
    """Which exclusions; None does not filter. Those that overlap `since` to `until`."""

    operator: str | None = None
    station: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    scope: Scope = WHOLE


SHOWN = (
    select(X, S.c.identity, operators.c.code.label("operator_code"))
    .join(S, S.c.station_id == X.c.station_id)
    .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
)
ONE = SHOWN.where(X.c.exclusion_id == bindparam("exclusion_id"))
STATION = select(S.c.station_id).where(S.c.identity == bindparam("identity"))
OF_STATIONS = (
    select(X)
    .where(
        X.c.station_id.in_(bindparam("stations", expanding=True)),
        X.c.ends_at > bindparam("since"),
        X.c.starts_at < bindparam("until"),
    )
    .order_by(X.c.starts_at, X.c.exclusion_id)
)


class Exclusions:
    """Every method raises StoreUnavailable when the database is away.

    `scope` is what exists for the caller; what lies outside raises NotFound.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, form: ExclusionForm, scope: Scope, actor: str, now: datetime) -> dict[str, Any]:
        """Keep a new one; as the API gives it. Raises NotFound for an unknown station, InvalidInput."""
        return await self._database.run(partial(_add, form, scope, actor, now))

    async def change(
        self, number: int, form: ExclusionForm, scope: Scope, actor: str, now: datetime
    ) -> dict[str, Any]:
        """Replace one. Raises NotFound, InvalidInput."""
        return await self._database.run(partial(_change, number, form, scope, actor, now))

    async def remove(self, number: int, scope: Scope) -> dict[str, Any]:
        """Take one away; as it was. Raises NotFound."""
        return await self._database.run(partial(_remove, number, scope))

    async def one(self, number: int, scope: Scope) -> dict[str, Any]:
        """One, as the API gives it. Raises NotFound."""
        return await self._database.browse(partial(_one, number, scope))

    async def find(self, wanted: ExclusionFilter, after: str | None = None, most: int = 100) -> Page:
        """A page, in the order in which they were entered. Raises InvalidInput for a bad cursor."""
        return await self._database.browse(partial(_find, wanted, after, most))


def of_stations(
    stations: list[int], window: Span, connection: Connection
) -> dict[int, list[tuple[int, Exclusion]]]:
    """For each station the EVSE (0: all) and the exclusion, of those that overlap the window."""
    asked = {"stations": stations, "since": micros(window.start), "until": micros(window.end)}
    found: dict[int, list[tuple[int, Exclusion]]] = {}
    for row in connection.execute(OF_STATIONS, asked):
        span = Span(instant(row.starts_at), instant(row.ends_at))
        found.setdefault(row.station_id, []).append((row.evse, Exclusion(span, Reason(row.reason))))
    return found


def _add(
    form: ExclusionForm, scope: Scope, actor: str, now: datetime, connection: Connection
) -> dict[str, Any]:
    values = _values(form, scope, actor, now, connection)
    number = connection.execute(insert(X).values(values).returning(X.c.exclusion_id)).scalar_one()
    return _one(number, scope, connection)


def _change(
    number: int, form: ExclusionForm, scope: Scope, actor: str, now: datetime, connection: Connection
) -> dict[str, Any]:
    _one(number, scope, connection)
    values = _values(form, scope, actor, now, connection)
    connection.execute(update(X).where(X.c.exclusion_id == number).values(values))
    return _one(number, scope, connection)


def _remove(number: int, scope: Scope, connection: Connection) -> dict[str, Any]:
    shown = _one(number, scope, connection)
    connection.execute(delete(X).where(X.c.exclusion_id == number))
    return shown


def _one(number: int, scope: Scope, connection: Connection) -> dict[str, Any]:
    seen = ONE.where(*within(scope, S.c.operator_id, S.c.site_id))
    row = connection.execute(seen, {"exclusion_id": number}).one_or_none()
    if row is None:
        raise NotFound(f"exclusion {number}")
    return _shown(row)


def _values(
    form: ExclusionForm, scope: Scope, actor: str, now: datetime, connection: Connection
) -> dict[str, Any]:
    if form.span.end <= form.span.start:
        raise InvalidInput("ends_at: it must lie after starts_at")
    seen = STATION.where(*within(scope, S.c.operator_id, S.c.site_id))
    station = connection.execute(seen, {"identity": form.station}).one_or_none()
    if station is None:
        raise NotFound(f"charging station {form.station}")
    return {
        "station_id": station.station_id,
        "evse": form.evse,
        "starts_at": micros(form.span.start),
        "ends_at": micros(form.span.end),
        "reason": form.reason.value,
        "note": form.note,
        "actor": actor,
        "modified_at": micros(now),
    }


def _find(wanted: ExclusionFilter, after: str | None, most: int, connection: Connection) -> Page:
    conditions = within(wanted.scope, S.c.operator_id, S.c.site_id)
    if wanted.operator is not None:
        conditions.append(operators.c.code == wanted.operator)
    if wanted.station is not None:
        conditions.append(S.c.identity == wanted.station)
    if wanted.since is not None:
        conditions.append(X.c.ends_at > micros(wanted.since))
    if wanted.until is not None:
        conditions.append(X.c.starts_at < micros(wanted.until))
    if after is not None:
        conditions.append(X.c.exclusion_id > key_of(after, (int,))[0])
    query = SHOWN.where(*conditions).order_by(X.c.exclusion_id).limit(most + 1)
    return page_of(list(connection.execute(query)), most, _shown, lambda row: (row.exclusion_id,))


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.exclusion_id),
        "operator": row.operator_code,
        "charging_station": row.identity,
        "evse": row.evse,
        "starts_at": text_of(row.starts_at),
        "ends_at": text_of(row.ends_at),
        "reason": row.reason,
        "note": row.note,
        "actor": row.actor,
        "modified_at": text_of(row.modified_at),
    }
