"""The message log: off the way, bounded, kept for a time, on both databases."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from csms.config import MessageSettings
from csms.store import message_log
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.message_log import MessageLog
from tests.store.given import T0, count


@dataclass(frozen=True)
class Exchange:
    """What the gateway hands over."""

    station_id: int = 1
    at: datetime = T0
    direction: str = "in"
    message_id: str = "m"
    action: str = "Heartbeat"
    request: bytes = b"{}"
    answer: bytes | None = b'{"currentTime":"x"}'
    outcome: str = "answered"
    latency_us: int | None = 1500


async def test_what_was_said_is_shown_latest_first(database: Database) -> None:
    """Page by page."""
    async with MessageLog(database, MessageSettings(), lambda: T0) as log:
        for n in range(5):
            log.add(Exchange(message_id=str(n)))
        log.add(Exchange(station_id=2))

    store = DeviceStore(database)
    first = await store.messages(1, None, 3)
    second = await store.messages(1, first.next, 3)

    assert [item["message_id"] for item in first.items + second.items] == ["4", "3", "2", "1", "0"]
    assert first.items[0] == {
        "at": "2026-01-05T10:00:00.000Z",
        "direction": "in",
        "message_id": "4",
        "action": "Heartbeat",
        "request": "{}",
        "answer": '{"currentTime":"x"}',
        "outcome": "answered",
        "latency_ms": 1.5,
    }


async def test_long_and_broken_texts_are_kept_readable(database: Database) -> None:
    """Cut at the limit; NUL and broken UTF-8 reach no database."""
    async with MessageLog(database, MessageSettings(max_bytes=8), lambda: T0) as log:
        log.add(Exchange(request=b"0123456789", answer=b"\x00\xff"))
        log.add(Exchange(request="äöüß€".encode(), answer=None))

    late, early = (await DeviceStore(database).messages(1)).items

    assert early["request"] == "01234567 ...[cut]"
    assert early["answer"] == "\ufffd\ufffd"
    assert late["request"].startswith("äöüß")
    assert late["answer"] is None


async def test_too_many_are_dropped_and_counted(database: Database) -> None:
    """The oldest go; the stations' messages are not held up."""
    log = MessageLog(database, MessageSettings(max_waiting=10), lambda: T0)

    for n in range(25):
        log.add(Exchange(message_id=str(n)))
    await log.flush()

    assert (log.written, log.dropped, log.waiting) == (10, 15, 0)
    assert (await DeviceStore(database).messages(1)).items[0]["message_id"] == "24"


async def test_an_entry_that_cannot_be_stored_does_not_stop_the_log(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its batch is counted as dropped; the next is written."""
    monkeypatch.setattr(message_log, "BATCH", 1)
    log = MessageLog(database, MessageSettings(), lambda: T0)

    log.add(Exchange(latency_us=2**70))
    log.add(Exchange())
    await log.flush()

    assert (log.written, log.dropped) == (1, 1)


async def test_old_entries_are_removed(database: Database) -> None:
    """After the retention, and no others."""
    now = [T0]
    log = MessageLog(database, MessageSettings(retention_days=1), lambda: now[0])
    for hours in (0, 1, 30):
        log.add(replace(Exchange(), at=T0 + timedelta(hours=hours)))
    await log.flush()

    now[0] = T0 + timedelta(hours=30)

    assert await log.prune() == 2
    assert await log.prune() == 0
    assert await count(database, "messages") == 1
    await log.close()


async def test_the_task_writes_and_removes_by_itself(
    inline_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to ask."""
    monkeypatch.setattr(message_log, "FLUSH_S", 0.01)
    monkeypatch.setattr(message_log, "PRUNE_EVERY_S", 0.0)
    async with MessageLog(inline_database, MessageSettings(retention_days=1), lambda: T0) as log:
        log.add(replace(Exchange(), at=T0 - timedelta(days=2)))
        log.add(Exchange())
        await asyncio.sleep(0.1)
        assert log.written == 2
        assert await count(inline_database, "messages") == 1
