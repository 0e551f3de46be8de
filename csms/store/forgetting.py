"""What a node held when it died is without a connection since it was last heard. Plain functions, one job.

The histories of its stations must show it too: availability is counted from them. A node may have held a
city: it is done piece by piece, so that no statement runs into its limit and no other writer waits.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select, update

from csms.store.change_rows import ChangeRow, Kind, announce
from csms.store.device_tables import station_events
from csms.store.jsontext import json_of
from csms.store.tables import charging_stations

S = charging_stations

PIECE = 2_000  # stations

_HELD = (
    S.c.node.in_(bindparam("on_nodes", expanding=True)),
    S.c.connected_at.is_not(None),
    S.c.disconnected_at.is_(None),
    S.c.station_id > bindparam("after"),
)
_PIECE = (*_HELD, S.c.station_id <= bindparam("last"))
_LAST_HEARD = func.coalesce(S.c.last_seen_at, S.c.connected_at)
DETAILS = {"code": 1006, "reason": "the node ended"}
FORGET = update(S).where(*_PIECE).values(disconnected_at=_LAST_HEARD)
NOTE = insert(station_events).from_select(
    ["station_id", "kind", "at", "received_at", "details"],
    select(
        S.c.station_id,
        literal_column("'disconnected'"),
        _LAST_HEARD,
        _LAST_HEARD,
        bindparam("details"),
    ).where(*_PIECE),
)
HELD = (
    select(_LAST_HEARD.label("at"), S.c.operator_id, S.c.site_id, S.c.station_id)
    .where(*_HELD)
    .order_by(S.c.station_id)
    .limit(PIECE)
)


def forget_connections(nodes: Sequence[str], after: int, connection: Connection) -> tuple[int, int]:
    """Forget a piece of what the nodes held, stations numbered above `after`: how many, and the last one."""
    asked = {"on_nodes": list(nodes), "after": after}
    held = connection.execute(HELD, asked).all()
    if not held:
        return 0, after
    piece, body = {**asked, "last": held[-1].station_id}, json_of(DETAILS)
    connection.execute(NOTE, {**piece, "details": body})
    connection.execute(FORGET, piece)
    told = Kind.STATION_DISCONNECTED.value
    news = [ChangeRow(row.at, told, row.operator_id, row.site_id, row.station_id, None, body) for row in held]
    announce(news, connection)
    return len(held), held[-1].station_id
