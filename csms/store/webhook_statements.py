"""Statements of webhooks, built once. Knows their tables; not what a delivery is."""

from sqlalchemy import bindparam, delete, func, literal_column, or_, select, update

from csms.store.change_tables import changes, webhook_deliveries, webhooks
from csms.store.tables import operators

w, d = webhooks, webhook_deliveries
PRUNED = 1_000

OF_OPERATOR = select(operators.c.operator_id).where(operators.c.code == bindparam("code"))
_OLDEST = select(func.min(changes.c.number)).scalar_subquery()
SHOWN = select(w, operators.c.code.label("operator"), _OLDEST.label("oldest")).outerjoin(
    operators, operators.c.operator_id == w.c.operator_id
)
# Without the operator it is limited to it would be told of all.
_IS_SOMEBODYS = or_(w.c.operator_id.is_(None), operators.c.operator_id.is_not(None))
ACTIVE = SHOWN.where(w.c.enabled == 1, w.c.paused == literal_column("''"), _IS_SOMEBODYS).order_by(
    w.c.webhook_id
)
PAUSED = SHOWN.where(w.c.enabled == 1, w.c.paused != literal_column("''")).order_by(w.c.webhook_id)
_MINE = (w.c.webhook_id == bindparam("id"), w.c.lease == bindparam("holder"))
LEASE = (
    update(w)
    .where(
        w.c.webhook_id == bindparam("id"),
        w.c.enabled == literal_column("1"),
        w.c.paused == literal_column("''"),
        w.c.position == bindparam("at"),
        w.c.due_at <= bindparam("now"),
        or_(w.c.leased_until < bindparam("now"), w.c.lease == bindparam("holder")),
    )
    .values(lease=bindparam("holder"), leased_until=bindparam("until"))
    .returning(w.c.url, w.c.kinds, w.c.secret, w.c.attempts)
)
DELIVERED = (
    update(w)
    .where(*_MINE, w.c.position == bindparam("at"))
    .values(position=bindparam("new"), attempts=0, last_at=bindparam("now"), last_error="")
)
FAILED = (
    update(w)
    .where(*_MINE, w.c.position == bindparam("at"))
    .values(
        attempts=w.c.attempts + literal_column("1"),
        due_at=bindparam("again"),
        last_error=bindparam("error"),
        paused=bindparam("why"),
        leased_until=0,
    )
)
RELEASE = update(w).where(*_MINE).values(leased_until=0)
SKIP = (
    update(w)
    .where(w.c.webhook_id == bindparam("id"), w.c.position == bindparam("at"), w.c.kinds == bindparam("of"))
    .values(position=bindparam("new"))
)
MOVE = (
    update(w)
    .where(w.c.webhook_id == bindparam("id"))
    .values(position=bindparam("new"), attempts=0, due_at=0, paused="", last_error="")
)
RESUME = (
    update(w).where(w.c.webhook_id == bindparam("id")).values(attempts=0, due_at=0, paused="", last_error="")
)
NEW_SECRET = update(w).where(w.c.webhook_id == bindparam("id")).values(secret=bindparam("fresh"))
AMONG = select(d.c.delivery_id, d.c.at).order_by(d.c.delivery_id).limit(PRUNED)
FORGET = delete(d).where(d.c.delivery_id <= bindparam("until"))
