"""A connection that is kept up: when it tries again, and what it says about it."""

import asyncio
import re
import socket
from collections.abc import Iterator

import pytest
import structlog
from nats.aio.client import Client

from csms.cluster.bus import BusAway
from csms.cluster.nats_link import NatsLink, Retry, probe
from tests.cluster.natskit import QUICK, NatsServer, until

# The server closes at once: the reset may overtake its word.
REFUSED = "Authorization Violation|reset by peer"


async def idle(client: Client) -> None:
    """Work that lasts as long as the link."""
    await asyncio.Event().wait()


@pytest.fixture
def guarded() -> Iterator[NatsServer]:
    """A server that asks for a password."""
    server = NatsServer("--user", "csms", "--pass", "canary-right").start()
    yield server
    server.kill()


def test_pauses_grow_and_differ() -> None:
    """Nodes that lost NATS together do not come back together."""
    retry = Retry(0.2, 5.0)

    assert all(0.1 <= retry.pause(0) <= 0.3 for _ in range(50))
    assert all(2.5 <= retry.pause(n) <= 7.5 for n in (10, 1_000_000) for _ in range(50))
    assert len({retry.pause(3) for _ in range(10)}) > 1


async def test_loss_and_recovery_are_told_once(nats_server: NatsServer) -> None:
    """Many attempts in between are not worth a line."""
    with structlog.testing.capture_logs() as lines:
        link = NatsLink(nats_server.url, "n", idle, QUICK)
        await link.start()
        nats_server.kill()
        await until(lambda: link.client is None)
        await asyncio.sleep(0.3)
        nats_server.start()
        await until(lambda: link.client is not None)
        await link.stop()

    assert [line["event"] for line in lines] == ["bus_connected", "bus_lost", "bus_recovered"]


async def test_a_wrong_password_is_told_and_tried_again(guarded: NatsServer) -> None:
    """The reason is in the log, the password is not; with the right one it would be served."""
    with structlog.testing.capture_logs() as lines:
        wrong = NatsLink(f"nats://csms:canary-wrong@127.0.0.1:{guarded.port}", "n", idle, QUICK)
        await wrong.start()
        await asyncio.sleep(0.2)
        right = NatsLink(f"nats://csms:canary-right@127.0.0.1:{guarded.port}", "n", idle, QUICK)
        await right.start()
        assert (wrong.client, right.client is None) == (None, False)
        await wrong.stop()
        await right.stop()

    assert [line["event"] for line in lines] == ["bus_lost", "bus_connected"]
    assert re.search(REFUSED, lines[0]["error"])
    assert "canary" not in str(lines)


async def test_a_server_that_says_nothing_does_not_keep_us_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Something listens and never answers: seconds, then on without it."""
    monkeypatch.setattr("csms.cluster.nats_link.CONNECT_S", 0.2)
    server = socket.create_server(("127.0.0.1", 0))
    link = NatsLink(f"nats://127.0.0.1:{server.getsockname()[1]}", "n", idle, QUICK)

    await asyncio.wait_for(link.start(), 2)

    assert link.client is None
    await link.stop()
    server.close()


async def test_the_other_server_of_a_list_is_used(nats_server: NatsServer) -> None:
    """One of them is enough."""
    link = NatsLink(f"nats://127.0.0.1:1, {nats_server.url}", "n", idle, QUICK)
    await link.start()
    await until(lambda: link.client is not None)
    await link.stop()


async def test_work_that_fails_makes_a_new_connection(nats_server: NatsServer) -> None:
    """A link whose work came to an end is of no use to anyone."""
    calls = []

    async def work(client: Client) -> None:
        calls.append(client)
        if len(calls) == 1:
            raise RuntimeError("once")
        await asyncio.Event().wait()

    with structlog.testing.capture_logs() as lines:
        link = NatsLink(nats_server.url, "n", work, QUICK)
        await link.start()
        await until(lambda: len(calls) == 2)
        await link.stop()

    assert "once" in next(line["error"] for line in lines if line["event"] == "bus_lost")


async def test_a_probe_tells_what_answers_or_why_not(guarded: NatsServer) -> None:
    """For `csms doctor`."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", await probe(f"nats://csms:canary-right@127.0.0.1:{guarded.port}"))
    with pytest.raises(BusAway, match=REFUSED):
        await probe(guarded.url)
    guarded.kill()
    with pytest.raises(BusAway, match=r"refused|Connect call failed"):
        await probe(guarded.url)
