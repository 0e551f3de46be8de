"""What cities were told of a session, and what commands and orders started and stopped it. Knows rows.

What is owed is found by the names it has in the outbox, which follow from the session: an index has them.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, literal_column, select

from csms.store.command_queries import SHOWN as COMMANDS
from csms.store.database import Database
from csms.store.jsontext import value_of
from csms.store.platform_order_tables import platform_orders
from csms.store.session_codec import folded
from csms.store.session_story import COSTS, bounds_of, within
from csms.store.tables import commands, outbox
from csms.store.times import text_of

MOST_ORDERS = 1_000
MOST_COMMANDS = 200

_o = commands.c
BY_PLATFORM = select(platform_orders).where(platform_orders.c.session_id == bindparam("session"))
TOLD = (
    select(outbox)
    .where(
        outbox.c.platform.in_(bindparam("platforms", expanding=True)),
        outbox.c.kind.in_(bindparam("kinds", expanding=True)),
        outbox.c.about.in_(bindparam("abouts", expanding=True)),
    )
    .order_by(outbox.c.outbox_id)
)
KINDS = ("charge-order", "charge-status", "start-result", "stop-result")

COMMANDS_OF = (
    COMMANDS.add_columns(commands.c.body, commands.c.actor)
    .where(
        _o.station_id == bindparam("station"),
        within(_o.created_at),
        _o.kind.in_([literal_column("'StartSession'"), literal_column("'StopSession'")]),
    )
    .order_by(_o.command_id)
    .limit(MOST_COMMANDS)
)


class SessionTold:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def told(self, session_id: int, platforms: list[str]) -> list[dict[str, Any]]:
        """What each of these platforms is owed or was told of the session, oldest first."""
        return await self._database.browse(partial(_told, session_id, platforms))

    async def commands(self, session_id: int) -> dict[str, Any]:
        """The commands that started and stopped the session, and the platforms' orders behind them."""
        return await self._database.browse(partial(_commands, session_id))


def _told(session_id: int, platforms: list[str], connection: Connection) -> list[dict[str, Any]]:
    asked = {"session": session_id}
    revisions = [row.revision for row in connection.execute(COSTS, asked)][-MOST_ORDERS:]
    orders = connection.execute(BY_PLATFORM, asked).all()
    abouts = [f"{session_id}", *(f"{session_id}/{n}" for n in revisions)]
    for order in orders:
        seq, asked_at = order.start_charge_seq, order.stop_asked_at
        abouts += [f"{seq}/start", f"{seq}/stop/over", f"{seq}/stop/failed/{asked_at}"]
    wanted = {"platforms": platforms, "kinds": KINDS, "abouts": abouts}
    return [_owed(row, f"{session_id}/") for row in connection.execute(TOLD, wanted)]


def _owed(row: Row[Any], prefix: str) -> dict[str, Any]:
    number = row.about.removeprefix(prefix)
    return {
        "id": str(row.outbox_id),
        "platform": row.platform,
        "kind": row.kind,
        "revision": int(number) if row.kind == "charge-order" and number.isdigit() else None,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": text_of(row.created_at),
        "due_at": text_of(row.due_at),
        "sent_at": text_of(row.sent_at),
        "answer": None if row.answer is None else value_of(row.answer),
        "last_error": row.last_error,
        "payload": value_of(row.payload),
    }


def _commands(session_id: int, connection: Connection) -> dict[str, Any]:
    session, asked = bounds_of(session_id, connection)
    rows = connection.execute(COMMANDS_OF, asked).all()
    found = [one for row in rows if (one := _command(row, session)) is not None]
    orders = connection.execute(BY_PLATFORM, {"session": session_id}).all()
    return {"commands": found, "platform_orders": [_order(row) for row in orders]}


def _command(row: Row[Any], session: Row[Any]) -> dict[str, Any] | None:
    """The command, if it can have started or stopped the session; `known_by` says how that is known."""
    given = value_of(row.body).get("given") or {}
    known_by = None
    if row.kind == "StopSession":
        known_by = "session" if str(given.get("session_id")) == str(session.session_id) else None
    elif session.remote_start_id is not None:
        known_by = "remote-start-id" if row.command_id == session.remote_start_id else None
    elif (
        folded(str(given.get("id_token", ""))) == session.token_folded
        and row.created_at <= session.received_at
    ):
        known_by = "token"
    if known_by is None:
        return None
    return {
        "command_id": str(row.command_id),
        "command": row.kind,
        "known_by": known_by,
        "actor": row.actor,
        "given": given,
        "result": row.result,
        "detail": value_of(row.detail) if row.detail else {},
        "created_at": text_of(row.created_at),
        "finished_at": text_of(row.finished_at),
    }


def _order(row: Row[Any]) -> dict[str, Any]:
    return {
        "platform": row.platform,
        "start_charge_seq": row.start_charge_seq,
        "state": row.state,
        "asked_at": text_of(row.asked_at),
        "stop_asked_at": text_of(row.stop_asked_at),
        "failure": row.failure,
    }
