"""/platforms: figures, pause and resume, resend, disputes; and the same numbers in /metrics."""

from datetime import timedelta
from typing import Any

import pytest

from csms.api.auth import new_key
from csms.api.platforms import figures, timeliness, upload_rate
from csms.domain.scope import Scope
from csms.store.delivery_rows import Told
from csms.store.outbox import Hold
from csms.store.platforms import Tally
from csms.store.records import OutboxRow

MINE, OTHER = "123456789", "987654321"
S = timedelta(seconds=1)


async def three_orders(desk: Any) -> None:
    """One in time, one late and disputed, one set aside."""
    now, outbox = desk.clock[0], desk.parts.outbox
    await outbox.enqueue(
        [OutboxRow.of("beijing", "charge-order", str(n), f"{n}/1", {}, now) for n in (1, 2, 3)]
    )
    disputed = {"start_charge_seq": "X" * 27, "our_energy_wh": 22500, "our_money": "33.75"}
    await outbox.sent(Hold(1), now + S, {"ConfirmResult": 0}, Told("a" * 64, 150))
    await outbox.sent(Hold(2), now + 200 * S, {"disputed": 1}, Told("b" * 64, 150, 1, disputed))
    await outbox.dead(Hold(3), now + S, "Ret 4004")


async def test_a_platform(desk: Any) -> None:
    """Timeliness and upload rate against the profile's limit."""
    await three_orders(desk)
    async with await desk.client("viewer") as client:
        (listed,) = (await client.get("/api/v1/platforms")).json()["items"]
        shown = (await client.get("/api/v1/platforms/beijing", params={"days": 1})).json()

    assert (listed["on_time_rate"], listed["order_upload_rate"]) == (0.3333, 0.3333)
    assert (listed["dead"], listed["waiting"], listed["open_disputes"], listed["paused"]) == (1, 0, 1, False)
    assert listed["last_contact_at"] is not None
    assert shown["kinds"]["charge-order"] == {
        "within_s": 150.0, "due": 3, "on_time": 1, "on_time_rate": 0.3333, "sent": 2, "accepted": 1,
        "disputed": 1, "dead": 1, "waiting": 0,
    }  # fmt: skip


async def test_pause_resume_resend(desk: Any) -> None:
    """Each by one call, and in the audit log."""
    await three_orders(desk)
    async with await desk.client("operator", MINE) as client:
        assert (
            await client.post("/api/v1/platforms/beijing/pause", json={"reason": "repair"})
        ).status_code == 200
        paused = (await client.get("/api/v1/platforms/beijing")).json()
        assert (await client.post("/api/v1/platforms/beijing/resume")).status_code == 200
        first = await client.post("/api/v1/platforms/beijing/outbox/3/resend")
        again = await client.post("/api/v1/platforms/beijing/outbox/3/resend")
        nowhere = await client.post("/api/v1/platforms/beijing/outbox/99/resend")

    assert (paused["paused"], paused["paused_because"]) == (True, "repair")
    assert (first.status_code, again.status_code, nowhere.status_code) == (200, 409, 404)
    from csms.store.tables import audit_log

    assert [row["action"] for row in await desk.rows(audit_log)] == [
        "platform-pause", "platform-resume", "outbox-resend",
    ]  # fmt: skip


async def test_an_older_revision_is_not_resent(desk: Any) -> None:
    """Nor is it noted that it was: the platform would end with old figures."""
    now, outbox = desk.clock[0], desk.parts.outbox
    await outbox.enqueue([OutboxRow.of("beijing", "charge-order", "1", f"1/{n}", {}, now) for n in (1, 2)])
    await outbox.dead(Hold(1), now, "Ret 4004")
    await outbox.sent(Hold(2), now)
    async with await desk.client("operator", MINE) as client:
        refused = await client.post("/api/v1/platforms/beijing/outbox/1/resend")

    assert (refused.status_code, refused.json()["detail"]) == (
        409, "The platform has taken a newer record of the same thing: 1/1",
    )  # fmt: skip


@pytest.mark.parametrize(("name", "operator"), [("beijing", None), ("tianjin", OTHER), ("a-city", OTHER)])
async def test_a_platforms_key_sees_that_platform(desk: Any, name: str, operator: str | None) -> None:
    """By the name it bears, else those of its operator: figures, disputes, and what it is owed."""
    reporting = desk.parts.settings.reporting
    other = reporting.platforms[0].model_copy(update={"name": "tianjin", "operator": OTHER})
    reporting.platforms.append(other)
    rows = [OutboxRow.of(one, "event", "1", "1", {}, desk.clock[0]) for one in ("beijing", "tianjin")]
    await desk.parts.outbox.enqueue(rows)
    key, digest = new_key()
    await desk.parts.registry.put_api_key(name, digest, "platform", Scope(operator), desk.clock[0])
    mine, others = ("beijing", "tianjin") if operator is None else ("tianjin", "beijing")

    async with desk.anonymous({"Authorization": f"Bearer {key}"}) as client:
        listed = (await client.get("/api/v1/platforms")).json()["items"]
        owed = (await client.get("/api/v1/outbox")).json()["items"]
        found = [
            (await client.get(f"/api/v1/platforms/{one}{path}")).status_code
            for one in (mine, others)
            for path in ("", "/disputes")
        ]

    assert [one["name"] for one in listed] == [one["platform"] for one in owed] == [mine]
    assert found == [200, 200, 404, 404]


async def test_disputes(desk: Any) -> None:
    """Shown until somebody settles them, with both sides' figures."""
    await three_orders(desk)
    path = "/api/v1/platforms/beijing/disputes"
    async with await desk.client("operator") as client:
        (one,) = (await client.get(path, params={"open": True})).json()["items"]
        settled = await client.post(f"{path}/{one['id']}/resolve", json={"note": "agreed"})
        twice = await client.post(f"{path}/{one['id']}/resolve", json={"note": "agreed"})
        (kept,) = (await client.get(path)).json()["items"]

    assert (one["our_energy_wh"], one["our_money"], one["reason"], one["source"]) == (
        22500, "33.75", 1, "charge-order",
    )  # fmt: skip
    assert (settled.status_code, twice.status_code) == (200, 404)
    assert (kept["note"], kept["resolved_by"].startswith("key:")) == ("agreed", True)


@pytest.mark.parametrize("path", ["", "/disputes"])
async def test_another_operators_platform(desk: Any, path: str) -> None:
    """Does not exist."""
    async with await desk.client("operator", OTHER) as client:
        assert (await client.get(f"/api/v1/platforms/beijing{path}")).status_code == 404
        assert (await client.get("/api/v1/platforms")).json()["items"] == []


async def test_metrics(desk: Any) -> None:
    """By platform and kind, none by station."""
    await three_orders(desk)
    async with desk.anonymous() as client:
        text = (await client.get("/metrics")).text

    assert 'csms_reports_total{kind="charge-order",outcome="on-time",platform="beijing"} 1.0' in text
    assert 'csms_reports_total{kind="charge-order",outcome="late",platform="beijing"} 1.0' in text
    assert 'csms_reports_total{kind="charge-order",outcome="dead",platform="beijing"} 1.0' in text
    assert 'csms_platform_on_time_ratio{platform="beijing"} 0.3333' in text
    assert 'csms_platform_paused{platform="beijing"} 0.0' in text
    assert 'csms_platform_disputes{platform="beijing"} 1.0' in text


def test_rates_of_nothing() -> None:
    """Are not known; a kind without a limit is never late."""
    tally = Tally("p", "hour-total", 5, 5, 5, 0, 0, 0, 0, None)

    assert timeliness([figures(tally, None)]) is None
    assert upload_rate([tally]) is None
