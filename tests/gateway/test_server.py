"""The door as a whole: takeover, stop, caps, commands over the courier."""

import asyncio
import gc
import json
import resource
import socket
import subprocess
import sys
import tracemalloc

import pytest
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from csms.domain.assets import ChargingStation, OcppVersion
from csms.domain.commands import RawCall, Result
from csms.errors import StaleEpoch, StoreUnavailable
from csms.handlers.context import StationState
from tests.gateway.kit import START, VERSIONS, Door, MemoryDesk, authorization, call, request, until

EACH = pytest.mark.parametrize("version", VERSIONS)


async def heartbeat(station: ClientConnection, message_id: str = "h") -> None:
    await station.send(call(message_id, "Heartbeat"))
    assert json.loads(await station.recv())[:2] == [3, message_id]


async def closed_with(station: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(station.recv(), 3)
    return station.close_code


@EACH
async def test_h31_the_newest_connection_wins(version: OcppVersion) -> None:
    """H31: the old one is closed, and its end does not take the new one off the list."""
    async with Door() as door:
        door.desk.register("CS-1")
        old = await door.connect("CS-1", version.value)
        new = await door.connect("CS-1", version.value)

        assert await closed_with(old) == 4001
        await until(lambda: ("CS-1", "disconnected 4001") in door.desk.links)

        await heartbeat(new)
        assert "CS-1" in door.gateway.roster
        assert door.parts.stats.takeovers == 1
        outcome = asyncio.create_task(door.courier.send("CS-1", RawCall("ClearCache", {}), 2))
        request = json.loads(await new.recv())
        await new.send(json.dumps([3, request[1], {"status": "Accepted"}]))
        assert (await outcome).result is Result.ACCEPTED


@EACH
async def test_h31_what_the_old_one_is_storing_is_waited_for(version: OcppVersion) -> None:
    """H31: the new connection loads its state after it; the old one gets no answer."""
    order: list[str] = []

    class Slow(MemoryDesk):
        async def open(self, station: ChargingStation, v: OcppVersion, address: str) -> StationState:
            order.append(f"open with {len(self.served)} served")
            return await super().open(station, v, address)

    async with Door(Slow()) as door:
        door.desk.register("CS-1")
        old = await door.connect("CS-1", version.value)
        gate = asyncio.Event()
        door.desk.before = lambda info, data: gate.wait()
        await old.send(call("a", START[version]))
        await until(lambda: door.gateway.roster.find("CS-1").is_busy)

        coming = asyncio.create_task(door.connect("CS-1", version.value))
        assert await closed_with(old) == 4001
        gate.set()
        new = await coming

        assert order == ["open with 0 served", "open with 1 served"]
        await heartbeat(new)


async def test_h31_many_at_once_leave_one() -> None:
    """H31: ten simultaneous handshakes of one station: one stays, and it works."""
    async with Door() as door:
        door.desk.register("CS-1")

        stations = await asyncio.gather(*(door.connect("CS-1") for _ in range(10)))

        await until(lambda: sum(s.state.name == "OPEN" for s in stations) == 1)
        (survivor,) = (s for s in stations if s.state.name == "OPEN")
        await heartbeat(survivor)
        assert len(door.gateway.roster) == 1
        assert len(door.gateway._turns) == 0


@EACH
async def test_h33_a_zombie_does_not_keep_its_station_out(version: OcppVersion) -> None:
    """H33: accepted at once although the old socket never says goodbye; its pending calls end."""
    async with Door() as door:
        door.desk.register("CS-1")
        _, writer = await door.upgraded("CS-1", version.value)
        pending = asyncio.create_task(door.courier.send("CS-1", RawCall("ClearCache", {}), 5))
        await until(lambda: door.gateway.roster.find("CS-1")._rpc.outstanding is not None)

        new = await door.connect("CS-1", version.value)

        await heartbeat(new)
        assert (await pending).result is Result.SILENT
        writer.close()


async def test_h34_two_holders_of_one_credential() -> None:
    """H34: taking turns makes an alarm, once, with both addresses."""
    async with Door(takeover_alarm_per_10min=5) as door:
        door.desk.register("CS-1")
        with structlog.testing.capture_logs() as logs:
            for _ in range(8):
                station = await door.connect("CS-1")
                await heartbeat(station)

        assert [e["event"] for e in logs].count("station_taken_over_often") == 1
        assert door.parts.stats.takeover_alarms == 1
        assert len(door.desk.served) == 8


@EACH
async def test_h36_a_disabled_station_is_dropped(version: OcppVersion) -> None:
    """H36: closed within a second, then refused."""
    async with Door() as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1", version.value)
        door.desk.register("CS-1", enabled=False)

        started = asyncio.get_running_loop().time()
        assert door.gateway.roster.drop("CS-1")
        assert await closed_with(station) == 1008

        assert asyncio.get_running_loop().time() - started < 1
        with pytest.raises(InvalidStatus, match="403"):
            await door.connect("CS-1")
        await until(lambda: len(door.gateway.roster) == 0)
        assert not door.gateway.roster.drop("CS-1")


async def test_a_new_connection_waits_for_what_the_lost_one_had_sent() -> None:
    """H33: frames received before a wire was lost are stored before the next connection loads its state."""
    async with Door() as door:
        door.desk.register("CS-1")
        first = await door.connect("CS-1")
        may_store = asyncio.Event()
        door.desk.before = lambda info, data: may_store.wait()
        for n in range(3):
            await first.send(json.dumps([2, f"m{n}", "Heartbeat", {}]))
        await until(lambda: bool(door.gateway.roster.find("CS-1").is_busy))
        first.transport.abort()
        await until(lambda: len(door.gateway.roster) == 0)

        second = asyncio.create_task(door.connect("CS-1"))
        await asyncio.sleep(0.05)
        assert not second.done()
        assert door.desk.epoch == 1

        may_store.set()
        await second
        assert [info.message_id for _, info, _ in door.desk.served] == ["m0", "m1", "m2"]
        assert door.desk.epoch == 2


async def test_h36_a_changed_registration_is_looked_at() -> None:
    """H36: another name or site leaves the station in peace; another profile, or none at all, does not."""
    async with Door() as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")

        door.gateway.station_changed("CS-1")
        door.gateway.station_changed("CS-UNKNOWN")
        await heartbeat(station)

        door.desk.register("CS-1", enabled=False)
        door.gateway.station_changed("CS-1")
        assert await closed_with(station) == 1008


@EACH
async def test_a_command_over_the_courier(version: OcppVersion) -> None:
    """Addressed to the station; unknown at once when it is gone."""
    async with Door() as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1", version.value)

        outcome = asyncio.create_task(door.courier.send("CS-1", RawCall("ClearCache", {}), 2))
        request = json.loads(await station.recv())
        assert request[0] == 2
        await station.send(json.dumps([3, request[1], {"status": "Accepted"}]))
        assert (await outcome).result is Result.ACCEPTED

        await station.close()
        await until(lambda: ("CS-1", "disconnected 1000") in door.desk.links)
        assert (await door.courier.send("CS-1", RawCall("ClearCache", {}), 2)).result is Result.NOT_CONNECTED


@EACH
async def test_a_store_that_is_away_closes_with_1013(version: OcppVersion) -> None:
    """No answer, no error: the station counts as offline and keeps what it has."""
    async with Door() as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1", version.value)

        def fail(info: object, data: object) -> None:
            raise StoreUnavailable

        door.desk.before = fail
        await station.send(call("a", START[version]))

        assert await closed_with(station) == 1013


async def test_r01_a_fuzzing_station_is_closed_and_waits() -> None:
    """R01: 1008 after ten bad frames in a minute, then 429 for a while."""
    async with Door(protocol_errors_per_min=10) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")
        for _ in range(11):
            await station.send("garbage")

        assert await closed_with(station) == 1008
        with pytest.raises(InvalidStatus, match="429"):
            await door.connect("CS-1")


async def test_w12_sockets_that_never_finish_are_capped() -> None:
    """W12: beyond the cap they are cut; stations come in as soon as there is room."""
    async with Door(max_unauthenticated=10, open_timeout_s=0.3) as door:
        door.desk.register("CS-1")
        held = [await door.raw() for _ in range(40)]
        await until(lambda: door.parts.admission.unauthenticated == 2)

        assert door.parts.stats.handshakes["too_many_sockets"] == 38
        await until(lambda: door.parts.admission.unauthenticated == 0)
        await heartbeat(await door.connect("CS-1"))
        assert all([await asyncio.wait_for(_ended(reader), 2) for reader, _ in held])
        assert door.parts.admission.unauthenticated == 0


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_w12_authenticated_stations_do_not_count() -> None:
    """W12: the cap is for sockets that have shown nothing."""
    async with Door(max_unauthenticated=5) as door:
        for n in range(12):
            door.desk.register(f"CS-{n}")
            await door.connect(f"CS-{n}")

        assert len(door.gateway.roster) == 12
        assert door.parts.admission.unauthenticated == 0


FEW_FILES = """
import asyncio, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
sys.path.insert(0, ".")
import uvloop
from tests.gateway.kit import Door, call, until
async def main():
    async with Door(max_unauthenticated=1000) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")
        held = []
        for _ in range(60):
            try:
                held.append(await door.raw())
            except OSError:
                break
        await station.send(call("a", "Heartbeat"))
        print(await asyncio.wait_for(station.recv(), 5))
        for _, writer in held:
            writer.close()
        await until(lambda: door.parts.admission.unauthenticated == 0)
        await asyncio.sleep(0.2)
        again = await door.connect("CS-1")
        await again.send(call("b", "Heartbeat"))
        print(await asyncio.wait_for(again.recv(), 5))
uvloop.run(main())
"""


def test_w12_the_limit_of_open_files() -> None:
    """W12: who is in stays in, and when files are free again others come in."""
    done = subprocess.run(
        [sys.executable, "-c", FEW_FILES], capture_output=True, text=True, timeout=30, check=False
    )

    answers = [line for line in done.stdout.splitlines() if line.startswith("[3,")]
    assert answers == ['[3,"a",{"n":1}]', '[3,"b",{"n":2}]'], done.stderr[-2000:]
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 40


@EACH
async def test_w15_stop_in_good_order(version: OcppVersion) -> None:
    """W15: no new sockets, what is in flight is answered, then 1012; nothing after."""
    async with Door() as door:
        for identity in ("CS-1", "CS-2"):
            door.desk.register(identity)
        busy = await door.connect("CS-1", version.value)
        idle = await door.connect("CS-2", version.value)
        gate = asyncio.Event()
        door.desk.before = lambda info, data: gate.wait()
        await busy.send(call("a", START[version]))
        await until(lambda: door.gateway.roster.find("CS-1").is_busy)

        stopping = asyncio.create_task(door.gateway.stop())
        assert await closed_with(idle) == 1012
        with pytest.raises((OSError, InvalidStatus, ConnectionClosed, EOFError)):
            await door.connect("CS-2", version.value)
        assert not stopping.done()
        gate.set()

        assert json.loads(await busy.recv()) == [3, "a", {"n": 1}]
        assert await closed_with(busy) == 1012
        await stopping
        assert sorted(door.desk.links) == [
            ("CS-1", "connected"),
            ("CS-1", "disconnected 1012"),
            ("CS-2", "connected"),
            ("CS-2", "disconnected 1012"),
        ]


async def test_w15_a_message_that_hangs_is_not_waited_for_for_ever() -> None:
    """W15: after the time for what is in flight it is given up, unanswered."""
    async with Door(in_flight_s=0.1) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")
        door.desk.before = lambda info, data: asyncio.Event().wait()
        await station.send(call("a", "Heartbeat"))
        await until(lambda: door.gateway.roster.find("CS-1").is_busy)

        started = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(door.gateway.stop())

        assert await closed_with(station) == 1012
        await stopping
        assert asyncio.get_running_loop().time() - started < 1
        assert door.desk.served == []


async def test_w15_a_peer_that_does_not_close() -> None:
    """W15: stop does not wait longer than the closing time."""
    async with Door(close_timeout_s=0.1) as door:
        door.desk.register("CS-1")
        _, writer = await door.upgraded("CS-1")

        async with asyncio.timeout(2):
            await door.gateway.stop()

        assert not door.gateway._sockets
        writer.close()


async def test_a_stop_while_handshakes_wait() -> None:
    """They are cut; nobody is seated afterwards."""
    gate = asyncio.Event()

    class Slow(MemoryDesk):
        async def find(self, identity: str):
            await gate.wait()
            return await super().find(identity)

    async with Door(Slow()) as door:
        door.desk.register("CS-1")
        knocking = asyncio.create_task(
            door.knock("/CS-1", {"Authorization": authorization("CS-1"), "Sec-WebSocket-Protocol": "ocpp1.6"})
        )
        await until(lambda: bool(door.gateway._tasks))
        stopping = asyncio.create_task(door.gateway.stop())
        await asyncio.sleep(0.02)
        gate.set()
        await stopping

        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await knocking
        assert len(door.gateway.roster) == 0
        assert door.desk.links == []


async def test_handshakes_are_limited_in_number() -> None:
    """Beyond the limit they wait their turn; all come in."""
    most = 0
    running = 0

    class Counting(MemoryDesk):
        async def find(self, identity: str):
            nonlocal most, running
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1
            return await super().find(identity)

    async with Door(Counting(), max_handshakes=3) as door:
        for n in range(12):
            door.desk.register(f"CS-{n}")

        await asyncio.gather(*(door.connect(f"CS-{n}") for n in range(12)))

        assert most == 3


async def test_a_client_that_leaves_during_its_handshake() -> None:
    """It is not seated, and its place is free."""
    gate = asyncio.Event()

    class Slow(MemoryDesk):
        async def open(self, station: ChargingStation, version: OcppVersion, address: str) -> StationState:
            await gate.wait()
            return await super().open(station, version, address)

    async with Door(Slow()) as door:
        door.desk.register("CS-1")
        knocking = asyncio.create_task(
            door.knock("/CS-1", {"Authorization": authorization("CS-1"), "Sec-WebSocket-Protocol": "ocpp1.6"})
        )
        await until(lambda: len(door.gateway._turns) == 1)
        knocking.cancel()
        await until(lambda: not door.gateway._sockets)
        gate.set()
        await until(lambda: not door.gateway._tasks)

        assert len(door.gateway.roster) == 0
        assert door.parts.admission.unauthenticated == 0
        assert (await door.courier.send("CS-1", RawCall("ClearCache", {}), 1)).result is Result.NOT_CONNECTED


@pytest.mark.parametrize(
    ("error", "event"), [(StaleEpoch(1), None), (StoreUnavailable(), "disconnect_not_noted")]
)
async def test_a_leave_that_cannot_be_noted(error: Exception, event: str | None) -> None:
    """A newer connection noted more; a store that is away is logged. Neither harms the door."""

    class Failing(MemoryDesk):
        async def disconnected(self, state: StationState, code: int, reason: str) -> None:
            raise error

    async with Door(Failing()) as door:
        door.desk.register("CS-1")
        with structlog.testing.capture_logs() as logs:
            station = await door.connect("CS-1")
            await station.close()
            await until(lambda: not door.gateway._tasks and len(door.gateway.roster) == 0)

        assert (event is None) or event in [entry["event"] for entry in logs]


@pytest.mark.parametrize("error", [StaleEpoch(1), StoreUnavailable()])
async def test_an_arrival_that_cannot_be_noted(error: Exception) -> None:
    """The station is served all the same, and nothing but WebSocket frames is sent to it."""

    class Failing(MemoryDesk):
        async def connected(self, state: StationState) -> None:
            raise error

    async with Door(Failing()) as door:
        door.desk.register("CS-1")
        with structlog.testing.capture_logs() as logs:
            await heartbeat(await door.connect("CS-1"))

        assert "connect_not_noted" in [entry["event"] for entry in logs]


async def test_a_task_that_fails_is_heard_of() -> None:
    """No exception vanishes with its task."""

    class Broken(MemoryDesk):
        async def connected(self, state: StationState) -> None:
            raise RuntimeError("bug")

    async with Door(Broken()) as door:
        door.desk.register("CS-1")
        with structlog.testing.capture_logs() as logs:
            await heartbeat(await door.connect("CS-1"))

        assert "gateway_task_failed" in [entry["event"] for entry in logs]


async def test_w16_an_idle_connection_is_small() -> None:
    """W16: well below 0.06 MiB each, on this side of the wire."""
    async with Door() as door:
        for n in range(110):
            door.desk.register(f"CS-{n}")
        clients = [_enter(door, n) for n in range(10)]
        await until(lambda: len(door.gateway.roster) == 10 and not door.gateway._tasks)

        tracemalloc.start()
        clients += [_enter(door, n) for n in range(10, 110)]
        await until(lambda: len(door.gateway.roster) == 110 and not door.gateway._tasks, 10)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert taken / 100 < 16_384
        for client in clients:
            client.close()


def _enter(door: Door, number: int) -> socket.socket:
    """A bare client, of which asyncio knows nothing."""
    client = socket.create_connection(("127.0.0.1", door.gateway.port))
    headers = {"Authorization": authorization(f"CS-{number}"), "Sec-WebSocket-Protocol": "ocpp1.6"}
    client.sendall(request(f"/CS-{number}", headers))
    return client


async def test_an_idle_connection_has_no_task() -> None:
    """W16: what a parked coroutine would cost, times a hundred thousand."""
    async with Door() as door:
        before = len(asyncio.all_tasks())
        for n in range(20):
            door.desk.register(f"CS-{n}")
            await door.upgraded(f"CS-{n}")
        await until(lambda: not door.gateway._tasks)

        assert len(asyncio.all_tasks()) == before
