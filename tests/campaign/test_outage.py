"""A database that is locked, full or away: answers are held or withheld, never wrong, and nothing is lost.

After `database.hold_s` the server says that it is not ready, and stations keep what they have to say. It
comes back by itself.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

from tests.campaign.conftest import Serve
from tests.campaign.kit import (
    PASSWORD,
    VERSIONS,
    Closed,
    Messages,
    Peer,
    boot,
    dial,
    readiness,
    refusal,
    session_told,
    sessions_of,
    start,
    tell,
    until,
)
from tests.campaign.outages import away, filled, locked, small_disk
from tests.clients.stories import ENERGY_WH
from tests.serverkit import CsmsServer

HOLD_S = 2
HELD_FOR_S = 0.5  # long against what a commit takes, short against HOLD_S
SPACE_LEFT = 524_288  # bytes; room for some commits
MOST_SESSIONS = 2_000  # more than there is room for
SURPRISES = (
    "handler_failed",
    "commit_failed",
    "handshake_failed",
    "gateway_task_failed",
    "background_task_failed",
)

Told = dict[str, Messages]
"""By station: the messages of one session, start first."""


async def test_a_short_outage_delays_the_answer(url: str, serve: Serve) -> None:
    """While the database is locked or away nothing is answered; then comes the right answer, once."""
    csms = serve({"database": {"hold_s": 20, "url": url}})
    await start(csms)
    told = await register(csms)

    async with AsyncExitStack() as connections:
        peers = await connect(csms, connections, told)
        async with outage(url):
            waiting = [await peers[one].ask(*told[one][0], message_id="first") for one in told]
            answered, _ = await asyncio.wait(waiting, timeout=HELD_FOR_S)
            assert not answered
        await asyncio.gather(*waiting)
        for one in told:
            await tell(peers[one], told[one])

    await assert_stored_once(csms, told)


async def test_a_long_outage_leaves_messages_with_the_stations(url: str, serve: Serve) -> None:
    """Neither answer nor CALLERROR but 1013; 503 for whoever comes; ready again without a restart."""
    csms = serve({"database": {"hold_s": HOLD_S, "url": url}})
    await start(csms)
    await warm_up(csms)
    told = await register(csms)

    async with AsyncExitStack() as connections:
        peers = await connect(csms, connections, told)
        async with outage(url):
            outcomes = await asyncio.gather(
                *(first(peers[one], told[one]) for one in told), return_exceptions=True
            )
            assert [repr(outcome) for outcome in outcomes] == [repr(Closed(1013))] * len(told)
            assert [len(peer.heard) for peer in peers.values()] == [1] * len(told)
            assert await readiness(csms) == 503
            refused = await refusal(csms, next(iter(told)))
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0

    await until(lambda: is_ready(csms))
    async with AsyncExitStack() as connections:
        peers = await connect(csms, connections, told)
        for one in told:
            await first(peers[one], told[one])
            await tell(peers[one], told[one])
    await assert_stored_once(csms, told)


async def test_a_full_disk_loses_nothing_that_was_acknowledged(
    serve: Serve, keyed: CsmsServer, tmp_path: Path
) -> None:
    """Full: no answer, not ready. With space again: ready by itself, and every answered session is there."""
    with small_disk(tmp_path / "disk") as disk:
        file = disk / "csms.db"
        shutil.copy(keyed.database_file, file)
        csms = serve({"database": {"hold_s": HOLD_S, "url": f"sqlite:///{file}"}})
        await start(csms)
        await warm_up(csms)
        await csms.add_station("FULL", PASSWORD)

        async with dial(csms, "FULL") as peer:
            await boot(peer, "2.0.1")
            with filled(disk, SPACE_LEFT):
                acknowledged = await sessions_until_closed(peer)
                assert acknowledged > 0
                assert peer.socket.close_code == 1013
                assert await readiness(csms) == 503
        await until(lambda: is_ready(csms))
        async with dial(csms, "FULL") as peer:
            await peer.call(*begun(acknowledged))

        found = (await csms.get("sessions", station="FULL", limit=1_000))["items"]
        assert sorted(one["transaction_id"] for one in found) == sorted(map(name, range(acknowledged + 1)))
        assert await csms.stop() == 0
        assert integrity(file) == "ok"


def outage(url: str) -> AbstractAsyncContextManager[None]:
    """The database is taken away from the server."""
    if url.startswith("postgresql:"):
        return away(url)
    return locked(Path(url.removeprefix("sqlite:///")))


async def register(csms: CsmsServer) -> Told:
    """A station of each version with a session to tell."""
    told = {f"OUT-{version}": session_told(version) for version in VERSIONS}
    await csms.add_stations(told, PASSWORD)
    return told


async def warm_up(csms: CsmsServer) -> None:
    """A first session, so that the outage finds a server in the middle of its work."""
    await csms.add_station("EARLY", PASSWORD)
    async with dial(csms, "EARLY", "1.6") as peer:
        await boot(peer, "1.6")
        await tell(peer, session_told("1.6"))


async def connect(csms: CsmsServer, connections: AsyncExitStack, told: Told) -> dict[str, Peer]:
    """All of them connected and booted."""
    peers = {}
    for one in told:
        version = one.removeprefix("OUT-")
        peers[one] = await connections.enter_async_context(dial(csms, one, version))
        await boot(peers[one], version)
    return peers


async def first(peer: Peer, messages: Messages) -> None:
    """The start of the session, always under the same message id."""
    await peer.call(*messages[0], message_id="first")


async def assert_stored_once(csms: CsmsServer, told: Told) -> None:
    """One session for each station, whole; and the server's log shows no surprise."""
    for one in told:
        found = [(row["state"], row["energy_wh"]) for row in await sessions_of(csms, one)]
        assert found == [("ended", ENERGY_WH)]
    log = csms.child.log_tail(1_000_000)
    assert [event for event in SURPRISES if f'"{event}"' in log] == []


async def is_ready(csms: CsmsServer) -> bool:
    return await readiness(csms) == 200


def name(number: int) -> str:
    return f"session-{number}"


def begun(number: int) -> tuple[str, dict[str, Any]]:
    """The start of one of many sessions."""
    action, payload = session_told("2.0.1")[0]
    return action, payload | {"transactionInfo": {"transactionId": name(number)}}


async def sessions_until_closed(peer: Peer) -> int:
    """Begin one session after the other until there is no answer; how many were answered."""
    for number in range(MOST_SESSIONS):
        try:
            await peer.call(*begun(number))
        except Closed:
            return number
    raise AssertionError("the disk never was full")


def integrity(file: Path) -> str:
    """What SQLite finds wrong with a file; `ok` for nothing."""
    connection = sqlite3.connect(file)
    try:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
        return str(found)
    finally:
        connection.close()
