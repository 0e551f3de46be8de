"""Builds every part from the settings, starts them in order and stops them in the reverse order.

Together with `parts`, which makes what is served over HTTP, the only file that knows them all. `run` is a
process; `App` can also live inside another one (tests).
"""

import asyncio
import contextlib
import gc
import resource
import signal
import time
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

import structlog

from csms import protocol
from csms.api.batch_runner import BatchRunner
from csms.api.first_admin import first_administrator
from csms.api.metrics import CommitTallies
from csms.api.parts import Happenings
from csms.cluster.bus import Bus, LocalBus
from csms.cluster.courier import Courier
from csms.config import Settings
from csms.errors import ConfigError
from csms.gateway.admission import Admission
from csms.gateway.desk import Budget, Parts
from csms.gateway.server import Gateway
from csms.gateway.stats import GatewayStats
from csms.gateway.store_desk import StoreDesk
from csms.handlers.context import Services
from csms.http_server import HttpServer
from csms.live_parts import Living
from csms.parts import Served, build_http, route_of
from csms.reporting.deliveries import document_works
from csms.reporting.precautions import strangers
from csms.reporting.service import Lookups, Reporting, clients_of
from csms.reporting.tcec.server.service import CityServer
from csms.reporting.totals import Totaller
from csms.reporting.upkeep import Upkeep
from csms.reporting.use_keeper import UseKeeper
from csms.store.assets import AssetStore
from csms.store.batches import BatchStore
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.message_log import MessageLog
from csms.store.migrations import upgrade_database
from csms.store.platform_orders import PlatformOrders
from csms.store.registry import Registry
from csms.store.reports import ReportStore
from csms.store.sealed_columns import seal_all
from csms.store.sealing import seal_for
from csms.store.sessions import SessionStore
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Writer

log = structlog.get_logger()

SETTLE_S = 5.0  # after a start, in which stations come back before batches go on
STATION_CHANGED = "csms.v1.station-changed"


class App:
    """The whole program. `start`, then `stop`; after a failed `start`, `stop` undoes what there is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._undo = contextlib.AsyncExitStack()
        self.gateway: Gateway
        self.http: HttpServer
        self.first_password: str | None = None
        """The one-time password of the first administrator, at the very first start."""

    async def start(self) -> None:
        """Open the database, start every part, listen. Raises what keeps it from serving."""
        settings, now = self.settings, _now
        raise_file_limit()
        protocol.preload()
        database = await Database.open(settings.database.url, settings.database.read_connections)
        self._undo.push_async_callback(database.close)
        await upgrade_database(database)
        database.seal = seal_for(settings.database.url, settings.database.secrets_key.get_secret_value())
        await seal_all(database)
        self.first_password = await first_administrator(database)
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
        clients = clients_of(settings.reporting, database)
        for client in clients.values():
            self._undo.push_async_callback(client.close)
        services = Services(
            settings=settings,
            writer=writer,
            registry=Registry(database),
            sessions=SessionStore(database),
            devices=DeviceStore(database),
            ids=Ids(database, now),
            now=now,
            platforms=tuple(route_of(one) for one in settings.reporting.platforms),
        )
        await services.sessions.catch_up()
        for problem in await strangers(settings.reporting, services.registry):
            log.warning("platform_settings_doubtful", problem=problem)
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
        city = await self._undo.enter_async_context(CityServer.of(settings, database, courier, now))
        lookups = Lookups(
            inventory=AssetStore(database),
            seq_of=PlatformOrders(database).seq_of,
            cost_so_far=city.cost_so_far,
        )
        reporting = Reporting(settings.reporting, database, clients, now, lookups)
        for work in (*reporting.works(), *document_works(settings, database, now)):
            self._background(work)
        self._background(Totaller(services, ReportStore(database)).run())
        self._background(Upkeep(services, UpkeepStore(database)).run())
        self._background(UseKeeper(database, now, settings.reporting.grace_s).run())
        live = self._follow_events(database, services, stats, node)
        runner = BatchRunner(BatchStore(database), courier, now, settings.gateway.command_expiry_s)
        http = build_http(
            Served(
                settings=settings,
                database=database,
                services=services,
                courier=courier,
                writer=writer,
                commits=commits,
                messages=messages,
                gateway=self.gateway,
                stats=stats,
                city=city,
                live=live,
                runner=runner,
                station_changed=lambda identity: bus.publish(STATION_CHANGED, identity.encode()),
            )
        )
        self.http = HttpServer(http, settings)
        with _port_is_ours("gateway", settings.gateway.host, settings.gateway.port):
            await self.gateway.start()
        self._undo.push_async_callback(self.gateway.stop)
        self._background(runner.run(SETTLE_S))
        with _port_is_ours("http", settings.http.host, settings.http.port):
            await self.http.start()
        self._undo.push_async_callback(self.http.stop)
        # Streams have no end of their own: the server would wait for them.
        self._undo.callback(live.tail.close)
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

    def _follow_events(
        self, database: Database, services: Services, stats: GatewayStats, node: str
    ) -> Happenings:
        """Start whatever follows the feed of changes, and watches over alarms."""
        living = Living.of(self.settings, database, services.writer, services.now)
        self._undo.push_async_callback(living.happenings.messenger.close)
        for work in living.works(stats.refused_since, node):
            self._background(work)
        return living.happenings

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until the program stops; should it fail, say so at once."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_report_failure)
        self._undo.push_async_callback(_cancel, task)


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
        if app.first_password is not None:
            _welcome(app.first_password, app.http.port)
        await ended.wait()
        log.info("stopping")
    finally:
        await app.stop()
    log.info("stopped")


def _welcome(password: str, port: int) -> None:
    """Shown to whoever starts the program the first time, once, and kept in no log."""
    print(
        f"First start: sign in at http://127.0.0.1:{port}/ as `admin` with the one-time password {password}\n"
        "It is shown this once; `csms user password admin` makes another.",
        flush=True,
    )


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
