"""`Idempotency-Key`: a POST that is sent again acts once, and gets the first answer. In one place for all.

A key belongs to whoever sent it, for a day. What was refused (4xx) did nothing, and frees its key. What
failed (5xx) may have been done, and an answer may be lost with the process: the repeated request hears that,
and nothing is done twice.
Passwords and whatever a route says it shows once (`shown_once`) are hidden in what is kept and repeated.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Sequence
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from csms.api.auth import Who
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.domain.redaction import HIDDEN, redacted
from csms.errors import StoreUnavailable
from csms.store import once as store
from csms.store.once import Given

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
LOOKED_EVERY_S = 0.1
DESCRIBED: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
    "description": "Makes repeating safe for 24 hours: the same key and request act once and get the first "
    "answer; another request under the key is refused (422).",
}

log = structlog.get_logger()


class Replay(Exception):
    """This was answered before."""

    def __init__(self, given: Given) -> None:
        super().__init__(given.digest)
        self.given = given


async def once(request: Request, parts: Parts, who: Who) -> None:
    """Claim the request's key, if it has one. Raises Replay, and Problem 422 or 409."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return
    if not KEY.fullmatch(key):
        raise invalid(f"header.{HEADER}", "it is no key", "Send 1 to 200 visible ASCII characters.")
    wanted = store.Request(who.actor, key, await _digest(request))
    given = await parts.once.claim(wanted, parts.now())
    if given.is_new:
        request.state.claim = wanted
        return
    if given.digest != wanted.digest:
        raise invalid(f"header.{HEADER}", "it was used for another request", "Send a new key.")
    raise Replay(await _answer(parts, wanted, given))


def shown_once(request: Request, *fields: str) -> None:
    """These fields of the answer tell a secret: whoever repeats the request hears that it was told."""
    request.state.shown_once = fields


async def _digest(request: Request) -> str:
    """Names a request without telling it: it may hold secrets."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(asked + await request.body()).hexdigest()


async def _answer(parts: ApiParts, wanted: store.Request, given: Given) -> Given:
    """The first answer; waits for it while the first request is under way."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + parts.settings.gateway.command_expiry_s
    known: Given | None = given
    while known is not None and known.status is None:
        if loop.time() >= give_up_at:
            raise Problem(409, f"The request with this {HEADER} has not ended; its outcome may be lost.")
        await asyncio.sleep(LOOKED_EVERY_S)
        known = await parts.once.known(wanted)
    if known is None:
        raise Problem(409, f"The first request with this {HEADER} was refused; send it again.")
    if known.status == store.LOST:
        raise Problem(
            409, f"The request with this {HEADER} failed half-way; look whether it was carried out."
        )
    return known


class OnceAnswers:
    """ASGI middleware: keeps the answers of requests that have claimed a key, before they are sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        state, parts = scope.setdefault("state", {}), scope["app"].state.parts
        start: Message = {}
        body = bytearray()

        async def kept(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif "claim" in state:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    answer = without_secrets(bytes(body), state.get("shown_once", ()))
                    await _keep(parts, state["claim"], start, answer)
            await send(message)

        try:
            await self._app(scope, receive, kept)
        except Exception:
            if "claim" in state and not start:
                await _settled(parts.once.lost(state["claim"]))
            raise


async def _keep(parts: ApiParts, claim: store.Request, start: Message, body: bytes) -> None:
    status, media_type = start["status"], Headers(raw=start["headers"]).get("content-type", "")
    if status < 300:
        await _settled(parts.once.answered(claim, status, media_type, body))
    elif status < 500:
        await _settled(parts.once.release(claim))
    else:
        await _settled(parts.once.lost(claim))


async def _settled(work: Awaitable[None]) -> None:
    try:
        await work
    except StoreUnavailable as exc:
        # It was carried out: its asker must hear so, though a repetition will not.
        log.error("answer_not_kept", error=str(exc))


def without_secrets(body: bytes, shown_once: Sequence[str] = ()) -> bytes:
    """An answer as it may be kept."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return body
    hidden = redacted(told)
    if isinstance(hidden, dict):
        hidden |= dict.fromkeys(shown_once, HIDDEN)
    return body if hidden == told else msgspec.json.encode(hidden)


def install(app: FastAPI) -> None:
    """Answers are kept, and given again."""

    async def replay(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, Replay)
        given = exc.given
        return Response(given.answer, given.status or 500, media_type=given.media_type or None)

    app.add_exception_handler(Replay, replay)
    app.add_middleware(OnceAnswers)
