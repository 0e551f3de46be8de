"""Statements of commands to many stations, built once. Knows their tables; not what a command means."""

from sqlalchemy import ColumnElement, bindparam, case, func, insert, literal_column, or_, select, update

from csms.store.columns import WHOLE
from csms.store.command_tables import command_batch_items as items
from csms.store.command_tables import command_batches as batches
from csms.store.tables import charging_stations, operators

IS_RUNNING: ColumnElement[bool] = literal_column("command_batches.state = 'running'")
RETRIED = ("rejected", "not-connected", "silent", "failed")
FAILED = (*RETRIED, "not-supported")

_THIS = items.c.batch_id == bindparam("batch")
# A station may pass to another operator while its turn is to come.
_IS_OWN = or_(batches.c.operator_id.is_(None), charging_stations.c.operator_id == batches.c.operator_id)
_OWN = (
    select(charging_stations.c.station_id)
    .select_from(charging_stations)
    .join(batches, batches.c.batch_id == bindparam("batch"))
    .where(charging_stations.c.station_id == items.c.station_id, _IS_OWN)
    .correlate(items)
)
RUNNING = (
    select(batches)
    .where(IS_RUNNING, batches.c.next_at <= bindparam("now"))
    .order_by(batches.c.next_at, batches.c.batch_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # SQLite has one writer and leaves this out
)
# Whoever took it died before it told what came of it: it may have been sent, so it is not sent again.
LOST = (
    update(items)
    .where(literal_column("command_batch_items.state = 'sent'"), items.c.leased_until < bindparam("now"))
    .values(
        state="done",
        result="silent",
        detail=bindparam("told"),
        finished_at=bindparam("at"),
        leased_until=None,
    )
)
UNDER_WAY = select(func.count()).select_from(items).where(_THIS, items.c.state == "sent")
FAILURES = (
    select(func.count()).select_from(items).where(_THIS, items.c.state == "done", items.c.result.in_(FAILED))
)
NEXT = (
    select(items.c.item_id, charging_stations.c.identity, _IS_OWN.label("is_own"))
    .select_from(items)
    .join(batches, batches.c.batch_id == items.c.batch_id)
    .join(charging_stations, charging_stations.c.station_id == items.c.station_id)
    .where(_THIS, items.c.state == "waiting")
    .order_by(items.c.item_id)
    .limit(bindparam("most"))
)
TAKE = (
    update(items)
    .where(items.c.item_id == bindparam("item"))
    .values(
        state="sent", leased_until=bindparam("until"), attempts=items.c.attempts + 1, result=None, detail=None
    )
)
LEAVE_OUT = (
    update(items)
    .where(items.c.item_id == bindparam("item"))
    .values(state="cancelled", detail=bindparam("told"), finished_at=bindparam("at"))
)
LATER = update(batches).where(batches.c.batch_id == bindparam("batch")).values(next_at=bindparam("then"))
END = (
    update(batches)
    .where(batches.c.batch_id == bindparam("batch"), IS_RUNNING)
    .values(state=bindparam("became"), finished_at=bindparam("at"))
)
DROP_WAITING = update(items).where(_THIS, items.c.state == "waiting").values(state="cancelled")
DONE = (
    update(items)
    .where(items.c.item_id == bindparam("item"), items.c.state == "sent")
    .values(
        state="done",
        result=bindparam("outcome"),
        detail=bindparam("told"),
        finished_at=bindparam("now"),
        leased_until=None,
    )
)
AGAIN = (
    update(items)
    .where(_THIS, items.c.state == "done", items.c.result.in_(RETRIED), _OWN.exists())
    .values(state="waiting", result=None, detail=None, finished_at=None)
)
FILL = insert(items).from_select(
    ["batch_id", "station_id"],
    select(bindparam("batch", type_=WHOLE), charging_stations.c.station_id)
    .where(charging_stations.c.station_id.in_(bindparam("stations", expanding=True)))
    .order_by(charging_stations.c.identity),
)
RUN_AGAIN = (
    update(batches)
    .where(batches.c.batch_id == bindparam("batch"))
    .values(state="running", finished_at=None, next_at=bindparam("now"))
)

SHOWN = select(batches, operators.c.code.label("operator_code")).outerjoin(
    operators, operators.c.operator_id == batches.c.operator_id
)
_word = case((items.c.state == "done", items.c.result), else_=items.c.state).label("word")
COUNTS = select(_word, func.count().label("n")).where(_THIS).group_by(_word)
ITEMS = (
    select(items, charging_stations.c.identity, _IS_OWN.label("is_own"))
    .select_from(items)
    .join(batches, batches.c.batch_id == items.c.batch_id)
    .join(charging_stations, charging_stations.c.station_id == items.c.station_id)
    .where(_THIS, items.c.item_id > bindparam("after"))
    .order_by(items.c.item_id)
    .limit(bindparam("most"))
)
