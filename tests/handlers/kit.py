"""A house in memory for handlers: real store and writer over SQLite inline, a clock one can set, stations.

A `Talk` is one connection of one station, without frames: payloads in, answers out.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Select, select

from csms.config import Settings
from csms.domain.assets import OcppVersion
from csms.domain.commands import Command
from csms.handlers import dispatch
from csms.handlers.context import MessageInfo, PlatformRoute, Services, StationState
from csms.protocol import DIALECTS, read
from csms.reporting.totals import Totaller
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.reading_rows import samples_of
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.reports import ReportStore
from csms.store.session_codec import DUE_SOON
from csms.store.sessions import SessionFilter, SessionStore
from csms.store.tables import outbox, readings
from csms.store.writer import Writer

T0 = datetime(2026, 1, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OPERATOR, OTHER = "123456789", "987654321"
ROUTES = (
    PlatformRoute("city", OPERATOR),
    PlatformRoute("orders-only", OPERATOR, statuses=False),
    PlatformRoute("elsewhere", OTHER),
)
Payload = dict[str, Any]


def text(at: datetime) -> str:
    """As OCPP writes it."""
    return at.isoformat().replace("+00:00", "Z")


@dataclass
class House:
    """One process. Two over one database are two nodes."""

    database: Database
    writer: Writer
    settings: Settings = field(default_factory=Settings)
    routes: tuple[PlatformRoute, ...] = ROUTES
    at: datetime = T0

    def __post_init__(self) -> None:
        self.services = Services(
            settings=self.settings,
            writer=self.writer,
            registry=Registry(self.database),
            sessions=SessionStore(self.database),
            devices=DeviceStore(self.database),
            ids=Ids(self.database, lambda: self.at),
            now=lambda: self.at,
            platforms=self.routes,
        )

    async def connect(self, version: OcppVersion = OcppVersion.V16, identity: str = "CS-1") -> "Talk":
        """A station connects, registered before if it was not."""
        registry = self.services.registry
        if await registry.station(identity) is None:
            await registry.put_operator(OperatorForm(OPERATOR, "Operator", "Asia/Shanghai"))
            await registry.put_site(SiteForm("S01", OPERATOR, "Site"))
            await registry.put_station(StationForm(identity, "S01", max_power_w=60_000), self.at)
        station = await registry.station(identity)
        assert station is not None
        epoch = await registry.raise_epoch(station.station_id, now=self.at, version=version)
        return Talk(self, await dispatch.open_station(self.services, station, version, epoch, "127.0.0.1"))

    async def sessions(self) -> list[Payload]:
        """As the API gives them, oldest first."""
        return list(reversed((await self.services.sessions.find(SessionFilter(), most=1000)).items))

    async def settle(self) -> None:
        """What was told before is priced, totalled and owed, as it is soon after the last message."""
        self.at += DUE_SOON
        totaller = Totaller(self.services, ReportStore(self.database))
        while await totaller.compute_due():
            pass

    async def owed(self, kind: str, platform: str = "city") -> list[tuple[str, Payload]]:
        """What a platform is owed, in order: (about, payload)."""
        wanted = select(outbox).where(outbox.c.kind == kind, outbox.c.platform == platform)
        rows = await self._rows(wanted.order_by(outbox.c.outbox_id))
        return [(row.about, json.loads(row.payload)) for row in rows]

    async def unclaimed(self, talk: "Talk") -> list[tuple[int, float]]:
        """(EVSE, value) of readings that belong to no session of the station, which owns them itself."""
        wanted = select(readings).where(readings.c.station_id == talk.state.station.station_id)
        rows = await self._rows(wanted.order_by(readings.c.at, readings.c.evse))
        return [(row.evse, value / 1000) for row in rows for _, value, *_ in samples_of(row.samples)]

    async def events(self, talk: "Talk", kind: str | None = None) -> list[Payload]:
        """What happened to the station, oldest first."""
        page = await self.services.devices.events(talk.state.station.station_id, kind=kind)
        return list(reversed(page.items))

    async def _rows(self, statement: Select[Any]) -> list[Any]:
        return await self.database.look(partial(_all, statement))


def _all(statement: Select[Any], connection: Connection) -> list[Any]:
    return list(connection.execute(statement))


@dataclass
class Talk:
    """One connection. Message ids count up; a payload may be said again."""

    house: House
    state: StationState
    said: int = 0
    asked: list[Command] = field(default_factory=list)
    """What the station is told after its messages, in order."""

    async def say(self, action: str, payload: Payload) -> Payload:
        """Say something and hear the answer; raises what leaves a message without one."""
        raw = json.dumps(payload).encode()
        self.said += 1
        event, _ = read(self.state.dialect, action, raw)
        digest = blake2b(raw, digest_size=16).hexdigest()
        info = MessageInfo(f"m{self.said}", action, digest, self.house.at)
        served = await dispatch.serve(self.house.services, self.state, event, info)
        self.asked += served.follow_ups
        answer: Payload = json.loads(served.payload)
        return answer

    async def boot(self) -> Payload:
        """BootNotification."""
        if self.is_16:
            return await self.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        station = {"vendorName": "V", "model": "M"}
        return await self.say("BootNotification", {"chargingStation": station, "reason": "PowerUp"})

    async def status(self, status: str, evse: int = 1, at: datetime | None = None) -> Payload:
        """StatusNotification."""
        when = text(at or self.house.at)
        if self.is_16:
            payload = {"connectorId": evse, "errorCode": "NoError", "status": status, "timestamp": when}
        else:
            payload = {"timestamp": when, "connectorStatus": status, "evseId": evse, "connectorId": 1}
        return await self.say("StatusNotification", payload)

    async def start(self, wh: int = 1000, *, token: str = "A1", evse: int = 1) -> int:
        """1.6 StartTransaction now; the transaction id."""
        answer = await self.say("StartTransaction", start_16(self.house.at, wh, token, evse))
        return int(answer["transactionId"])

    async def stop(self, transaction_id: int, wh: int, at: datetime | None = None, **more: Any) -> Payload:
        """1.6 StopTransaction."""
        return await self.say("StopTransaction", stop_16(transaction_id, at or self.house.at, wh, **more))

    async def meter(self, wh: int, transaction_id: int | None = None, evse: int = 1) -> Payload:
        """1.6 MeterValues now."""
        return await self.say("MeterValues", meter_16(self.house.at, wh, transaction_id, evse))

    @property
    def is_16(self) -> bool:
        """Whether it speaks 1.6."""
        return self.state.dialect is DIALECTS[OcppVersion.V16]


def start_16(at: datetime, wh: int = 1000, token: str = "A1", evse: int = 1) -> Payload:
    """StartTransaction."""
    return {"connectorId": evse, "idTag": token, "meterStart": wh, "timestamp": text(at)}


def stop_16(transaction_id: int, at: datetime, wh: int, **more: Any) -> Payload:
    """StopTransaction."""
    return {"transactionId": transaction_id, "meterStop": wh, "timestamp": text(at), **more}


def meter_16(at: datetime, wh: int, transaction_id: int | None = None, evse: int = 1) -> Payload:
    """MeterValues with or without a transaction."""
    named = {} if transaction_id is None else {"transactionId": transaction_id}
    return {"connectorId": evse, **named, "meterValue": [_sampled(at, str(wh))]}


def event_2(
    kind: str, at: datetime, seq: int, wh: int | None = None, tx: str = "TX-1", **more: Any
) -> Payload:
    """TransactionEvent at EVSE 1."""
    reading = {} if wh is None else {"meterValue": [_sampled(at, wh)]}
    return {
        "eventType": kind,
        "timestamp": text(at),
        "triggerReason": "Authorized",
        "seqNo": seq,
        "transactionInfo": {"transactionId": tx},
        "evse": {"id": 1, "connectorId": 1},
        **reading,
        **more,
    }


def _sampled(at: datetime, value: object) -> Payload:
    return {"timestamp": text(at), "sampledValue": [{"value": value}]}
