"""Buses for tests: in one process, and over NATS.

NATS is where CSMS_TEST_NATS says, else a server that is started for it. Where there is none, its tests are
skipped here and fail in CI.
"""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from csms.cluster.bus import LocalBus
from tests.cluster.natskit import Ends, NatsServer, linked, local_ends, open_bus


@pytest.fixture(scope="session")
def nats_url() -> Iterator[str]:
    """A server for tests that leave it alone."""
    url = os.environ.get("CSMS_TEST_NATS")
    if url:
        yield url
        return
    server = NatsServer().start()
    yield server.url
    server.kill()


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A server for a test that breaks it."""
    server = NatsServer().start()
    yield server
    server.kill()


@pytest.fixture(params=["local", "nats", "worker asks", "worker serves", "workers"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    """The same contract over every bus."""
    if "worker" in request.param:
        main = LocalBus()
        async with linked(main) as one, linked(main) as other:
            asks = main if request.param == "worker serves" else one
            yield Ends(asks, main if request.param == "worker asks" else other)
        return
    if request.param == "local":
        both = local_ends()
    else:
        url = request.getfixturevalue("nats_url")
        both = Ends(await open_bus(url, "asking"), await open_bus(url, "serving"))
    yield both
    for bus in both:
        await bus.close()


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> str:
    """A subject that no other test uses on a shared server."""
    return f"test.{os.getpid()}.{abs(hash(request.node.nodeid))}"


@pytest.fixture
def identity(subject: str) -> str:
    """A charging station that no other test uses on a shared server."""
    return "CS-" + subject
