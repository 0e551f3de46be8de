"""Several worker processes hold the stations: nothing shows of it but the processes, also when one dies."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.campaign.conftest import Serve
from tests.campaign.fleet import (
    FLEET_WITHIN_S,
    SESSIONS,
    STATIONS,
    every,
    exit_code,
    has_acknowledged,
    made,
)
from tests.campaign.kit import (
    PASSWORD,
    VERSIONS,
    Peer,
    boot,
    dial,
    session_told,
    sessions_of,
    start,
    tell,
    until,
)
from tests.clients.stories import ENERGY_WH
from tests.serverkit import CsmsServer, ServerTrouble, free_port

WORKERS = 3
TAKEN_OVER, RESTART = 4001, 1012
SETTINGS = {"gateway": {"workers": WORKERS, "handshakes_per_identity_burst": 100}}
OPEN = re.compile(r"^csms_workers (\d+)", re.MULTILINE)
HEARTBEATS = re.compile(r'csms_messages_total\{action="Heartbeat",outcome="answered"\} (\d+)')


def workers_of(csms: CsmsServer) -> list[int]:
    """The process ids of the workers that run."""
    found = []
    for children in Path(f"/proc/{csms.pid}/task").glob("*/children"):
        for child in children.read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return sorted(found)


def exists(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


async def metric(csms: CsmsServer, pattern: re.Pattern[str]) -> float:
    """A number of /metrics; 0 where it is not there."""
    async with httpx.AsyncClient() as client:
        found = pattern.search((await client.get(f"{csms.http_url}/metrics")).text)
    return float(found[1]) if found else 0.0


@pytest.mark.slow
async def test_workers_are_killed_under_a_charging_fleet(serve: Serve, url: str, tmp_path: Path) -> None:
    """Its stations come back to the others, another one takes its place, and every session is right."""
    csms = serve(SETTINGS | {"database": {"url": url}})
    journal = tmp_path / "fleet.jsonl"
    fleet = made(csms, journal)
    try:
        await start(csms)
        first = workers_of(csms)
        assert len(first) == WORKERS
        fleet.spawn()
        for moment, victim in ((100, first[0]), (400, first[1])):
            await until(partial(has_acknowledged, fleet, journal, moment), FLEET_WITHIN_S)
            os.kill(victim, signal.SIGKILL)
        assert await until(partial(exit_code, fleet), FLEET_WITHIN_S) == [0]
        assert len(await every(csms, "sessions")) >= STATIONS * SESSIONS

        async def is_complete() -> bool:
            return len(workers_of(csms)) == WORKERS

        await until(is_complete)
        assert not set(first[:2]) & set(workers_of(csms))
        assert await csms.stop() == 0
    finally:
        fleet.kill()
        print(fleet.log_tail())


async def test_workers_are_one_server(serve: Serve) -> None:
    """The newest connection wins on whichever worker, metrics are those of all and do not fall with one of
    them, and stopping parts with every station.
    """
    csms = serve(SETTINGS)
    await start(csms)
    for version in VERSIONS:
        await newest_wins(csms, version)
    identities = [f"CS-{number:02d}" for number in range(12)]
    await csms.add_stations(identities, PASSWORD)
    async with AsyncExitStack() as open_ones:
        for identity in identities:
            peer = await open_ones.enter_async_context(dial(csms, identity, "2.0.1"))
            await boot(peer, "2.0.1")
            await peer.call("Heartbeat", {})

        async def counted() -> bool:
            return await metric(csms, HEARTBEATS) == len(identities)

        await until(counted)
        victim = workers_of(csms)[0]
        os.kill(victim, signal.SIGKILL)

        async def is_replaced() -> bool:
            return victim not in workers_of(csms) and len(workers_of(csms)) == WORKERS

        await until(is_replaced)

        async def are_all_open() -> bool:
            return await metric(csms, OPEN) == WORKERS

        await until(are_all_open)
        assert await metric(csms, HEARTBEATS) == len(identities)

    async with AsyncExitStack() as open_ones:
        peers = [await open_ones.enter_async_context(dial(csms, one, "1.6")) for one in identities]
        stopping = asyncio.create_task(csms.stop())
        assert [await peer.ended() for peer in peers] == [RESTART] * len(peers)
        assert await stopping == 0


async def newest_wins(csms: CsmsServer, version: str) -> None:
    """Each earlier one is closed as replaced, a session goes on, and commands reach the newest."""
    identity = f"CS-MOVING-{version}"
    await csms.add_station(identity, PASSWORD)
    messages = session_told(version)
    async with AsyncExitStack() as open_ones:
        peers: list[Peer] = []
        for _ in range(8):  # with 3 workers one of them is another one's, but for 1 in 2,187
            peers.append(await open_ones.enter_async_context(dial(csms, identity, version)))
            await boot(peers[-1], version)
        assert [await peer.ended() for peer in peers[:-1]] == [TAKEN_OVER] * (len(peers) - 1)
        await tell(peers[-1], messages)
        answer = await csms.post(f"charging-stations/{identity}/commands", {"command": "ClearCache"})
        assert answer["result"] == "accepted", answer
        assert [action for action, _ in peers[-1].asked] == ["ClearCache"]
    (session,) = await sessions_of(csms, identity)
    assert session["energy_wh"] == ENERGY_WH


async def test_without_its_main_process_no_worker_goes_on(serve: Serve) -> None:
    """Killed with SIGKILL it can tell nobody; the workers see it, part with their stations and end."""
    csms = serve(SETTINGS)
    await start(csms)
    await csms.add_station("CS-LEFT", PASSWORD)
    workers = workers_of(csms)
    async with dial(csms, "CS-LEFT", "2.1") as peer:
        csms.kill()
        assert await peer.ended() == RESTART

    async def are_gone() -> bool:
        return not any(map(exists, workers))

    await until(are_gone)


async def test_a_port_that_somebody_has(serve: Serve) -> None:
    """Sharing it among ourselves does not mean sharing it with a stranger."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        csms = serve({"gateway": {"workers": WORKERS, "port": port}})
        with pytest.raises(ServerTrouble, match=f"gateway.port: 127.0.0.1:{port} cannot be used"):
            await csms.start()
