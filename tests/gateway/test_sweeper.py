"""The wheel: pings, the silent, the dead, and who was heard."""

import asyncio
from datetime import timedelta

import pytest
import structlog
from websockets.exceptions import ConnectionClosed

from csms.domain.assets import OcppVersion
from csms.errors import StoreUnavailable
from csms.gateway.sweeper import Sweeper
from tests.gateway.kit import NOW, VERSIONS, Door, call, read_frame, until

EACH = pytest.mark.parametrize("version", VERSIONS)
PING, TEXT = 9, 1


@EACH
async def test_w11_a_station_without_power_is_offline_in_time(version: OcppVersion) -> None:
    """W11: nothing heard for the idle time: off the list, without a close frame having come."""
    async with Door(ping_interval_s=0.1, idle_timeout_s=0.3) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1", version.value)
        started = asyncio.get_running_loop().time()

        await until(lambda: "CS-1" not in door.gateway.roster)

        assert asyncio.get_running_loop().time() - started > 0.2
        assert (await read_frame(reader))[0] == PING
        await until(lambda: any(link[1].startswith("disconnected") for link in door.desk.links))
        writer.close()


async def test_a_station_that_answers_pings_stays() -> None:
    """A pong is a sign of life; nothing else need come."""
    async with Door(ping_interval_s=0.05, idle_timeout_s=0.15) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")

        await asyncio.sleep(0.4)

        await station.send(call("a", "Heartbeat"))
        assert str(await station.recv()) == '[3,"a",{"n":1}]'


@EACH
async def test_w10_no_pong_but_calls(version: OcppVersion) -> None:
    """W10: any traffic keeps a connection; some stations never answer pings."""
    async with Door(ping_interval_s=0.05, idle_timeout_s=0.15) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1", version.value)
        station.protocol.send_pong = lambda data: None
        station.protocol.recv_frame = _without_pongs(station.protocol)

        for n in range(8):
            await asyncio.sleep(0.05)
            await station.send(call(str(n), "Heartbeat"))
            await station.recv()

        assert "CS-1" in door.gateway.roster


def _without_pongs(protocol):
    """The client's protocol without its answers to pings."""
    library = protocol.recv_frame

    def recv_frame(frame):
        if frame.opcode != PING:
            library(frame)

    return recv_frame


async def test_busy_stations_are_not_pinged() -> None:
    """Only who was silent for the interval."""
    async with Door(ping_interval_s=0.15, idle_timeout_s=5) as door:
        door.desk.register("CS-1")
        reader, writer = await door.upgraded("CS-1")
        heartbeat = call("a", "Heartbeat").encode()
        frame = bytes((0x81, 0x80 | len(heartbeat))) + b"\0\0\0\0" + heartbeat
        for _ in range(10):
            writer.write(frame)
            assert (await read_frame(reader))[0] == TEXT
            await asyncio.sleep(0.02)


async def test_the_work_is_spread_evenly() -> None:
    """However stations come and go, each slot has about as many."""
    async with Door() as door:
        sweeper = Sweeper(door.parts, door.gateway.roster)

        class Line:
            slot = -1

        lines = [Line() for _ in range(100)]
        for line in lines:
            sweeper.add(line)
        for line in lines[:50]:
            sweeper.remove(line)

        assert [len(slot) for slot in sweeper._slots] == [3 if n >= 10 else 2 for n in range(20)]


async def test_last_seen_is_noted_for_all_at_once() -> None:
    """One call for everyone who spoke since the last one; wall-clock times."""
    async with Door() as door:
        sweeper = Sweeper(door.parts, door.gateway.roster)
        for n in range(3):
            door.desk.register(f"CS-{n}")
        stations = [await door.connect(f"CS-{n}") for n in range(3)]

        await sweeper.note_seen()
        assert sorted(station_id for station_id, _ in door.desk.heard) == [1, 2, 3]
        assert all(NOW - timedelta(seconds=5) < at <= NOW for _, at in door.desk.heard)

        door.desk.heard.clear()
        await asyncio.sleep(0.01)
        await stations[1].send(call("a", "Heartbeat"))
        await stations[1].recv()
        await sweeper.note_seen()
        assert [station_id for station_id, _ in door.desk.heard] == [2]

        door.desk.heard.clear()
        await sweeper.note_seen()
        assert door.desk.heard == []


async def test_a_failure_to_note_is_logged_once_and_made_good() -> None:
    """Who was heard meanwhile is written with the next one."""
    async with Door() as door:
        sweeper = Sweeper(door.parts, door.gateway.roster)
        door.desk.register("CS-1")
        await door.connect("CS-1")
        door.desk.seen_fails = StoreUnavailable("disk full")
        with structlog.testing.capture_logs() as logs:
            await sweeper.note_seen()
            await sweeper.note_seen()
        assert [entry["event"] for entry in logs] == ["seen_not_noted"]

        door.desk.seen_fails = None
        await sweeper.note_seen()

        assert [station_id for station_id, _ in door.desk.heard] == [1]


async def test_last_seen_is_noted_by_itself() -> None:
    """The wheel's own task does it."""
    async with Door(ping_interval_s=0.05, idle_timeout_s=5) as door:
        door.gateway._sweeper._seen_every_s = 0.02
        door.desk.register("CS-1")
        await door.connect("CS-1")

        await until(lambda: bool(door.desk.heard))


async def test_a_message_that_hangs_is_found() -> None:
    """The handler's limit is kept by the wheel: 1013, unanswered."""
    async with Door(ping_interval_s=0.03, idle_timeout_s=5) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")
        object.__setattr__(door.parts, "handler_limit_s", 0.05)
        door.desk.before = lambda info, data: asyncio.Event().wait()
        await station.send(call("a", "Heartbeat"))

        with pytest.raises(ConnectionClosed, match="1013"):
            await station.recv()


async def test_a_paused_station_is_not_called_silent() -> None:
    """It cannot be heard while it is not read."""
    async with Door(ping_interval_s=0.05, idle_timeout_s=0.1) as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1")
        line = door.gateway.roster._lines["CS-1"]
        line.pause()

        await asyncio.sleep(0.3)

        assert "CS-1" in door.gateway.roster
        line.resume()
        await station.send(call("a", "Heartbeat"))
        assert str(await station.recv()) == '[3,"a",{"n":1}]'
