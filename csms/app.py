"""Builds every part from the settings, starts them in order and stops them in the reverse order.

The only file that knows them all. `run` is a process; `App` can also live inside another one (tests).
"""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import time
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from csms import protocol
from csms.api.auth import page_visitor
from csms.api.metrics import CommitTallies
from csms.api.parts import ApiParts
from csms.api.server import build_api
from csms.cluster.bus import Bus, LocalBus
from csms.cluster.courier import Courier
from csms.config import PlatformSettings, Settings
from csms.console import ConsoleParts, mount
from csms.errors import ConfigError
from csms.gateway.admission import Admission
from csms.gateway.desk import Budget, Parts
from csms.gateway.server import Gateway
from csms.gateway.stats import LATENCY_BOUNDS_S, GatewayStats
from csms.gateway.store_desk import StoreDesk
from csms.handlers.context import PlatformRoute, Services
from csms.reporting.outbox import Deliverer
from csms.reporting.tcec.client import PlatformClient
from csms.reporting.tcec.profile import load_profile
from csms.reporting.totals import Totaller
from csms.reporting.upkeep import Upkeep
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.message_log import MessageLog
from csms.store.migrations import upgrade_database
from csms.store.outbox import Outbox
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import Registry
from csms.store.reports import ReportStore
from csms.store.sessions import SessionStore
from csms.store.status import StatusReader
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Writer

log = structlog.get_logger()

STOP_HTTP_S = 5
STATION_CHANGED = "csms.v1.station-changed"
BACKLOG = 2048


class App:
    """The whole program. `start`, then `stop`; after a failed `start`, `stop` undoes what there is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._undo = contextlib.AsyncExitStack()
        self.gateway: Gateway
        self.http: HttpServer

    async def start(self) -> None:
        """Open the database, start every part, listen. Raises what keeps it from serving."""
        settings, now = self.settings, _now
        raise_file_limit()
        protocol.preload()
        database = await Database.open(settings.database.url, settings.database.read_connections)
        self._undo.push_async_callback(database.close)
        await upgrade_database(database)
        commits = CommitTallies()
        # A process of its own has no name to keep apart: hosts in containers are named anew each time.
        node = settings.cluster.node_name if settings.cluster.nats_url else ""
        await Registry(database).forget_connections(node)
        writer = Writer(
            database,
            hold_s=settings.database.hold_s,
            max_waiting=settings.database.max_waiting,
            observe=commits.observe,
        )
        await self._undo.enter_async_context(writer)
        messages = await self._undo.enter_async_context(MessageLog(database, settings.messages, now))
        clients = self._platform_clients()
        services = Services(
            settings=settings,
            writer=writer,
            registry=Registry(database),
            sessions=SessionStore(database),
            devices=DeviceStore(database),
            ids=Ids(database, now),
            now=now,
            platforms=tuple(_route(one) for one in settings.reporting.platforms),
        )
        bus = await self._open_bus()
        courier, stats = Courier(bus), GatewayStats()
        parts = Parts(
            settings=settings.gateway,
            desk=StoreDesk(services, messages, node),
            admission=Admission(settings.gateway, time.monotonic),
            stats=stats,
            budget=Budget(settings.gateway.max_queued_bytes),
            clock=time.monotonic,
            keep_log=settings.messages.log,
            handler_limit_s=settings.database.hold_s + 2,
        )
        self.gateway = Gateway(parts, courier)
        await bus.listen(STATION_CHANGED, lambda identity: self.gateway.station_changed(identity.decode()))
        reports, outbox = ReportStore(database), Outbox(database)
        self._background(Deliverer(outbox, clients, settings.reporting, now).run())
        self._background(Totaller(services, reports).run())
        self._background(Upkeep(services, UpkeepStore(database)).run())
        api_parts = ApiParts(
            settings=settings,
            registry=services.registry,
            quarantine=Quarantine(database),
            sessions=services.sessions,
            devices=services.devices,
            reports=reports,
            outbox=outbox,
            desk=CommandDesk(database),
            courier=courier,
            writer=writer,
            commits=commits,
            gateway=stats,
            latency_bounds_s=LATENCY_BOUNDS_S,
            connections=lambda: {(str(v), state): n for (v, state), n in self.gateway.roster.count().items()},
            gateway_listens=lambda: self.gateway.is_open,
            messages_dropped=lambda: messages.dropped,
            now=now,
            station_changed=lambda identity: bus.publish(STATION_CHANGED, identity.encode()),
        )
        api = build_api(api_parts)
        scopes = tuple((one.name, one.operator) for one in settings.reporting.platforms)
        mount(
            api,
            ConsoleParts(
                settings.http.status_page,
                StatusReader(database, scopes),
                partial(page_visitor, api_parts),
                now,
            ),
        )
        self.http = HttpServer(api, settings)
        with _port_is_ours("gateway", settings.gateway.host, settings.gateway.port):
            await self.gateway.start()
        self._undo.push_async_callback(self.gateway.stop)
        with _port_is_ours("http", settings.http.host, settings.http.port):
            await self.http.start()
        self._undo.push_async_callback(self.http.stop)
        spare_the_collector()

    async def stop(self) -> None:
        """Stop in order: doors first, the database last. What was received is committed."""
        await self._undo.aclose()

    async def _open_bus(self) -> Bus:
        """Commands to stations: within this process, or over NATS to those that other processes hold."""
        cluster = self.settings.cluster
        if not cluster.nats_url:
            return LocalBus()
        try:
            from csms.cluster.nats_bus import NatsBus  # noqa: PLC0415 - only clusters have it installed
        except ImportError as exc:
            raise ConfigError("cluster.nats_url needs one more package: pip install 'csms[cluster]'") from exc
        bus = NatsBus(cluster.nats_url, cluster.node_name)
        self._undo.push_async_callback(bus.close)
        await bus.start()
        return bus

    def _platform_clients(self) -> dict[str, PlatformClient]:
        """One client per configured platform that is not paused by the settings."""
        clients = {
            one.name: PlatformClient.from_settings(one)
            for one in self.settings.reporting.platforms
            if not one.paused
        }
        for client in clients.values():
            self._undo.push_async_callback(client.close)
        return clients

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until the program stops; should it fail, say so at once."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_report_failure)
        self._undo.push_async_callback(_cancel, task)


class HttpServer:
    """uvicorn inside our loop; the signals are ours."""

    def __init__(self, api: FastAPI, settings: Settings) -> None:
        self._address = (settings.http.host, settings.http.port)
        config = uvicorn.Config(
            api,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=STOP_HTTP_S,
        )
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the system's choice where 0 is configured."""
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        # Bound here: uvicorn would end the process by itself when it cannot.
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._socket = socket.create_server(self._address, family=family, backlog=BACKLOG)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError("the HTTP server did not start")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Finish the requests that are being answered."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """`run` decides what a signal means."""
        yield


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then stop in order. For the main thread of a process."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    app, ended = App(settings), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    try:
        await app.start()
        log.info("serving", gateway=app.gateway.port, http=app.http.port)
        await ended.wait()
        log.info("stopping")
    finally:
        await app.stop()
    log.info("stopped")


def spare_the_collector() -> None:
    """Keep what start-up made out of garbage collections, and make them rarer.

    A full collection over the loaded program stops everything for 0.4 s; without it none was seen above
    10 ms. Messages make few cycles, so collecting a tenth as often costs no memory worth naming.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@contextlib.contextmanager
def _port_is_ours(section: str, host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ConfigError(
            f"{section}.port: {host}:{port} cannot be used ({exc.strerror or exc}); "
            f"stop the program that has it, or set another {section}.port"
        ) from exc


def raise_file_limit() -> None:
    """As many open files as the system allows: each station is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    log.info("file_limit", files=hard)


def _route(platform: PlatformSettings) -> PlatformRoute:
    """What a platform is owed. One that is paused is owed it too: it gets everything when it is resumed."""
    profile = load_profile(platform.profile)
    status, order, hour = (
        profile.push(kind) is not None for kind in ("connector-status", "charge-order", "hour-total")
    )
    return PlatformRoute(platform.name, platform.operator, status, order, hour)


def loop_factory() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - not there on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


def _report_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (exc := task.exception()) is not None:
        log.error("background_task_failed", error=repr(exc), exc_info=exc)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _now() -> datetime:
    return datetime.now(UTC)
