"""Two processes on one PostgreSQL and one NATS: a command finds its station wherever that is connected."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.cluster.natskit import NatsServer
from tests.serverkit import CsmsServer, polls

PASSWORD = "0123456789abcdef"
CLEAR_CACHE = {"command": "ClearCache"}


@pytest.fixture
async def nodes(
    postgres_url: str, nats_server: NatsServer, tmp_path: Path
) -> AsyncIterator[tuple[CsmsServer, CsmsServer]]:
    """Both serve, and know the station CS-1."""
    servers = []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        settings = {
            "database": {"url": postgres_url, "hold_s": 5},
            "cluster": {"nats_url": nats_server.url, "node": name},
        }
        servers.append(CsmsServer(tmp_path / name, settings=settings))
    try:
        for server in servers:
            await server.start()
        await servers[0].add_site()
        await servers[0].add_station("CS-1", PASSWORD)
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.kill()


async def plug_in(server: CsmsServer) -> ClientConnection:
    """The station's connection to one of the nodes, booted."""
    credentials = base64.b64encode(f"CS-1:{PASSWORD}".encode()).decode()
    station = await connect(
        f"{server.gateway_url}/CS-1",
        subprotocols=["ocpp1.6"],  # type: ignore[list-item]  # a NewType of str
        additional_headers={"Authorization": f"Basic {credentials}"},
    )
    boot = {"chargePointVendor": "V", "chargePointModel": "M"}
    await station.send(json.dumps([2, "boot", "BootNotification", boot]))
    await station.recv()
    return station


async def obey(station: ClientConnection, status: str) -> None:
    """Answer one ClearCache; what else a new connection is asked for is not known here."""
    async for text in station:
        _, message_id, action, _ = json.loads(text)
        if action == "ClearCache":
            await station.send(json.dumps([3, message_id, {"status": status}]))
            return
        await station.send(json.dumps([4, message_id, "NotImplemented", "", {}]))


async def command(server: CsmsServer) -> Any:
    """What a node's API says came of it."""
    return (await server.post("charging-stations/CS-1/commands", CLEAR_CACHE))["result"]


async def test_a_command_goes_where_the_station_is(
    nodes: tuple[CsmsServer, CsmsServer], nats_server: NatsServer
) -> None:
    """On the other node, on this one after it moved, and on none."""
    east, west = nodes
    assert await command(west) == "not-connected"

    at_east = await plug_in(east)
    assert (await asyncio.gather(command(west), obey(at_east, "Accepted")))[0] == "accepted"

    # It moves without a goodbye: the old connection is still open where it was.
    at_west = await plug_in(west)
    for asked in (east, west):
        assert (await asyncio.gather(command(asked), obey(at_west, "Rejected")))[0] == "rejected"

    nats_server.kill()
    assert (await asyncio.gather(command(west), obey(at_west, "Accepted")))[0] == "accepted"
    assert await command(east) == "failed"

    await at_east.close()
    await at_west.close()
    assert [await east.stop(), await west.stop()] == [0, 0]


async def say(station: ClientConnection, action: str, payload: dict[str, Any]) -> Any:
    """What the station's message is answered; calls that come between are refused."""
    await station.send(json.dumps([2, uuid.uuid4().hex, action, payload]))
    async for text in station:
        frame = json.loads(text)
        if frame[0] == 2:
            await station.send(json.dumps([4, frame[1], "NotImplemented", "", {}]))
        else:
            return frame[2]
    return None


async def test_a_session_is_closed_from_the_node_that_does_not_hold_its_station(
    nodes: tuple[CsmsServer, CsmsServer],
) -> None:
    """By the actor that has the station, which goes on; its own stop is a revision. Then while it is away."""
    east, west = nodes
    await east.add_token("A1")
    station = await plug_in(east)
    now = datetime.now(UTC)
    began, ended = (now - timedelta(hours=1)).isoformat(), (now - timedelta(seconds=1)).isoformat()
    start = {"connectorId": 1, "idTag": "A1", "meterStart": 1000, "timestamp": began}
    transaction_id = (await say(station, "StartTransaction", start))["transactionId"]
    (session,) = (await west.get("sessions"))["items"]

    body = {"reason": "t", "meter_stop_wh": 3000, "ended_at": ended}
    closed = await west.post(f"sessions/{session['session_id']}/close", body)
    assert (closed["state"], closed["energy_wh"], closed["revision"]) == ("ended", 2000, 1)

    stop = {"transactionId": transaction_id, "meterStop": 5000, "timestamp": datetime.now(UTC).isoformat()}
    await say(station, "StopTransaction", stop)
    shown = await west.get(f"sessions/{session['session_id']}")
    assert (shown["energy_wh"], shown["revision"], shown["quality"]) == (4000, 2, ["late-data"])

    again = start | {"meterStart": 6000, "timestamp": datetime.now(UTC).isoformat()}
    assert (await say(station, "StartTransaction", again))["idTagInfo"]["status"] == "Accepted"
    await station.close()
    (other,) = (await west.get("sessions", state="live"))["items"]
    async for _ in polls(10):
        if (await west.get("charging-stations/CS-1"))["state"] == "offline":
            break
    closed = await west.post(f"sessions/{other['session_id']}/close", {"reason": "gone"})
    assert (closed["state"], "closed-by-hand" in closed["quality"]) == ("ended", True)
