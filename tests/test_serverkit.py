"""The kit that starts servers for tests: a process is started, stopped, killed, and never forgotten."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.serverkit import Child, CsmsServer, ServerTrouble, free_port

LISTEN = """
import socket, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit({code}) if {obeys} else None)
server = socket.create_server(("127.0.0.1", {port}))
print("here", flush=True)
while True:
    server.accept()[0].close()
"""


def child(directory: Path, port: int, *, obeys: bool = True, code: int = 0) -> Child:
    program = LISTEN.format(port=port, obeys=obeys, code=code)
    return Child("listener", [sys.executable, "-c", program], directory)


async def test_a_child_is_awaited_and_stopped(tmp_path: Path) -> None:
    """It listens, obeys SIGTERM, and its exit code is told."""
    port = free_port()
    one = child(tmp_path, port, code=3)

    one.spawn()
    await one.listening(port)

    assert one.is_running
    assert await one.stop() == 3
    assert not one.is_running
    assert "here" in one.log_tail()


async def test_a_child_that_ignores_sigterm_is_killed_and_named(tmp_path: Path) -> None:
    """A stop that hangs fails the test instead of hanging it."""
    port = free_port()
    one = child(tmp_path, port, obeys=False)
    one.spawn()
    await one.listening(port)

    with pytest.raises(ServerTrouble, match="listener did not stop within"):
        await one.stop(within_s=0.1)

    assert not one.is_running


async def test_a_killed_child_can_be_started_again(tmp_path: Path) -> None:
    """kill -9 leaves nothing behind that hinders the next start, not even the port."""
    port = free_port()
    one = child(tmp_path, port)
    one.spawn()
    await one.listening(port)
    first = one.pid

    one.kill()
    one.spawn()
    await one.listening(port)

    assert one.pid != first
    one.kill()


async def test_a_child_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A server that cannot start shows why."""
    one = Child("broken", [sys.executable, "-c", "raise SystemExit('no such setting')"], tmp_path)
    one.spawn()

    with pytest.raises(ServerTrouble, match="no such setting"):
        await one.listening(free_port())

    one.kill()


async def test_nothing_can_be_stopped_that_does_not_run(tmp_path: Path) -> None:
    """Neither a stop nor a process id where there is no process."""
    one = Child("never", ["true"], tmp_path)

    with pytest.raises(ServerTrouble, match="never is not running"):
        await one.stop()
    with pytest.raises(ServerTrouble, match="never is not running"):
        assert one.pid


def test_settings_are_laid_over_the_kits_own(tmp_path: Path) -> None:
    """Ports and database are the kit's, what a test adds stands beside them."""
    server = CsmsServer(tmp_path, {"gateway": {"ping_interval_s": 1}, "reporting": {"poll_s": 0.5}})

    written = server.config_file.read_text()

    assert f"port: {server.gateway_port}" in written
    assert "ping_interval_s: 1" in written
    assert "poll_s: 0.5" in written
    assert str(server.database_file) in written
