"""Which charging stations are meant, as conditions that indexes serve. Knows tables; nobody's rights.

A list of a hundred among a hundred thousand stations is read in the order of an index; what few stations
have (a fault, a district, a prefix) is found by an index of its own first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType

from csms.domain.scope import WHOLE, Scope
from csms.errors import InvalidInput
from csms.store.asset_tables import site_assets
from csms.store.device_tables import FAULT, connectors
from csms.store.json_fields import field_of
from csms.store.scoping import within
from csms.store.station_words import DISABLED, IN_USE, NEVER_SEEN, OFFLINE, ONLINE, RETIRED
from csms.store.tables import charging_stations, operators, sites

S = charging_stations
FEW = 3_000
LAST_LETTER = "\U0010ffff"  # behind every continuation of a prefix

# One meaning of the three states, for filters and for rows; in the text, so that partial indexes serve.
STATES: dict[str, ColumnElement[bool]] = {
    "online": literal_column(f"({ONLINE})"),
    "offline": literal_column(f"({OFFLINE})"),
    "never-seen": literal_column(f"({NEVER_SEEN})"),
}
REGISTRATIONS: dict[str, ColumnElement[bool]] = {
    "accepted": S.c.boot_status == "accepted",
    "pending": S.c.boot_status == "pending",
    "rejected": S.c.boot_status == "rejected",
    "disabled": literal_column(DISABLED),
}
IS_IN_USE: ColumnElement[bool] = literal_column(IN_USE)
IS_RETIRED: ColumnElement[bool] = literal_column(RETIRED)
FAULTY = select(connectors.c.station_id).where(literal_column(f"({FAULT})"))


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations; None does not filter.

    `state`: online, offline or never-seen. `connector`: a connector has this status. `district`: the area
    code of the site begins with it. `registration`: one of `REGISTRATIONS`. `prefix` of identity, name or
    serial number. Retired ones alone, or none of them.
    """

    operator: str | None = None
    site: str | None = None
    state: str | None = None
    district: str | None = None
    connector: str | None = None
    has_fault: bool | None = None
    version: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    registration: str | None = None
    prefix: str | None = None
    retired: bool = False
    scope: Scope = WHOLE


class _FromOn(GenericFunction[Any]):
    name = "csms_from_on"
    inherit_cache = True
    type = NullType()


class _Before(GenericFunction[Any]):
    name = "csms_before"
    inherit_cache = True
    type = NullType()


def _compare(kind: type, sqlite: str, postgresql: str) -> None:
    for dialect, operator in (("sqlite", sqlite), ("postgresql", postgresql)):

        def rendered(element: Any, compiler: Any, operator: str = operator, **options: Any) -> str:
            left, right = element.clauses
            return f"{compiler.process(left, **options)} {operator} {compiler.process(right, **options)}"

        compiles(kind, dialect)(rendered)


# Byte by byte: PostgreSQL's languages sort otherwise, and no prefix is a range in them.
_compare(_FromOn, ">=", "~>=~")
_compare(_Before, "<", "~<~")


def conditions(wanted: StationFilter, connection: Connection) -> list[ColumnElement[bool]]:
    """All of them must hold. Raises InvalidInput for a state or registration that is none."""
    found: list[ColumnElement[bool]] = [IS_RETIRED if wanted.retired else IS_IN_USE]
    columns = {
        S.c.ocpp_version: wanted.version,
        S.c.vendor: wanted.vendor,
        S.c.model: wanted.model,
        S.c.firmware_version: wanted.firmware,
    }
    found += [column == value for column, value in columns.items() if value is not None]
    found += _of_words(wanted) + _of_owner(wanted)
    if wanted.has_fault is False:
        found.append(S.c.station_id.not_in(FAULTY))
    return found + [_narrowed(*way, connection) for way in _ways(wanted)]


def _narrowed(these: Any, is_one: ColumnElement[bool], connection: Connection) -> ColumnElement[bool]:
    """Few are looked up by number; among many a list's order is followed, and soon a page is full."""
    found = these.limit(FEW + 1).subquery()
    if (connection.scalar(select(func.count()).select_from(found)) or 0) > FEW:
        return is_one
    return S.c.station_id.in_(these)


def _ways(wanted: StationFilter) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    """What an index finds the numbers of, and how to tell it of a station that is looked at."""
    if wanted.connector is not None:
        of_status = connectors.c.status == wanted.connector
        here = exists(select(connectors.c.evse).where(connectors.c.station_id == S.c.station_id, of_status))
        yield select(connectors.c.station_id).where(of_status), here
    if wanted.has_fault:
        yield FAULTY, exists(FAULTY.where(connectors.c.station_id == S.c.station_id))
    if wanted.district is not None:
        area = func.coalesce(field_of(site_assets.c.attributes, "area_code"), "")
        of_district = select(site_assets.c.site_id).where(
            func.substr(area, 1, len(wanted.district)) == wanted.district
        )
        # A sum is no column: the planner cannot begin with it.
        there = (S.c.site_id + literal_column("0")).in_(of_district)
        yield select(S.c.station_id).where(S.c.site_id.in_(of_district)), there
    if wanted.prefix:
        ranges = list(_ranges(wanted.prefix))
        yield union_all(*(select(S.c.station_id).where(one) for one in ranges)), or_(*ranges)


def _of_words(wanted: StationFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name, value, words in (
        ("state", wanted.state, STATES),
        ("registration", wanted.registration, REGISTRATIONS),
    ):
        if value is None:
            continue
        if value not in words:
            raise InvalidInput(f"{name}: one of {', '.join(words)}")
        found.append(words[value])
    return found


def _of_owner(wanted: StationFilter) -> list[ColumnElement[bool]]:
    found = within(wanted.scope, S.c.operator_id, S.c.site_id)
    if wanted.operator is not None:
        operator = select(operators.c.operator_id).where(operators.c.code == wanted.operator)
        found.append(S.c.operator_id == operator.scalar_subquery())
    if wanted.site is not None:
        found.append(S.c.site_id.in_(select(sites.c.site_id).where(sites.c.code == wanted.site)))
    return found


def _ranges(prefix: str) -> Iterator[ColumnElement[bool]]:
    """Identity, name or serial number begins so, as typed or in the case that labels have."""
    for column in (S.c.identity, S.c.name, S.c.serial_number):
        for text in sorted({prefix, prefix.upper(), prefix.lower()}):
            yield and_(_FromOn(column, literal(text)), _Before(column, literal(text + LAST_LETTER)))
