"""Servers for the campaign: one that a worker's tests share, and others for tests that break theirs."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.campaign.kit import start
from tests.serverkit import CsmsServer

Settings = dict[str, dict[str, Any]]
Serve = Callable[..., CsmsServer]

# Short times, so that a test sees their end.
IMPATIENT = {"gateway": {"send_timeout_s": 1, "call_timeout_s": 3}}


@pytest.fixture(scope="session")
def keyed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> CsmsServer:
    """A server that is never started: its migrated file and its API key are copied by the others."""
    server = CsmsServer(tmp_path_factory.mktemp("keyed"))
    shutil.copy(sqlite_template, server.database_file)
    assert server.admin_key
    return server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, keyed: CsmsServer, tmp_path: Path) -> str:
    """A migrated database of each kind in turn."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    shutil.copy(keyed.database_file, tmp_path / "csms.db")
    return f"sqlite:///{tmp_path / 'csms.db'}"


def _made(keyed: CsmsServer, directory: Path, settings: Settings | None) -> CsmsServer:
    url = (settings or {}).get("database", {}).get("url", "")
    if url.startswith("postgresql:"):
        return CsmsServer(directory, settings)  # which makes itself a key
    server = CsmsServer(directory, settings, keyed.admin_key)
    if not url:
        shutil.copy(keyed.database_file, server.database_file)
    return server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def csms(keyed: CsmsServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CsmsServer]:
    """A server that tests share; whoever uses it leaves it working. Every test has stations of its own."""
    server = _made(keyed, tmp_path_factory.mktemp("shared"), IMPATIENT)
    await start(server)
    yield server
    try:
        assert await server.stop() == 0
    finally:
        print(server.child.log_tail())


@pytest.fixture
def serve(keyed: CsmsServer, tmp_path: Path) -> Iterator[Serve]:
    """Makes servers of this test's own, to be started by it. Their logs are shown when it fails."""
    made: list[CsmsServer] = []

    def make(settings: Settings | None = None) -> CsmsServer:
        directory = tmp_path / f"csms{len(made)}"
        directory.mkdir()
        made.append(_made(keyed, directory, settings))
        return made[-1]

    yield make
    for server in made:
        server.kill()
        print(server.child.log_tail())
