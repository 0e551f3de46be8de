"""/command-batches: one command to many, counted, cancelled, sent again; each seen by whom it concerns."""

from typing import Any

import pytest

from csms.domain.assets import OcppVersion
from csms.store.tables import audit_log
from tests.api.live import live
from tests.serverkit import polls

URL = "/api/v1/command-batches"
CLEAR = {"command": {"command": "ClearCache"}}


async def test_a_batch_over_real_sockets(database_url: str) -> None:
    """Every station is told once, in its own version; progress and results are kept; failed ones again."""
    async with live(database_url) as there:
        answers = {"CS-1": "Accepted", "CS-2": "Rejected", "CS-3": "Accepted"}
        peers = {}
        for (identity, status), version in zip(answers.items(), OcppVersion, strict=True):
            password = await there.register(identity)
            answer = {"status": status}
            peers[identity] = await there.connect(identity, password, version, lambda *_, a=answer: a)
        await there.register("CS-4")

        begun = await there.client.post("command-batches", json=CLEAR | {"filter": {"prefix": "cs-"}})
        first = await _ended(there.client)
        failed = await there.client.get("command-batches/1/items", params={"result": "rejected"})
        peers["CS-2"].answer = lambda *_: {"status": "Accepted"}
        await there.client.post("command-batches/1/retry-failed")
        second = await _ended(there.client)
        items = (await there.client.get("command-batches/1/items")).json()["items"]
        metrics = (await there.client.get("../../metrics")).text

    assert begun.status_code == 202
    assert sum(begun.json()["counts"].values()) == 4  # some may have been told already
    assert first == {"accepted": 2, "rejected": 1, "not-connected": 1}
    assert [one["charging_station"] for one in failed.json()["items"]] == ["CS-2"]
    assert second == {"accepted": 3, "not-connected": 1}
    assert {one["charging_station"]: one["attempts"] for one in items} == {
        "CS-1": 1,
        "CS-2": 2,
        "CS-3": 1,
        "CS-4": 2,
    }
    assert [len(peer.asked) for peer in peers.values()] == [1, 2, 1]
    assert 'csms_batch_items_total{result="accepted"} 3.0' in metrics


async def _ended(client: Any) -> dict[str, int]:
    """Wait for the first batch; its counts."""
    async for _ in polls(20):
        shown = (await client.get("command-batches/1")).json()
        if shown["state"] != "running":
            return dict(shown["counts"])
    raise TimeoutError(shown)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 422),
        ({"stations": ["CS-0001"], "filter": {}}, 422),
        ({"stations": []}, 422),
        ({"stations": ["CS-X"]}, 404),
        ({"filter": {"prefix": "nothing"}}, 422),
        ({"stations": ["CS-0001"], "command": {"command": "StopSession", "session_id": "1"}}, 422),
        ({"stations": ["CS-0001"], "command": {"command": "AskTransaction", "session_id": "1"}}, 422),
        (
            {
                "stations": ["CS-0001"],
                "command": {
                    "command": "SetVariables",
                    "values": [{"name": "AuthorizationKey", "value": "0123456789abcdef"}],
                },
            },
            422,
        ),
        ({"stations": ["CS-0001"], "per_second": 0}, 422),
    ],
)
async def test_a_batch_that_cannot_be(desk: Any, change: dict[str, Any], status: int) -> None:
    """Nothing is kept of it."""
    async with await desk.client() as client:
        answer = await client.post(URL, json=CLEAR | change)
        listed = (await client.get(URL)).json()

    assert answer.status_code == status, answer.text
    assert listed == {"items": [], "next": None}


async def test_an_operator_reaches_its_own(desk_on_each: Any) -> None:
    """A filter selects its own stations only; others' batches do not exist; who did what is kept."""
    async with await desk_on_each.client("operator", "123456789") as mine:
        begun = await mine.post(URL, json=CLEAR | {"filter": {}})
        other = await mine.post(URL, json=CLEAR | {"filter": {"operator": "987654321"}})
        foreign = await mine.post(URL, json=CLEAR | {"stations": ["CS-0009"]})
        items = (await mine.get(f"{URL}/1/items")).json()["items"]
    async with await desk_on_each.client("operator", "987654321") as others:
        hidden = [await others.get(URL), await others.get(f"{URL}/1"), await others.post(f"{URL}/1/cancel")]
    async with await desk_on_each.client("viewer") as viewer:
        forbidden = await viewer.post(URL, json=CLEAR | {"filter": {}})
        seen = await viewer.get(f"{URL}/1")

    assert begun.json()["operator"] == "123456789"
    assert [one["charging_station"] for one in items] == ["CS-0001"]
    assert (other.status_code, foreign.status_code) == (404, 404)
    assert hidden[0].json()["items"] == []
    assert [answer.status_code for answer in hidden[1:]] == [404, 404]
    assert (forbidden.status_code, seen.status_code) == (403, 200)
    assert [row["action"] for row in await desk_on_each.rows(audit_log)] == ["command-batch"]


async def test_a_cancelled_batch(desk: Any) -> None:
    """What waits is not sent; a second cancellation is refused."""
    async with await desk.client() as client:
        await client.post(URL, json=CLEAR | {"filter": {}})
        first = await client.post(f"{URL}/1/cancel")
        second = await client.post(f"{URL}/1/cancel")

    assert (first.json()["state"], first.json()["counts"]) == ("cancelled", {"cancelled": 2})
    assert second.status_code == 409
