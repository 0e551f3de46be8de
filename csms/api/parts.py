"""What the HTTP API is made from. The lead-in for `app`, which builds every part."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from csms.api.kept import Kept
from csms.api.metrics import GatewayNumbers
from csms.api.throttle import Throttle
from csms.books.desk import Desk
from csms.config import Settings
from csms.domain.commands import Amendment, Order, Outcome
from csms.live.messenger import Messenger
from csms.live.tail import Tail
from csms.store.alarms import AlarmStore
from csms.store.assets import AssetStore
from csms.store.batches import BatchStore
from csms.store.chart_totals import ChartTotals
from csms.store.command_queries import CommandDesk
from csms.store.commit_tallies import CommitTallies
from csms.store.curve_queries import CurveStore
from csms.store.database import Database
from csms.store.deliveries import DeliveryStore
from csms.store.devices import DeviceStore
from csms.store.disputes import DisputeStore
from csms.store.exclusions import Exclusions
from csms.store.message_search import MessageSearch
from csms.store.nevi import NeviSessions
from csms.store.once import OnceStore
from csms.store.orphan_queries import Orphans
from csms.store.outbox import Outbox
from csms.store.places import Places
from csms.store.platform_totals import PlatformTotals
from csms.store.platforms import PlatformStore
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import Registry
from csms.store.reports import ReportStore
from csms.store.schedules import ScheduleStore
from csms.store.session_story import SessionStories
from csms.store.session_told import SessionTold
from csms.store.session_totals import SessionTotals
from csms.store.sessions import SessionStore
from csms.store.station_desk import StationDesk
from csms.store.tariffs import TariffStore
from csms.store.token_queries import TokenStore
from csms.store.uptime import UptimeReports
from csms.store.users import UserStore
from csms.store.webhooks import WebhookStore
from csms.store.work_queues import WorkQueues


class Sender(Protocol):
    """Carries a command to a charging station, wherever it is connected."""

    async def send(self, identity: str, command: Order, within_s: float, number: int = 0) -> Outcome:
        """What came of it; never raises for what a station or node does."""


class WriterState(Protocol):
    """How the writer of stations' messages fares."""

    @property
    def healthy(self) -> bool:
        """Whether the database takes writes."""

    @property
    def waiting(self) -> int:
        """Writes that wait for a commit."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What connectors did, by period and by regime."""

    totals: PlatformTotals
    reports: UptimeReports
    nevi_sessions: NeviSessions
    exclusions: Exclusions

    @classmethod
    def of(cls, database: Database) -> "Availability":
        """All of it over one database."""
        return cls(
            PlatformTotals(database), UptimeReports(database), NeviSessions(database), Exclusions(database)
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an operator's desk asks of sessions, readings, tokens and messages, and says of sessions."""

    totals: SessionTotals
    stories: SessionStories
    told: SessionTold
    curves: CurveStore
    orphans: Orphans
    tokens: TokenStore
    messages: MessageSearch
    amend: Callable[[str, Amendment], Awaitable[Outcome]]
    """Has a session of a station changed as a person says."""

    @classmethod
    def of(cls, database: Database, amend: Callable[[str, Amendment], Awaitable[Outcome]]) -> "Evidence":
        """All of it over one database."""
        return cls(
            SessionTotals(database),
            SessionStories(database),
            SessionTold(database),
            CurveStore(database),
            Orphans(database),
            TokenStore(database),
            MessageSearch(database),
            amend,
        )


@dataclass(frozen=True, slots=True)
class Happenings:
    """What goes on, who is told of it, what is wrong, and what waits for a person."""

    tail: Tail
    webhooks: WebhookStore
    messenger: Messenger
    alarms: AlarmStore
    queues: WorkQueues


@dataclass(frozen=True, slots=True)
class ApiParts:
    """Everything the API uses. Built once by `app`.

    `connections()` counts open sockets by (OCPP version, state); `gateway_listens()` is None for a process
    without a gateway; `messages_dropped()` counts lost entries of the message log.
    """

    settings: Settings
    registry: Registry
    places: Places
    stations: StationDesk
    batches: BatchStore
    batch_results: Callable[[], Mapping[str, int]]
    """Stations that this process has given a batch's command, by result."""
    quarantine: Quarantine
    sessions: SessionStore
    tariffs: TariffStore
    devices: DeviceStore
    reports: ReportStore
    availability: Availability
    evidence: Evidence
    outbox: Outbox
    platforms: PlatformStore
    disputes: DisputeStore
    limits: Mapping[tuple[str, str], float]
    """Seconds within which records are on time, by platform and kind."""
    desk: CommandDesk
    once: OnceStore
    courier: Sender
    assets: AssetStore
    users: UserStore
    yearbook: Callable[[date, str | None], Awaitable[dict[str, Any]]]
    """The yearbook as of a date, perhaps of one operator only, as it is answered."""
    live: Happenings
    writer: WriterState
    commits: CommitTallies
    gateway: GatewayNumbers
    latency_bounds_s: Sequence[float]
    connections: Callable[[], Mapping[tuple[str, str], int]]
    gateway_listens: Callable[[], bool] | None
    workers: Callable[[], int]
    """Processes that let stations in."""
    messages_dropped: Callable[[], int]
    now: Callable[[], datetime]
    station_changed: Callable[[str], Awaitable[None]]
    """Tell whoever holds the station's connection that its registration changed."""
    books: Desk
    """Makes exports, statements and receipts."""
    charts: ChartTotals
    schedules: ScheduleStore
    deliveries: DeliveryStore
    city_queries: Callable[[], Mapping[tuple[str, str, str], int]] = dict
    """What city platforms asked: by platform, kind of query, and Ret."""
    last_used: dict[int, datetime] = field(default_factory=dict)
    throttle: Throttle = field(default_factory=Throttle)
    sign_ins: Counter[str] = field(default_factory=Counter)
    """Attempts to sign in by how they went."""
    figures: Kept[Any] = field(default_factory=Kept)
    answers: Kept[bool] = field(default_factory=Kept)
    """What the database says for `/metrics`, and whether it answers, for `/readyz`."""


def parts_of(request: Request) -> ApiParts:
    """The parts of the application that serves `request`."""
    parts: ApiParts = request.app.state.parts
    return parts


Parts = Annotated[ApiParts, Depends(parts_of)]
