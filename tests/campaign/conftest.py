"""Servers for the campaign: one that a worker's tests share, and ready-made ones for tests that break theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.campaign.kit import Furnished
from tests.serverkit import CsmsServer

Serve = Callable[..., CsmsServer]

# Short times, so that a test sees their end.
IMPATIENT = {"gateway": {"send_timeout_s": 1, "call_timeout_s": 3}}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def furnished(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """What every SQLite server of this worker starts from."""
    return await Furnished.make(sqlite_template, tmp_path_factory.mktemp("furnished"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def csms(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CsmsServer]:
    """A server that tests share; whoever uses it leaves it working. Every test has stations of its own."""
    server = furnished.server(tmp_path_factory.mktemp("shared"), IMPATIENT)
    await server.start()
    yield server
    try:
        assert await server.stop() == 0
    finally:
        print(server.child.log_tail())


@pytest.fixture
def serve(furnished: Furnished, tmp_path: Path) -> Iterator[Serve]:
    """Makes servers of this test's own, to be started by it. Their logs are shown when it fails."""
    made: list[CsmsServer] = []

    def make(settings: dict[str, dict[str, Any]] | None = None, name: str = "csms") -> CsmsServer:
        directory = tmp_path / name
        directory.mkdir()
        made.append(furnished.server(directory, settings))
        return made[-1]

    yield make
    for server in made:
        server.kill()
        print(server.child.log_tail())
