"""Totals as the API shows them: by code or identity, a page at a time. Knows nothing of a caller's rights."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select, tuple_

from csms.errors import InvalidInput
from csms.store.paging import Page, key_of, page_of
from csms.store.tables import charging_stations, operators, sites, total_revisions, totals
from csms.store.times import micros, text_of

PERIODS = ("hour", "day", "month")


@dataclass(frozen=True, slots=True)
class TotalFilter:
    """Which totals. `by`: hour, day, month. `of`: connector, station, site, operator.

    `id`: identity/evse/connector, identity, site code or operator code; None is all of them. `operator`
    is the only one whose totals the caller may see. `since` <= start < `until`.
    """

    by: str
    of: str
    id: str | None = None
    operator: str | None = None
    since: datetime | None = None
    until: datetime | None = None


# What names a subject of each level: its table's key and the column shown as `id`.
NAMES: dict[str, tuple[Any, Any]] = {
    "connector": (charging_stations.c.station_id, charging_stations.c.identity),
    "station": (charging_stations.c.station_id, charging_stations.c.identity),
    "site": (sites.c.site_id, sites.c.code),
    "operator": (operators.c.operator_id, operators.c.code),
}


def find(wanted: TotalFilter, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` totals by start, from after the cursor on."""
    key = (totals.c.start, totals.c.subject_id, totals.c.evse, totals.c.connector)
    query = _named(totals, wanted).add_columns(totals.c.revision, totals.c.closed_at)
    query = query.order_by(*key).limit(most + 1)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*key_of(after, (int, int, int, int))))
    rows = list(connection.execute(query))
    return page_of(rows, most, _shown, lambda row: (row.start, row.subject_id, row.evse, row.connector))


def revisions(wanted: TotalFilter, connection: Connection) -> list[dict[str, Any]]:
    """Earlier figures, oldest first."""
    query = _named(total_revisions, wanted).add_columns(total_revisions.c.revision)
    rows = connection.execute(query.order_by(total_revisions.c.start, total_revisions.c.revision))
    return [_shown(row) for row in rows]


def _named(table: Any, wanted: TotalFilter) -> Select[Any]:
    if wanted.by not in PERIODS or wanted.of not in NAMES:
        raise InvalidInput(f"by: one of {', '.join(PERIODS)}; of: one of {', '.join(NAMES)}")
    number, name = NAMES[wanted.of]
    columns = [column for column in table.columns if column.name not in ("revision", "closed_at")]
    query = select(*columns, name.label("id"), operators.c.code.label("operator_code"))
    query = query.join(number.table, number == table.c.subject_id)
    if wanted.of != "operator":
        query = query.outerjoin(operators, operators.c.operator_id == number.table.c.operator_id)
    return query.where(table.c.period == wanted.by, table.c.level == wanted.of, *_conditions(table, wanted))


def _conditions(table: Any, wanted: TotalFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.id is not None:
        found += _is(table, wanted.of, wanted.id)
    if wanted.operator is not None:
        found.append(operators.c.code == wanted.operator)
    if wanted.since is not None:
        found.append(table.c.start >= micros(wanted.since))
    if wanted.until is not None:
        found.append(table.c.start < micros(wanted.until))
    return found


def _is(table: Any, level: str, subject: str) -> list[ColumnElement[bool]]:
    """The subject by its number, so that the primary key serves."""
    number, name = NAMES[level]
    if level != "connector":
        return [table.c.subject_id.in_(select(number).where(name == subject))]
    identity, _, place = subject.partition("/")
    evse, _, connector = place.partition("/")
    if not (evse.isascii() and evse.isdigit() and connector.isascii() and connector.isdigit()):
        raise InvalidInput("id: a connector is identity/evse/connector")
    return [
        table.c.subject_id.in_(select(number).where(name == identity)),
        table.c.evse == int(evse),
        table.c.connector == int(connector),
    ]


def _shown(row: Row[Any]) -> dict[str, Any]:
    is_connector = row.level == "connector"
    return {
        "by": row.period,
        "of": row.level,
        "id": f"{row.id}/{row.evse}/{row.connector}" if is_connector else row.id,
        "operator": row.operator_code,
        "start": text_of(row.start),
        "energy_wh": row.energy_wh,
        "sessions": row.sessions,
        "charging_s": row.charging_s,
        "revision": row.revision,
        "computed_at": text_of(row.computed_at),
    }
