"""One status for all who look, read now and then, and kept when the database is away."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

pytest.importorskip("nicegui")

from csms.console import page


class Source:
    """What a store would say, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.error: Exception | None = None
        self.takes_s = 0.0

    async def read(self, operator: str | None) -> Any:
        self.asked.append(operator)
        number = len(self.asked)
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        return f"status {number}"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh after 50 ms."""
    monkeypatch.setattr(page, "REFRESH_S", 0.05)


async def test_many_who_look_cost_one_read() -> None:
    """At the same time and soon after; each scope has its own."""
    source = Source()
    snapshots = page.Snapshots(source.read)

    seen = await asyncio.gather(*(snapshots.latest(None) for _ in range(50)), snapshots.latest("123456789"))

    assert sorted(source.asked, key=str) == ["123456789", None]
    assert len({each.status for each in seen}) == 2


async def test_it_is_read_again_after_a_while(quick: None) -> None:
    """When someone looks after the refresh time."""
    source = Source()
    snapshots = page.Snapshots(source.read)

    first = await snapshots.latest(None)
    await asyncio.sleep(0.06)
    second = await snapshots.latest(None)

    assert (first.status, second.status) == ("status 1", "status 2")


async def test_a_slow_database_is_asked_less(quick: None) -> None:
    """Looking takes a tenth of its time at most."""
    source = Source()
    source.takes_s = 0.05
    snapshots = page.Snapshots(source.read)

    for _ in range(6):
        await snapshots.latest(None)
        await asyncio.sleep(0.05)

    assert len(source.asked) == 1


async def test_what_was_known_stays_while_the_database_is_away(quick: None) -> None:
    """Marked as stale; logged when it begins and when it ends, not in between."""
    source = Source()
    snapshots = page.Snapshots(source.read)
    with capture_logs() as logs:
        await snapshots.latest(None)
        source.error = RuntimeError("away")
        for _ in range(3):
            await asyncio.sleep(0.06)
            stale = await snapshots.latest(None)
        source.error = None
        await asyncio.sleep(0.06)
        fresh = await snapshots.latest(None)

    assert stale == ("status 1", True)
    assert fresh == ("status 5", False)
    assert [entry["event"] for entry in logs] == ["status_not_read", "status_read_again"]


async def test_nothing_was_ever_known(quick: None) -> None:
    """No status, and it says so."""
    source = Source()
    source.error = RuntimeError("away")

    assert await page.Snapshots(source.read).latest(None) == (None, True)
