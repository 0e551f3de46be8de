"""Commands on behalf of platforms: put down before they are sent, kept with how they ended."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from csms.domain.commands import Outcome, Result, StopSession
from csms.errors import StoreUnavailable
from csms.reporting.tcec.server.orders_desk import OrdersDesk
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.tables import audit_log, commands
from tests.reporting.tcec.server.test_results import an_order
from tests.reporting.tcec.server.world import Courier, online
from tests.store.given import MINUTE, T0


async def test_a_start_and_a_stop_are_each_sent_once(database: Database) -> None:
    """Whoever has it in hand sends it; the same stop asked at another time is another."""
    (station,) = await online(database)
    courier = Courier()
    desk = OrdersDesk(CommandDesk(database), courier, lambda: T0, 5)
    order = an_order(station_id=station.station_id, session_id=9)

    number = await desk.begin_start(order)
    again = await desk.begin_start(order)
    assert number is not None
    assert await desk.start(order, number) == ""
    for at in (T0, T0, T0 + MINUTE):
        assert await desk.stop(order, "1001", at) == ""

    assert again is None
    assert [command.remote_start_id for command in courier.starts()] == [number]
    assert [command for _, command in courier.sent[1:]] == [StopSession("1001")] * 2
    kept = await database.read(commands.select().order_by(commands.c.command_id))
    assert [(row.actor, row.kind, row.result) for row in kept] == [
        ("platform:city", kind, "accepted") for kind in ("StartSession", "StopSession", "StopSession")
    ]
    assert len(await database.read(audit_log.select())) == 6
    assert "TOKEN" not in str(kept)


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (Result.ACCEPTED, ""),
        (Result.SILENT, ""),
        (Result.NOT_CONNECTED, "not-connected"),
        (Result.REJECTED, "rejected"),
        (Result.NOT_SUPPORTED, "rejected"),
        (Result.FAILED, "rejected"),
    ],
)
async def test_what_failed(inline_database: Database, result: Result, failure: str) -> None:
    """Silence is no failure: it may still be carried out."""
    (station,) = await online(inline_database)
    desk = OrdersDesk(CommandDesk(inline_database), Courier(Outcome(result)), lambda: T0, 5)
    order = an_order(station_id=station.station_id)

    assert await desk.start(order, await desk.begin_start(order) or 0) == failure


async def test_an_outage_after_it_was_sent(
    inline_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command was carried out, and counts as that; the log says what was not kept."""
    (station,) = await online(inline_database)
    kept = CommandDesk(inline_database)
    desk = OrdersDesk(kept, Courier(), lambda: T0, 5)
    order = an_order(station_id=station.station_id)
    number = await desk.begin_start(order)
    assert number is not None

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(kept, "finish", away)
    with capture_logs() as logs:
        assert await desk.start(order, number) == ""

    assert [line["event"] for line in logs] == ["city_command_ended", "command_outcome_not_stored"]
