"""A NATS server of the test's own, and buses on it."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import pytest

from csms.cluster.bus import Bus, LocalBus
from csms.cluster.link import Link, LinkBus, WorkerEnd
from csms.cluster.nats_bus import NatsBus
from csms.cluster.nats_link import Retry

QUICK = Retry(0.02, 0.1)
PATIENCE_S = 10.0


def nats_binary() -> str:
    """The server's path. Without one, tests are skipped here and fail in CI."""
    found = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no nats-server; apt-get install nats-server")
        pytest.skip("no nats-server (apt-get install nats-server)")
    return found


class NatsServer:
    """A server process on a port of its own, to be killed and started again at will."""

    def __init__(self, *options: str) -> None:
        self._options = options
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> "NatsServer":
        """Start, and wait until it answers."""
        command = [nats_binary(), "-a", "127.0.0.1", "-p", str(self.port), *self._options]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.kill()
                    raise
                time.sleep(0.01)

    def kill(self) -> None:
        """Without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Ends(NamedTuple):
    """Two processes on one bus: one asks, the other serves. (In a single process they are the same.)"""

    asking: Bus
    serving: Bus

    async def settle(self) -> None:
        """What was served, listened to or given up so far is known everywhere."""
        for bus in self:
            if isinstance(bus, NatsBus | LinkBus):
                await bus.settled()


async def open_bus(url: str, node: str = "node") -> NatsBus:
    """A started bus that does not wait long between attempts."""
    bus = NatsBus(url, node, retry=QUICK)
    await bus.start()
    return bus


def local_ends() -> Ends:
    """A single process."""
    bus = LocalBus()
    return Ends(bus, bus)


@contextlib.asynccontextmanager
async def linked(bus: Bus) -> AsyncIterator[LinkBus]:
    """A worker's bus over a socket pair, with its place on `bus`."""
    here, there = socket.socketpair()
    ends = await Link.over(here), await Link.over(there)
    work = [asyncio.create_task(WorkerEnd(bus, ends[0]).run())]
    worker = LinkBus(ends[1])
    work.append(asyncio.create_task(worker.run()))
    try:
        yield worker
    finally:
        await worker.close()
        await asyncio.wait(work)


async def until(check: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; fails after seconds of patience."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            held = check()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)
