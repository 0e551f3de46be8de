"""Webhooks over HTTP: made, changed, tried, told again; secrets are shown once and kept out of all else."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.config_live import WebhookSettings
from csms.store.change_tables import webhooks
from csms.store.tables import audit_log
from csms.store.webhooks import Delivery
from tests.api.conftest import MINE, NOW, OTHER, Desk
from tests.live.kit import receiving

PUBLIC = "https://93.184.216.34/hook/of-the-receiver"


def allow(desk: Desk) -> None:
    """Receivers of tests are on this machine."""
    settings = WebhookSettings(private_addresses=True, plain_http=True, timeout_s=1)
    object.__setattr__(desk.parts, "settings", desk.parts.settings.model_copy(update={"webhooks": settings}))
    desk.parts.live.messenger._settings = settings


async def test_a_webhook_lives_and_ends(desk_on_each: Desk) -> None:
    """Added, shown without its secret, changed, removed; everything in the audit log."""
    desk = desk_on_each
    with capture_logs() as logs:
        async with await desk.client("admin") as client:
            made = await client.post("/api/v1/webhooks", json={"url": PUBLIC, "kinds": ["session_ended"]})
            number, secret = made.json()["id"], made.json()["secret"]
            path = f"/api/v1/webhooks/{number}"
            shown = await client.get(path)
            changed = await client.put(path, json={"url": PUBLIC, "enabled": False})
            renewed = await client.post(f"{path}/secret")
            listed = await client.get("/api/v1/webhooks")
            stored = (await desk.rows(webhooks))[0]["secret"]
            removed = await client.delete(path)
            gone = await client.get(path)

    assert (made.status_code, removed.status_code, gone.status_code) == (201, 204, 404)
    assert made.json()["kinds"] == ["session_ended"]
    assert (changed.json()["enabled"], changed.json()["kinds"]) == (False, None)
    assert "secret" not in shown.json()
    assert secret not in listed.text
    assert renewed.json()["secret"] == stored != secret
    assert len(secret) > 40
    kept = str([await desk.rows(audit_log), logs])
    assert all(word not in kept for word in (secret, stored, "of-the-receiver"))
    actions = [row["action"] for row in await desk.rows(audit_log)]
    assert actions == ["webhook-add", "webhook-change", "webhook-secret", "webhook-remove"]


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://93.184.216.34/"}, {"url": "https://169.254.169.254/"}, {"url": "https://localhost/"},
        {"url": PUBLIC, "kinds": ["nonsense"]}, {"url": PUBLIC, "kinds": []}, {"url": PUBLIC, "x": 1},
        {"url": PUBLIC, "kinds": ["session_progress"]}, {"url": ""},
    ],
)  # fmt: skip
async def test_what_a_webhook_cannot_be(desk: Desk, body: dict[str, Any]) -> None:
    """422, and nothing is stored."""
    async with await desk.client("admin") as client:
        answer = await client.post("/api/v1/webhooks", json=body)

    assert answer.status_code == 422
    assert await desk.rows(webhooks) == []


async def test_an_operators_webhook_is_its_own(desk: Desk) -> None:
    """A limited key makes only such, and sees no other; the operator cannot be changed."""
    async with await desk.client("admin", MINE) as mine, await desk.client("admin", OTHER) as other:
        made = await mine.post("/api/v1/webhooks", json={"url": PUBLIC})
        foreign = await mine.post("/api/v1/webhooks", json={"url": PUBLIC, "operator": OTHER})
        path = f"/api/v1/webhooks/{made.json()['id']}"
        hidden = [
            (await other.get(path)).status_code,
            (await other.put(path, json={"url": PUBLIC})).status_code,
            (await other.delete(path)).status_code,
            (await other.post(f"{path}/replay", json={"after": "0"})).status_code,
            (await other.post(f"{path}/test")).status_code,
            (await other.get(f"{path}/deliveries")).status_code,
        ]
        moved = await mine.put(path, json={"url": PUBLIC, "operator": OTHER})

    assert made.json()["operator"] == MINE
    assert foreign.status_code == 404
    assert set(hidden) == {404}
    assert moved.status_code == 422


async def test_a_trial_and_a_replay(desk_on_each: Desk) -> None:
    """A letter without events arrives, signed; the position goes where it is sent, and no further."""
    desk = desk_on_each
    allow(desk)
    async with receiving() as receiver, await desk.client("admin") as client:
        made = (await client.post("/api/v1/webhooks", json={"url": receiver.url})).json()
        path = f"/api/v1/webhooks/{made['id']}"
        tried = (await client.post(f"{path}/test")).json()
        back = await client.post(f"{path}/replay", json={"after": "1"})
        beyond = await client.post(f"{path}/replay", json={"after": "99999"})
        nonsense = await client.post(f"{path}/replay", json={"after": "-1"})
        resumed = await client.post(f"{path}/resume")
        deliveries = (await client.get(f"{path}/deliveries")).json()["items"]

    assert (tried["status"], tried["error"], tried["events"]) == (204, "", 0)
    assert deliveries == [tried]
    (headers, _), = receiver.got  # fmt: skip
    assert headers["csms-signature"].startswith(f"t={int(NOW.timestamp())},v1=")
    assert (back.json()["position"], resumed.json()["paused_because"]) == ("1", "")
    assert (beyond.status_code, nonsense.status_code) == (422, 422)


async def test_a_trial_tells_of_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of a delivery that came right behind it."""
    allow(desk)
    store = desk.parts.live.webhooks
    note = store.note

    async def note_and_another(webhook_id: int, done: Delivery) -> dict[str, Any]:
        noted = await note(webhook_id, done)
        await note(webhook_id, done._replace(events=7))
        return noted

    monkeypatch.setattr(store, "note", note_and_another)
    async with receiving() as receiver, await desk.client("admin") as client:
        number = (await client.post("/api/v1/webhooks", json={"url": receiver.url})).json()["id"]
        tried = (await client.post(f"/api/v1/webhooks/{number}/test")).json()

    assert (tried["events"], tried["error"]) == (0, "")
