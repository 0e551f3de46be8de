"""The connectors there are: whose, where, how strong, and in service from when to when. Knows tables only.

What was registered of a connector comes first. One that is only known from what its station told has an
equal share of the station's rated power, and is in service since it first told a status. One that is
registered and has never told anything is there all the same.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    union,
)

from csms.store.asset_tables import asset_spells, equipment_connectors
from csms.store.columns import WHOLE
from csms.store.device_tables import connectors
from csms.store.json_fields import field_of
from csms.store.tables import charging_stations, operators
from csms.store.times import instant_or_none

S, C, A = charging_stations, connectors, equipment_connectors
NOTHING: ColumnElement[int] = literal_column("0")


class Place(NamedTuple):
    """Names a connector."""

    station_id: int
    evse: int
    connector: int


class Served(NamedTuple):
    """A connector. `rated_w` None: unknown. `joined`, `retired` None: nobody dated it."""

    place: Place
    zone: str
    rated_w: int | None
    joined: datetime | None
    retired: datetime | None


def served(which: Callable[[Any], ColumnElement[bool]]) -> Select[Any]:
    """The connectors of stations whose number satisfies `which`, by place."""
    told = select(C.c.station_id, C.c.evse, C.c.connector).where(which(C.c.station_id), C.c.evse > NOTHING)
    registered = select(A.c.station_id, A.c.evse, A.c.connector).where(
        which(A.c.station_id), A.c.evse > NOTHING, A.c.connector.is_not(None)
    )
    p = union(told, registered).subquery("places").c
    here = and_(A.c.station_id == p.station_id, A.c.evse == p.evse, A.c.connector == p.connector)
    return (
        select(
            p.station_id,
            p.evse,
            p.connector,
            func.coalesce(operators.c.time_zone, literal_column("'UTC'")).label("zone"),
            func.coalesce(cast(field_of(A.c.attributes, "power_w"), WHOLE), _share()).label("rated_w"),
            _spell(func.min(asset_spells.c.since)).label("joined_at"),
            # Still in service as long as one spell has no end.
            _spell(
                case((func.count() == func.count(asset_spells.c.until), func.max(asset_spells.c.until)))
            ).label("retired_at"),
        )
        .join(S, S.c.station_id == p.station_id)
        .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
        .outerjoin(A, here)
        .order_by(p.station_id, p.evse, p.connector)
    )


def _share() -> ColumnElement[int]:
    siblings = C.alias("siblings")
    return (
        select(S.c.max_power_w / func.nullif(func.count(), NOTHING))
        .where(siblings.c.station_id == S.c.station_id, siblings.c.evse > NOTHING)
        .correlate(S)
        .scalar_subquery()
    )


def _spell(of: ColumnElement[Any]) -> Any:
    return (
        select(of)
        .where(
            asset_spells.c.level == literal_column("'connectors'"),
            asset_spells.c.subject_id == A.c.connector_no,
        )
        .correlate(A)
        .scalar_subquery()
    )


def served_of(row: Row[Any]) -> Served:
    """The connector of a row of `served`."""
    return Served(
        Place(row.station_id, row.evse, row.connector),
        row.zone,
        None if row.rated_w is None else int(row.rated_w),
        instant_or_none(row.joined_at),
        instant_or_none(row.retired_at),
    )
