"""How fast a station is read."""

import asyncio

from csms.gateway.reading import TOO_FAST, TOO_MUCH_WAITS, Reading
from tests.gateway.kit import MemoryWire, until


async def test_a_burst_is_read_at_once() -> None:
    """500 replayed messages are no reason to pause."""
    wire = MemoryWire()
    loop = asyncio.get_running_loop()
    reading = Reading(wire, 20, 500, loop)

    assert not any(reading.count(loop.time()) for _ in range(500))
    assert reading.count(loop.time())
    assert wire.is_paused
    reading.stop()


async def test_beyond_the_burst_the_rate_holds() -> None:
    """Reading goes on by itself when the next message may come."""
    wire = MemoryWire()
    loop = asyncio.get_running_loop()
    reading = Reading(wire, 50, 2, loop)
    for _ in range(4):
        reading.count(loop.time())
    started = loop.time()
    assert wire.is_paused

    await until(lambda: not wire.is_paused)

    assert loop.time() - started >= 0.015
    assert wire.pauses == 1


async def test_two_reasons() -> None:
    """Paused once, resumed when both are over."""
    wire = MemoryWire()
    reading = Reading(wire, 20, 500, asyncio.get_running_loop())

    reading.pause(TOO_MUCH_WAITS)
    reading.pause(TOO_FAST)
    reading.resume(TOO_MUCH_WAITS)
    assert wire.is_paused
    reading.resume(TOO_FAST)
    reading.resume(TOO_FAST)

    assert not wire.is_paused
    assert wire.pauses == 1
