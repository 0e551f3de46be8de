"""Charges go out under the name their platform gave them, to that platform alone."""

import json
from typing import Any

from csms.domain.orders import start_charge_seq
from csms.store.database import Database
from csms.store.outbox import Outbox
from csms.store.platform_orders import Step
from csms.store.records import OutboxRow
from csms.store.writer import Writer
from tests.store.given import MINUTE, OPERATOR, T0, a_session, start_of
from tests.store.test_platform_orders import SEQ, TOKEN, begun

OURS = start_charge_seq(OPERATOR, 1)


def a_row(platform: str = "beijing", kind: str = "charge-order", seq: Any = OURS) -> OutboxRow:
    """A record that names a charge."""
    payload = {"start_charge_seq": seq, "energy_wh": 7}
    return OutboxRow.of(platform, kind, f"{kind}/{seq}", f"{platform}/{kind}/{seq}", payload, T0)


async def owed(database: Database, *rows: OutboxRow) -> list[Any]:
    """Owe the rows; the names under which they lie in the outbox."""
    outbox = Outbox(database)
    await outbox.enqueue(rows)
    entries = await outbox.lease([row.platform for row in rows], T0, 100)
    return [entry.payload.get("start_charge_seq") for entry in sorted(entries)]


async def test_its_platform_hears_its_own_name(database: Database) -> None:
    """Order and status alike; another platform hears ours, and what names no session of ours stays."""
    store, _, order = await begun(database)
    await store.take(Step(order.order_id, "starting", {"state": "charging", "session_id": 1}), T0)

    names = await owed(
        database,
        a_row(),
        a_row(kind="charge-status"),
        a_row("other"),
        a_row(kind="start-result"),
        a_row(seq=start_charge_seq(OPERATOR, 2)),
        a_row(seq="x" * 27),
        a_row(seq=None),
    )

    assert names == [SEQ, SEQ, OURS, OURS, start_charge_seq(OPERATOR, 2), "x" * 27, None]


async def test_an_order_may_come_before_anybody_has_bound_its_session(database: Database) -> None:
    """The session is found by what it carries."""
    store, station, order = await begun(database)
    async with Writer(database, fence=False) as writer:
        await writer.write(start_of(station, a_session(station, token=TOKEN)))

    assert await owed(database, a_row(), a_row("other")) == [SEQ, OURS]
    assert await store.seq_of("beijing", 1) == SEQ
    assert await store.seq_of("other", 1) is None
    assert order.session_id is None


async def test_nothing_but_the_name_changes(database: Database) -> None:
    """The rest of the payload, and what tells the row from others, stays."""
    store, _, order = await begun(database)
    await store.take(Step(order.order_id, "starting", {"state": "charging", "session_id": 1}), T0)
    outbox, row = Outbox(database), a_row()
    await outbox.enqueue([row])

    (entry,) = await outbox.lease(["beijing"], T0 + MINUTE, 1)

    assert (entry.key, entry.about) == (row.key, row.about)
    assert entry.payload == json.loads(row.payload) | {"start_charge_seq": SEQ}
