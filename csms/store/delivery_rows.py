"""Writes of other tables that go with an outbox row's: tallies of how it went, disputes. In its transaction.

Knows statements; no rule but that a row counts once, on the day (of China) its cause arose.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from csms.store.change_rows import Kind, announce_operator, announce_session
from csms.store.delivery_tables import disputes, platform_tallies
from csms.store.outbox_statements import CAUSED_AT
from csms.store.platform_names import session_called
from csms.store.statements import upsert
from csms.store.tables import outbox

CHINA_US = 8 * 3_600_000_000
DAY_US = 86_400_000_000

t = platform_tallies
FOUND = select(
    outbox.c.platform,
    outbox.c.kind,
    outbox.c.about,
    CAUSED_AT.label("caused_at"),
    outbox.c.sent_at,
    outbox.c.state,
).where(outbox.c.outbox_id == bindparam("id"))
UNCOUNT = (
    update(t)
    .where(
        t.c.platform == bindparam("whose"),
        t.c.kind == bindparam("what"),
        t.c.day == bindparam("of"),
        t.c.dead > 0,
    )
    .values(dead=t.c.dead - 1)
)


class Told(NamedTuple):
    """How a row that is done went: what was told (SHA-256), the profile's limit, whether they agree."""

    sha256: str = ""
    within_s: float | None = None
    disputed: int | None = None  # the platform's code
    order: dict[str, Any] | None = None  # the order that is disputed: seq, energy_wh, money


PLAIN = Told()


def china_day(us: int) -> int:
    """The day in China of a time in microseconds, counted from 1970-01-01."""
    return (us + CHINA_US) // DAY_US


def count(connection: Connection, row: Any, now: int, told: Told | None) -> None:
    """A row (of `FOUND`) is done for the first time; `told` None: it was set aside."""
    is_sent = told is not None
    limit = told.within_s if told else None
    numbers = {
        "sent": int(is_sent),
        "on_time": int(is_sent and (limit is None or now - row.caused_at <= limit * 1_000_000)),
        "accepted": int(told is not None and told.disputed is None),
        "disputed": int(told is not None and told.disputed is not None),
        "dead": int(not is_sent),
    }
    day = china_day(row.caused_at)
    mark = upsert(connection.dialect)(t).values(
        platform=row.platform, kind=row.kind, day=day, **numbers, last_at=now if is_sent else None
    )
    summed: dict[str, Any] = {name: t.c[name] + mark.excluded[name] for name in numbers}
    if is_sent:
        summed["last_at"] = mark.excluded.last_at
    connection.execute(mark.on_conflict_do_update(index_elements=["platform", "kind", "day"], set_=summed))


def uncount_dead(connection: Connection, row: Any) -> None:
    """A row that was set aside is owed again."""
    asked = {"whose": row.platform, "what": row.kind, "of": china_day(row.caused_at)}
    connection.execute(UNCOUNT, asked)


def raise_dispute(connection: Connection, values: dict[str, Any]) -> None:
    """Keep what a platform disputes, with the session it is of; the same once."""
    number = session_called(values["platform"], values["start_charge_seq"], connection)
    values = values | {"session_id": number}
    note = upsert(connection.dialect)(disputes).values(values)
    done = connection.execute(
        note.on_conflict_do_nothing(index_elements=["platform", "source", "about", "start_charge_seq"])
    )
    if done.rowcount == 1:
        told = ("platform", "source", "about", "start_charge_seq", "reason")
        body = {name: values.get(name) for name in told}
        # The number of a charge begins with its operator's code.
        code = str(values["start_charge_seq"])[:9]
        announce_operator(Kind.DISPUTE_RAISED, code, values["raised_at"], body, connection)


def tell_of_order(connection: Connection, row: Any, now: int, objection: str | None) -> None:
    """A platform took an order (of `FOUND`), or objects to it; other records are no news."""
    session, _, revision = row.about.partition("/")
    if row.kind == "charge-order" and session.isdecimal():
        kind = Kind.ORDER_ACCEPTED if objection is None else Kind.ORDER_REFUSED
        body = {"platform": row.platform, "revision": revision, "objection": objection}
        announce_session(kind, int(session), now, body, connection)
