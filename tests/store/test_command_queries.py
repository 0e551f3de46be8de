"""Commands and the audit log: put down once per key, completed once, seen by whom they concern."""

import asyncio
from datetime import timedelta
from typing import Any

from csms.domain.scope import Scope
from csms.store.command_queries import CommandDesk, CommandForm
from csms.store.database import Database
from csms.store.records import AuditRow
from csms.store.tables import audit_log
from tests.store.given import OPERATOR, T0, stations

AUDIT = AuditRow.of(T0, "key:1", "command Reset", "CS-0001", {"from": "192.0.2.1"})


def reset(station_id: int, key: str | None = None, **body: Any) -> CommandForm:
    """A reset."""
    return CommandForm(station_id, "key:1", "Reset", {"kind": "soft", **body}, key)


async def test_a_command_from_beginning_to_end(database: Database) -> None:
    """Under way without a result, then with one; both steps are in the audit log."""
    (station,) = await stations(database)
    desk = CommandDesk(database)

    begun = await desk.begin(reset(station.station_id), AUDIT, T0)
    under_way = await desk.shown(begun.command_id)
    ended = AUDIT._replace(at=AUDIT.at + 1_000_000)
    await desk.finish(begun.command_id, "accepted", {"reason": "ok"}, ended)
    shown = await desk.shown(begun.command_id, Scope(OPERATOR))

    assert begun.is_new
    assert under_way is not None
    assert (under_way["result"], under_way["finished_at"]) == (None, None)
    assert shown == {
        "command_id": str(begun.command_id),
        "charging_station": "CS-0001",
        "command": "Reset",
        "result": "accepted",
        "detail": {"reason": "ok"},
        "created_at": "2026-01-05T10:00:00.000Z",
        "finished_at": "2026-01-05T10:00:01.000Z",
    }
    assert len(await database.read(audit_log.select())) == 2


async def test_the_same_key_is_the_same_command(database: Database) -> None:
    """Found again with its result; another body is recognised; another actor's key is another."""
    (station,) = await stations(database)
    desk = CommandDesk(database)
    first = await desk.begin(reset(station.station_id, "k"), AUDIT, T0)
    await desk.finish(first.command_id, "rejected", {"reason": "busy"}, AUDIT)

    again = await desk.begin(reset(station.station_id, "k"), AUDIT, T0 + timedelta(hours=1))
    changed = await desk.begin(reset(station.station_id, "k", evse=1), AUDIT, T0)
    other = await desk.begin(CommandForm(station.station_id, "key:2", "Reset", {}, "k"), AUDIT, T0)

    assert again == (first.command_id, False, True, "rejected", {"reason": "busy"})
    assert (changed.is_new, changed.is_same) == (False, False)
    assert other.is_new


async def test_two_at_once_with_one_key(database: Database) -> None:
    """One is new, whatever the order."""
    (station,) = await stations(database)
    desk = CommandDesk(database)

    begun = await asyncio.gather(*(desk.begin(reset(station.station_id, "k"), AUDIT, T0) for _ in range(5)))

    assert sorted(each.is_new for each in begun) == [False] * 4 + [True]
    assert len({each.command_id for each in begun}) == 1


async def test_commands_without_a_key_are_all_new(database: Database) -> None:
    """Nothing marks them as the same."""
    (station,) = await stations(database)
    desk = CommandDesk(database)

    begun = [await desk.begin(reset(station.station_id), AUDIT, T0) for _ in range(3)]

    assert all(each.is_new for each in begun)


async def test_an_outcome_is_written_once(database: Database) -> None:
    """A second one changes nothing; another operator does not see the command."""
    (station,) = await stations(database)
    desk = CommandDesk(database)
    begun = await desk.begin(reset(station.station_id), AUDIT, T0)

    await desk.finish(begun.command_id, "accepted", {}, AUDIT)
    await desk.finish(begun.command_id, "failed", {}, AUDIT)

    shown = await desk.shown(begun.command_id)
    assert shown is not None
    assert shown["result"] == "accepted"
    assert await desk.shown(begun.command_id, Scope("000000000")) is None
    assert await desk.shown(2**63 - 1) is None
