"""/quarantine: unknown stations listed, approved, dismissed."""

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from csms.domain.assets import OcppVersion
from tests.api.live import live


async def test_quarantine(desk: Any) -> None:
    """Unknown stations are listed, approved with a password, or dismissed; then they are gone from it."""
    for identity in ("CS-A", "CS-B", "<script>"):
        await desk.parts.registry.put_in_quarantine(identity, "192.0.2.1", "not registered", desk.clock[0])

    async with await desk.client() as client:
        before = (await client.get("/api/v1/quarantine")).json()
        approved = await client.post("/api/v1/quarantine/CS-A/approve", json={"site": "S01"})
        denied = await client.post("/api/v1/quarantine/CS-B/deny")
        odd = await client.post("/api/v1/quarantine/%3Cscript%3E/deny")
        twice = await client.post("/api/v1/quarantine/CS-B/deny")
        unknown = await client.post("/api/v1/quarantine/CS-A/approve", json={})
        after = (await client.get("/api/v1/quarantine")).json()

    assert {each["identity"] for each in before["items"]} == {"CS-A", "CS-B", "<script>"}
    assert approved.json()["verdict"] == "approved"
    assert len(approved.json()["password"]) == 20
    assert (denied.status_code, odd.status_code, twice.status_code, unknown.status_code) == (
        200,
        200,
        404,
        404,
    )
    assert after == {"items": [], "next": None}
    station = await desk.parts.registry.station("CS-A")
    assert station.site_code == "S01"


async def test_hardware_is_exchanged(database_url: str) -> None:
    """The station goes on under the new identity with its history; the old hardware is out at once."""
    async with live(database_url) as there:
        old = await there.register("CS-1", max_power_w=60_000)
        peer = await there.connect("CS-1", old)
        with pytest.raises(InvalidStatus):
            await there.connect("NEW-1", "0123456789abcdef")
        before = (await there.client.get("charging-stations/CS-1/events")).json()["items"]

        linked = await there.client.post("quarantine/NEW-1/link", json={"charging_station": "CS-1"})
        code = await peer.ended()
        with pytest.raises(InvalidStatus):
            await there.connect("CS-1", old)
        await there.connect("NEW-1", linked.json()["password"], OcppVersion.V201)
        station = (await there.client.get("charging-stations/NEW-1")).json()
        gone = await there.client.get("charging-stations/CS-1")
        after = (await there.client.get("charging-stations/NEW-1/events")).json()["items"]

    assert code == 1008
    assert gone.status_code == 404
    assert (station["site"], station["max_power_w"], station["state"]) == ("S01", 60_000, "online")
    assert len(after) > len(before)
    assert "hardware-exchanged" in [event["kind"] for event in after]


async def test_a_link_that_cannot_be(desk: Any) -> None:
    """Nobody at the door, nobody registered, a password that is none."""
    url = "/api/v1/quarantine/CS-A/link"
    async with await desk.client() as client:
        nobody = await client.post(url, json={"charging_station": "CS-0001"})
        await desk.parts.registry.put_in_quarantine("CS-A", "192.0.2.1", "unknown", desk.clock[0])
        unknown = await client.post(url, json={"charging_station": "CS-X"})
        short = await client.post(url, json={"charging_station": "CS-0001", "password": "short"})

    assert (nobody.status_code, unknown.status_code, short.status_code) == (404, 404, 422)
