"""A worker process: holds stations like the whole program, and has nothing else of it. See `crew`.

It is started with the settings and one end of a socket pair. Over that it reaches the bus, and tells what it
counts; when the pair is closed the process that started it is gone, and it ends in good order.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack

import msgspec
import structlog

from csms import log as logs
from csms import protocol
from csms.cluster.courier import Courier
from csms.cluster.link import Link, LinkBus
from csms.config import Settings
from csms.errors import CsmsError
from csms.gateway import stats as gateway_stats
from csms.gateway.server import Gateway
from csms.handlers.context import PlatformRoute
from csms.live.relay import Relay
from csms.process import in_background, loop_factory, raise_file_limit, spare_the_collector
from csms.station_side import StationSide, open_database
from csms.store import commit_tallies
from csms.store.changes import ChangeFeed

log = structlog.get_logger()

TELL_EVERY_S = 1.0


def subject_of(crew: str) -> str:
    """Where the workers of one process tell what they count."""
    return f"csms.v1.crew.{crew}"


class Told(msgspec.Struct):
    """What a worker tells of itself. `refused`: wrong credentials since it last told, monotonic seconds."""

    worker: int
    pid: int
    is_open: bool
    connections: list[tuple[str, str, int]]  # OCPP version, state, number
    messages_dropped: int
    gateway: gateway_stats.Told
    commits: commit_tallies.Told
    refused: list[tuple[str, float]] = []


class Orders(msgspec.Struct, frozen=True):
    """What a worker is to be: its number, its name in the registry, the crew it belongs to, the port."""

    worker: int
    node: str
    crew: str
    port: int


def work(
    settings: Settings, platforms: tuple[PlatformRoute, ...], orders: Orders, end: socket.socket
) -> None:
    """The main function of the process: returns when its work is done."""
    logs.configure(settings.log.level, settings.log.format)
    structlog.contextvars.bind_contextvars(worker=orders.worker)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            runner.run(_work(settings, platforms, orders, end))
        except (CsmsError, OSError) as exc:
            log.error("worker_failed", error=str(exc))
            sys.exit(1)


async def _work(
    settings: Settings, platforms: tuple[PlatformRoute, ...], orders: Orders, end: socket.socket
) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    # Ctrl-C reaches every process of a terminal; in which order they stop is the first one's business.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    async with AsyncExitStack() as undo:
        bus = LinkBus(await Link.over(end))
        carrying = asyncio.create_task(bus.run())
        carrying.add_done_callback(lambda _: ended.set())
        undo.push_async_callback(bus.close)
        starting = asyncio.create_task(_start(settings, platforms, orders, bus, undo))
        await asyncio.wait([starting, carrying], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await ended.wait()
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
    log.info("worker_stopped")


async def _start(
    settings: Settings,
    platforms: tuple[PlatformRoute, ...],
    orders: Orders,
    bus: LinkBus,
    undo: AsyncExitStack,
) -> None:
    raise_file_limit()
    protocol.preload()
    database = await open_database(settings, undo)
    side = await StationSide.open(settings, database, platforms, undo)
    gateway, stats = side.gateway(Courier(bus), orders.node)
    gateway.port = orders.port
    relay = Relay(bus, ChangeFeed(database), side.services.writer, settings.live.progress_s)
    in_background(relay.run(), undo)
    await gateway.start()
    undo.push_async_callback(gateway.stop)
    in_background(_tell(orders, bus, side, gateway, stats), undo)
    spare_the_collector()


async def _tell(
    orders: Orders, bus: LinkBus, side: StationSide, gateway: Gateway, stats: gateway_stats.GatewayStats
) -> None:
    """Say once a second what was counted, for ever."""
    told_at = 0.0
    while True:
        told = Told(
            worker=orders.worker,
            pid=os.getpid(),
            is_open=gateway.is_open,
            connections=[(str(v), state, n) for (v, state), n in gateway.roster.count().items()],
            messages_dropped=side.messages.dropped,
            gateway=stats.told(),
            commits=side.commits.told(),
            refused=stats.refusals_since(told_at),
        )
        told_at = time.monotonic()
        await bus.publish(subject_of(orders.crew), msgspec.msgpack.encode(told))
        await asyncio.sleep(TELL_EVERY_S)
