"""Request/reply and published messages: same contract for every bus."""

import asyncio

import pytest

from csms.cluster.bus import BusAway, HandlerFailed, NoResponders
from tests.cluster.natskit import Ends, until


async def echo(payload: bytes) -> bytes:
    """Says it twice."""
    return payload + payload


async def test_a_request_is_answered(ends: Ends, subject: str) -> None:
    """Bytes there and back, an empty answer included."""

    async def nothing(payload: bytes) -> bytes:
        return b""

    await ends.serving.serve(subject, echo)
    await ends.serving.serve(subject + ".nothing", nothing)
    await ends.settle()

    assert await ends.asking.request(subject, b"ab\x00\r\n", 5) == b"ab\x00\r\nab\x00\r\n"
    assert await ends.asking.request(subject + ".nothing", b"", 5) == b""


async def test_nobody_serves(ends: Ends, subject: str) -> None:
    """Known at once, also where somebody listens to what is published there."""
    await ends.serving.listen(subject, lambda message: None)
    await ends.settle()

    with pytest.raises(NoResponders, match=subject):
        await asyncio.wait_for(ends.asking.request(subject, b"", 30), 2)


async def test_an_answer_that_does_not_come(ends: Ends, subject: str) -> None:
    """The asker's patience is its own."""
    held = asyncio.Event()

    async def hang(payload: bytes) -> bytes:
        await held.wait()
        return b""

    await ends.serving.serve(subject, hang)
    await ends.settle()

    with pytest.raises(TimeoutError):
        await ends.asking.request(subject, b"", 0.02)
    held.set()


async def test_a_handler_that_raises(ends: Ends, subject: str) -> None:
    """The asker hears it instead of waiting."""

    async def fail(payload: bytes) -> bytes:
        raise KeyError("Nöw\r\nCommand")

    await ends.serving.serve(subject, fail)
    await ends.settle()

    with pytest.raises(HandlerFailed, match="KeyError: 'Nöw"):
        await ends.asking.request(subject, b"", 30)


async def test_one_slow_request_holds_up_no_other(ends: Ends, subject: str) -> None:
    """Requests of one subject are served side by side."""
    held = asyncio.Event()

    async def handler(payload: bytes) -> bytes:
        if payload == b"slow":
            await held.wait()
        return payload

    await ends.serving.serve(subject, handler)
    await ends.settle()
    slow = asyncio.create_task(ends.asking.request(subject, b"slow", 5))

    assert await ends.asking.request(subject, b"quick", 5) == b"quick"
    held.set()
    assert await slow == b"slow"


async def test_requests_being_served_are_finished_after_the_end(ends: Ends, subject: str) -> None:
    """Giving a subject up does not drop what was taken on."""
    begun, held = asyncio.Event(), asyncio.Event()

    async def handler(payload: bytes) -> bytes:
        begun.set()
        await held.wait()
        return b"done"

    service = await ends.serving.serve(subject, handler)
    await ends.settle()
    asked = asyncio.create_task(ends.asking.request(subject, b"", 5))
    await begun.wait()
    await service.cancel()
    await ends.settle()
    held.set()

    assert await asked == b"done"
    with pytest.raises(NoResponders):
        await ends.asking.request(subject, b"", 5)


async def test_published_messages_reach_every_listener_until_it_stops(ends: Ends, subject: str) -> None:
    """Live events are for whoever listens, here or on another node."""
    heard: list[tuple[int, bytes]] = []
    one = await ends.serving.listen(subject, lambda m: heard.append((1, m)))
    await ends.asking.listen(subject, lambda m: heard.append((2, m)))
    await ends.settle()

    await ends.asking.publish(subject, b"a")
    await until(lambda: len(heard) == 2)
    await one.cancel()
    await ends.settle()
    await ends.asking.publish(subject, b"b")
    await ends.asking.publish(subject + ".other", b"c")
    await ends.settle()

    assert sorted(heard) == [(1, b"a"), (2, b"a"), (2, b"b")]


async def test_a_closed_bus_serves_nothing(ends: Ends, subject: str) -> None:
    """And says so at once."""
    await ends.serving.serve(subject, echo)
    await ends.settle()
    await ends.serving.close()

    with pytest.raises((NoResponders, BusAway)):
        await ends.serving.request(subject, b"", 5)
    with pytest.raises(NoResponders):
        await ends.asking.request(subject, b"", 5)
