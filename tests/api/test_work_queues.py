"""Work queues over HTTP: counts, items, and requests that deal with them when they are sent as they stand."""

import re
from typing import Any

import pytest

from csms.api.work_queues import fixes
from csms.store.outbox import Hold
from csms.store.records import OutboxRow, SessionMark
from csms.store.tables import audit_log
from tests.api.conftest import FIRST_SESSION, MINE, NOW, OTHER, Desk


async def filled(desk: Desk) -> None:
    await desk.add_session(0, flags=",gap,")
    await desk.write(SessionMark("gaps", FIRST_SESSION, 1, 1))
    await desk.write(OutboxRow.of("beijing", "hour-total", "k", "a", {}, NOW))
    await desk.parts.outbox.dead(Hold(1), NOW, "no")
    await desk.parts.registry.put_in_quarantine("CS 0099", "192.0.2.1", "not registered", NOW)


async def counts(client: Any) -> dict[str, int]:
    items = (await client.get("/api/v1/work-queues")).json()["items"]
    return {item["queue"]: item["count"] for item in items}


async def test_what_waits_is_counted(desk_on_each: Desk) -> None:
    """For whom it waits; strangers are the whole network's."""
    desk = desk_on_each
    await filled(desk)
    async with (
        await desk.client("viewer") as boss,
        await desk.client("viewer", MINE) as mine,
        await desk.client("viewer", OTHER) as other,
    ):
        whole, own, foreign = await counts(boss), await counts(mine), await counts(other)

    assert {queue: n for queue, n in whole.items() if n} == {"gaps": 1, "unsent-records": 1, "quarantine": 1}
    assert own["gaps"] == own["unsent-records"] == 1
    assert "quarantine" not in own
    assert set(foreign.values()) == {0}


async def test_a_fix_can_be_sent_as_it_stands(desk: Desk) -> None:
    """Null fields are filled in by a person; the rest is ready."""
    await filled(desk)
    async with await desk.client("admin") as client:
        for queue in ("unsent-records", "gaps", "quarantine"):
            (item,) = (await client.get(f"/api/v1/work-queues/{queue}")).json()["items"]
            fix = item["fixes"][-1]
            body = {
                name: "checked" if value is None else value for name, value in (fix["body"] or {}).items()
            }
            done = await client.request(fix["method"], fix["path"], json=body)
            assert done.status_code == 200, done.text
        left = await counts(client)

    assert {queue: n for queue, n in left.items() if n} == {}
    (row,) = [one for one in await desk.rows(audit_log) if one["action"] == "work-dismiss"]
    assert row["subject"] == f"gaps/{FIRST_SESSION}"


async def test_what_another_operator_has_cannot_be_dismissed(desk: Desk) -> None:
    """404, as if it were not there; a queue that does not exist is a 422."""
    await filled(desk)
    path = f"/api/v1/work-queues/gaps/{FIRST_SESSION}/dismiss"
    async with await desk.client("operator", OTHER) as client:
        foreign = await client.post(path, json={"note": "x"})
        unknown = await client.get("/api/v1/work-queues/nonsense")

    assert (foreign.status_code, unknown.status_code) == (404, 422)


def test_every_queue_says_what_can_be_done() -> None:
    """Methods and paths of the API."""
    facts = {"state": "active", "platform": "beijing"}
    item: dict[str, Any] = {"id": "7", "site": "S01", "facts": facts}

    made = {
        queue: [(fix["method"], fix["path"].removeprefix("/api/v1")) for fix in fixes(queue, item)]
        for queue in ("unmatched-stops", "clock-errors", "silent-stations", "disputes")
    }

    assert made["unmatched-stops"][:2] == [
        ("POST", "/orphan-stops/7/attach"), ("POST", "/orphan-stops/7/dismiss"),
    ]  # fmt: skip
    assert made["clock-errors"] == [
        ("POST", "/sessions/7/close"), ("POST", "/work-queues/clock-errors/7/dismiss"),
    ]  # fmt: skip
    assert made["silent-stations"] == [("GET", "/charging-stations/7/events")]
    assert made["disputes"] == [("POST", "/platforms/beijing/disputes/7/resolve")]


QUEUES = (
    "unmatched-stops", "gaps", "implausible-energy", "clock-errors", "silent-stations", "unsent-records",
    "disputes", "quarantine",
)  # fmt: skip


@pytest.mark.parametrize("queue", QUEUES)
def test_what_is_offered_is_taken(queue: str, desk: Desk) -> None:
    """Each body has what its route asks for, and nothing it does not know."""
    facts = {"state": "active", "platform": "beijing"}
    document = desk.app.openapi()

    for fix in fixes(queue, {"id": "7", "site": "S01", "facts": facts}):
        (route,) = [
            methods[fix["method"].lower()]
            for path, methods in document["paths"].items()
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), fix["path"]) and fix["method"].lower() in methods
        ]
        given = set(fix["body"] or {})
        if "requestBody" not in route:
            assert not given
            continue
        (name,) = re.findall(r"schemas/(\w+)", str(route["requestBody"]))
        form = document["components"]["schemas"][name]
        assert set(form.get("required", ())) <= given <= set(form["properties"])
