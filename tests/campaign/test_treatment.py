"""How a running server treats strangers, liars and babblers, and that nobody else notices."""

from __future__ import annotations

import contextlib
import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.campaign.kit import (
    PASSWORD,
    VERSIONS,
    CallFailed,
    Peer,
    boot,
    dial,
    readiness,
    refusal,
)
from tests.serverkit import CsmsServer

EACH = pytest.mark.parametrize("version", VERSIONS)
BROKEN = '[2,"b","Heartbeat"'
MOST_BROKEN = 10  # gateway.protocol_errors_per_min


async def beats(peer: Peer, times: int = 1) -> None:
    """The station is served: each Heartbeat gets its answer."""
    for _ in range(times):
        assert "currentTime" in await peer.call("Heartbeat", {})


@EACH
async def test_an_unknown_charger_waits_for_approval(version: str, csms: CsmsServer) -> None:
    """404 and a line in quarantine, no station; once approved it is served."""
    identity = f"UNKNOWN-{version}"

    refused = await refusal(csms, identity)

    assert refused.status_code == 404
    waiting = {one["identity"]: one for one in (await csms.get("quarantine"))["items"]}
    assert waiting[identity]["attempts"] == 1
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await csms.get(f"charging-stations/{identity}")

    await csms.post(f"quarantine/{identity}/approve", {"site": "S01", "password": PASSWORD})

    async with dial(csms, identity, version) as peer:
        await boot(peer, version)
        assert (await csms.get(f"charging-stations/{identity}"))["state"] == "online"
    assert identity not in {one["identity"] for one in (await csms.get("quarantine"))["items"]}


@EACH
async def test_a_wrong_password_does_not_touch_the_right_one(version: str, csms: CsmsServer) -> None:
    """401 with a challenge for whoever guesses; the station that is connected hears nothing of it."""
    identity = f"GUESSED-{version}"
    await csms.add_station(identity, PASSWORD)

    async with dial(csms, identity, version) as peer:
        await boot(peer, version)
        refused = await refusal(csms, identity, password="fedcba9876543210")
        await beats(peer)

        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
        assert (await csms.get(f"charging-stations/{identity}"))["state"] == "online"
        assert [frame[0] for frame in peer.heard] == [3, 3]


@EACH
async def test_broken_frames_are_put_up_with_for_a_while(version: str, csms: CsmsServer) -> None:
    """2.x hears CALLERROR "-1", 1.6 nothing; the connection lives; one too many ends it with 1008."""
    identity = f"BROKEN-{version}"
    await csms.add_station(identity, PASSWORD)

    async with dial(csms, identity, version) as peer:
        await boot(peer, version)
        for _ in range(MOST_BROKEN):
            await peer.socket.send(BROKEN)
        await beats(peer)
        errors = [frame for frame in peer.heard if frame[0] == 4]
        expected = 0 if version == "1.6" else MOST_BROKEN
        assert [error[1:3] for error in errors] == [["-1", "RpcFrameworkError"]] * expected

        await peer.socket.send(BROKEN)
        assert await peer.ended() == 1008

    refused = await refusal(csms, identity)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


@EACH
async def test_a_message_of_two_megabytes_ends_its_own_connection(version: str, csms: CsmsServer) -> None:
    """1009 for the sender, who may come again; a neighbour is answered before, meanwhile and after."""
    fat, neighbour = f"FAT-{version}", f"BESIDE-{version}"
    await csms.add_stations([fat, neighbour], PASSWORD)
    text = json.dumps([2, "fat", "DataTransfer", {"vendorId": "x", "data": "x" * 2_097_152}])

    async with dial(csms, neighbour, version) as beside:
        await boot(beside, version)
        async with dial(csms, fat, version) as peer:
            await boot(peer, version)
            await beats(beside)
            # It may be refused by its head, before all of it was sent.
            with contextlib.suppress(ConnectionClosed):
                await peer.socket.send(text)
            await beats(beside)
            assert await peer.ended() == 1009
        async with dial(csms, fat, version) as peer:
            await beats(peer)
        await beats(beside)


@EACH
async def test_nesting_without_end_is_refused(version: str, csms: CsmsServer) -> None:
    """JSON 30,000 deep gets a CALLERROR, and neither the connection nor the server suffers."""
    identity = f"DEEP-{version}"
    await csms.add_station(identity, PASSWORD)
    deep = "[" * 30_000 + "]" * 30_000

    async with dial(csms, identity, version) as peer:
        await boot(peer, version)
        await peer.socket.send(f'[2,"deep","DataTransfer",{{"vendorId":"x","data":{deep}}}]')
        await peer.socket.send(f'[2,"deeper",{deep},{{}}]')
        await beats(peer)

        refused = [frame for frame in peer.heard if frame[0] == 4]
        assert refused[0][1:3] == ["deep", "FormationViolation" if version == "1.6" else "FormatViolation"]
    assert await readiness(csms) == 200


@EACH
async def test_what_nobody_understands_is_refused_by_name(version: str, csms: CsmsServer) -> None:
    """An action of no version is NotImplemented; the next message is served."""
    identity = f"STRANGE-{version}"
    await csms.add_station(identity, PASSWORD)

    async with dial(csms, identity, version) as peer:
        await boot(peer, version)
        with pytest.raises(CallFailed, match="NotImplemented"):
            await peer.call("MakeCoffee", {})
        await beats(peer)
