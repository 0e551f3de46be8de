"""The worker processes that hold the stations when `gateway.workers` is above 1: started, watched, ended.

They share the port: each listens, and the kernel deals out who connects. One that ends by itself is started
again after a pause; its stations have come back to the others by then. To the program the crew is what the
gateway is in a single process. Knows what a worker tells, not what it does.
"""

import asyncio
import multiprocessing
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from multiprocessing.context import SpawnProcess

import msgspec
import structlog

from csms.cluster.bus import Bus
from csms.cluster.link import Link, WorkerEnd
from csms.config import MOST_WORKERS, Settings
from csms.errors import ConfigError, StoreUnavailable
from csms.gateway.stats import GatewayStats
from csms.handlers.context import PlatformRoute
from csms.store.commit_tallies import CommitTallies
from csms.worker import Orders, Told, subject_of, work

log = structlog.get_logger()

READY_S = 180.0
STOP_S = 40.0  # messages in flight, closing handshakes, the last commits
KILL_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
SILENT_S = 30.0
LIVED_S = 60.0  # one that served this long is started again at once

Ended = Callable[[str], Awaitable[None]]


class Crew:
    """`start` and `stop` once; in between it looks after itself."""

    def __init__(
        self,
        settings: Settings,
        platforms: tuple[PlatformRoute, ...],
        bus: Bus,
        node: str,
        own: CommitTallies,
        ended: Ended,
    ) -> None:
        """`own`: the commits of this process. `ended(node)`: a worker has left its stations."""
        self._settings = settings
        self._platforms = platforms
        self._bus = bus
        self._node = node
        self._own = own
        self._ended = ended
        self.stats, self.commits = GatewayStats(), CommitTallies()
        """Sums over all workers, as they told within the last second."""
        self._name = secrets.token_hex(8)
        self._told: dict[int, Told] = {}
        self._heard_at: dict[int, float] = {}
        self._gone: list[Told] = []
        self._processes: dict[int, SpawnProcess] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._is_started = self._is_stopping = False
        self._port: socket.socket | None = None
        self.port = settings.gateway.port
        """The port the workers listen on; once started, the system's choice where 0 is configured."""

    @property
    def workers(self) -> int:
        """How many let stations in."""
        return 0 if self._is_stopping else sum(one.is_open for one in self._told.values())

    def connections(self) -> Counter[tuple[str, str]]:
        """Open sockets by (OCPP version, state), as the workers told within the last second."""
        found: Counter[tuple[str, str]] = Counter()
        for one in self._told.values():
            for version, state, number in one.connections:
                found[version, state] += number
        return found

    def messages_dropped(self) -> int:
        """Entries of the message log that the workers could not keep."""
        return sum(one.messages_dropped for one in [*self._told.values(), *self._gone])

    async def start(self) -> None:
        """Start all workers and wait until each listens. Raises OSError for the address, ConfigError."""
        self._port = reserved(self._settings.gateway.host, self._settings.gateway.port)
        self.port = int(self._port.getsockname()[1])
        await self._bus.listen(subject_of(self._name), self._hear)
        numbers = range(1, self._settings.gateway.workers + 1)
        self._watching = [asyncio.create_task(self._keep(number)) for number in numbers]
        try:
            await self._all_open(len(numbers))
        except BaseException:
            await self.stop()
            raise
        self._is_started = True
        self._watching.append(asyncio.create_task(self._end_the_silent()))
        log.info("workers_started", workers=len(numbers), port=self.port)

    async def _all_open(self, number: int) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + READY_S
        while self.workers < number:
            await asyncio.sleep(0.05)
            if any(task.done() for task in self._watching) or clock() > until:
                raise ConfigError("gateway.workers: a worker did not start; the log says why")

    async def stop(self) -> None:
        """Let every worker finish what it handles, and end it."""
        self._is_stopping = True
        for process in self._processes.values():
            if process.pid is not None:  # one that is being started sees it by itself
                process.terminate()
        if self._is_started:
            self._watching.pop().cancel()
        if self._watching:
            _, slow = await asyncio.wait(self._watching, timeout=STOP_S)
            if slow:
                log.error("workers_killed", workers=len(slow))
                for process in self._processes.values():
                    process.kill()
                await asyncio.wait(slow, timeout=KILL_S)
        if self._port is not None:
            self._port.close()

    def _hear(self, message: bytes) -> None:
        told = msgspec.msgpack.decode(message, type=Told)
        process = self._processes.get(told.worker)
        if process is None or process.pid != told.pid:
            return  # the last words of one that was replaced
        self._told[told.worker] = told
        self._heard_at[told.worker] = asyncio.get_running_loop().time()
        everyone = [*self._gone, *self._told.values()]
        self.stats.become(one.gateway for one in everyone)
        self.commits.become([self._own.told(), *(one.commits for one in everyone)])
        for identity, at in told.refused:
            self.stats.login_refused(identity, at)

    async def _end_the_silent(self) -> None:
        """A worker whose loop does not turn any more serves nobody: another one takes its place."""
        loop, every_s = asyncio.get_running_loop(), SILENT_S / 6
        while True:
            looked_at = loop.time()
            await asyncio.sleep(every_s)
            if loop.time() - looked_at > 2 * every_s:
                continue  # it was this process that stood still: what the others told is yet to be read
            for number, heard_at in list(self._heard_at.items()):
                process = self._processes.get(number)
                if process is not None and number in self._told and loop.time() - heard_at > SILENT_S:
                    log.error("worker_silent", worker=number, pid=process.pid)
                    process.kill()

    async def _keep(self, number: int) -> None:
        """Run this worker; when it ends by itself, say so and run another one in its place."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while not self._is_stopping:
            began = loop.time()
            try:
                code = await self._run(number)
            except OSError as exc:
                code = None
                log.error("worker_not_started", worker=number, error=str(exc))
            if self._is_stopping:
                return
            log.error("worker_ended", worker=number, exit_code=code)
            if not self._is_started:
                return
            self._note_gone(number)
            try:
                await self._ended(self._node_of(number))
            except StoreUnavailable as exc:
                log.warning("stations_of_worker_not_noted", worker=number, error=str(exc))
            pause = FIRST_PAUSE_S if loop.time() - began > LIVED_S else min(2 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    def _note_gone(self, number: int) -> None:
        told = self._told.pop(number, None)
        if told is not None:
            self._gone = [_sum_of([*self._gone, told])]

    async def _run(self, number: int) -> int | None:
        """One process from its start to its end; the exit code."""
        here, there = socket.socketpair()
        orders = Orders(number, self._node_of(number), self._name, self.port)
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(self._settings, self._platforms, orders, there), daemon=True
        )
        self._processes[number] = process
        try:
            with there:
                await asyncio.to_thread(process.start)
            if self._is_stopping:
                process.terminate()
            end = WorkerEnd(self._bus, await Link.over(here))
            await end.run()  # as long as the process lives: the kernel closes its end with it
            await asyncio.to_thread(process.join)
        finally:
            here.close()
            del self._processes[number]
        return process.exitcode

    def _node_of(self, number: int) -> str:
        return _node_of(self._node, number)


def nodes_of_workers(node: str) -> list[str]:
    """What the workers of a node may be called in the registry, however many it had."""
    return [_node_of(node, number) for number in range(1, MOST_WORKERS + 1)]


def _node_of(node: str, number: int) -> str:
    return f"{node}/{number}"


def reserved(host: str, port: int) -> socket.socket:
    """The port, for as long as the socket is open and for processes of this user only. It does not listen.

    Raises OSError when another program has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:  # without sharing, so that somebody who listens is seen
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        port = probe.getsockname()[1]
    held = socket.socket(family)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((host, port))
    return held


def _sum_of(told: list[Told]) -> Told:
    """What workers that are gone have counted, as one."""
    stats, commits = GatewayStats(), CommitTallies()
    stats.become(one.gateway for one in told)
    commits.become(one.commits for one in told)
    dropped = sum(one.messages_dropped for one in told)
    return Told(0, 0, False, [], dropped, stats.told(), commits.told())
