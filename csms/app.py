"""Builds every part from the settings, starts them in order and stops them in the reverse order.

Together with `parts`, which makes what is served over HTTP, the only file that knows them all. `run` is a
process; `App` can also live inside another one (tests).
"""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

import structlog

from csms import protocol
from csms.api.batch_runner import BatchRunner
from csms.api.first_admin import first_administrator
from csms.api.parts import Happenings
from csms.cluster.bus import Bus, LocalBus
from csms.cluster.courier import Courier
from csms.config import Settings
from csms.crew import Crew, nodes_of_workers
from csms.doors import Door, OwnDoor
from csms.errors import ConfigError
from csms.gateway.stats import GatewayStats
from csms.handlers.context import Services
from csms.http_server import HttpServer
from csms.live.relay import hear
from csms.live_parts import Living
from csms.parts import Served, build_http, route_of
from csms.process import in_background, loop_factory, raise_file_limit, spare_the_collector, utc_now
from csms.reporting.deliveries import document_works
from csms.reporting.precautions import strangers
from csms.reporting.service import Lookups, Reporting, clients_of
from csms.reporting.tcec.server.service import CityServer
from csms.reporting.totals import Totaller
from csms.reporting.upkeep import Upkeep
from csms.reporting.use_keeper import UseKeeper
from csms.station_side import StationSide, open_database
from csms.store.assets import AssetStore
from csms.store.batches import BatchStore
from csms.store.database import Database
from csms.store.migrations import upgrade_database
from csms.store.platform_orders import PlatformOrders
from csms.store.registry import Registry
from csms.store.reports import ReportStore
from csms.store.sealed_columns import seal_all
from csms.store.upkeep import UpkeepStore

log = structlog.get_logger()

SETTLE_S = 5.0  # after a start, in which stations come back before batches go on


class App:
    """The whole program. `start`, then `stop`; after a failed `start`, `stop` undoes what there is."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._undo = contextlib.AsyncExitStack()
        self.gateway: Door
        self.http: HttpServer
        self.first_password: str | None = None
        """The one-time password of the first administrator, at the very first start."""

    async def start(self) -> None:
        """Open the database, start every part, listen. Raises what keeps it from serving."""
        settings, now, undo = self.settings, utc_now, self._undo
        raise_file_limit()
        protocol.preload()
        database = await open_database(settings, undo)
        await upgrade_database(database)
        await seal_all(database)
        self.first_password = await first_administrator(database)
        # A process of its own has no name to keep apart: hosts in containers are named anew each time.
        node = settings.cluster.node_name if settings.cluster.nats_url else ""
        await Registry(database).forget_connections(node, *nodes_of_workers(node))
        routes = tuple(route_of(one) for one in settings.reporting.platforms)
        side = await StationSide.open(settings, database, routes, undo)
        services = side.services
        clients = clients_of(settings.reporting, database)
        for client in clients.values():
            self._undo.push_async_callback(client.close)
        await services.sessions.catch_up()
        for problem in await strangers(settings.reporting, services.registry):
            log.warning("platform_settings_doubtful", problem=problem)
        bus = await self._open_bus()
        courier = Courier(bus)
        self.gateway = door = self._door(side, bus, courier, node)
        city = await self._undo.enter_async_context(CityServer.of(settings, database, courier, now))
        lookups = Lookups(
            inventory=AssetStore(database),
            seq_of=PlatformOrders(database).seq_of,
            cost_so_far=city.cost_so_far,
        )
        reporting = Reporting(settings.reporting, database, clients, now, lookups)
        for work in (*reporting.works(), *document_works(settings, database, now)):
            in_background(work, undo)
        in_background(Totaller(services, ReportStore(database)).run(), undo)
        in_background(Upkeep(services, UpkeepStore(database)).run(), undo)
        in_background(UseKeeper(database, now, settings.reporting.grace_s).run(), undo)
        live = self._follow_events(database, services, bus, door.stats, node)
        runner = BatchRunner(BatchStore(database), courier, now, settings.gateway.command_expiry_s)
        http = build_http(
            Served(
                settings=settings,
                database=database,
                services=services,
                courier=courier,
                door=door,
                city=city,
                live=live,
                runner=runner,
            )
        )
        self.http = HttpServer(http, settings)
        with _port_is_ours("gateway", settings.gateway.host, settings.gateway.port):
            await self.gateway.start()
        self._undo.push_async_callback(self.gateway.stop)
        in_background(runner.run(SETTLE_S), undo)
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

    def _door(self, side: StationSide, bus: Bus, courier: Courier, node: str) -> Door:
        """In this process, or worker processes that share the port."""
        if self.settings.gateway.workers == 1:
            return OwnDoor(side, courier, node)
        services = side.services

        async def left(worker: str) -> None:
            await services.registry.forget_connections(worker)
            await services.sessions.catch_up()

        return Crew(self.settings, services.platforms, bus, node, side.commits, left)

    def _follow_events(
        self, database: Database, services: Services, bus: Bus, stats: GatewayStats, node: str
    ) -> Happenings:
        """Start whatever follows the feed of changes, and watches over alarms."""
        living = Living.of(self.settings, database, services.writer, services.now)
        self._undo.push_async_callback(living.happenings.messenger.close)
        for work in living.works(stats.refused_since, node):
            in_background(work, self._undo)
        in_background(hear(bus, living.happenings.tail), self._undo)
        return living.happenings


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


@contextlib.contextmanager
def _port_is_ours(section: str, host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ConfigError(
            f"{section}.port: {host}:{port} cannot be used ({exc.strerror or exc}); "
            f"stop the program that has it, or set another {section}.port"
        ) from exc
