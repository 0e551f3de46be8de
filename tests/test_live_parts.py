"""Two real processes on one PostgreSQL: what one hears, the other's readers see; a webhook is told once."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csms.live_parts import disk_of
from tests.cluster.test_two_nodes import PASSWORD, plug_in
from tests.live.kit import MOMENT_S, listening, receiving, until
from tests.serverkit import CsmsServer

QUICK = {
    "webhooks": {"private_addresses": True, "plain_http": True, "first_delay_s": 0.2, "timeout_s": 1},
    "alarms": {"look_s": 0.3, "raise_after_s": 0.2, "clear_after_s": 0.2},
    "live": {"progress_s": 0.1},
}


@pytest.fixture
async def nodes(postgres_url: str, tmp_path: Path) -> AsyncIterator[tuple[CsmsServer, CsmsServer]]:
    """Both serve, and know the station CS-1."""
    servers = []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        settings = {"database": {"url": postgres_url, "hold_s": 5}, **QUICK}
        servers.append(CsmsServer(tmp_path / name, settings=settings))
    try:
        for server in servers:
            await server.start()
        await servers[0].add_site()
        await servers[0].add_station("CS-1", PASSWORD)
        await servers[0].add_token("A1")
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.kill()


async def say(station: Any, action: str, payload: dict[str, Any]) -> Any:
    """The answer to a message; what we are asked meanwhile is not known here."""
    async with asyncio.timeout(MOMENT_S):
        await station.send(json.dumps([2, uuid.uuid4().hex, action, payload]))
        while (answer := json.loads(await station.recv()))[0] == 2:
            await station.send(json.dumps([4, answer[1], "NotImplemented", "", {}]))
    assert answer[0] == 3, answer
    return answer[2]


def status(word: str, error: str = "NoError") -> dict[str, Any]:
    return {"connectorId": 1, "status": word, "errorCode": error}


async def test_one_feed_for_all_nodes(nodes: tuple[CsmsServer, CsmsServer]) -> None:
    """In order, at both; a fault becomes an alarm; the webhook hears all, twice only around a death."""
    east, west = nodes
    async with receiving() as receiver:
        await west.post("webhooks", {"url": receiver.url})
        async with listening(west.http_url, west.admin_key) as stream:
            station = await plug_in(east)
            await say(station, "StatusNotification", status("Faulted", "GroundFailure"))
            seen: list[str] = []
            while "alarm_raised" not in seen:
                seen.append((await stream.event())["event"])
            await say(station, "StatusNotification", status("Available"))
            while "alarm_cleared" not in seen:
                seen.append((await stream.event())["event"])
            west.kill()
            begin = {"connectorId": 1, "idTag": "A1", "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}
            await say(station, "StartTransaction", begin)
            await until(lambda: any(one["kind"] == "session_started" for one in receiver.events), within_s=60)
            await station.close()
    ids = [int(one["id"]) for one in receiver.events]
    # What the killed node had told and not noted yet is told again, under the same number.
    assert ids == sorted(ids)
    once = {one["id"]: one["kind"] for one in receiver.events}
    assert seen[:2] == ["station_connected", "station_booted"]
    kinds = list(once.values())
    assert kinds.count("alarm_raised") == kinds.count("alarm_cleared") == 1


async def test_progress_and_a_server_that_stops_with_a_stream_open(
    nodes: tuple[CsmsServer, CsmsServer],
) -> None:
    """Energy as it grows, at the node that has the station; the stream ends with the server, at once."""
    east, _ = nodes
    station = await plug_in(east)
    async with listening(east.http_url, east.admin_key, kinds="session_progress") as stream:
        now = asyncio.get_running_loop().time()
        begin = {"connectorId": 1, "idTag": "A1", "meterStart": 0, "timestamp": _text(0)}
        number = (await say(station, "StartTransaction", begin))["transactionId"]
        for n in range(1, 4):
            value = [{"timestamp": _text(n), "sampledValue": [{"value": str(10 * n)}]}]
            await say(
                station, "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": value}
            )
            await asyncio.sleep(1.1)
        event = await stream.event()
        assert event["data"]["charging_station"] == "CS-1"
        assert event["data"]["data"]["energy_wh"] >= 10
        assert "id" not in event
        await station.close()
        assert await east.stop(within_s=10) == 0
        assert asyncio.get_running_loop().time() - now < 30


def _text(n: int) -> str:
    at = datetime.now(UTC) + timedelta(seconds=n / 10)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_the_disk_that_fills_up_is_that_of_the_database(tmp_path: Path) -> None:
    """A server's disk is the server's."""
    assert disk_of(f"sqlite:///{tmp_path}/csms.db") == tmp_path
    assert disk_of("postgresql://a@b/c") is None
