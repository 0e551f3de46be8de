"""One process of the central system without its sockets: writer, handlers, connections, reporting.

Stations come by `Line`s. A node may stop in order, or be killed between any two steps: what it had not
committed is gone, and so are answers that were on their way.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from csms.config import Settings
from csms.domain.assets import OcppVersion
from csms.errors import StaleEpoch, StoreError, StoreUnavailable
from csms.gateway.admission import Admission
from csms.gateway.connection import TAKEN_OVER, Connection
from csms.gateway.desk import Budget, Parts
from csms.gateway.stats import GatewayStats
from csms.gateway.store_desk import StoreDesk
from csms.handlers.context import PlatformRoute, Services
from csms.reporting.lane import Platform
from csms.reporting.outbox import Deliverer
from csms.reporting.totals import Totaller
from csms.reporting.upkeep import Upkeep
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.message_log import MessageLog
from csms.store.outbox import Outbox
from csms.store.registry import Registry
from csms.store.reports import ReportStore
from csms.store.sessions import SessionStore
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Writer
from tests.stories.virtual import VirtualClock

LEAST_LATENCY_S = 0.01
CITY = "city"


class Line:
    """The wire between a connection and its station: frames take a while, and are lost with the wire."""

    def __init__(self, latency_s: float) -> None:
        self.connection: Connection
        self.heard: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_torn = False
        self._latency_s = latency_s
        self._loop = asyncio.get_running_loop()

    def send(self, frame: bytes) -> None:
        """Towards the station."""
        self._loop.call_later(self._latency_s, self._arrive, frame.decode())

    def close(self, code: int, reason: str) -> None:
        """The central system ends it."""
        self._loop.call_later(self._latency_s, self._arrive, None)

    def pause(self) -> None:
        """A station sends one message at a time: nothing to hold back."""

    def resume(self) -> None:
        """Nothing was held back."""

    def say(self, text: str, after_s: float = 0.0) -> None:
        """Towards the central system; with `after_s` even when the station has gone meanwhile."""
        self._loop.call_later(self._latency_s + after_s, self.connection.feed, text.encode())

    def tear(self) -> None:
        """Nothing is heard at the station's end from here on."""
        self.is_torn = True
        self.heard.put_nowait(None)

    def _arrive(self, text: str | None) -> None:
        if not self.is_torn:
            self.heard.put_nowait(text)


class Node:
    """The process `name`; several may share the database."""

    def __init__(
        self,
        name: str,
        database: Database,
        clock: VirtualClock,
        settings: Settings,
        city: Platform,
        jitter: Callable[[], float],
    ) -> None:
        time = asyncio.get_running_loop().time
        route = PlatformRoute(CITY, "123456789", statuses=True, orders=True, hour_totals=True)
        self.stats = GatewayStats()
        self._lines: dict[str, Line] = {}
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in order: the same seed is the same story
        self._is_over = False
        self._writer = Writer(database, fence=True)
        self._writer.start()
        self._services = Services(
            settings=settings,
            writer=self._writer,
            registry=Registry(database),
            sessions=SessionStore(database),
            devices=DeviceStore(database),
            ids=Ids(database, clock.now),
            now=clock.now,
            platforms=(route,),
        )
        self._desk = StoreDesk(self._services, MessageLog(database, settings.messages, clock.now), name)
        self._parts = Parts(
            settings=settings.gateway,
            desk=self._desk,
            admission=Admission(settings.gateway, time),
            stats=self.stats,
            budget=Budget(settings.gateway.max_queued_bytes),
            clock=time,
            keep_log=False,
        )
        deliverer = Deliverer(Outbox(database), {CITY: city}, settings.reporting, clock.now, jitter)
        self._own(deliverer.run())
        self._own(Totaller(self._services, ReportStore(database)).run())
        self._own(_tended(Upkeep(self._services, UpkeepStore(database)), settings.reporting.poll_s))

    async def welcome(self, identity: str, version: OcppVersion, latency_s: float) -> Line | None:
        """A station connects; None when it is turned away, to come again."""
        if not self._desk.is_ready():
            return None
        try:
            return await self._seat(identity, version, latency_s)
        except StoreUnavailable:
            return None

    async def _seat(self, identity: str, version: OcppVersion, latency_s: float) -> Line:
        found = await self._desk.find(identity)
        assert found is not None, f"{identity} is registered"
        earlier = self._lines.pop(identity, None)
        if earlier is not None:
            earlier.connection.end(TAKEN_OVER, "a newer connection is open")
            await earlier.connection.idle()
        state = await self._desk.open(found[0], version, "127.0.0.1")
        line = Line(max(latency_s, LEAST_LATENCY_S))
        line.connection = Connection(self._parts, state, line)
        self._lines[identity] = line
        self._own(self._greet(line))
        return line

    def left(self, line: Line) -> None:
        """The station's end of the line is found to be gone."""
        if self._is_over:
            return
        if self._lines.get(line.connection.identity) is line:
            del self._lines[line.connection.identity]
        line.connection.lost()
        self._own(self._part(line))

    async def stop(self) -> None:
        """Stop in order: every message that was received is dealt with."""
        self._is_over = True
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            await line.connection.idle()
            line.connection.end(1012, "service restart")
        await self._cancel(list(self._tasks))
        await self._writer.close()

    async def kill(self) -> None:
        """Die at once."""
        self._is_over = True
        lines, self._lines = list(self._lines.values()), {}
        workers = [task for line in lines if (task := line.connection._worker) is not None]
        for line in lines:
            line.connection.end(1006, "")
            line.tear()
        writer = self._writer._task
        await self._cancel([*self._tasks, *workers, *([writer] if writer is not None else [])])

    async def _greet(self, line: Line) -> None:
        try:
            await self._desk.connected(line.connection.state)
        except StoreError:
            return

    async def _part(self, line: Line) -> None:
        await line.connection.idle()
        try:
            await self._desk.disconnected(line.connection.state, 1006, "")
        except (StaleEpoch, StoreError):
            return

    async def _cancel(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)


async def _tended(upkeep: Upkeep, pause_s: float) -> None:
    """`Upkeep.run` with longer pauses: a story need not look twice a minute."""
    while True:
        with contextlib.suppress(StoreUnavailable):
            await upkeep.tend()
        await asyncio.sleep(pause_s)
