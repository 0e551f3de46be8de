"""What the messages of stations go through in one process: writer, handlers, message log, gateway.

The whole program has it once; with `gateway.workers` each worker process has one of its own.
"""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from csms.cluster.courier import Courier
from csms.config import Settings
from csms.gateway.admission import Admission
from csms.gateway.desk import Budget, Parts
from csms.gateway.server import Gateway
from csms.gateway.stats import GatewayStats
from csms.gateway.store_desk import StoreDesk
from csms.handlers.context import PlatformRoute, Services
from csms.process import utc_now
from csms.store.commit_tallies import CommitTallies
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.message_log import MessageLog
from csms.store.registry import Registry
from csms.store.sealing import seal_for
from csms.store.sessions import SessionStore
from csms.store.writer import Writer


async def open_database(settings: Settings, undo: AsyncExitStack) -> Database:
    """The database with the key to its secrets; `undo` closes it. Raises StoreUnavailable and ConfigError."""
    database = await Database.open(settings.database.url, settings.database.read_connections)
    undo.push_async_callback(database.close)
    database.seal = seal_for(settings.database.url, settings.database.secrets_key.get_secret_value())
    return database


@dataclass(frozen=True, slots=True)
class StationSide:
    """Parts that run."""

    services: Services
    messages: MessageLog
    commits: CommitTallies

    @classmethod
    async def open(
        cls,
        settings: Settings,
        database: Database,
        platforms: tuple[PlatformRoute, ...],
        undo: AsyncExitStack,
    ) -> "StationSide":
        """Start the parts; `undo` stops them. Raises StoreUnavailable."""
        commits = CommitTallies()
        writer = Writer(
            database,
            hold_s=settings.database.hold_s,
            max_waiting=settings.database.max_waiting,
            # Several processes may have had a station: on PostgreSQL always, on SQLite with workers.
            fence=True if settings.gateway.workers > 1 else None,
            observe=commits.observe,
        )
        await undo.enter_async_context(writer)
        messages = await undo.enter_async_context(MessageLog(database, settings.messages, utc_now))
        services = Services(
            settings=settings,
            writer=writer,
            registry=Registry(database),
            sessions=SessionStore(database),
            devices=DeviceStore(database),
            ids=Ids(database, utc_now),
            now=utc_now,
            platforms=platforms,
        )
        return cls(services, messages, commits)

    def gateway(self, courier: Courier, node: str) -> tuple[Gateway, GatewayStats]:
        """The door to it, not yet open, and what it counts. `node` names the process in the registry."""
        settings, stats = self.services.settings, GatewayStats()
        own = settings.gateway.of_one_worker()
        parts = Parts(
            settings=own,
            desk=StoreDesk(self.services, self.messages, node),
            admission=Admission(own, time.monotonic),
            stats=stats,
            budget=Budget(own.max_queued_bytes),
            clock=time.monotonic,
            keep_log=settings.messages.log,
            handler_limit_s=settings.database.hold_s + 2,
        )
        return Gateway(parts, courier), stats
