"""One delivery to a webhook: signed, to a public address, without redirects, within a time. No retry.

The signature is HMAC-SHA-256 over `t.body` with the webhook's secret, in `CSMS-Signature: t=T,v1=HEX`.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import httpx
import msgspec

from csms.config_live import WebhookSettings
from csms.live.addresses import AddressRefused, target_of
from csms.live.events import json_of
from csms.store.changes import Event
from csms.store.times import micros
from csms.store.webhooks import Delivery, Webhook

USER_AGENT = "csms-webhook/1"
GONE = 410
AT_A_TIME = 80  # letters under way
TRIALS = 20  # and connections for tests, beside those


class Letter(NamedTuple):
    """What is sent. `name` says which events; another attempt may hold more of them."""

    name: str
    body: bytes
    first: int
    last: int
    events: int


def letter_of(hook: Webhook, events: Sequence[Event]) -> Letter:
    """Events, at least one, as they are sent."""
    first, last = events[0].number, events[-1].number
    body = b'{"webhook":"%d","events":[%s],"next":"%d"}' % (
        hook.webhook_id,
        b",".join(map(json_of, events)),
        last,
    )
    return Letter(f"{hook.webhook_id}-{first}-{last}", body, first, last, len(events))


def trial_letter(hook: Webhook, now: datetime) -> Letter:
    """A letter without events, to see whether it arrives."""
    body = {"webhook": str(hook.webhook_id), "events": [], "next": str(hook.position), "test": True}
    name = f"{hook.webhook_id}-test-{micros(now)}"
    return Letter(name, msgspec.json.encode(body), hook.position, hook.position, 0)


def signature(secret: str, at: int, body: bytes) -> str:
    """The header's value; `at` in seconds since 1970."""
    made = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


class Messenger:
    """Sends letters. Knows no order and no position."""

    def __init__(self, settings: WebhookSettings, now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        # No proxy of the environment, no cookie, no redirect: what was looked at is where it goes.
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=settings.timeout_s,
            limits=httpx.Limits(max_connections=AT_A_TIME + TRIALS, max_keepalive_connections=20),
        )
        self.room = asyncio.Semaphore(AT_A_TIME)
        """To be had before a letter is sent: waiting for a connection is no fault of the receiver's."""

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def send(self, hook: Webhook, letter: Letter) -> Delivery:
        """How it went; never raises for what the other side does."""
        began, now = time.monotonic(), self._now()
        status, error = None, ""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                status = await self._post(hook, letter, int(now.timestamp()))
            error = "" if 200 <= status < 300 else _refusal(status)
        except AddressRefused as exc:
            error = str(exc)
        except TimeoutError:
            error = f"no answer within {self._settings.timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            error = f"{type(exc).__name__}: {exc}"[:200]
        took_ms = round((time.monotonic() - began) * 1000)
        attempt = hook.attempts + 1
        return Delivery(
            micros(now), letter.first, letter.last, letter.events, attempt, status, error, took_ms
        )

    async def _post(self, hook: Webhook, letter: Letter, at: int) -> int:
        target = await target_of(hook.url, self._settings)
        headers = {
            "Host": target.host_header,
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "CSMS-Signature": signature(hook.secret, at, letter.body),
            "CSMS-Webhook": str(hook.webhook_id),
            "CSMS-Delivery": letter.name,
            "CSMS-Attempt": str(hook.attempts + 1),
        }
        extensions = {"sni_hostname": target.host}
        request = self._client.build_request(
            "POST", target.url, content=letter.body, headers=headers, extensions=extensions
        )
        answer = await self._client.send(request, stream=True)
        # What it says is of no interest, so that nobody can fill our memory with it.
        await answer.aclose()
        return answer.status_code


def _refusal(status: int) -> str:
    return f"HTTP {status}" + (" (redirects are not followed)" if 300 <= status < 400 else "")
