"""What city platforms pull and command, as one part of the program: its routes, its watch over orders.

The only file of the server that knows them all.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Self

import structlog
from starlette.routing import BaseRoute

from csms.config import PlatformSettings, Settings
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.server import door, interfaces
from csms.reporting.tcec.server.catalogue import Catalogue
from csms.reporting.tcec.server.charges import Charges, costs_told
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.keeper import Keeper
from csms.reporting.tcec.server.notices import Notices
from csms.reporting.tcec.server.orders_desk import OrdersDesk, Sender
from csms.reporting.tcec.server.receiver import Receiver
from csms.reporting.tcec.server.starting import Starter
from csms.reporting.tcec.server.stopping import Stopper
from csms.store.assets import AssetStore
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.live_states import LiveStates, SessionNow
from csms.store.platform_envelopes import EnvelopeStore
from csms.store.platform_orders import PlatformOrders
from csms.store.platforms import PlatformStore
from csms.store.recent_events import RecentEvents
from csms.store.registry import Registry
from csms.store.running_costs import RunningCosts
from csms.store.sessions import SessionStore
from csms.store.site_names import SiteNames
from csms.store.tariffs import TariffStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Means:
    """What the server works with. `expiry_s`: how long a command may wait for its station."""

    database: Database
    courier: Sender
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    expiry_s: float


class CityServer:
    """Made once. `routes` go to the HTTP port; inside the context it looks after what platforms started."""

    def __init__(self, settings: Sequence[PlatformSettings], means: Means) -> None:
        """Raises ConfigError for platforms that cannot be told apart, BadEnvelope for unusable keys."""
        made = (Inbound.of(one, load_profile(one.profile)) for one in settings)
        platforms = {one.name: one for one in made if one is not None}
        self._tasks: set[asyncio.Task[Any]] = set()
        now, database = means.now, means.database
        self._orders = PlatformOrders(database)
        envelopes, sessions, live = EnvelopeStore(database), SessionStore(database), LiveStates(database)
        catalogue = Catalogue(AssetStore(database), SiteNames(database), live, now)
        desk = OrdersDesk(CommandDesk(database), means.courier, now, means.expiry_s)
        starter = Starter(catalogue, self._orders, desk, now, self._keep)
        stopper = Stopper(catalogue, self._orders, sessions, desk, now, self._keep)
        registry, tariffs, self._costs = Registry(database), TariffStore(database), RunningCosts(database)
        charges = Charges(catalogue, self._orders, sessions, registry, live, tariffs, self._costs, now)
        notices = Notices(catalogue, live, RecentEvents(database), PlatformStore(database), now)
        answers = interfaces.Desk(catalogue, live, charges, notices, starter, stopper, now)
        self._receiver = Receiver(envelopes, partial(interfaces.answer, answers), now, means.monotonic)
        self._keeper = Keeper(platforms, self._orders, sessions, envelopes, desk, now)
        self.platforms = platforms
        self.routes: list[BaseRoute] = door.routes(platforms.values(), self._receiver)

    @classmethod
    def of(
        cls, settings: Settings, database: Database, courier: Sender, now: Callable[[], datetime]
    ) -> "CityServer":
        """The server for config.yaml. Raises as `__init__` does, and ProfileError."""
        expiry_s = settings.gateway.command_expiry_s
        return cls(settings.reporting.platforms, Means(database, courier, now, time.monotonic, expiry_s))

    @property
    def queries(self) -> Mapping[tuple[str, str, str], int]:
        """Requests since the start, by platform, kind of query, and Ret."""
        return self._receiver.queries

    async def cost_so_far(self, one: SessionNow) -> Mapping[str, Any]:
        """Money and details of a session under way, by names of ChargeStatus; empty without a tariff."""
        return costs_told(await self._costs.of(one.session))

    async def __aenter__(self) -> Self:
        if self.platforms:
            self._keep(asyncio.create_task(self._keeper.run(), name="orders of city platforms"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what goes on after its answer. What it did not get done, another look will find."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.error("city_command_failed", task=task.get_name(), error=repr(exc))
