"""The real HTTP application over a real database, two operators, and a courier told what to say."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from csms.api.auth import new_key
from csms.api.parts import ApiParts, Availability, Evidence
from csms.api.server import build_api
from csms.books.desk import Desk as Books
from csms.config import GatewaySettings, PlatformSettings, ReportingSettings, Settings
from csms.domain.assets import IdToken, OcppVersion
from csms.domain.commands import Command, Outcome, Result
from csms.domain.registers import MeterState
from csms.domain.scope import Scope
from csms.domain.sequence import SequenceState
from csms.gateway.stats import LATENCY_BOUNDS_S, GatewayStats
from csms.handlers.amendments import Amender
from csms.handlers.context import Services
from csms.live_parts import Living
from csms.reporting.yearbook import YearbookWriter
from csms.store.asset_counts import AssetCounts
from csms.store.assets import AssetStore
from csms.store.batches import BatchStore
from csms.store.chart_totals import ChartTotals
from csms.store.command_queries import CommandDesk
from csms.store.commit_tallies import CommitTallies
from csms.store.database import Database
from csms.store.deliveries import DeliveryStore
from csms.store.devices import DeviceStore
from csms.store.disputes import DisputeStore
from csms.store.ids import Ids
from csms.store.once import OnceStore
from csms.store.outbox import Outbox
from csms.store.places import Places
from csms.store.platforms import PlatformStore
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.reports import ReportStore
from csms.store.schedules import ScheduleStore
from csms.store.session_codec import Progress
from csms.store.session_rows import SessionInsert
from csms.store.sessions import SessionStore
from csms.store.station_desk import StationDesk
from csms.store.tariffs import TariffStore
from csms.store.times import micros
from csms.store.upkeep import UpkeepStore
from csms.store.users import UserStore
from csms.store.writer import Write, Writer

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
MINE, OTHER = "123456789", "987654321"
PASSWORD = b"0123456789abcdef"
FIRST_SESSION = 1_767_261_600_000_001
NO_PROGRESS = msgspec.json.encode(Progress(SequenceState(), MeterState())).decode()


class TellingCourier:
    """A courier that remembers what it was given and says what the test wants."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Command]] = []
        self.outcome = Outcome(Result.ACCEPTED, {"status": "Accepted"})
        self.takes_s = 0.0
        self.changed: list[str] = []

    async def told_of(self, identity: str) -> None:
        """A registration was changed."""
        self.changed.append(identity)

    async def send(self, identity: str, command: Command, within_s: float, number: int = 0) -> Outcome:
        self.sent.append((identity, command))
        await asyncio.sleep(self.takes_s)
        return self.outcome


@dataclass
class Desk:
    """The application and everything behind it, for one test."""

    app: FastAPI
    parts: ApiParts
    database: Database
    writer: Writer
    courier: TellingCourier
    clock: list[datetime]
    keys: dict[tuple[str, Scope], str] = field(default_factory=dict)

    async def key(self, role: str = "admin", operator: str | None = None, *sites: str) -> str:
        """An API key of this role and scope; the same one each time."""
        scope = Scope(operator, frozenset(sites) if sites else None)
        if (role, scope) not in self.keys:
            key, digest = new_key()
            await self.parts.registry.put_api_key(f"{role} of a test", digest, role, scope, self.clock[0])
            self.keys[role, scope] = key
        return self.keys[role, scope]

    async def client(
        self, role: str = "admin", operator: str | None = None, *sites: str
    ) -> httpx.AsyncClient:
        """A client with a key of this role and scope."""
        return self.anonymous({"Authorization": f"Bearer {await self.key(role, operator, *sites)}"})

    def anonymous(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client without a key."""
        transport = httpx.ASGITransport(self.app, client=("192.0.2.99", 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://csms.test", headers=headers)

    async def add_session(self, number: int = 0, station: str = "CS-0001", **over: Any) -> int:
        """A session of `station`, ended unless `over` says otherwise. Its number."""
        known = await self.parts.registry.station(station)
        assert known is not None
        at = micros(NOW - timedelta(hours=2) + timedelta(minutes=number))
        session_id = FIRST_SESSION + number
        row = session_row(session_id, known.station_id, known.site_id, known.operator_id, at)
        await self.writer.write(Write(known.station_id, 0, [row._replace(**over)]))
        return session_id

    async def write(self, *records: Any, station_id: int = 1) -> None:
        """Rows as a station's message would put them down."""
        await self.writer.write(Write(station_id, 0, list(records)))

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        """Everything in a table."""
        return [dict(row._mapping) for row in await self.database.read(table.select())]


def session_row(
    session_id: int, station_id: int, site_id: int | None, operator_id: int | None, at: int
) -> SessionInsert:
    """An ended session of 22.5 kWh."""
    values = {
        "session_id": session_id,
        "station_id": station_id,
        "site_id": site_id,
        "operator_id": operator_id,
        "ocpp_version": "ocpp1.6",
        "transaction_id": str(session_id % 1_000_000),
        "start_key": f"start/{session_id}",
        "evse": 1,
        "connector": 1,
        "token": "A1",
        "token_folded": "a1",
        "token_type": "ISO14443",
        "authorization": "accepted",
        "authorization_reason": "",
        "state": "ended",
        "started_at": at,
        "received_at": at + 500_000,
        "ended_at": at + 2_700_000_000,
        "end_received_at": at + 2_700_500_000,
        "meter_start_wh": 1000,
        "meter_stop_wh": 23500,
        "energy_wh": 22500,
        "energy_source": "registers",
        "stop_reason": "local",
        "flags": "",
        "revision": 1,
        "remote_start_id": None,
        "charging_state": "",
        "last_event_at": at + 2_700_000_000,
        "suspected_at": None,
        "progress": NO_PROGRESS,
        "heard": 1,
    }
    return SessionInsert(**values)


def settings_of() -> Settings:
    """Settings with one platform for the first operator."""
    secret = "0123456789abcdef"
    platform = PlatformSettings(
        name="beijing",
        profile="beijing",
        url="http://127.0.0.1:9/evcs",
        operator=MINE,
        operator_secret=secret,
        data_secret=secret,
        data_secret_iv=secret,
        sig_secret=secret,
    )
    return Settings(
        gateway=GatewaySettings(command_expiry_s=1), reporting=ReportingSettings(platforms=[platform])
    )


async def fill(registry: Registry, now: datetime) -> None:
    """Two operators, each with a site S01 or S09 and a station; one token."""
    for code, site, identity in ((MINE, "S01", "CS-0001"), (OTHER, "S09", "CS-0009")):
        await registry.put_operator(OperatorForm(code, f"Operator {code}", "Asia/Shanghai"))
        await registry.put_site(SiteForm(site, code, f"Site {site}", 39.9, 116.4))
        await registry.put_station(StationForm(identity, site, max_power_w=60_000), now)
        station = await registry.station(identity)
        assert station is not None
        await registry.raise_epoch(
            station.station_id, now=now, version=OcppVersion.V16, node="a", remote_address="192.0.2.17"
        )
    await registry.put_token(IdToken("A1"), now)


_free: list[FastAPI] = []


@contextmanager
def application(parts: ApiParts) -> Iterator[FastAPI]:
    """An application over these parts. Making one takes a second: one that nobody changed serves again."""
    app = _free.pop() if _free else build_api(parts)
    app.state.parts = parts
    routes = len(app.routes)
    yield app
    if len(app.routes) == routes:
        _free.append(app)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Desk]:
    """The application over the database at `url`, with two operators in it."""
    clock, courier, commits = [NOW], TellingCourier(), CommitTallies()
    database = await Database.open(url)
    try:
        async with Writer(database, fence=False, observe=commits.observe) as writer:
            registry = Registry(database)
            await fill(registry, NOW)
            services = Services(
                settings_of(), writer, registry, SessionStore(database), DeviceStore(database),
                Ids(database, lambda: clock[0]), lambda: clock[0],
            )  # fmt: skip
            amender = Amender(services, courier, UpkeepStore(database))
            settings = settings_of()
            happenings = Living.of(settings, database, writer, lambda: clock[0]).happenings
            parts = ApiParts(
                settings=settings,
                registry=registry,
                sessions=SessionStore(database),
                tariffs=TariffStore(database),
                devices=DeviceStore(database),
                reports=ReportStore(database),
                availability=Availability.of(database),
                evidence=Evidence.of(database, amender.carry_out),
                outbox=Outbox(database),
                platforms=PlatformStore(database),
                disputes=DisputeStore(database),
                limits={("beijing", "charge-order"): 150.0},
                quarantine=Quarantine(database),
                desk=CommandDesk(database),
                once=OnceStore(database),
                places=Places(database),
                stations=StationDesk(database),
                batches=BatchStore(database),
                batch_results=lambda: {"accepted": 3},
                courier=courier,
                users=UserStore(database),
                assets=AssetStore(database),
                yearbook=YearbookWriter(AssetCounts(database)).answer,
                live=happenings,
                writer=writer,
                commits=commits,
                gateway=GatewayStats(),
                latency_bounds_s=LATENCY_BOUNDS_S,
                connections=lambda: {("ocpp1.6", "accepted"): 2},
                gateway_listens=lambda: True,
                workers=lambda: 1,
                messages_dropped=lambda: 0,
                now=lambda: clock[0],
                station_changed=courier.told_of,
                books=Books(database, settings_of()),
                charts=ChartTotals(database),
                schedules=ScheduleStore(database),
                deliveries=DeliveryStore(database),
            )
            with application(parts) as app:
                yield Desk(app, parts, database, writer, courier, clock)
    finally:
        await database.close()


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    """The application over SQLite."""
    async with opened(sqlite_url) as desk:
        yield desk


@pytest.fixture
async def desk_on_each(database_url: str) -> AsyncIterator[Desk]:
    """The application over each kind of database in turn."""
    async with opened(database_url) as desk:
        yield desk


@pytest.fixture
def desk_document(desk: Desk) -> dict[str, Any]:
    """The OpenAPI document."""
    return desk.app.openapi()
