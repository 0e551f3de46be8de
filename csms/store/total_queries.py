"""Totals as the API shows them: by code or identity, a page at a time. Knows nothing of a caller's rights."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    cast,
    false,
    func,
    literal_column,
    null,
    select,
    tuple_,
)

from csms.domain.scope import WHOLE as WHOLE_NETWORK
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.columns import WHOLE
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import within
from csms.store.tables import charging_stations, operators, session_hours, sites, total_revisions, totals
from csms.store.times import micros, text_of

PERIODS = ("hour", "day", "month")


@dataclass(frozen=True, slots=True)
class TotalFilter:
    """Which totals. `by`: hour, day, month. `of`: connector, station, site, operator.

    `id`: identity/evse/connector, identity, site code or operator code; None is all of them. `scope`
    is what the caller may see; an operator's totals are of all its sites. `since` <= start < `until`.
    """

    by: str
    of: str
    id: str | None = None
    scope: Scope = WHOLE_NETWORK
    since: datetime | None = None
    until: datetime | None = None


# What names a subject of each level: its table's key and the column shown as `id`.
NAMES: dict[str, tuple[Any, Any]] = {
    "connector": (charging_stations.c.station_id, charging_stations.c.identity),
    "station": (charging_stations.c.station_id, charging_stations.c.identity),
    "site": (sites.c.site_id, sites.c.code),
    "operator": (operators.c.operator_id, operators.c.code),
}


KEY = ("start", "subject_id", "evse", "connector")
NONE: ColumnElement[int] = literal_column("0")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where totals are read from: columns by their names in `totals`, and what they are grouped by."""

    columns: dict[str, Any]
    conditions: tuple[ColumnElement[bool], ...] = ()
    grouped: bool = False

    def named(self, wanted: TotalFilter) -> Select[Any]:
        """The totals of the filter, with the names of what they are of."""
        number, name = NAMES[wanted.of]
        columns = [column.label(label) for label, column in self.columns.items()]
        # One name for each group; what is grouped by is the index's columns only, so that nothing is sorted.
        names = [func.min(of) if self.grouped else of for of in (name, operators.c.code)]
        query = select(*columns, names[0].label("id"), names[1].label("operator_code"))
        query = query.join(number.table, number == self.columns["subject_id"])
        if wanted.of != "operator":
            query = query.outerjoin(operators, operators.c.operator_id == number.table.c.operator_id)
        if self.grouped:
            key = [self.columns[part] for part in KEY if self.columns[part] is not NONE]
            query = query.group_by(*key)
        return query.where(*self.conditions, *self._selected(wanted))

    def _selected(self, wanted: TotalFilter) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if wanted.id is not None:
            found += self._is(wanted.of, wanted.id)
        found += self._seen(wanted)
        if wanted.since is not None:
            found.append(self.columns["start"] >= micros(wanted.since))
        if wanted.until is not None:
            found.append(self.columns["start"] < micros(wanted.until))
        return found

    def _seen(self, wanted: TotalFilter) -> list[ColumnElement[bool]]:
        of = NAMES[wanted.of][0].table.c
        if wanted.of == "operator":
            return [false()] if wanted.scope.sites is not None else within(wanted.scope, of.operator_id, NONE)
        return within(wanted.scope, of.operator_id, of.site_id)

    def _is(self, level: str, subject: str) -> list[ColumnElement[bool]]:
        """The subject by its number, so that an index serves."""
        number, name = NAMES[level]
        if level != "connector":
            return [self.columns["subject_id"].in_(select(number).where(name == subject))]
        identity, _, place = subject.partition("/")
        evse, _, connector = place.partition("/")
        if not (evse.isascii() and evse.isdigit() and connector.isascii() and connector.isdigit()):
            raise InvalidInput("id: a connector is identity/evse/connector")
        return [
            self.columns["subject_id"].in_(select(number).where(name == identity)),
            self.columns["evse"] == int(evse),
            self.columns["connector"] == int(connector),
        ]


def find(wanted: TotalFilter, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` totals by start, from after the cursor on."""
    source = _source(wanted)
    key = [source.columns[name] for name in KEY]
    query = source.named(wanted).order_by(*(column for column in key if column is not NONE)).limit(most + 1)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*key_of(after, (int, int, int, int))))
    rows = list(connection.execute(query))
    return page_of(rows, most, _shown, lambda row: (row.start, row.subject_id, row.evse, row.connector))


def revisions(wanted: TotalFilter, connection: Connection) -> list[dict[str, Any]]:
    """Earlier figures, oldest first."""
    columns = dict(total_revisions.c)
    query = _stored(columns, wanted).named(wanted)
    rows = connection.execute(query.order_by(columns["start"], columns["revision"]))
    return [_shown(row) for row in rows]


def _source(wanted: TotalFilter) -> _Source:
    if wanted.by == "hour" and wanted.of in ("connector", "station"):
        return _live(wanted.of)
    return _stored(dict(totals.c), wanted)


def _stored(columns: dict[str, Any], wanted: TotalFilter) -> _Source:
    if wanted.by not in PERIODS or wanted.of not in NAMES:
        raise InvalidInput(f"by: one of {', '.join(PERIODS)}; of: one of {', '.join(NAMES)}")
    return _Source(columns, (columns["period"] == wanted.by, columns["level"] == wanted.of))


def _live(level: str) -> _Source:
    """Hours of connectors and stations are not stored: they are summed when somebody asks."""
    h = session_hours.c
    is_connector = level == "connector"
    return _Source(
        {
            "period": literal_column("'hour'"),
            "level": literal_column(f"'{level}'"),
            "subject_id": h.station_id,
            "evse": h.evse if is_connector else NONE,
            "connector": h.connector if is_connector else NONE,
            "start": h.hour,
            "energy_wh": cast(func.sum(h.energy_wh), WHOLE),
            "sessions": cast(func.sum(h.starts), WHOLE),
            "charging_s": cast(func.sum(h.charging_s), WHOLE),
            "revision": literal_column("1"),
            "computed_at": null(),
        },
        grouped=True,
    )


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
