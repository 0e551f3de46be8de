"""The outbox's statements, built once. Knows its table; not who asks, nor why."""

from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, case, exists, func, literal_column, select, update

from csms.store.columns import WHOLE
from csms.store.tables import outbox, platform_state

WINDOW = 1_000  # due rows looked at for those that are first of their keys

WAITING: ColumnElement[bool] = literal_column("outbox.state = 'waiting'")
# In the text of statements, so that the planner sees that a partial index serves.
IN_STATE: dict[str, ColumnElement[bool]] = {
    "waiting": WAITING,
    "sent": literal_column("outbox.state = 'sent'"),
    "dead": literal_column("outbox.state = 'dead'"),
    "dropped": literal_column("outbox.state = 'dropped'"),
}

CAUSED_AT: ColumnElement[int] = func.coalesce(outbox.c.renewed_at, outbox.c.created_at)
"""When what a row says arose. `created_at` stays as it was: rows are created in the order of their ids."""

_earlier = outbox.alias("earlier")
_first_of_key = (
    select(func.min(_earlier.c.outbox_id))
    .where(
        _earlier.c.platform == outbox.c.platform,
        _earlier.c.kind == outbox.c.kind,
        _earlier.c.key == outbox.c.key,
        literal_column("earlier.state = 'waiting'"),
    )
    .correlate(outbox)
    .scalar_subquery()
)
_is_paused = exists(
    select(platform_state.c.platform).where(
        platform_state.c.platform == outbox.c.platform, platform_state.c.paused == literal_column("1")
    )
)
_is_due = (
    WAITING,
    outbox.c.due_at <= bindparam("now"),
    # One platform: its rows come in the order of the index, and a long backlog costs nothing.
    outbox.c.platform == bindparam("whose"),
)
_in_turn = (outbox.c.due_at, outbox.c.outbox_id)
_next = select(outbox.c.outbox_id).where(*_is_due).order_by(*_in_turn).limit(WINDOW).subquery("next")


def _lease(*among: ColumnElement[bool]) -> Update:
    """Those of the rows that are first of their key, for one worker."""
    due = (
        select(outbox.c.outbox_id)
        .where(*among, outbox.c.outbox_id == _first_of_key, ~_is_paused)
        .order_by(*_in_turn)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=outbox)  # SQLite has one writer and leaves this out
        .cte("due")
    )
    return (
        update(outbox)
        .where(outbox.c.outbox_id == due.c.outbox_id)
        .values(
            due_at=bindparam("until"),
            leased_until=bindparam("until"),
            attempts=outbox.c.attempts + literal_column("1"),
        )
        .returning(outbox)
    )


# Due once more: what another worker has taken meanwhile is looked at again when it is locked.
LEASE = _lease(*_is_due, outbox.c.outbox_id.in_(select(_next.c.outbox_id)))
"""Among the next so many. PostgreSQL takes `first of its key` for rare and would look at a million first."""

LEASE_ANY = _lease(*_is_due)
"""Among all: for when the next ones all wait for an earlier one of their keys."""

# A row's next lease ends later than the one before: the end names a lease, and fences its worker's marks.
_HELD = (
    outbox.c.outbox_id == bindparam("id"),
    WAITING,
    outbox.c.leased_until.is_not_distinct_from(bindparam("lease", type_=WHOLE)),
)
SENT = (
    update(outbox)
    .where(*_HELD)
    .values(
        state="sent",
        leased_until=None,
        sent_at=bindparam("now"),
        answer=bindparam("told"),
        sent_hash=bindparam("hash"),
        last_error=None,
    )
)
RETRY = (
    update(outbox)
    .where(*_HELD)
    .values(due_at=bindparam("again"), leased_until=None, last_error=bindparam("error"))
)


def _over(state: str) -> Update:
    values: dict[str, Any] = {
        "due_at": bindparam("now"),
        "leased_until": None,
        "last_error": bindparam("error"),
    }
    return update(outbox).where(*_HELD).values(state=state, **values)


DEAD, DROP = _over("dead"), _over("dropped")
_newest = outbox.alias("newest")
# Of the rows of one thing that wait, all but the newest.
REPLACE = (
    update(outbox)
    .where(
        outbox.c.platform == bindparam("whose"),
        outbox.c.kind == bindparam("what"),
        outbox.c.key == bindparam("which"),
        WAITING,
        outbox.c.outbox_id
        < select(func.max(_newest.c.outbox_id))
        .where(
            _newest.c.platform == bindparam("whose"),
            _newest.c.kind == bindparam("what"),
            _newest.c.key == bindparam("which"),
            literal_column("newest.state = 'waiting'"),
        )
        .scalar_subquery(),
    )
    .values(state="dropped", due_at=bindparam("now"), leased_until=None, last_error="replaced by a newer one")
    .returning(outbox.c.outbox_id)
)
TOLD_BEFORE = (
    select(outbox.c.outbox_id)
    .where(
        outbox.c.platform == bindparam("whose"),
        outbox.c.kind == bindparam("what"),
        outbox.c.outbox_id < bindparam("id"),
        outbox.c.key == bindparam("which"),
        literal_column("outbox.sent_at IS NOT NULL"),
    )
    .limit(1)
)
DEAD_OF = (
    select(outbox.c.outbox_id)
    .where(outbox.c.platform == bindparam("whose"), IN_STATE["dead"])
    .order_by(outbox.c.outbox_id)
)
KEYS_WAITING = select(outbox.c.key).where(
    outbox.c.platform == bindparam("whose"),
    outbox.c.kind == bindparam("what"),
    outbox.c.key.in_(bindparam("which", expanding=True)),
    WAITING,
)


def renewed(fresh: Any) -> dict[str, Any]:
    """What a row becomes when a newer one takes its place."""
    is_waiting = outbox.c.state == "waiting"
    return {
        "payload": fresh.payload,
        "renewed_at": case((is_waiting, outbox.c.renewed_at), else_=fresh.created_at),
        "due_at": case((is_waiting, outbox.c.due_at), else_=fresh.due_at),
        "attempts": case((is_waiting, outbox.c.attempts), else_=0),
        "state": "waiting",
        "sent_at": None,
        "last_error": None,
    }


GIVE_BACK = (
    update(outbox)
    .where(*_HELD)
    .values(due_at=CAUSED_AT, leased_until=None, attempts=outbox.c.attempts - literal_column("1"))
)
_later = outbox.alias("later")
_is_superseded = exists(
    select(_later.c.outbox_id).where(
        _later.c.platform == outbox.c.platform,
        _later.c.kind == outbox.c.kind,
        _later.c.key == outbox.c.key,
        _later.c.outbox_id > outbox.c.outbox_id,
        literal_column("later.sent_at IS NOT NULL"),
    )
)
SUPERSEDED = select(outbox.c.outbox_id).where(outbox.c.outbox_id == bindparam("id"), _is_superseded)
RESEND = (
    update(outbox)
    .where(outbox.c.outbox_id == bindparam("id"), outbox.c.state != "waiting", ~_is_superseded)
    .values(state="waiting", attempts=0, due_at=bindparam("now"), leased_until=None, last_error=None)
)
# What is in somebody's hands stays there: a second worker must not tell it beside the first.
RESUME = (
    update(outbox)
    .where(
        outbox.c.platform == bindparam("whose"),
        WAITING,
        outbox.c.due_at > bindparam("now"),
        outbox.c.leased_until.is_(None),
    )
    .values(due_at=bindparam("now"))
)
BACKLOG = (
    select(outbox.c.platform, func.count().label("records"), func.min(CAUSED_AT).label("oldest"))
    .where(WAITING)
    .group_by(outbox.c.platform)
)
