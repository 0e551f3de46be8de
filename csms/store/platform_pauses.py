"""Whether platforms are told anything: paused by people, or by us because they refuse us. Knows statements.

A pause of ours never takes the place of a person's, and only ours ends by itself.
"""

from typing import Any

from sqlalchemy import Connection, bindparam, literal_column, update

from csms.store.outbox_statements import RESUME
from csms.store.statements import upsert
from csms.store.tables import platform_state

REFUSED = "refused: "  # begins the reason of a pause that is ours

s = platform_state
IS_SERVED = s.c.paused == literal_column("0")
SERVE = (
    update(s)
    .where(s.c.platform == bindparam("whose"))
    .values(paused=0, reason="", changed_at=bindparam("now"))
)
SERVE_REFUSED = SERVE.where(s.c.paused == literal_column("1"), s.c.reason.like(f"{REFUSED}%"))


def pause(platform: str, reason: str, now: int, connection: Connection) -> None:
    """People's: it counts whatever there was."""
    _mark(platform, reason, now, None, connection)


def pause_refused(platform: str, reason: str, now: int, connection: Connection) -> None:
    """Ours: where there is a pause already, that one stays."""
    _mark(platform, REFUSED + reason, now, IS_SERVED, connection)


def resume(platform: str, now: int, connection: Connection) -> None:
    """People's: whatever it was paused for."""
    asked = {"whose": platform, "now": now}
    connection.execute(SERVE, asked)
    connection.execute(RESUME, asked)


def resume_refused(platform: str, now: int, connection: Connection) -> bool:
    """Only from a pause of ours. False: there is none."""
    asked = {"whose": platform, "now": now}
    if connection.execute(SERVE_REFUSED, asked).rowcount != 1:
        return False
    connection.execute(RESUME, asked)
    return True


def _mark(platform: str, reason: str, now: int, where: Any, connection: Connection) -> None:
    values = {"platform": platform, "paused": 1, "reason": reason, "changed_at": now}
    mark = upsert(connection.dialect)(s).values(values)
    fresh = {name: mark.excluded[name] for name in ("paused", "reason", "changed_at")}
    connection.execute(mark.on_conflict_do_update(index_elements=["platform"], set_=fresh, where=where))
