"""One delivery: how it is signed, and how it goes when the other side does not play along."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.config_live import WebhookSettings
from csms.live.messenger import Messenger, letter_of, signature, trial_letter
from csms.store.changes import Event
from csms.store.webhooks import Webhook
from tests.live.kit import receiving
from tests.serverkit import free_port

SETTINGS = WebhookSettings(private_addresses=True, plain_http=True, timeout_s=0.3)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = [Event(n, 0, "session_ended", "123456789", "S01", "CS-1", 7, '{"n":1}') for n in (4, 6)]


def hook(url: str) -> Webhook:
    return Webhook(3, url, None, None, "secret", 2, 0, 0)


async def sent(url: str, settings: WebhookSettings = SETTINGS, letter: Any = None) -> Any:
    messenger = Messenger(settings, lambda: NOW)
    try:
        return await messenger.send(hook(url), letter or letter_of(hook(url), EVENTS))
    finally:
        await messenger.close()


def test_the_signature_is_that_of_the_documentation() -> None:
    """HMAC-SHA-256 over time, point and body; computed here once by other means (openssl)."""
    assert signature("secret", 1767225600, b'{"a":1}') == (
        "t=1767225600,v1=96a067a1c95eb143fc00b9097bcfcbcd5456adda508c443ff219748e764dbed7"
    )


def test_a_letter_names_its_events() -> None:
    """The same name for the same events, however often they are sent."""
    letter = letter_of(hook("x"), EVENTS)

    assert (letter.name, letter.first, letter.last, letter.events) == ("3-4-6", 4, 6, 2)
    assert letter.body.startswith(b'{"webhook":"3","events":[{"id":"4","kind":"session_ended"')
    assert letter.body.endswith(b'"next":"6"}')


async def test_a_delivery_that_arrives() -> None:
    """Its status, no error."""
    async with receiving() as receiver:
        done = await sent(receiver.url)
        test = await sent(receiver.url, letter=trial_letter(hook(receiver.url), NOW))

    assert (done.status, done.error, done.events, done.attempt) == (204, "", 2, 1)
    assert (test.status, test.events) == (204, 0)
    assert b'"test":true' in receiver.got[1][1]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, "HTTP 500"), (404, "HTTP 404"), (307, "HTTP 307 (redirects are not followed)")],
)
async def test_what_the_other_side_refuses(status: int, error: str) -> None:
    """A redirect is not followed, a long answer not read."""
    async with receiving(answers=[status]) as receiver:
        done = await sent(receiver.url)

    assert (done.status, done.error) == (status, error)
    assert len(receiver.got) == 1


async def test_nobody_there_and_nobody_answering() -> None:
    """Neither raises; a slow one costs no more than the time allowed."""
    refused = await sent(f"http://127.0.0.1:{free_port()}/")
    async with receiving(delay_s=3) as receiver:
        began = asyncio.get_running_loop().time()
        slow = await sent(receiver.url)
        took = asyncio.get_running_loop().time() - began

    assert refused.status is None
    assert refused.error.startswith("ConnectError")
    assert (slow.status, slow.error) == (None, "no answer within 0.3 s")
    assert took < 1.5


async def test_where_it_must_not_go_it_does_not_go() -> None:
    """The address is looked at before each delivery, not only when the webhook was made."""
    async with receiving() as receiver:
        done = await sent(receiver.url, WebhookSettings(plain_http=True))

    assert "not on the public network" in done.error
    assert receiver.got == []
