"""The house as reporting tests need it: real store and writer, a clock one can set, a city's client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.config import ReportingSettings, Settings
from csms.domain import session as rules
from csms.domain.assets import ChargingStation, TokenStatus, TokenVerdict
from csms.domain.events import PresentedToken, SessionEnded, SessionMetered, SessionStarted
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.session import ChargingSession, MessageInfo
from csms.handlers.context import PlatformRoute, Services
from csms.reporting.tcec.client import Account, PlatformClient
from csms.reporting.tcec.envelope import Keys
from csms.reporting.tcec.profile import load_profile
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.records import Record
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.session_codec import records_of
from csms.store.sessions import SessionStore
from csms.store.writer import Write, Writer
from simulators.city import CityPlatform
from simulators.city_seal import Secrets

OPERATOR = "123456789"
KEYS = ("data-secret-0001", "data-iv-00000001", "sig-secret")
SECRETS = Secrets("operator-secret", *KEYS)
T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
A1 = PresentedToken("A1", "ISO14443")
ACCEPTED = TokenVerdict(TokenStatus.ACCEPTED)


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self, start: datetime = T0) -> None:
        self.at = start

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


def reporting(**changes: Any) -> ReportingSettings:
    """Settings with short polls."""
    return ReportingSettings(**{"poll_s": 0.02, **changes})


def services_of(
    database: Database, writer: Writer, clock: Clock, routes: tuple[PlatformRoute, ...] = (), **changes: Any
) -> Services:
    """The parts of the program over `database`."""
    return Services(
        settings=Settings(reporting=reporting(**changes)),
        writer=writer,
        registry=Registry(database),
        sessions=SessionStore(database),
        devices=DeviceStore(database),
        ids=Ids(database, clock),
        now=clock,
        platforms=routes,
    )


async def sites(
    services: Services, sites: int = 1, stations: int = 1, zone: str = "Asia/Shanghai"
) -> list[ChargingStation]:
    """Sites S01... of one operator with charging stations S01-1... each."""
    registry, made = services.registry, []
    await registry.put_operator(OperatorForm(OPERATOR, "Operator", zone))
    for s in range(1, sites + 1):
        await registry.put_site(SiteForm(f"S{s:02d}", OPERATOR, "Site", 39.9, 116.4))
        for n in range(1, stations + 1):
            form = StationForm(f"S{s:02d}-{n}", f"S{s:02d}", max_power_w=120_000)
            await registry.put_station(form, services.now())
            station = await registry.station(form.identity)
            assert station is not None
            made.append(station)
    return made


@dataclass
class Told:
    """A session told message by message and written as a handler writes it."""

    services: Services
    station: ChargingStation
    session_id: int
    session: ChargingSession | None = None
    readings: list[Reading] = field(default_factory=list)

    @property
    def now(self) -> ChargingSession:
        """The session as it stands."""
        assert self.session is not None
        return self.session

    async def start(self, at: datetime, wh: int = 1000, evse: int = 1) -> ChargingSession:
        return await self._tell(SessionStarted(None, at, evse, 1, A1, wh), at)

    async def meter(self, at: datetime, wh: int, arrived: datetime | None = None) -> ChargingSession:
        reading = Reading(at, ENERGY_IMPORT_REGISTER, wh * 1000)
        event = SessionMetered(str(self.session_id), at, 1, 1, readings=(reading,))
        return await self._tell(event, arrived or at)

    async def stop(self, at: datetime, wh: int, arrived: datetime | None = None) -> ChargingSession:
        return await self._tell(SessionEnded(str(self.session_id), at, meter_stop_wh=wh), arrived or at)

    async def whole(self, at: datetime, lasts: timedelta, wh: int, evse: int = 1) -> ChargingSession:
        """A session from start to stop, without readings between."""
        await self.start(at, evse=evse)
        return await self.stop(at + lasts, 1000 + wh)

    async def _tell(self, event: rules.SessionEvent, arrived: datetime) -> ChargingSession:
        before, message = self.session, MessageInfo("m", f"{hash(event) & (2**64 - 1):016x}")
        if before is None:
            change = rules.begin(
                event,
                station=self.station,
                session_id=self.session_id,
                transaction_id=str(self.session_id),
                version="ocpp1.6",
                verdict=ACCEPTED,
                arrived=arrived,
                message=message,
            )
        else:
            needed = rules.needs_history(before, event)
            change = rules.apply(
                before,
                event,
                station=self.station,
                arrived=arrived,
                message=message,
                history=list(self.readings) if needed else None,
            )
        self.readings += change.readings
        self.session = change.session
        records: list[Record] = records_of(change, self.station, before)
        await self.services.writer.write(Write(self.station.station_id, 0, records))
        return change.session


def order(n: int = 1, **other: Any) -> dict[str, Any]:
    """The payload of a charge order."""
    return {
        "start_charge_seq": f"{OPERATOR}{n:018d}",
        "operator_id": OPERATOR,
        "site_code": "S01",
        "identity": "S01-1",
        "evse": 1,
        "connector": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T01:00:00Z",
        "energy_wh": 1000 + n,
        "revision": 1,
    } | other


@asynccontextmanager
async def client_of(city: CityPlatform, *, total_s: float = 30.0) -> AsyncIterator[PlatformClient]:
    """A client of the city over real HTTP."""
    account = Account("city", city.url, OPERATOR, SECRETS.operator_secret, Keys(*KEYS))
    client = PlatformClient(load_profile("simulated"), account, total_s=total_s)
    try:
        yield client
    finally:
        await client.close()


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    """Wait until `holds()` is true."""
    async with asyncio.timeout(within_s):
        # What is waited for is another process's or a database's state: there is no event to wait for.
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def cancelled(task: "asyncio.Task[None] | asyncio.Task[int]") -> None:
    """Cancel and wait for the end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
