"""The gateway over the real house: handlers, dialects, SQLite on disk."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from csms.cluster.bus import LocalBus
from csms.cluster.courier import Courier
from csms.config import Settings
from csms.domain.assets import BootStatus, ChargingStation, OcppVersion
from csms.domain.charging_session import Evidence
from csms.domain.commands import ClearCache, Result
from csms.domain.credentials import hash_password
from csms.gateway.admission import Admission
from csms.gateway.desk import Budget, Parts, Refused
from csms.gateway.server import Gateway
from csms.gateway.stats import GatewayStats
from csms.gateway.store_desk import StoreDesk, account_of
from csms.handlers.context import Services, StationState
from csms.protocol import DIALECTS
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.message_log import MessageLog
from csms.store.migrations import upgrade_database
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import Credentials, Registry, StationForm
from csms.store.sessions import SessionFilter, SessionStore
from csms.store.station_desk import StationDesk
from csms.store.writer import Writer
from tests.gateway.kit import PASSWORD, VERSIONS, authorization, until

EACH = pytest.mark.parametrize("version", VERSIONS)

BOOT: dict[OcppVersion, dict[str, Any]] = {
    OcppVersion.V16: {"chargePointVendor": "V", "chargePointModel": "M"},
    OcppVersion.V201: {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}},
    OcppVersion.V21: {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}},
}
START_16 = {"connectorId": 1, "idTag": "A1", "meterStart": 100, "timestamp": "2026-01-01T10:00:00Z"}
START_2 = {
    "eventType": "Started",
    "timestamp": "2026-01-01T10:00:00Z",
    "triggerReason": "CablePluggedIn",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "tx-1"},
    "evse": {"id": 1, "connectorId": 1},
}


class House:
    """Everything between the socket and the disk."""

    def __init__(self, gateway: Gateway, services: Services, stack: AsyncExitStack) -> None:
        self.gateway = gateway
        self.registry = services.registry
        self.services = services
        self.courier: Courier
        self.desk: StoreDesk
        self.stations: StationDesk
        self.quarantine: Quarantine
        self._stack = stack

    async def register(self, identity: str = "CS-1", **fields: Any) -> None:
        form = StationForm(identity, **({"secret": hash_password(PASSWORD)} | fields))
        await self.registry.put_station(form, _now())

    async def connect(self, identity: str, version: OcppVersion, **options: Any) -> ClientConnection:
        headers = {"Authorization": authorization(identity, options.pop("password", PASSWORD))}
        client = connect(
            f"ws://127.0.0.1:{self.gateway.port}/{identity}",
            subprotocols=[Subprotocol(version.value)],
            additional_headers=headers,
            ping_interval=None,
            close_timeout=0.5,
        )
        return await self._stack.enter_async_context(client)


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def house(directory: Path, **gateway_settings: Any) -> AsyncIterator[House]:
    """The parts as `app` puts them together, on a free port."""
    settings = Settings(gateway={"host": "127.0.0.1", "port": 0, "close_timeout_s": 0.5} | gateway_settings)
    async with AsyncExitStack() as stack:
        database = await Database.open(f"sqlite:///{directory}/csms.db", 2)
        stack.push_async_callback(database.close)
        await upgrade_database(database)
        writer = await stack.enter_async_context(Writer(database, hold_s=0.1))
        messages = await stack.enter_async_context(MessageLog(database, settings.messages, _now))
        services = Services(
            settings=settings,
            writer=writer,
            registry=Registry(database),
            sessions=SessionStore(database),
            devices=DeviceStore(database),
            ids=Ids(database, _now),
            now=_now,
        )
        desk = StoreDesk(services, messages)
        parts = Parts(
            settings=settings.gateway,
            desk=desk,
            admission=Admission(settings.gateway, time.monotonic),
            stats=GatewayStats(),
            budget=Budget(settings.gateway.max_queued_bytes),
            clock=time.monotonic,
        )
        courier = Courier(LocalBus())
        gateway = Gateway(parts, courier, in_flight_s=1)
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        clients = await stack.enter_async_context(AsyncExitStack())
        made = House(gateway, services, clients)
        made.courier, made.desk, made.stations = courier, desk, StationDesk(database)
        made.quarantine = Quarantine(database)
        yield made


async def ask(station: ClientConnection, message_id: str, action: str, payload: object) -> Any:
    """A CALL and its answer."""
    await station.send(json.dumps([2, message_id, action, payload]))
    answer = json.loads(await asyncio.wait_for(station.recv(), 5))
    assert answer[1] == message_id
    return answer[2] if answer[0] == 3 else answer


@EACH
async def test_boot_and_a_session(tmp_path: Path, version: OcppVersion) -> None:
    """A station boots and starts a session; both are in the database when the answer is here."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)

        assert (await ask(station, "1", "BootNotification", BOOT[version]))["status"] == "Accepted"
        if version is OcppVersion.V16:
            answer = await ask(station, "2", "StartTransaction", START_16)
            assert answer["transactionId"] > 0
        else:
            await ask(station, "2", "TransactionEvent", START_2)

        registered = await there.registry.station("CS-1")
        assert registered is not None
        assert (registered.boot_status, registered.vendor) == (BootStatus.ACCEPTED, "V")
        (session,) = (await there.services.sessions.find(SessionFilter(), most=10)).items
        assert session["state"] == "active"


@EACH
async def test_r04_a_start_repeated_over_a_new_connection(tmp_path: Path, version: OcppVersion) -> None:
    """R04, T02: the answer was lost, the station reconnects: one session, the same answer."""
    action, payload = (
        ("StartTransaction", START_16) if version is OcppVersion.V16 else ("TransactionEvent", START_2)
    )
    async with house(tmp_path) as there:
        await there.register()
        first = await there.connect("CS-1", version)
        await ask(first, "1", "BootNotification", BOOT[version])
        answer = await ask(first, "2", action, payload)

        second = await there.connect("CS-1", version)

        assert await ask(second, "99", action, payload) == answer
        assert len((await there.services.sessions.find(SessionFilter(), most=10)).items) == 1


@EACH
async def test_r24_a_pending_station(tmp_path: Path, version: OcppVersion) -> None:
    """R24: SecurityError before it has booted, also for what cannot be read."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)

        for message_id, payload in (("1", {}), ("2", {"nonsense": 1})):
            answer = await ask(station, message_id, "Heartbeat", payload)
            expected = "SecurityError"
            assert answer[2] == expected or (version is OcppVersion.V16 and answer[0] == 4)


@EACH
async def test_r27_an_unknown_vendor(tmp_path: Path, version: OcppVersion) -> None:
    """R27: DataTransfer of a vendor nobody knows."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)
        await ask(station, "1", "BootNotification", BOOT[version])

        answer = await ask(station, "2", "DataTransfer", {"vendorId": "com.example"})

        assert answer["status"] == "UnknownVendorId"


@EACH
async def test_a_command_and_the_message_log(tmp_path: Path, version: OcppVersion) -> None:
    """Over the courier and back; both directions are kept for operators."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)
        await ask(station, "1", "BootNotification", BOOT[version])

        outcome = asyncio.create_task(there.courier.send("CS-1", ClearCache(), 3))
        request = json.loads(await station.recv())
        assert request[2:] == ["ClearCache", {}]
        await station.send(json.dumps([3, request[1], {"status": "Accepted"}]))
        assert (await outcome).result is Result.ACCEPTED

        registered = await there.registry.station("CS-1")
        assert registered is not None
        await there.desk._message_log.flush()
        page = await there.services.devices.messages(registered.station_id)
        assert {(m["direction"], m["action"]) for m in page.items} == {
            ("in", "BootNotification"),
            ("out", "ClearCache"),
        }


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_a_gap_is_asked_about_over_the_wire(tmp_path: Path, version: OcppVersion) -> None:
    """E14: behind the answer to the event that shows it; what the station says is kept and acted upon."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)
        await ask(station, "1", "BootNotification", BOOT[version])
        await ask(station, "2", "TransactionEvent", START_2 | {"timestamp": _now().isoformat()})
        late = START_2 | {"eventType": "Updated", "seqNo": 2, "timestamp": _now().isoformat()}

        assert await ask(station, "3", "TransactionEvent", late) == {}
        request = json.loads(await asyncio.wait_for(station.recv(), 5))
        await station.send(json.dumps([3, request[1], {"ongoingIndicator": False, "messagesInQueue": False}]))

        assert request[2:] == ["GetTransactionStatus", {"transactionId": "tx-1"}]
        connection = next(iter(there.gateway.roster.lines())).connection
        await connection.settled()
        (session,) = (await there.services.sessions.find(SessionFilter(), most=10)).items
        assert session["state"] == "suspected-ended"
        stored = await there.services.sessions.by_id(int(session["session_id"]))
        assert stored is not None
        assert stored.suspected_by is Evidence.STATION_SAYS


async def test_h01_strangers_are_kept_for_registration(tmp_path: Path) -> None:
    """H01: 404 and a record in quarantine."""
    async with house(tmp_path) as there:
        with pytest.raises(InvalidStatus, match="404"):
            await there.connect("NEW-1", OcppVersion.V16)

        assert await there.registry.station("NEW-1") is None
        (stranger,) = (await there.quarantine.find()).items
        assert stranger["headers"]["Sec-WebSocket-Protocol"] == "ocpp1.6"


async def test_strangers_are_served_in_demonstrations(tmp_path: Path) -> None:
    """`quarantine-accept`: registered, and let in again the same way."""
    async with house(tmp_path, unknown_stations="quarantine-accept") as there:
        for _ in range(2):
            station = await there.connect("NEW-1", OcppVersion.V16)
            answer = await ask(station, "1", "BootNotification", BOOT[OcppVersion.V16])
            assert answer["status"] == "Accepted"


async def test_h12_h14_a_password_changes(tmp_path: Path) -> None:
    """H12, H14: both hold until one is used; then only that one."""
    new = b"the-new-password"
    async with house(tmp_path) as there:
        await there.register()
        await there.stations.begin_rotation("CS-1", hash_password(new))

        await there.connect("CS-1", OcppVersion.V16, password=new)

        with pytest.raises(InvalidStatus, match="401"):
            await there.connect("CS-1", OcppVersion.V16)
        await there.connect("CS-1", OcppVersion.V16, password=new)


async def test_h13_the_old_password_settles_it_too(tmp_path: Path) -> None:
    """H13, H14: the station never took the new one."""
    new = b"the-new-password"
    async with house(tmp_path) as there:
        await there.register()
        await there.stations.begin_rotation("CS-1", hash_password(new))

        await there.connect("CS-1", OcppVersion.V16)

        with pytest.raises(InvalidStatus, match="401"):
            await there.connect("CS-1", OcppVersion.V16, password=new)


@EACH
async def test_a_database_that_is_held(tmp_path: Path, version: OcppVersion) -> None:
    """F04: longer than the hold: no answer, 1013, then 503; afterwards everything goes on by itself."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)
        there.services.writer.healthy = False

        await station.send(json.dumps([2, "1", "BootNotification", BOOT[version]]))
        with pytest.raises(ConnectionClosed, match="1013"):
            await station.recv()
        with pytest.raises(InvalidStatus, match="503"):
            await there.connect("CS-1", version)

        there.services.writer.healthy = True
        again = await there.connect("CS-1", version)
        assert (await ask(again, "1", "BootNotification", BOOT[version]))["status"] == "Accepted"


@EACH
async def test_deviations_are_counted(tmp_path: Path, version: OcppVersion) -> None:
    """By vendor, model, action and what was wrong; the station is answered all the same."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", version)
        await ask(station, "1", "BootNotification", BOOT[version])

        await ask(station, "2", "Heartbeat", {"unknown": 1})

        assert [key[:3] for key in there.desk.findings] == [("V", "M", "Heartbeat")]


async def test_last_seen_and_links_are_kept(tmp_path: Path) -> None:
    """When it came, when it was heard, when it went."""
    async with house(tmp_path) as there:
        await there.register()
        station = await there.connect("CS-1", OcppVersion.V16)
        await there.gateway._sweeper.note_seen()
        await station.close()
        await until(lambda: not there.gateway._tasks and not len(there.gateway.roster))

        shown = await there.services.devices.shown("CS-1")

        assert shown is not None
        assert shown["state"] == "offline"
        assert shown["last_seen_at"] is not None


def test_what_the_registry_keeps_becomes_an_account() -> None:
    """Half a secret is none."""
    station = ChargingStation(1, "CS-1")
    full = Credentials(station, True, 1, 1, b"s", b"h", b"ps", b"ph", True)
    none = Credentials(station, True, 0, 0, None, None, b"ps", None, False)

    account = account_of(full)
    assert (account.current, account.previous) == ((b"s", b"h"), (b"ps", b"ph"))
    assert (account.highest_profile, account.hex_on_wire) == (1, True)
    assert (account_of(none).current, account_of(none).previous) == (None, None)


async def test_r09_an_unreadable_payload_is_refused_in_the_versions_words(tmp_path: Path) -> None:
    """R09-R12: the code comes from the dialect."""
    async with house(tmp_path) as there:
        state = StationState(ChargingStation(1, "CS-1"), DIALECTS[OcppVersion.V16], 1)

        with pytest.raises(Refused) as refused:
            there.desk.read(state, "Authorize", b"{}")

        assert refused.value.code == "OccurenceConstraintViolation"
