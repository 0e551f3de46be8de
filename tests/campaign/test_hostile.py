"""One station floods, or does not read: its neighbours' answers keep coming. Counts are
compared, not times.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.campaign.kit import PASSWORD, VERSIONS, Peer, boot, dial, session_told, tell, until
from tests.serverkit import CsmsServer

EACH = pytest.mark.parametrize("version", VERSIONS)
FLOOD = 3_000  # messages; six times gateway.messages_burst
PINGS = 200_000  # more than all buffers on the way hold of pongs
PING = b"\x89\xfd" + bytes(4) + bytes(125)  # masked with zeros


@EACH
async def test_a_flood_is_read_slowly_and_hurts_nobody(version: str, csms: CsmsServer) -> None:
    """A neighbour's session is told to its end while most of the flood still waits; nobody is cut off."""
    flooder, neighbour = f"FLOOD-{version}", f"CALM-{version}"
    await csms.add_stations([flooder, neighbour], PASSWORD)

    async with dial(csms, flooder, version) as wild, dial(csms, neighbour, version) as calm:
        await boot(wild, version)
        await boot(calm, version)
        flood = asyncio.create_task(send_many(wild, version))
        await until(partial(answers_of, wild))
        await tell(calm, session_told(version))

        assert len(wild.heard) < FLOOD
        assert wild.socket.close_code is None
        wild.socket.transport.abort()
        await asyncio.gather(flood, return_exceptions=True)
    (session,) = (await csms.get("sessions", station=neighbour))["items"]
    assert session["state"] == "ended"


async def test_a_station_that_does_not_read_is_cut_off(csms: CsmsServer) -> None:
    """Its answers are not piled up: the server stops reading, then ends the connection. Others are served."""
    await csms.add_stations(["DEAF", "LISTENING"], PASSWORD)

    async with dial(csms, "LISTENING", "1.6") as calm:
        await boot(calm, "1.6")
        with upgraded(csms, "DEAF") as deaf:
            shouting = asyncio.create_task(asyncio.to_thread(shout, deaf))
            await tell(calm, session_told("1.6"))
            sent = await shouting
            await tell(calm, session_told("1.6", minutes_ago=30))

    assert sent < PINGS
    assert "station_does_not_read" in csms.child.log_tail(100_000)


async def answers_of(peer: Peer) -> int:
    """How many came beside the one to its boot."""
    return len(peer.heard) - 1


async def send_many(peer: Peer, version: str) -> None:
    """Meter values without end and without waiting for any answer; each wants a commit."""
    for number in range(FLOOD):
        value = {"timestamp": "2026-01-01T10:00:00Z", "sampledValue": [{"value": number}]}
        place = {"evseId": 1}
        if version == "1.6":
            value["sampledValue"] = [{"value": str(number)}]
            place = {"connectorId": 1}
        await peer.socket.send(json.dumps([2, f"f{number}", "MeterValues", {**place, "meterValue": [value]}]))


@contextmanager
def upgraded(csms: CsmsServer, identity: str) -> Iterator[socket.socket]:
    """A socket after its handshake, of which nothing more is ever read."""
    secret = base64.b64encode(f"{identity}:{PASSWORD}".encode()).decode()
    lines = [
        f"GET /ocpp/{identity} HTTP/1.1",
        f"Host: 127.0.0.1:{csms.gateway_port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp1.6",
        f"Authorization: Basic {secret}",
    ]
    with socket.create_connection(("127.0.0.1", csms.gateway_port), timeout=30) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        assert sock.recv(12).endswith(b"101")
        yield sock


def shout(sock: socket.socket) -> int:
    """Ping until the server has had enough; how many went out."""
    sent = 0
    with contextlib.suppress(OSError):
        while sent < PINGS:
            sock.sendall(PING * 100)
            sent += 100
    return sent
