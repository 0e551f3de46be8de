"""What is served over HTTP, made of the program's parts: the API, the console, what cities ask.

`app` opens and starts the parts; here they are only put together.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import FastAPI

from csms.api.batch_runner import BatchRunner
from csms.api.page_door import PageDoor
from csms.api.parts import ApiParts, Availability, Evidence, Happenings
from csms.api.server import build_api
from csms.api.shield import page_policy
from csms.books.desk import Desk
from csms.cluster.courier import Courier
from csms.config import PlatformSettings, Settings
from csms.config_http import ConsoleSettings
from csms.console import ConsoleParts, Tiles, mount
from csms.doors import Door
from csms.gateway.stats import LATENCY_BOUNDS_S
from csms.handlers.amendments import Amender
from csms.handlers.context import PlatformRoute, Services
from csms.reporting.service import limits_of
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.server.service import CityServer
from csms.reporting.yearbook import YearbookWriter, rules_of
from csms.store.asset_counts import AssetCounts
from csms.store.assets import AssetStore
from csms.store.batches import BatchStore
from csms.store.chart_totals import ChartTotals
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.deliveries import DeliveryStore
from csms.store.disputes import DisputeStore
from csms.store.once import OnceStore
from csms.store.outbox import Outbox
from csms.store.places import Places
from csms.store.platforms import PlatformStore
from csms.store.quarantine_queries import Quarantine
from csms.store.reports import ReportStore
from csms.store.schedules import ScheduleStore
from csms.store.station_desk import StationDesk
from csms.store.status import StatusReader
from csms.store.tariffs import TariffStore
from csms.store.upkeep import UpkeepStore
from csms.store.users import UserStore


@dataclass(frozen=True, slots=True)
class Served:
    """Parts that run."""

    settings: Settings
    database: Database
    services: Services
    courier: Courier
    door: Door
    city: CityServer
    live: Happenings
    runner: BatchRunner


def build_http(served: Served) -> FastAPI:
    """The application of the HTTP port."""
    settings, api_parts = served.settings, api_parts_of(served)
    api = build_api(api_parts)
    api.router.routes.extend(served.city.routes)
    scopes = tuple((one.name, one.operator) for one in settings.reporting.platforms)
    status = StatusReader(served.database, scopes)
    tiles = tiles_of(settings.console)
    mount(api, ConsoleParts(settings.http.status_page, status, PageDoor(api_parts), tiles))
    return api


def tiles_of(settings: ConsoleSettings) -> Tiles | None:
    """The ground of the map; its host may be asked by that page alone."""
    if not settings.tile_url:
        return None
    parts = urlsplit(settings.tile_url)
    policy = page_policy(f"{parts.scheme}://{parts.netloc}")
    return Tiles(settings.tile_url, settings.tile_attribution, policy)


def api_parts_of(served: Served) -> ApiParts:
    """Everything the API uses."""
    settings, database, door = served.settings, served.database, served.door
    amender = Amender(served.services, served.courier, UpkeepStore(database))
    return ApiParts(
        settings=settings,
        registry=served.services.registry,
        quarantine=Quarantine(database),
        sessions=served.services.sessions,
        tariffs=TariffStore(database),
        devices=served.services.devices,
        reports=ReportStore(database),
        availability=Availability.of(database),
        evidence=Evidence.of(database, amender.carry_out),
        outbox=Outbox(database),
        platforms=PlatformStore(database),
        disputes=DisputeStore(database),
        limits=limits_of(settings.reporting),
        desk=CommandDesk(database),
        once=OnceStore(database),
        places=Places(database),
        stations=StationDesk(database),
        batches=BatchStore(database),
        batch_results=lambda: served.runner.results,
        courier=served.courier,
        assets=AssetStore(database),
        users=UserStore(database),
        yearbook=YearbookWriter(AssetCounts(database), rules_of(settings.yearbook)).answer,
        live=served.live,
        writer=served.services.writer,
        commits=door.commits,
        gateway=door.stats,
        latency_bounds_s=LATENCY_BOUNDS_S,
        connections=door.connections,
        gateway_listens=lambda: door.workers > 0,
        workers=lambda: door.workers,
        messages_dropped=door.messages_dropped,
        now=served.services.now,
        city_queries=lambda: served.city.queries,
        station_changed=served.courier.station_changed,
        books=Desk(database, settings),
        charts=ChartTotals(database),
        schedules=ScheduleStore(database),
        deliveries=DeliveryStore(database),
    )


def route_of(platform: PlatformSettings) -> PlatformRoute:
    """What a platform is owed. One that is paused is owed it too: it gets everything when it is resumed."""
    profile = load_profile(platform.profile)
    status, order, hour = (
        profile.push(kind) is not None for kind in ("connector-status", "charge-order", "hour-total")
    )
    return PlatformRoute(platform.name, platform.operator, status, order, hour)
