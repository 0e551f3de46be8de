"""SIGTERM: what was received is stored and answered, everybody hears 1012, and nothing is answered after."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from os import kill

import pytest
from websockets.exceptions import InvalidHandshake

from tests.campaign.conftest import Serve
from tests.campaign.kit import (
    PASSWORD,
    VERSIONS,
    Closed,
    boot,
    dial,
    session_told,
    start,
)
from tests.campaign.outages import locked


async def test_a_stop_finishes_what_is_in_flight(serve: Serve) -> None:
    """Messages that wait for a commit are answered after it; the idle go first; the exit code is 0."""
    csms = serve()
    await start(csms)
    told = {f"LAST-{version}": session_told(version) for version in VERSIONS}
    await csms.add_stations([*told, "IDLE"], PASSWORD)

    async with AsyncExitStack() as connections:
        peers = {}
        for one in told:
            version = one.removeprefix("LAST-")
            peers[one] = await connections.enter_async_context(dial(csms, one, version))
            await boot(peers[one], version)
        idle = await connections.enter_async_context(dial(csms, "IDLE"))
        async with locked(csms.database_file):
            in_flight = [await peers[one].ask(*told[one][0]) for one in told]
            for peer in peers.values():
                await peer.arrived()
            kill(csms.pid, signal.SIGTERM)
            assert await idle.ended() == 1012
            with pytest.raises((OSError, InvalidHandshake)):
                await connections.enter_async_context(dial(csms, "IDLE"))
            assert not any(answer.done() for answer in in_flight)
        await asyncio.gather(*in_flight)
        assert [await peer.ended() for peer in peers.values()] == [1012] * len(told)
        for one, peer in peers.items():
            with pytest.raises(Closed):
                await peer.call(*told[one][1])
        assert [len(peer.heard) for peer in peers.values()] == [2] * len(told)
    assert await csms.stop() == 0
