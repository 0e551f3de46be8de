"""What only a bus of several nodes has to stand: take-over, and a NATS that goes away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from csms.cluster.bus import BusAway, BusLost, Handler, HandlerFailed, MessageTooLarge, NoResponders
from csms.cluster.nats_bus import NatsBus
from tests.cluster.natskit import QUICK, NatsServer, open_bus, until

Open = Callable[[str], Awaitable[NatsBus]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens buses, which are closed at the end."""
    buses = []

    async def open_one(url: str) -> NatsBus:
        buses.append(await open_bus(url, f"node-{len(buses)}"))
        return buses[-1]

    yield open_one
    for bus in buses:
        await bus.close()


def saying(name: bytes) -> Handler:
    """A server that says who it is."""

    async def handler(payload: bytes) -> bytes:
        return name

    return handler


async def test_the_newest_of_two_nodes_answers(nats_url: str, subject: str, opened: Open) -> None:
    """The older one gives way; its clean-up, late as it may be, does not touch the newer one."""
    a, b, asker = await opened(nats_url), await opened(nats_url), await opened(nats_url)
    older = await a.serve(subject, saying(b"a"), 1)
    await a.settled()
    assert await asker.request(subject, b"", 5) == b"a"

    newer = await b.serve(subject, saying(b"b"), 2)
    await b.settled()

    assert [await asker.request(subject, b"", 5) for _ in range(10)] == [b"b"] * 10
    await a.settled()
    assert await a.request(subject, b"", 5) == b"b"
    await older.cancel()
    await a.settled()
    assert await asker.request(subject, b"", 5) == b"b"
    await newer.cancel()
    await b.settled()
    with pytest.raises(NoResponders):
        await asker.request(subject, b"", 5)


async def test_among_equal_ranks_the_later_call_wins(nats_url: str, subject: str, opened: Open) -> None:
    """Back and forth, as often as the station likes."""
    a, b, asker = await opened(nats_url), await opened(nats_url), await opened(nats_url)

    for bus, name in [(a, b"a"), (b, b"b"), (a, b"a2"), (b, b"b2")]:
        await bus.serve(subject, saying(name))
        await bus.settled()
        assert await asker.request(subject, b"", 5) == name


async def test_no_request_is_lost_in_take_overs(nats_url: str, subject: str, opened: Open) -> None:
    """Asked without pause while the subject changes hands, each is answered, as a rule by one node."""
    buses = [await opened(nats_url), await opened(nats_url)]
    asker, done = await opened(nats_url), []

    async def handler(payload: bytes) -> bytes:
        done.append(payload)
        return payload

    await buses[0].serve(subject, handler, 1)
    await buses[0].settled()

    async def ask(first: int) -> None:
        for n in range(first, first + 100):
            assert await asker.request(subject, b"%d" % n, 5) == b"%d" % n

    asking = [asyncio.create_task(ask(k * 100)) for k in range(4)]
    for rank in range(2, 30):
        await buses[rank % 2].serve(subject, handler, rank)
        await asyncio.sleep(0.002)
    await asyncio.gather(*asking)

    # In the instant between a newcomer's two lines both may hear a request: of 28 instants, few are hit.
    assert len(set(done)) == 400
    assert len(done) < 460


async def test_a_node_that_comes_late_gives_way(nats_url: str, subject: str, opened: Open) -> None:
    """Cut off while the station moved, it returns with a claim that is no longer the highest."""
    late = NatsBus(nats_url, "late", retry=QUICK)
    b, asker = await opened(nats_url), await opened(nats_url)
    await late.serve(subject, saying(b"late"), 1)
    await b.serve(subject, saying(b"b"), 2)
    await b.settled()

    await late.start()

    async def gave_way() -> bool:
        return await late.request(subject, b"", 5) == b"b"

    await until(gave_way)
    assert [await asker.request(subject, b"", 5) for _ in range(5)] == [b"b"] * 5
    await late.close()


async def test_what_is_served_here_needs_no_nats(nats_server: NatsServer, subject: str, opened: Open) -> None:
    """With NATS gone the stations of this node stay reachable; for others the answer is clear and quick."""
    bus = await opened(nats_server.url)
    await bus.serve(subject, saying(b"here"))
    await bus.settled()
    heard: list[bytes] = []
    await bus.listen(subject, heard.append)

    nats_server.kill()
    await until(lambda: not bus.is_up)

    assert await bus.request(subject, b"", 5) == b"here"
    with pytest.raises(BusAway):
        await bus.request(subject + ".elsewhere", b"", 5)
    await bus.publish(subject, b"told")
    assert heard == [b"told"]
    service = await bus.serve(subject + ".new", saying(b"new"))
    assert await bus.request(subject + ".new", b"", 5) == b"new"
    await service.cancel()
    with pytest.raises(BusAway):
        await bus.request(subject + ".new", b"", 5)


async def test_nats_comes_back_and_nobody_has_to_do_anything(
    nats_server: NatsServer, subject: str, opened: Open
) -> None:
    """Everything wanted then is in place again: old, new and moved subjects, and listeners."""
    url = nats_server.url
    a, b, asker = await opened(url), await opened(url), await opened(url)
    heard: list[bytes] = []
    await a.listen(subject, heard.append)
    await a.serve(subject, saying(b"a"), 1)
    await a.serve(subject + ".moved", saying(b"a"), 1)
    ended = await a.serve(subject + ".ended", saying(b"a"), 1)
    await a.settled()

    nats_server.kill()
    await until(lambda: not any(bus.is_up for bus in (a, b, asker)))
    await b.serve(subject + ".moved", saying(b"b"), 2)
    await b.serve(subject + ".new", saying(b"b"), 1)
    await ended.cancel()
    nats_server.start()
    await until(lambda: all(bus.is_up for bus in (a, b, asker)))
    for bus in (a, b, a):
        await bus.settled()

    assert await asker.request(subject, b"", 5) == b"a"
    assert await asker.request(subject + ".new", b"", 5) == b"b"
    assert [await asker.request(subject + ".moved", b"", 5) for _ in range(5)] == [b"b"] * 5
    with pytest.raises(NoResponders):
        await asker.request(subject + ".ended", b"", 5)
    await asker.publish(subject, b"told")
    await until(lambda: heard == [b"told"])


async def test_nats_lost_while_an_answer_is_awaited(
    nats_server: NatsServer, subject: str, opened: Open
) -> None:
    """It may have been carried out, and nobody waits for the rest of the time."""
    a, asker = await opened(nats_server.url), await opened(nats_server.url)
    begun, held = asyncio.Event(), asyncio.Event()

    async def handler(payload: bytes) -> bytes:
        begun.set()
        await held.wait()
        return b""

    await a.serve(subject, handler)
    await a.settled()
    asking = asyncio.create_task(asker.request(subject, b"", 60))
    await begun.wait()

    nats_server.kill()

    with pytest.raises(BusLost):
        await asyncio.wait_for(asking, 5)
    held.set()


async def test_a_start_without_nats(subject: str, opened: Open) -> None:
    """The process serves its stations, and joins the others when NATS comes up."""
    server = NatsServer()
    bus = await opened(server.url)
    await bus.serve(subject, saying(b"here"))
    assert await bus.request(subject, b"", 5) == b"here"
    with pytest.raises(BusAway):
        await bus.settled()

    server.start()
    await until(lambda: bus.is_up)
    asker = await opened(server.url)
    await bus.settled()

    assert await asker.request(subject, b"", 5) == b"here"
    await bus.close()
    await asker.close()
    server.kill()


async def test_messages_have_a_limit(nats_url: str, subject: str, opened: Open) -> None:
    """Neither a request nor an answer beyond it costs the connection."""
    bus, asker = await opened(nats_url), await opened(nats_url)

    async def large(payload: bytes) -> bytes:
        return bytes(8 << 20)

    await bus.serve(subject, large)
    await bus.settled()

    with pytest.raises(MessageTooLarge, match="8388608"):
        await asker.request(subject, bytes(8 << 20), 5)
    with pytest.raises(MessageTooLarge):
        await asker.publish(subject, bytes(8 << 20))
    with pytest.raises(HandlerFailed, match="8388608 bytes is more than"):
        await asker.request(subject, b"", 5)


async def test_requests_that_pile_up_are_refused(nats_url: str, subject: str, opened: Open) -> None:
    """A station that does not answer does not fill this process's memory."""
    bus, asker, held = await opened(nats_url), await opened(nats_url), asyncio.Event()

    async def handler(payload: bytes) -> bytes:
        await held.wait()
        return b"done"

    await bus.serve(subject, handler)
    await bus.settled()
    asking = [asyncio.create_task(asker.request(subject, b"", 30)) for _ in range(110)]
    await until(lambda: sum(task.done() for task in asking) == 10)
    held.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert answers.count(b"done") == 100
    assert {str(a) for a in answers if a != b"done"} == {
        "The node that was asked failed: too many requests wait there"
    }


async def test_a_failing_listener_keeps_nothing_from_the_others(
    nats_url: str, subject: str, opened: Open
) -> None:
    """Neither here nor from another node."""
    bus, other, heard = await opened(nats_url), await opened(nats_url), []

    def fail(message: bytes) -> None:
        raise ValueError

    await bus.listen(subject, fail)
    await bus.listen(subject, heard.append)
    await bus.settled()

    await bus.publish(subject, b"1")
    await other.publish(subject, b"2")

    await until(lambda: heard == [b"1", b"2"])
