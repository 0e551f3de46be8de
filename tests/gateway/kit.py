"""A door with a desk in memory behind it, and hands to knock with. No database, no real handlers."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from csms.cluster.bus import LocalBus
from csms.cluster.courier import Courier
from csms.config import GatewaySettings
from csms.domain.assets import BootStatus, ChargingStation, OcppVersion
from csms.domain.commands import (
    Amendment,
    AskTransaction,
    Command,
    GetVariables,
    Outcome,
    RawCall,
    Result,
    TransactionSaid,
)
from csms.domain.course import Step
from csms.domain.credentials import hash_password
from csms.domain.events import DataReceived, Event
from csms.errors import CommandNotSupported, StoreError
from csms.gateway.admission import Admission
from csms.gateway.auth import Account, Secret
from csms.gateway.desk import Budget, Done, Exchange, Parts, Refused
from csms.gateway.server import Gateway
from csms.gateway.stats import GatewayStats
from csms.handlers.context import MessageInfo, StationState
from csms.handlers.readings import Taken
from csms.protocol.dialect import Dialect, ErrorCodes
from csms.protocol.frames import Call

PASSWORD = b"0123456789abcdef"
VERSIONS = list(OcppVersion)
START = {
    OcppVersion.V16: "StartTransaction",
    OcppVersion.V201: "TransactionEvent",
    OcppVersion.V21: "TransactionEvent",
}
NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)


def codes(version: OcppVersion) -> ErrorCodes:
    """Each version's spelling, as the specifications have it."""
    is_16 = version is OcppVersion.V16
    return ErrorCodes(
        not_implemented="NotImplemented",
        not_supported="NotSupported",
        internal="InternalError",
        protocol="ProtocolError",
        security="SecurityError",
        malformed="FormationViolation" if is_16 else "FormatViolation",
        property_constraint="PropertyConstraintViolation",
        occurrence="OccurenceConstraintViolation" if is_16 else "OccurrenceConstraintViolation",
        type_constraint="TypeConstraintViolation",
        generic="GenericError",
        rpc_framework="" if is_16 else "RpcFrameworkError",
        message_type="" if is_16 else "MessageTypeNotSupported",
    )


def _reader(action: str) -> Callable[[Any], Event]:
    return lambda payload: DataReceived(action, "", payload)


def _write(command: Command) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(command, RawCall):
        return [(command.action, command.payload)]
    if isinstance(command, GetVariables):
        return [("ClearCache", {}) for _ in command.names]
    if isinstance(command, AskTransaction):
        return [("GetTransactionStatus", {"transactionId": command.transaction_id})]
    raise CommandNotSupported(type(command).__name__)


def _outcome(command: Command, action: str, payload: dict[str, Any]) -> Outcome:
    if action == "GetTransactionStatus":
        said = TransactionSaid(payload.get("ongoingIndicator"), payload["messagesInQueue"])
        return Outcome(Result.ACCEPTED, payload, transaction=said)
    result = Result.ACCEPTED if payload.get("status") == "Accepted" else Result.REJECTED
    return Outcome(result, payload)


def dialect(version: OcppVersion) -> Dialect:
    """A dialect of few words: what it reads is the payload itself. Meter values may be plain readings."""
    read = ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues", START[version])
    extra = ("NotifyReport", "NotifyPeriodicEventStream") if version is not OcppVersion.V16 else ()
    return Dialect(
        version=version,
        errors=codes(version),
        read={action: _reader(action) for action in (*read, *extra)},
        reply=lambda action, answer: {},
        write=_write,
        outcome=_outcome,
        transaction_actions=frozenset({START[version], "MeterValues"}),
        known_actions=frozenset({*read, *extra, "FirmwareStatusNotification", "ClearCache", "Reset"}),
        plain={"MeterValues": lambda payload: None},
        has_send=version is OcppVersion.V21,
    )


@dataclass
class Served:
    payload: bytes
    follow_ups: Sequence[Command] = ()
    is_kept: bool = False


@dataclass
class MemoryDesk:
    """A desk that remembers what came over it. `before` runs within `serve` and may wait or raise.

    `takes_readings`: meter values are readings on their way to the store until `commit`, unless they are odd.
    """

    ready: bool = True
    stations: dict[str, tuple[ChargingStation, Account]] = field(default_factory=dict)
    served: list[tuple[str, MessageInfo, Any]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)
    settled: list[tuple[str, bool]] = field(default_factory=list)
    heard: list[tuple[int, datetime]] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    before: Callable[[MessageInfo, Any], Any] | None = None
    follow_ups: list[Command] = field(default_factory=list)
    seen_fails: Exception | None = None
    epoch: int = 0
    takes_readings: bool = False
    in_flight: list[tuple[Taken, Done]] = field(default_factory=list)
    noted: list[Taken] = field(default_factory=list)

    def register(self, identity: str, password: bytes | None = PASSWORD, **changes: Any) -> ChargingStation:
        account_of = {k: changes.pop(k) for k in ("hex_on_wire", "previous") if k in changes}
        station = ChargingStation(
            station_id=len(self.stations) + 1,
            identity=identity,
            **({"boot_status": BootStatus.ACCEPTED} | changes),
        )
        secret = None if password is None else Secret(*hash_password(password))
        account = Account(station.security_profile, current=secret, **account_of)
        self.stations[identity] = (station, account)
        return station

    def now(self) -> datetime:
        return NOW

    def is_ready(self) -> bool:
        return self.ready

    async def find(self, identity: str) -> tuple[ChargingStation, Account] | None:
        return self.stations.get(identity)

    async def quarantine(self, identity: str, address: str, headers: Mapping[str, str]) -> None:
        self.strangers.append(identity)
        self.told.append(dict(headers))

    async def enrol(self, identity: str) -> ChargingStation:
        return self.register(identity, None, security_profile=0)

    async def settle_password(self, station: ChargingStation, is_previous: bool) -> None:
        self.settled.append((station.identity, is_previous))

    async def open(self, station: ChargingStation, version: OcppVersion, address: str) -> StationState:
        self.epoch += 1
        return StationState(station, dialect(version), self.epoch, address)

    async def connected(self, state: StationState) -> None:
        self.links.append((state.station.identity, "connected"))

    async def disconnected(self, state: StationState, code: int, reason: str) -> None:
        self.links.append((state.station.identity, f"disconnected {code}"))

    async def seen(self, when: Sequence[tuple[int, datetime]]) -> None:
        if self.seen_fails is not None:
            raise self.seen_fails
        self.heard += when

    def gate(self, state: StationState, action: str) -> str | None:
        if state.station.boot_status is BootStatus.ACCEPTED or action == "BootNotification":
            return None
        return "not accepted"

    def read(self, state: StationState, action: str, payload: bytes) -> Event:
        decoded = json.loads(bytes(payload))
        if decoded == {"bad": True}:
            raise Refused(state.dialect.errors.type_constraint, "bad is true")
        return state.dialect.read[action](decoded)

    def take_reading(self, state: StationState, call: Call, done: Done) -> Taken | None:
        if not self.takes_readings or b"odd" in bytes(call.payload):
            return None
        taken = Taken(call.message_id, Step(0, 0, None, -1, len(self.noted) + len(self.in_flight)))
        self.in_flight.append((taken, done))
        return taken

    async def amend(self, state: StationState, order: Amendment) -> Outcome:
        """Remembered in the order of everything else; `before` may wait or raise."""
        info = MessageInfo("", "amend", "", NOW)
        if self.before is not None:
            await self.before(info, order)
        self.served.append((state.station.identity, info, order))
        return Outcome(Result.ACCEPTED)

    def reading_stored(self, state: StationState, taken: Taken) -> None:
        self.noted.append(taken)

    def commit(self, refusal: StoreError | None = None) -> None:
        """The store has taken the oldest reading, or has refused it."""
        self.in_flight.pop(0)[1](refusal)

    async def serve(self, state: StationState, event: Event, info: MessageInfo) -> Served:
        assert isinstance(event, DataReceived)
        if self.before is not None:
            waiting = self.before(info, event.data)
            if waiting is not None:
                await waiting
        self.served.append((state.station.identity, info, event.data))
        if info.action == "BootNotification":
            state.booted_at = NOW
        follow_ups, self.follow_ups = self.follow_ups, []
        return Served(b'{"n":%d}' % len(self.served), follow_ups)

    def log(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    @property
    def actions(self) -> list[str]:
        return [info.action for _, info, _ in self.served]


def parts_of(desk: MemoryDesk, *, keep_log: bool = True, quiet_s: float = 0.0, **settings: Any) -> Parts:
    """What connections share, with times that suit tests."""
    defaults = {"host": "127.0.0.1", "port": 0, "handshakes_per_identity_burst": 100}
    chosen = GatewaySettings(**(defaults | settings))
    clock = asyncio.get_running_loop().time
    return Parts(
        settings=chosen,
        desk=desk,
        admission=Admission(chosen, clock),
        stats=GatewayStats(),
        budget=Budget(chosen.max_queued_bytes),
        clock=clock,
        keep_log=keep_log,
        quiet_s=quiet_s,
    )


def authorization(identity: str, password: bytes = PASSWORD) -> str:
    """A Basic header."""
    return "Basic " + base64.b64encode(identity.encode() + b":" + password).decode()


@dataclass
class HttpAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


class Door:
    """A gateway on a free port of loopback."""

    def __init__(self, desk: MemoryDesk | None = None, *, in_flight_s: float = 1.0, **settings: Any) -> None:
        self.desk = desk if desk is not None else MemoryDesk()
        self._options = settings
        self._in_flight_s = in_flight_s
        self._clients = AsyncExitStack()

    async def __aenter__(self) -> "Door":
        self.parts = parts_of(self.desk, **({"close_timeout_s": 0.5} | self._options))
        self.courier = Courier(LocalBus())
        self.gateway = Gateway(self.parts, self.courier, in_flight_s=self._in_flight_s)
        await self.gateway.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._clients.aclose()
        await self.gateway.stop()

    async def connect(
        self,
        identity: str,
        version: str | None = "ocpp1.6",
        *,
        password: bytes = PASSWORD,
        path: str = "/ocpp/",
        **options: Any,
    ) -> ClientConnection:
        """The real client, closed with the door."""
        offered = None if version is None else [Subprotocol(v.strip()) for v in version.split(",")]
        options = {"compression": None, "ping_interval": None, "close_timeout": 0.5} | options
        headers = options.pop("additional_headers", {"Authorization": authorization(identity, password)})
        client = connect(
            f"ws://127.0.0.1:{self.gateway.port}{path}{identity}",
            subprotocols=offered,
            additional_headers=headers,
            **options,
        )
        return await self._clients.enter_async_context(client)

    async def raw(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare TCP connection, closed with the door."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port, local_addr=(source, 0))
        self._clients.callback(writer.close)
        return reader, writer

    async def knock(
        self, path: str, headers: dict[str, str] | None = None, *, source: str = "127.0.0.1"
    ) -> HttpAnswer:
        """A handshake by hand; what HTTP answers."""
        reader, writer = await self.raw(source)
        writer.write(request(path, headers))
        try:
            return await read_answer(reader)
        finally:
            writer.close()

    async def upgraded(
        self, identity: str, version: str = "ocpp1.6"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection after a good handshake."""
        reader, writer = await self.raw()
        headers = {"Authorization": authorization(identity), "Sec-WebSocket-Protocol": version}
        writer.write(request(f"/ocpp/{identity}", headers))
        answer = await read_answer(reader)
        assert answer.status == 101, answer
        return reader, writer


def request(path: str, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a handshake."""
    all_headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    } | (headers or {})
    lines = "".join(f"{k}: {v}\r\n" for k, v in all_headers.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


async def read_answer(reader: asyncio.StreamReader) -> HttpAnswer:
    """Status, headers (lower case) and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return HttpAnswer(int(head[0].split(" ")[1]), headers, body)


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload of a server's frame."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 0x0F, await reader.readexactly(size)


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code of the server's close frame; other frames before it are read over."""
    while True:
        opcode, payload = await asyncio.wait_for(read_frame(reader), 5)
        if opcode == 8:
            return int.from_bytes(payload[:2], "big")


async def until(condition: Callable[[], bool], within_s: float = 3.0) -> None:
    """Wait for a condition that something else brings about."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - whatever it is, it does not know that a test waits
            await asyncio.sleep(0.002)


def call(message_id: str, action: str, payload: object = None) -> str:
    """A CALL."""
    return json.dumps([2, message_id, action, {} if payload is None else payload])


class MemoryWire:
    """A wire that ends in lists."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.closed: tuple[int, str] | None = None
        self.is_paused = False
        self.pauses = 0

    def send(self, frame: bytes) -> None:
        assert self.closed is None, "nothing may be sent after closing"
        self.sent.append(json.loads(frame))

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def pause(self) -> None:
        assert not self.is_paused
        self.is_paused = True
        self.pauses += 1

    def resume(self) -> None:
        assert self.is_paused
        self.is_paused = False
