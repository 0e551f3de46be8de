"""Charges under the names that platforms gave them: put into outbox rows before they are put down.

A session that a platform started is known to it by its own StartChargeSeq, to every other platform by ours.
It is looked for here once more, so that an order is named rightly even when nobody has bound its session yet.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from csms.store.jsontext import json_of, value_of
from csms.store.platform_order_queries import IS_ITS_SESSION, o, s
from csms.store.platform_order_tables import platform_orders
from csms.store.records import OutboxRow
from csms.store.tables import sessions

NAMED = frozenset({"charge-order", "charge-status"})
DIGITS = 18  # of a session's number in a StartChargeSeq of ours

_SESSIONS: BindParameter[int] = bindparam("sessions", expanding=True)
BOUND = select(o.platform, o.session_id, o.start_charge_seq).where(o.session_id.in_(_SESSIONS))
CALLED = select(o.session_id).where(o.platform == bindparam("whose"), o.start_charge_seq == bindparam("seq"))
IS_THERE = select(s.session_id).where(s.session_id == bindparam("number"))
MATCHED = (
    select(o.platform, s.session_id, o.start_charge_seq)
    .join_from(sessions, platform_orders, IS_ITS_SESSION)
    .where(o.session_id.is_(None), s.session_id.in_(_SESSIONS))
)

Names = dict[tuple[str, int], str]
"""StartChargeSeq by platform and session."""


def named(rows: Sequence[OutboxRow], connection: Connection) -> Sequence[OutboxRow]:
    """The rows, each charge under the name its platform knows."""
    payloads = {row: value_of(row.payload) for row in rows if row.kind in NAMED}
    numbers = {row: _session(payload) for row, payload in payloads.items()}
    wanted = {number for number in numbers.values() if number is not None}
    if not wanted:
        return rows
    names = names_of(wanted, connection)
    if not names:
        return rows
    return [_renamed(row, payloads, numbers, names) for row in rows]


def names_of(session_ids: set[int], connection: Connection) -> Names:
    """What platforms call these sessions, where they started them."""
    asked = {"sessions": sorted(session_ids)}
    found = [*connection.execute(MATCHED, asked), *connection.execute(BOUND, asked)]
    return {(row.platform, row.session_id): row.start_charge_seq for row in found}


def session_called(platform: str, start_charge_seq: str, connection: Connection) -> int | None:
    """The session that a platform means by a StartChargeSeq, its own or ours; None: there is none."""
    asked = {"whose": platform, "seq": start_charge_seq}
    number = connection.scalar(CALLED, asked) or _session({"start_charge_seq": start_charge_seq})
    return None if number is None else connection.scalar(IS_THERE, {"number": number})


def _session(payload: dict[str, Any]) -> int | None:
    """The session's number in a name of ours."""
    digits = str(payload.get("start_charge_seq", ""))[-DIGITS:]
    return int(digits) if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None


def _renamed(
    row: OutboxRow,
    payloads: dict[OutboxRow, dict[str, Any]],
    numbers: dict[OutboxRow, int | None],
    names: Names,
) -> OutboxRow:
    number = numbers.get(row)
    seq = names.get((row.platform, number)) if number is not None else None
    if seq is None:
        return row
    return row._replace(payload=json_of(payloads[row] | {"start_charge_seq": seq}))
