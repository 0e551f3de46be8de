"""Stations changed, moved, kept out and retired, as they notice it on their sockets."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from csms.domain.assets import OcppVersion
from csms.store.tables import audit_log
from tests.api.live import live

URL = "/api/v1/charging-stations/CS-0001"


async def test_a_disabled_station_goes_at_once(database_url: str) -> None:
    """Disconnected, refused with 403, let in again when it is enabled."""
    async with live(database_url) as there:
        password = await there.register("CS-1")
        peer = await there.connect("CS-1", password)

        disabled = await there.client.post("charging-stations/CS-1/disable")
        code = await peer.ended()
        with pytest.raises(InvalidStatus) as refused:
            await there.connect("CS-1", password)
        await there.client.post("charging-stations/CS-1/enable")
        await there.connect("CS-1", password)

    assert disabled.json()["enabled"] is False
    assert code == 1008
    assert refused.value.response.status_code == 403


async def test_a_station_that_moves_comes_again(database_url: str) -> None:
    """Asked to connect anew, so that what it charges next is its new site's; a new name is no reason to."""
    async with live(database_url) as there:
        password = await there.register("CS-1")
        peer = await there.connect("CS-1", password, OcppVersion.V201)
        site = {"code": "S02", "operator": "123456789", "name": "Other"}
        await there.client.post("sites", json=site)

        await there.client.patch("charging-stations/CS-1", json={"name": "Left"})
        await asyncio.sleep(0.2)
        still_there = peer.socket.close_code is None
        moved = await there.client.patch("charging-stations/CS-1", json={"site": "S02"})
        code = await peer.ended()

    assert still_there
    assert moved.json()["site"] == "S02"
    assert moved.json()["name"] == "Left"
    assert code == 1012


async def test_a_retired_station_leaves_its_history(database_url: str) -> None:
    """Out of the lists and out of the door; looked up by name it is still there, and may come back."""
    async with live(database_url) as there:
        password = await there.register("CS-1")
        peer = await there.connect("CS-1", password)

        await there.client.delete("charging-stations/CS-1")
        code = await peer.ended()
        listed = (await there.client.get("charging-stations")).json()["items"]
        retired = (await there.client.get("charging-stations", params={"retired": "true"})).json()["items"]
        alone = (await there.client.get("charging-stations/CS-1")).json()
        events = (await there.client.get("charging-stations/CS-1/events")).json()["items"]
        with pytest.raises(InvalidStatus):
            await there.connect("CS-1", password)
        back = await there.register("CS-1")
        await there.connect("CS-1", back)

    assert code == 1008
    assert listed == []
    assert [one["identity"] for one in retired] == ["CS-1"]
    assert alone["retired_at"] is not None
    assert not alone["credentials"]["has_password"]
    assert "retired" in [event["kind"] for event in events]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "body.name"),
        ({"security_profile": 0}, "body.security_profile"),
        ({"security_profile": 2}, "body.security_profile"),
        ({"vendor_profile": "none such"}, "body.vendor_profile"),
        ({"operator": "123456789"}, "body.site"),
        ({"identity": "X"}, "body.identity"),
        ({"labels": {"a b": "c"}}, "body.labels.a b.[key]"),
        ({"enabled": 2}, "body.enabled"),
    ],
)
async def test_a_change_that_cannot_be(desk: Any, body: dict[str, Any], field: str) -> None:
    """422 names the field, and nothing is changed."""
    async with await desk.client() as client:
        before = (await client.get(URL)).json()
        answer = await client.patch(URL, json=body)
        after = (await client.get(URL)).json()

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert after == before


async def test_what_was_before_is_kept(desk_on_each: Any) -> None:
    """The audit log has both sides of a change, of the changed fields alone."""
    async with await desk_on_each.client() as client:
        await client.patch(URL, json={"name": "Left", "labels": {"pole": "7"}, "max_power_w": 50_000})

    (row,) = await desk_on_each.rows(audit_log)
    assert row["action"] == "charging-station-change"
    assert row["before"] == '{"labels":{},"max_power_w":60000,"name":""}'
    assert row["details"] == '{"labels":{"pole":"7"},"max_power_w":50000,"name":"Left"}'
    assert desk_on_each.courier.changed == ["CS-0001"]


async def test_an_operator_moves_stations_within_its_own(desk: Any) -> None:
    """Another operator's site does not exist; neither does taking a station off every site."""
    async with await desk.client("admin", "123456789") as client:
        other = await client.patch(URL, json={"site": "S09"})
        named = await client.patch(URL, json={"site": "S09", "operator": "987654321"})
        nowhere = await client.patch(URL, json={"site": None})

    assert (other.status_code, named.status_code, nowhere.status_code) == (404, 404, 422)
