"""Tariffs, where they are assigned, and what sessions cost, as the API gives and takes them. Knows no right.

Tariffs, versions and assignments are added and never changed: what a session was priced with stays.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from csms.domain.tariff import CURRENCY, Tariff
from csms.domain.tariff_book import Applied, Version, Where
from csms.errors import Conflict, InvalidInput, NotFound
from csms.store import tariff_reads as reads
from csms.store.asset_tables import site_assets
from csms.store.database import Database
from csms.store.jsontext import value_of
from csms.store.records import SessionDue
from csms.store.statements import statements
from csms.store.tables import charging_stations, operators, sites
from csms.store.tariff_tables import session_costs, tariff_assignments, tariff_versions, tariffs
from csms.store.times import micros, micros_or_none, text_of


@dataclass(frozen=True, slots=True)
class VersionForm:
    """What a version says, from when on, and until when if its end is known."""

    tariff: Tariff
    valid_from: datetime
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise InvalidInput("valid_until: it is not after valid_from")


@dataclass(frozen=True, slots=True)
class PlaceForm:
    """A site by its code, or a connector by its station's identity; neither: all of the operator."""

    site: str | None = None
    station: str | None = None
    evse: int | None = None
    connector: int | None = None


LISTED = (
    select(tariffs, operators.c.code.label("operator"), func.count().label("versions"))
    .join(operators, operators.c.operator_id == tariffs.c.operator_id)
    .join(tariff_versions, tariff_versions.c.tariff_id == tariffs.c.tariff_id)
    .group_by(tariffs.c.tariff_id, operators.c.code)
    .order_by(operators.c.code, tariffs.c.code)
)
# A site whose prices change has changed: whoever is told of sites is told again.
REPRICED = (
    update(site_assets)
    .where(site_assets.c.operator_id == bindparam("whose"), site_assets.c.changed_at < bindparam("now"))
    .values(changed_at=bindparam("now"))
)
REPRICED_SITE = REPRICED.where(site_assets.c.site_id == bindparam("site"))
OPERATOR = select(operators.c.operator_id).where(operators.c.code == bindparam("code"))
SITE = select(sites.c.site_id, sites.c.operator_id, operators.c.code).join(
    operators, operators.c.operator_id == sites.c.operator_id
)
STATION = (
    select(charging_stations, operators.c.code)
    .outerjoin(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .where(charging_stations.c.identity == bindparam("identity"))
)
ASSIGNED = (
    select(tariff_assignments, sites.c.code.label("site"), charging_stations.c.identity)
    .outerjoin(sites, sites.c.site_id == tariff_assignments.c.site_id)
    .outerjoin(charging_stations, charging_stations.c.station_id == tariff_assignments.c.station_id)
    .where(tariff_assignments.c.tariff_id == bindparam("tariff_id"))
    .order_by(tariff_assignments.c.assignment_id)
)
COSTS = (
    select(session_costs, tariffs.c.code, tariff_versions.c.number)
    .outerjoin(tariff_versions, tariff_versions.c.version_id == session_costs.c.version_id)
    .outerjoin(tariffs, tariffs.c.tariff_id == tariff_versions.c.tariff_id)
    .where(session_costs.c.session_id == bindparam("session_id"))
    .order_by(session_costs.c.revision)
)


class TariffStore:
    """Every method raises StoreUnavailable when the database is away.

    `operator` is the code of the only operator whose records exist for the caller; None: all.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, operator: str | None = None) -> list[dict[str, Any]]:
        """Tariffs by operator and code."""
        query = LISTED if operator is None else LISTED.where(operators.c.code == operator)
        return [_listed(row) for row in await self._database.browse(lambda c: c.execute(query).all())]

    async def one(self, code: str, operator: str | None = None) -> dict[str, Any]:
        """A tariff with its versions and assignments.

        Raises NotFound; InvalidInput when two operators have one of this code and none was named.
        """
        return await self._database.browse(partial(_one, code, operator))

    async def add(self, operator: str, code: str, name: str, first: VersionForm, now: datetime) -> None:
        """A new tariff with its first version. Raises NotFound (operator), Conflict when there is one."""
        await self._database.run(partial(_add, operator, code, name, first, micros(now)))

    async def add_version(self, code: str, operator: str | None, form: VersionForm, now: datetime) -> int:
        """Another version; its number. One that says what the latest says is that one."""
        return await self._database.run(partial(_add_version, code, operator, form, micros(now)))

    async def assign(
        self, code: str, operator: str | None, place: PlaceForm, valid_from: datetime, now: datetime
    ) -> int:
        """Assign a tariff to a place of its operator; the assignment's number. Raises NotFound."""
        return await self._database.run(
            partial(_assign, code, operator, place, micros(valid_from), micros(now))
        )

    async def applies(self, operator: str | None, place: PlaceForm, at: datetime) -> Applied | None:
        """The tariff of a site or connector at a time. Raises NotFound; InvalidInput: two such sites."""

        def job(connection: Connection) -> Applied | None:
            return reads.book(connection).applies(_where(operator, place, connection), at)

        return await self._database.browse(job)

    async def costs(self, session_id: int) -> list[dict[str, Any]]:
        """What was made of a session's cost, revision by revision."""
        asked = {"session_id": session_id}
        return [_cost(row) for row in await self._database.browse(lambda c: c.execute(COSTS, asked).all())]

    async def mark_due(self, session_id: int, now: datetime) -> None:
        """The session is to be priced (and totalled) again at once."""
        await self._database.run(partial(_mark, SessionDue(session_id, micros(now))))


def _mark(mark: SessionDue, connection: Connection) -> None:
    (due,) = statements(connection.dialect)[SessionDue]
    connection.exec_driver_sql(due.sql, due.parameters([mark]))


def _named(code: str, operator: str | None, connection: Connection) -> Row[Any]:
    query = LISTED.where(tariffs.c.code == code)
    if operator is not None:
        query = query.where(operators.c.code == operator)
    rows = connection.execute(query).all()
    if len(rows) > 1:
        raise InvalidInput(f"operator: {len(rows)} operators have a tariff {code}; name one")
    if not rows:
        raise NotFound(f"tariff {code}")
    return rows[0]


def _one(code: str, operator: str | None, connection: Connection) -> dict[str, Any]:
    row = _named(code, operator, connection)
    asked = {"tariff_id": row.tariff_id}
    versions = [
        {**shown_version(reads.version_of(found)), "created_at": text_of(found.created_at)}
        for found in connection.execute(reads.VERSIONS_OF, asked)
    ]
    assignments = [_assignment(found) for found in connection.execute(ASSIGNED, asked)]
    return {**_listed(row), "versions": versions, "assignments": assignments}


def _add(operator: str, code: str, name: str, first: VersionForm, now: int, connection: Connection) -> None:
    reads.bump(connection)
    operator_id = connection.execute(OPERATOR, {"code": operator}).scalar()
    if operator_id is None:
        raise NotFound(f"operator {operator}")
    if connection.execute(LISTED.where(tariffs.c.code == code, operators.c.code == operator)).first():
        raise Conflict(f"tariff {code}")
    made = insert(tariffs).values(operator_id=operator_id, code=code, name=name, created_at=now)
    tariff_id = connection.execute(made.returning(tariffs.c.tariff_id)).scalar_one()
    connection.execute(insert(tariff_versions), _version_row(tariff_id, 1, first, now))


def _add_version(code: str, operator: str | None, form: VersionForm, now: int, connection: Connection) -> int:
    reads.bump(connection)
    tariff = _named(code, operator, connection)
    *_, latest = connection.execute(reads.VERSIONS_OF, {"tariff_id": tariff.tariff_id})
    row = _version_row(tariff.tariff_id, latest.number + 1, form, now)
    if all(getattr(latest, name) == row[name] for name in ("valid_from", "valid_until", "body")):
        return int(latest.number)
    connection.execute(insert(tariff_versions), row)
    connection.execute(REPRICED, {"whose": tariff.operator_id, "now": now})
    return int(row["number"])


def _version_row(tariff_id: int, number: int, form: VersionForm, now: int) -> dict[str, Any]:
    return {
        "tariff_id": tariff_id,
        "number": number,
        "valid_from": micros(form.valid_from),
        "valid_until": micros_or_none(form.valid_until),
        "body": reads.body_of(form.tariff),
        "created_at": now,
    }


def _assign(
    code: str, operator: str | None, place: PlaceForm, valid_from: int, now: int, connection: Connection
) -> int:
    reads.bump(connection)
    tariff = _named(code, operator, connection)
    where = _where(tariff.operator, place, connection)
    # A site's tariff is for the site, whatever station stands there.
    is_connector = place.station is not None
    row = {
        "tariff_id": tariff.tariff_id,
        "operator_id": tariff.operator_id,
        "site_id": None if is_connector else where.site_id,
        "station_id": where.station_id,
        "evse": where.evse if is_connector else None,
        "connector": where.connector if is_connector else None,
        "valid_from": valid_from,
        "created_at": now,
    }
    made = insert(tariff_assignments).values(row).returning(tariff_assignments.c.assignment_id)
    if not is_connector:
        repriced = REPRICED if where.site_id is None else REPRICED_SITE
        connection.execute(repriced, {"whose": tariff.operator_id, "site": where.site_id, "now": now})
    return int(connection.execute(made).scalar_one())


def _where(operator: str | None, place: PlaceForm, connection: Connection) -> Where:
    """The place in numbers, as far as `operator` may see it."""
    if place.station is not None:
        row = connection.execute(STATION, {"identity": place.station}).one_or_none()
        if row is None or operator not in (None, row.code):
            raise NotFound(f"charging station {place.station}")
        return Where(row.operator_id, row.site_id, row.station_id, place.evse or 1, place.connector or 1)
    if place.site is not None:
        query = SITE.where(sites.c.code == place.site)
        found = [row for row in connection.execute(query) if operator in (None, row.code)]
        if len(found) > 1:
            raise InvalidInput(f"operator: {len(found)} operators have a site {place.site}; name one")
        if not found:
            raise NotFound(f"site {place.site}")
        return Where(found[0].operator_id, found[0].site_id)
    number = connection.execute(OPERATOR, {"code": operator}).scalar()
    if number is None:
        raise NotFound(f"operator {operator}")
    return Where(number)


def _listed(row: Row[Any]) -> dict[str, Any]:
    return {
        "code": row.code,
        "operator": row.operator,
        "name": row.name,
        "currency": CURRENCY,
        "version": row.versions,
        "created_at": text_of(row.created_at),
    }


def shown_version(version: Version) -> dict[str, Any]:
    """A version as the API gives it, but for what the tariff says: that is the domain's value."""
    return {
        "number": version.number,
        "valid_from": version.valid_from,
        "valid_until": version.valid_until,
        "tariff": version.tariff,
    }


def _assignment(row: Row[Any]) -> dict[str, Any]:
    return {
        "assignment_id": str(row.assignment_id),
        "level": reads.assignment_of(row).place[0].value,
        "site": row.site,
        "charging_station": row.identity,
        "evse": row.evse,
        "connector": row.connector,
        "valid_from": text_of(row.valid_from),
    }


def _cost(row: Row[Any]) -> dict[str, Any]:
    names = ("energy_wh", "currency", "elec_money", "service_money", "idle_minutes", "idle_money")
    more = ("parking_minutes", "parking_money", "total")
    return {
        "revision": row.revision,
        "priced_at": text_of(row.at),
        "session_revision": row.session_revision,
        "tariff": row.code,
        "tariff_version": row.number,
        **{name: getattr(row, name) for name in names + more},
        "lines": value_of(row.lines),
    }
