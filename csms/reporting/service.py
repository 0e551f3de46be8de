"""Builds what serves city platforms: one route and one desk each, the deliverer, producers, the pruner.

`app` runs what `works` gives, each for ever.
"""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from csms.config import PlatformSettings, ReportingSettings
from csms.reporting.desk import PlatformDesk, SeqOf
from csms.reporting.feeds import Feeds
from csms.reporting.lane import Platform
from csms.reporting.outbox import Deliverer
from csms.reporting.periodic import CostSoFar, Periodic
from csms.reporting.places import Inventory, Places
from csms.reporting.pruning import Pruner
from csms.reporting.reconciliation import Reconciliation
from csms.reporting.routes import Route
from csms.reporting.tcec.client import Pairs, PlatformClient
from csms.reporting.tcec.envelope import pair
from csms.reporting.tcec.profile import load_profile
from csms.store.database import Database
from csms.store.disputes import DisputeStore
from csms.store.envelope_numbers import EnvelopeNumbers
from csms.store.feeds import FeedStore
from csms.store.live_states import LiveStates
from csms.store.outbox import Outbox
from csms.store.platforms import PlatformStore


@dataclass(frozen=True, slots=True)
class Lookups:
    """What other parts know. `seq_of`: names platforms gave to sessions; `cost_so_far`: running costs."""

    inventory: Inventory | None = None
    seq_of: SeqOf | None = None
    cost_so_far: CostSoFar | None = None


class Reporting:
    """Everything that is pushed to city platforms."""

    def __init__(
        self,
        settings: ReportingSettings,
        database: Database,
        clients: Mapping[str, Platform],
        now: Callable[[], datetime],
        lookups: Lookups = Lookups(),
    ) -> None:
        """Raises ProfileError. A platform without a client is paused by the settings; it is owed all."""
        self.routes = tuple(_route(one, lookups.inventory, now) for one in settings.platforms)
        live, platforms, disputes = LiveStates(database), PlatformStore(database), DisputeStore(database)
        desks = {
            route.name: PlatformDesk(
                route.name, route.profile, route.places, live, disputes, now, lookups.seq_of
            )
            for route in self.routes
        }
        self._deliverer = Deliverer(Outbox(database), clients, settings, now, desks=desks)
        self._periodic = Periodic(self.routes, live, platforms, lookups.cost_so_far)
        self._feeds = Feeds(self.routes, FeedStore(database), platforms)
        self._checks = Reconciliation(self.routes, platforms, disputes)
        self._pruner = Pruner(platforms, timedelta(days=settings.outbox_retention_days), now)

    def works(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What is to run for as long as the program does."""
        yield self._deliverer.run()
        yield self._periodic.run()
        yield self._feeds.run()
        yield self._checks.run()
        yield self._pruner.run()


def clients_of(settings: ReportingSettings, database: Database) -> dict[str, PlatformClient]:
    """One client for each platform that is not paused by the settings; who makes them closes them.

    Raises ProfileError or BadEnvelope.
    """
    return {
        one.name: PlatformClient.from_settings(one, pairs=_pairs(one.name, database))
        for one in settings.platforms
        if not one.paused
    }


def _pairs(name: str, database: Database) -> Pairs:
    """TimeStamp and Seq, unlike those of all other processes."""
    numbers = EnvelopeNumbers(database, name)

    async def give(now: datetime) -> tuple[str, str]:
        return pair(*await numbers.take(now))

    return give


def limits_of(settings: ReportingSettings) -> dict[tuple[str, str], float]:
    """Seconds within which records are on time, by platform and kind; kinds without a limit are left out.

    Raises ProfileError.
    """
    return {
        (one.name, kind): push.within_s
        for one in settings.platforms
        for kind, push in load_profile(one.profile).sent().items()
        if push.within_s is not None
    }


def _route(one: PlatformSettings, inventory: Inventory | None, now: Callable[[], datetime]) -> Route:
    profile = load_profile(one.profile)
    return Route(
        one.name, one.operator, profile, Places(inventory, one.operator, profile, one.sites, now), now
    )
