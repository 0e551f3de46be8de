"""Commands from the API to stations: carried out by a real simulated station, and every way not to be.

A command never writes a session: what the API tells of one here came from the station's own messages.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.campaign.kit import (
    PASSWORD,
    VERSIONS,
    Payload,
    Reply,
    accept_all,
    boot,
    dial,
    sessions_of,
    until,
)
from tests.clients.stories import TOKEN
from tests.serverkit import Child, CsmsServer

EACH = pytest.mark.parametrize("version", VERSIONS)
START = {"command": "StartSession", "id_token": TOKEN, "evse": 1}
RESET = {"1.6": {"type": "Hard"}, "2.0.1": {"type": "Immediate"}, "2.1": {"type": "Immediate"}}
METERED = {"1.6": "MeterValues", "2.0.1": "TransactionEvent", "2.1": "TransactionEvent"}
HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


@EACH
async def test_a_remote_start_and_stop(version: str, csms: CsmsServer, tmp_path: Path) -> None:
    """The station starts a session for the token and tells its energy; stopped by its id, it ends."""
    identity = f"REMOTE-{version}"
    async with simulated(csms, identity, version, tmp_path):
        begun = await command(csms, identity, START)
        session = await until(partial(session_with_energy, csms, identity, version))
        ended = await command(csms, identity, {"command": "StopSession", "session_id": session["session_id"]})
        session = await until(partial(ended_session, csms, identity))

    assert [begun["result"], ended["result"]] == ["accepted", "accepted"]
    assert (session["id_token"], session["authorization"], session["evse"]) == (TOKEN, "accepted", 1)
    assert session["stop_reason"] == "remote"


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_a_gap_is_asked_about(version: str, csms: CsmsServer, tmp_path: Path) -> None:
    """Its station leaves a number out: it is asked once, by itself, and says that the session goes on. A
    person may ask again, also when it is over.
    """
    identity = f"GAP-{version}"
    quirk = ("--misbehave", "gap-in-sequence")
    async with simulated(csms, identity, version, tmp_path, *quirk) as station:
        await command(csms, identity, START)
        session = await until(partial(session_with_energy, csms, identity, version))
        (first,) = await until(partial(said, csms, session))
        ask = {"command": "AskTransaction", "session_id": session["session_id"]}
        await command(csms, identity, {"command": "StopSession", "session_id": session["session_id"]})
        session = await until(partial(ended_session, csms, identity))
        told = await command(csms, identity, ask)
        both = await until(partial(said, csms, session, 2))

    assert (first["evidence"], first["ongoing"]) == ("station-says", True)
    assert (told["result"], told["detail"]["answer"]["ongoingIndicator"]) == ("accepted", False)
    assert [one["ongoing"] for one in both] == [True, False]
    assert session["quality"] == ["gap"]
    assert station.log_tail(1_000_000).count("< GetTransactionStatus") == 2


async def test_16_has_no_such_question(csms: CsmsServer, tmp_path: Path) -> None:
    """Said before anything is sent."""
    async with simulated(csms, "UNASKED", "1.6", tmp_path):
        await command(csms, "UNASKED", START)
        session = await until(partial(session_with_energy, csms, "UNASKED", "1.6"))
        ask = {"command": "AskTransaction", "session_id": session["session_id"]}
        told = await command(csms, "UNASKED", ask)

    assert told["result"] == "not-supported"
    assert told["detail"]["reason"].endswith("AskTransaction")


@EACH
async def test_a_raw_call_gives_the_answer_as_it_came(version: str, csms: CsmsServer, tmp_path: Path) -> None:
    """GetConfiguration and GetVariables; a payload the version's schema does not allow never leaves."""
    identity = f"RAW-{version}"
    asked: tuple[str, Payload] = ("GetConfiguration", {"key": ["HeartbeatInterval"]})
    if version != "1.6":
        asked = ("GetVariables", {"getVariableData": [HEARTBEAT]})

    async with simulated(csms, identity, version, tmp_path) as station:
        told = await csms.post(f"charging-stations/{identity}/calls/{asked[0]}", asked[1])
        with pytest.raises(httpx.HTTPStatusError, match="422"):
            await csms.post(
                f"charging-stations/{identity}/calls/{asked[0]}", {"key": 5, "getVariableData": 5}
            )

    assert told["result"] == "accepted"
    if version == "1.6":
        assert told["answer"]["configurationKey"][0]["key"] == "HeartbeatInterval"
    else:
        assert told["answer"]["getVariableResult"][0]["variable"] == HEARTBEAT["variable"]
    assert station.log_tail().count(f"< {asked[0]}") == 1


@EACH
@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (lambda action, payload: {"status": "Accepted"}, "accepted"),
        (lambda action, payload: {"status": "Rejected"}, "rejected"),
        (lambda action, payload: "NotImplemented", "not-supported"),
        (lambda action, payload: "NotSupported", "not-supported"),
        (lambda action, payload: "InternalError", "failed"),
        (lambda action, payload: {"status": "Gladly"}, "rejected"),
        (lambda action, payload: {"answer": "yes"}, "failed"),
    ],
    ids=["accepted", "rejected", "not-implemented", "not-supported", "error", "no-yes", "no-answer"],
)
async def test_what_became_of_a_command(reply: Reply, result: str, version: str, csms: CsmsServer) -> None:
    """The station's word or its CALLERROR as one result, which can be looked up later."""
    identity = f"SAYS-{uuid.uuid4().hex[:8]}"
    await csms.add_station(identity, PASSWORD)

    told, asked = await reset(csms, identity, version, reply)

    assert told["result"] == result
    kept = await csms.get(f"commands/{told['command_id']}")
    assert (kept["result"], kept["charging_station"]) == (result, identity)
    assert asked == [RESET[version]]
    assert await sessions_of(csms, identity) == []


async def test_a_station_that_keeps_silent(csms: CsmsServer) -> None:
    """After `call_timeout_s` it is said to be silent, and not asked again; it is still served."""
    silent = {f"SILENT-{version}": version for version in VERSIONS}
    await csms.add_stations(silent, PASSWORD)

    outcomes = await asyncio.gather(
        *(reset(csms, *one, lambda action, payload: None) for one in silent.items())
    )

    assert [told["result"] for told, _ in outcomes] == ["silent"] * len(silent)
    assert [asked for _, asked in outcomes] == [[RESET[version]] for version in silent.values()]


async def test_nobody_is_there(csms: CsmsServer) -> None:
    """Never connected, or gone: known at once. A station that leaves without answering was silent."""
    await csms.add_stations(["NEVER", "LEAVES"], PASSWORD)
    leaving = asyncio.Event()

    def leave(action: str, payload: Payload) -> None:
        leaving.set()

    never = await command(csms, "NEVER", START)
    async with dial(csms, "LEAVES", "1.6", leave) as peer:
        await boot(peer, "1.6")
        asked = asyncio.create_task(command(csms, "LEAVES", START))
        await leaving.wait()
    left = await asked
    gone = await until(partial(not_silent, csms, "LEAVES"))

    assert never["result"] == "not-connected"
    assert left["result"] == "silent"
    assert gone["result"] == "not-connected"


@EACH
async def test_a_key_makes_repeating_safe(version: str, csms: CsmsServer) -> None:
    """The same Idempotency-Key, at once and later, is one CALL; with another body it is refused."""
    identity = f"ONCE-{version}"
    await csms.add_station(identity, PASSWORD)
    key = {"Idempotency-Key": f"key-{version}"}

    async with dial(csms, identity, version, accept_all) as peer:
        await boot(peer, version)
        results = await asyncio.gather(*(command(csms, identity, START, **key) for _ in range(5)))
        results.append(await command(csms, identity, START, **key))
        with pytest.raises(httpx.HTTPStatusError, match="422"):
            await command(csms, identity, {**START, "evse": 2}, **key)
        asked = [action for action, _ in peer.asked if "Start" in action]

    assert results == [results[0]] * 6
    assert len(asked) == 1


async def reset(
    csms: CsmsServer, identity: str, version: str, reply: Reply
) -> tuple[dict[str, Any], list[Payload]]:
    """Tell a station to restart: what came of it, and every such CALL it got."""
    async with dial(csms, identity, version, reply) as peer:
        await boot(peer, version)
        told = await command(csms, identity, {"command": "Reset", "kind": "hard"})
        await peer.call("Heartbeat", {})
    return told, [payload for action, payload in peer.asked if action == "Reset"]


async def command(csms: CsmsServer, identity: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Give a command; what came of it."""
    told: dict[str, Any] = await csms.post(f"charging-stations/{identity}/commands", body, **headers)
    return told


async def not_silent(csms: CsmsServer, identity: str) -> dict[str, Any] | None:
    """What comes of a command once the server knows that its station is gone."""
    told = await command(csms, identity, START)
    return told if told["result"] != "silent" else None


async def session_with_energy(csms: CsmsServer, identity: str, version: str) -> dict[str, Any] | None:
    """The session that runs, once the station has metered something; it is told to do so now."""
    metered = {"command": "TriggerMessage", "message": METERED[version], "evse": 1}
    assert (await command(csms, identity, metered))["result"] == "accepted"
    return next((one for one in await sessions_of(csms, identity) if one["energy_wh"]), None)


async def ended_session(csms: CsmsServer, identity: str) -> dict[str, Any] | None:
    """The only session, once it has ended."""
    (session,) = await sessions_of(csms, identity)
    return session if session["state"] == "ended" else None


async def said(csms: CsmsServer, session: dict[str, Any], times: int = 1) -> list[dict[str, Any]] | None:
    """What the station said of the session when asked, once it has done so that often."""
    items = (await csms.get(f"sessions/{session['session_id']}/evidence", limit=500))["items"]
    found = [one["details"]["facts"] for one in items if one["kind"] == "evidence"]
    return found if len(found) >= times else None


@asynccontextmanager
async def simulated(
    csms: CsmsServer, identity: str, version: str, directory: Path, *options: str
) -> AsyncIterator[Child]:
    """`python -m simulators station`, booted. Its own drivers' cards are unknown: only commands start it."""
    await csms.add_station(identity, PASSWORD)
    route = ["--identity", identity, "--version", version, "--url", csms.gateway_url, "--password", PASSWORD]
    child = Child(
        identity,
        [sys.executable, "-m", "simulators", "station", *route, "--sample", "1", *options],
        directory,
    )
    child.spawn()
    try:
        await until(partial(is_booted, csms, identity))
        yield child
        assert await child.stop() == 0
    finally:
        child.kill()
        print(child.log_tail())


async def is_booted(csms: CsmsServer, identity: str) -> bool:
    """Whether the station was accepted on a connection that is open."""
    station = await csms.get(f"charging-stations/{identity}")
    return (station["state"], station["boot_status"]) == ("online", "accepted")
