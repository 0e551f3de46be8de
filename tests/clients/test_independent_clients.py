"""OCPP implementations by others against the real server: every version, wire to ledger.

Each validates every message it gets against its own schemas, so an answer of
ours that only our own tests believe in fails here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.city import City
from tests.clients.stories import ENERGY_WH, TOKEN, story
from tests.clients.witness import witness
from tests.serverkit import CsmsServer

PASSWORD = "0123456789abcdef"
CLIENTS = [
    *(("ocpp", version) for version in ("1.6", "2.0.1", "2.1")),
    *(("ocpp-rpc", version) for version in ("1.6", "2.0.1", "2.1")),
    ("ocpp-ts", "1.6"),
]
REMOTE_START = {"1.6": "RemoteStartTransaction"}


@pytest.mark.slow
@pytest.mark.parametrize(("client", "version"), CLIENTS)
async def test_a_session_reaches_the_city_once(
    client: str, version: str, csms: CsmsServer, city: City, tmp_path: Path
) -> None:
    """Boot to end by an independent client: right energy in the history, one order in the city's ledger."""
    identity = f"WITNESS-{client}-{version}"
    await csms.add_station(identity, PASSWORD)
    told = story(version, datetime.now(UTC))
    order = {"url": csms.gateway_url, "identity": identity, "password": PASSWORD, "version": version}

    async with witness(client, tmp_path) as station:
        await station.tell({**order, "story": told})
        asked_for = {"command": "StartSession", "id_token": TOKEN, "evse": 1}
        outcome = await csms.post(f"charging-stations/{identity}/commands", asked_for)
        asked = await station.until_asked(REMOTE_START.get(version, "RequestStartTransaction"))

    assert [action for action, _ in station.did] == [action for action, _ in told]
    assert_accepted(dict(station.did))
    assert station.invalid == []
    assert outcome["result"] == "accepted"
    assert TOKEN in json.dumps(asked)
    session = await one_session(csms, identity)
    assert (session["state"], session["energy_wh"], session["id_token"]) == ("ended", ENERGY_WH, TOKEN)
    reported = await city.order(session["start_charge_seq"])
    assert (reported["energy_wh"], reported["received"], reported["versions"]) == (ENERGY_WH, 1, 1)


def assert_accepted(answers: dict[str, dict[str, Any]]) -> None:
    """Boot and token were accepted; libraries differ in how they spell the names around it."""
    assert answers["BootNotification"]["status"] == "Accepted"
    assert '"Accepted"' in json.dumps(answers["Authorize"])


async def one_session(csms: CsmsServer, identity: str) -> dict[str, Any]:
    """The only session of a station."""
    (session,) = (await csms.get("sessions", station=identity))["items"]
    found: dict[str, Any] = session
    return found
