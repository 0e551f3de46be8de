"""One status for all who look, read now and then, and kept when the database is away."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.console import snapshots


class Told(str):
    """A status, told apart by its text."""

    __slots__ = ("cost_s",)
    cost_s: float


class Source:
    """What a store would say, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.error: Exception | None = None
        self.takes_s = 0.0
        self.costs_s = 0.0

    async def read(self, operator: str | None) -> Any:
        self.asked.append(operator)
        number = len(self.asked)
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        told = Told(f"status {number}")
        told.cost_s = self.costs_s
        return told


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh after 50 ms."""
    monkeypatch.setattr(snapshots, "REFRESH_S", 0.05)


async def test_many_who_look_cost_one_read() -> None:
    """At the same time and soon after; each scope has its own."""
    source = Source()
    shared = snapshots.Snapshots(source.read)

    seen = await asyncio.gather(*(shared.latest(None) for _ in range(50)), shared.latest("123456789"))

    assert sorted(source.asked, key=str) == ["123456789", None]
    assert len({each.status for each in seen}) == 2


async def test_it_is_read_again_after_a_while(quick: None) -> None:
    """When someone looks after the refresh time."""
    source = Source()
    shared = snapshots.Snapshots(source.read)

    first = await shared.latest(None)
    await asyncio.sleep(0.06)
    second = await shared.latest(None)

    assert (first.status, second.status) == ("status 1", "status 2")


async def test_a_slow_database_is_asked_less(quick: None) -> None:
    """Looking takes a tenth of its time at most."""
    source = Source()
    source.takes_s = 0.05
    shared = snapshots.Snapshots(source.read)

    for _ in range(6):
        await shared.latest(None)
        await asyncio.sleep(0.05)

    assert len(source.asked) == 1


async def test_a_dear_look_is_rare(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What costs a core's time is asked for less, but is never left to get too old."""
    monkeypatch.setattr(snapshots, "LONGEST_S", 0.3)
    source = Source()
    source.costs_s = 1.0
    shared = snapshots.Snapshots(source.read)

    for _ in range(4):
        await shared.latest(None)
        await asyncio.sleep(0.06)
    asked = len(source.asked)
    await asyncio.sleep(0.1)
    await shared.latest(None)

    assert asked == 1
    assert len(source.asked) == 2


async def test_what_is_made_of_it_is_made_once(quick: None) -> None:
    """For all who look alike, until there is another status."""
    source = Source()
    shared = snapshots.Snapshots(source.read)
    calls: list[str] = []

    def make(status: Any) -> str:
        calls.append(status)
        return f"made of {status}"

    first = (await shared.latest(None)).status
    assert first is not None
    for key in ("en", "en", "zh-CN"):
        assert shared.made(first, key, make) == "made of status 1"
    await asyncio.sleep(0.06)
    second = (await shared.latest(None)).status
    assert second is not None
    assert shared.made(second, "en", make) == "made of status 2"
    assert calls == ["status 1", "status 1", "status 2"]


async def test_what_was_known_stays_while_the_database_is_away(quick: None) -> None:
    """Marked as stale; logged when it begins and when it ends, not in between."""
    source = Source()
    shared = snapshots.Snapshots(source.read)
    with capture_logs() as logs:
        await shared.latest(None)
        source.error = RuntimeError("away")
        for _ in range(3):
            await asyncio.sleep(0.06)
            stale = await shared.latest(None)
        source.error = None
        await asyncio.sleep(0.06)
        fresh = await shared.latest(None)

    assert stale == ("status 1", True)
    assert fresh == ("status 5", False)
    assert [entry["event"] for entry in logs] == ["status_not_read", "status_read_again"]


async def test_nothing_was_ever_known(quick: None) -> None:
    """No status, and it says so."""
    source = Source()
    source.error = RuntimeError("away")

    assert await snapshots.Snapshots(source.read).latest(None) == (None, True)
