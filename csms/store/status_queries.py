"""The questions of the status page. Their cost grows with what is live today, not with history.

Knows tables. Every statement takes `operator_id`, -1 for the whole network.
"""

from typing import Any

from sqlalchemy import Select, and_, bindparam, case, cast, func, literal_column, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import GenericFunction

from csms.store import delivery_tables as p
from csms.store import device_tables as d
from csms.store import tables as t
from csms.store.columns import WHOLE
from csms.store.records import kind_of
from csms.store.session_queries import ACTIVE, UNENDED
from csms.store.station_queries import IS_ONLINE

MOST_CELLS = 1200  # charging stations drawn one by one
MOST_ROWS = 12  # rows of a table
LOOKED_AT = 300  # newest records searched for the latest ends and deliveries

# '' means outlet and sample.periodic.
POWER_KINDS = [
    kind_of("power.active.import", "", location, context).kind_id
    for location in ("", "outlet")
    for context in ("", "sample.periodic", "sample.clock", "transaction.begin", "trigger", "other")
]

s, c, o = t.sessions, t.charging_stations, t.outbox
operator_id: ColumnElement[int] = bindparam("operator_id")
station_in_scope = or_(operator_id == -1, c.c.operator_id == operator_id)
session_in_scope = or_(operator_id == -1, s.c.operator_id == operator_id)
# Both, so that SQLite sees that one of the partial indexes of open sessions serves.
is_active = and_(UNENDED, ACTIVE)


def _any(*statuses: str) -> ColumnElement[int]:
    return func.max(case((d.connectors.c.status.in_(statuses), 1), else_=0))


OPERATORS = select(t.operators.c.operator_id, t.operators.c.code, t.operators.c.time_zone)
SITES = select(t.sites.c.site_id, t.sites.c.code, t.sites.c.name, t.sites.c.operator_id)

ONLINE = (
    select(c.c.site_id, c.c.ocpp_version, IS_ONLINE.label("is_online"), func.count().label("n"))
    .where(station_in_scope)
    .group_by(c.c.site_id, c.c.ocpp_version, IS_ONLINE)
)
first_cells = (
    select(c.c.station_id, c.c.identity, c.c.site_id, c.c.connected_at, IS_ONLINE.label("is_online"))
    .where(station_in_scope)
    .order_by(c.c.site_id, c.c.identity)
    .limit(MOST_CELLS)
    .subquery()
)
CELLS = (
    select(
        *first_cells.c,
        _any("faulted").label("faulted"),
        _any("charging", "suspended-ev", "suspended-evse").label("charging"),
        _any("occupied", "preparing", "finishing", "reserved").label("occupied"),
        func.min(case((d.connectors.c.status == "unavailable", 1), else_=0)).label("unavailable"),
    )
    .outerjoin(d.connectors, d.connectors.c.station_id == first_cells.c.station_id)
    .group_by(*first_cells.c)
    .order_by(first_cells.c.site_id, first_cells.c.identity)
)
BUSY = select(s.c.station_id).where(is_active, session_in_scope).distinct()


class JsonItems(GenericFunction[Any]):
    """The items of a JSON array in a text, as rows."""

    name = "json_items"
    inherit_cache = True


@compiles(JsonItems, "sqlite")
def _items_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(JsonItems, "postgresql")
def _items_of_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **options)} AS jsonb))"


def _part(sample: Any, place: int) -> ColumnElement[int]:
    return cast(sample.op("->>")(literal_column(str(place))), WHOLE)


m = t.session_messages
instants = JsonItems(m.c.samples).table_valued("value", name="instant", joins_implicitly=True)
samples = JsonItems(instants.c.value.op("->")(literal_column("1"))).table_valued(
    "value", name="sample", joins_implicitly=True
)
sample = samples.c.value
power_mw = (
    select(_part(sample, 1))
    .select_from(m, instants, samples)
    .where(
        m.c.session_id == s.c.session_id,
        m.c.samples != literal_column("''"),
        _part(instants.c.value, 0) >= bindparam("power_since"),
        _part(sample, 0).in_(POWER_KINDS),
        _part(sample, 1).is_not(None),
    )
    .order_by(m.c.entry_id.desc())
    .limit(1)
    .correlate(s)
    .scalar_subquery()
    .label("power_mw")
)
each_power = select(power_mw).where(is_active, session_in_scope).subquery()
POWER = select(
    func.count().label("sessions"),
    func.count(each_power.c.power_mw).label("metered"),
    func.sum(each_power.c.power_mw).label("power_mw"),
).select_from(each_power)

lines = select(
    s.c.session_id,
    c.c.identity,
    s.c.evse,
    s.c.connector,
    s.c.token,
    s.c.started_at,
    s.c.ended_at,
    s.c.energy_wh,
    s.c.flags,
).join(c, c.c.station_id == s.c.station_id)


def _newest(of: Select[tuple[object, ...]], most: int) -> Select[tuple[object, ...]]:
    return of.order_by(s.c.started_at.desc(), s.c.session_id.desc()).limit(most)


LIVE = _newest(lines.add_columns(power_mw).where(is_active, session_in_scope), MOST_ROWS)
ENDED = _newest(lines.where(s.c.state == "ended", session_in_scope), LOOKED_AT)

HOURS = select(t.totals.c.subject_id, t.totals.c.start, t.totals.c.energy_wh).where(
    t.totals.c.period == "hour", t.totals.c.level == "operator", t.totals.c.start >= bindparam("since")
)

on_platforms = o.c.platform.in_(bindparam("platforms", expanding=True))
ORDERS_WAITING = select(func.count()).where(
    literal_column("outbox.state = 'waiting'"),
    o.c.kind == "charge-order",
    o.c.key >= literal_column("''"),  # always: so that SQLite takes the index of what waits
    on_platforms,
)
ORDERS_TODAY = (
    select(o.c.state, func.count().label("n"))
    .where(o.c.outbox_id >= bindparam("first"), o.c.kind == "charge-order", on_platforms)
    .group_by(o.c.state)
)
# One platform at a time: of several at once no index gives the newest.
NEWEST_ORDERS = (
    select(o.c.outbox_id, o.c.about, o.c.platform, o.c.state, o.c.attempts, o.c.created_at, o.c.sent_at)
    .where(o.c.platform == bindparam("platform"), o.c.kind == literal_column("'charge-order'"))
    .order_by(o.c.outbox_id.desc())
    .limit(MOST_ROWS)
)
LAST_CONTACT = select(func.max(p.platform_tallies.c.last_at)).where(
    p.platform_tallies.c.platform.in_(bindparam("platforms", expanding=True)),
    p.platform_tallies.c.day >= bindparam("since_day"),
)
