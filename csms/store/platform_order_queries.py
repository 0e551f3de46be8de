"""Statements over the orders of city platforms. Knows tables; `platform_orders` says what they answer."""

from sqlalchemy import ColumnElement, and_, bindparam, delete, literal_column, or_, select, update

from csms.domain.assets import TokenStatus
from csms.store.platform_order_tables import platform_orders
from csms.store.tables import id_tokens, sessions

o, s = platform_orders.c, sessions.c

STARTING, CHARGING, FINISHED = "starting", "charging", "finished"
FAILED, UNWANTED = "failed", "unwanted"
MOST = 200  # orders of one look
DAY_US: ColumnElement[int] = literal_column("86400000000")
MINUTE_US: ColumnElement[int] = literal_column("60000000")

_OF_PLATFORMS = o.platform.in_(bindparam("platforms", expanding=True))


def _in(*states: str) -> ColumnElement[bool]:
    """Orders in these states, written out: with the platform they are all that the index needs."""
    return o.state.in_([literal_column(f"'{state}'") for state in states])


BY_SEQ = select(platform_orders).where(
    o.platform == bindparam("platform"), o.start_charge_seq == bindparam("seq")
)
ANSWER_START = (
    update(platform_orders)
    .where(o.order_id == bindparam("id"), o.start_answer.is_(None))
    .values(start_answer=bindparam("told"))
)
NUMBER = update(platform_orders).where(o.order_id == bindparam("id")).values(remote_start_id=bindparam("n"))
ASK_STOP = (
    update(platform_orders)
    .where(
        o.order_id == bindparam("id"),
        o.stop_asked_at.is_(None),
        or_(o.state == STARTING, o.state == CHARGING),
    )
    .values(stop_asked_at=bindparam("now"), stop_by=bindparam("by"))
)
ANSWER_STOP = (
    update(platform_orders).where(o.order_id == bindparam("id")).values(stop_answer=bindparam("told"))
)
FORGET_TOKENS = delete(id_tokens).where(
    id_tokens.c.folded.in_(
        select(o.token_folded).where(
            _OF_PLATFORMS,
            _in(FINISHED, FAILED),
            o.changed_at < bindparam("before"),
            o.changed_at >= bindparam("since"),
        )
    )
)
BLOCK_TOKEN = (
    update(id_tokens)
    .where(id_tokens.c.folded == bindparam("whose"))
    .values(status=TokenStatus.BLOCKED.value, updated_at=bindparam("now"))
)

IS_ITS_SESSION = and_(
    s.station_id == o.station_id,
    s.started_at >= o.asked_at - DAY_US,  # for the index: stations' clocks may lag
    s.received_at >= o.asked_at - MINUTE_US,  # and those of our nodes
    or_(s.token_folded == o.token_folded, s.remote_start_id == o.remote_start_id),
)


_CAME = (
    select(platform_orders, s.session_id.label("found"), s.started_at)
    .join_from(platform_orders, sessions, IS_ITS_SESSION)
    .where(_OF_PLATFORMS, o.session_id.is_(None))
    .order_by(o.order_id, s.session_id)
    .limit(MOST)
)
BEGAN = _CAME.where(_in(STARTING))
BEGAN_LATE = _CAME.where(_in(FAILED), o.changed_at >= bindparam("failed_since"))
UNHEARD = (
    select(platform_orders)
    .where(_OF_PLATFORMS, _in(STARTING), o.start_by <= bindparam("now"))
    .order_by(o.order_id)
    .limit(MOST)
)
ENDED = (
    select(platform_orders, s.session_id.label("found"), s.started_at)
    .join_from(platform_orders, sessions, s.session_id == o.session_id)
    .where(_OF_PLATFORMS, _in(CHARGING, UNWANTED), s.state == literal_column("'ended'"))
    .order_by(o.order_id)
    .limit(MOST)
)
UNSTOPPED = (
    select(platform_orders)
    .where(_OF_PLATFORMS, _in(CHARGING), o.stop_by <= bindparam("now"))
    .order_by(o.order_id)
    .limit(MOST)
)
