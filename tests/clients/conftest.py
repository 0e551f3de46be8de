"""A real server that owes a real (simulated) city, started once for all clients of a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clients.city import City
from tests.clients.stories import TOKEN
from tests.serverkit import CsmsServer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    """A city platform that keeps a ledger."""
    city = City(tmp_path_factory.mktemp("city"))
    await city.start()
    yield city
    print(city.child.log_tail())
    city.child.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def csms(city: City, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CsmsServer]:
    """`csms serve` with one site and one token; its log is shown when a test fails."""
    settings = {"reporting": {"platforms": [city.platform], "poll_s": 0.2}}
    server = CsmsServer(tmp_path_factory.mktemp("csms"), settings)
    await server.start()
    await server.add_site()
    await server.add_token(TOKEN, concurrent_limit=100)
    yield server
    try:
        assert await server.stop() == 0
    finally:
        print(server.child.log_tail())
