"""What the HTTP API is made from. The lead-in for `app`, which builds every part."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Request

from csms.api.metrics import CommitTallies, GatewayNumbers
from csms.config import Settings
from csms.domain.commands import Command, Outcome
from csms.store.command_queries import CommandDesk
from csms.store.devices import DeviceStore
from csms.store.outbox import Outbox
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import Registry
from csms.store.reports import ReportStore
from csms.store.sessions import SessionStore


class Sender(Protocol):
    """Carries a command to a charging station, wherever it is connected."""

    async def send(self, identity: str, command: Command, within_s: float) -> Outcome:
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
class ApiParts:
    """Everything the API uses. Built once by `app`.

    `connections()` counts open sockets by (OCPP version, state); `gateway_listens()` is None for a process
    without a gateway; `messages_dropped()` counts lost entries of the message log.
    """

    settings: Settings
    registry: Registry
    quarantine: Quarantine
    sessions: SessionStore
    devices: DeviceStore
    reports: ReportStore
    outbox: Outbox
    desk: CommandDesk
    courier: Sender
    writer: WriterState
    commits: CommitTallies
    gateway: GatewayNumbers
    latency_bounds_s: Sequence[float]
    connections: Callable[[], Mapping[tuple[str, str], int]]
    gateway_listens: Callable[[], bool] | None
    messages_dropped: Callable[[], int]
    now: Callable[[], datetime]
    station_changed: Callable[[str], Awaitable[None]]
    """Tell whoever holds the station's connection that its registration changed."""
    last_used: dict[int, datetime] = field(default_factory=dict)


def parts_of(request: Request) -> ApiParts:
    """The parts of the application that serves `request`."""
    parts: ApiParts = request.app.state.parts
    return parts


Parts = Annotated[ApiParts, Depends(parts_of)]
