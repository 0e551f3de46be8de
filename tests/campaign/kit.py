"""Charging stations spoken by hand over a real socket. Knows the wire and the API, nothing from inside csms.

A `Peer` sends what a test tells it to and keeps everything it hears. Nothing here sleeps to synchronise:
whoever waits asks again within a bound.
"""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NoReturn

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

from tests.clients.stories import TOKEN, story
from tests.serverkit import CsmsServer, polls

VERSIONS = ("1.6", "2.0.1", "2.1")
PASSWORD = "0123456789abcdef"
WITHIN_S = 30.0

Payload = dict[str, Any]
Messages = list[tuple[str, Payload]]
"""Actions and payloads, in order."""
Reply = Callable[[str, Payload], Payload | str | None]
"""Action and payload of the server's CALL to: the answer, the code of a CALLERROR, or None for silence."""


Answer = asyncio.Future[Payload]


class CallFailed(Exception):
    """The server answered with a CALLERROR. Arguments: code, description."""


class Closed(Exception):
    """The connection ended before the answer came. Argument: the close code."""


class Peer:
    """One open connection of one station."""

    def __init__(self, socket: ClientConnection, reply: Reply) -> None:
        self.socket = socket
        self.heard: list[Any] = []
        """Every frame of the server, in order."""
        self.asked: list[tuple[str, Payload]] = []
        """The server's CALLs among them."""
        self._reply = reply
        self._ids = count(1)
        self._waiting: dict[str, Answer] = {}
        self._reader = asyncio.create_task(self._read())

    async def call(self, action: str, payload: Payload, message_id: str | None = None) -> Payload:
        """Send a CALL and wait for its answer. Raises CallFailed and Closed."""
        answer = await self.ask(action, payload, message_id)
        async with asyncio.timeout(WITHIN_S):
            return await answer

    async def ask(self, action: str, payload: Payload, message_id: str | None = None) -> Answer:
        """Send a CALL; its answer, or CallFailed or Closed, is the future's. Raises Closed."""
        message_id = message_id or f"m{next(self._ids)}"
        if self._reader.done():
            raise Closed(self.socket.close_code)
        answer = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(json.dumps([2, message_id, action, payload]))
        except ConnectionClosed as exc:
            raise Closed(self.socket.close_code) from exc
        return answer

    async def arrived(self) -> None:
        """Wait until the server has taken in everything that was sent: frames are read in order."""
        async with asyncio.timeout(WITHIN_S):
            await (await self.socket.ping())

    async def ended(self) -> int | None:
        """The code with which the connection ends. TimeoutError if it lives on."""
        async with asyncio.timeout(WITHIN_S):
            await asyncio.wait([self._reader])
        return self.socket.close_code

    async def leave(self) -> None:
        """Close in good order."""
        await self.socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                await self._take(json.loads(text))
        except ConnectionClosed:
            pass  # how it ended is in `close_code`
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Closed(self.socket.close_code))
                answer.exception()  # a test that no longer waits for it is not to be blamed

    async def _take(self, frame: Any) -> None:
        self.heard.append(frame)
        match frame:
            case [2, message_id, action, payload]:
                self.asked.append((action, payload))
                await self._answer(message_id, self._reply(action, payload))
            case [3, message_id, payload] if message_id in self._waiting:
                self._waiting.pop(message_id).set_result(payload)
            case [4, message_id, code, what, _] if message_id in self._waiting:
                self._waiting.pop(message_id).set_exception(CallFailed(code, what))

    async def _answer(self, message_id: str, reply: Payload | str | None) -> None:
        if isinstance(reply, dict):
            await self.socket.send(json.dumps([3, message_id, reply]))
        elif reply is not None:
            await self.socket.send(json.dumps([4, message_id, reply, "", {}]))


def accept_all(action: str, payload: Payload) -> Payload | str:
    """What a station answers that does nothing but agree."""
    if action in {"GetConfiguration", "GetVariables", "SetVariables"}:
        return "NotSupported"
    return {"status": "Accepted"}


@asynccontextmanager
async def dial(
    csms: CsmsServer,
    identity: str,
    version: str = "2.0.1",
    reply: Reply = accept_all,
    password: str = PASSWORD,
) -> AsyncIterator[Peer]:
    """An open connection of a registered station. Raises InvalidStatus when it is refused."""
    secret = b64encode(f"{identity}:{password}".encode()).decode()
    async with connect(
        f"{csms.gateway_url}/{identity}",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": f"Basic {secret}"},
        compression=None,
        ping_interval=None,
        open_timeout=WITHIN_S,
        close_timeout=2,
        proxy=None,
    ) as socket:
        peer = Peer(socket, reply)
        try:
            yield peer
        finally:
            await peer.leave()


async def refusal(csms: CsmsServer, identity: str, password: str = PASSWORD) -> Response:
    """The HTTP answer of a handshake that must not succeed."""
    with pytest.raises(InvalidStatus) as refused:
        async with dial(csms, identity, password=password):
            pass
    return refused.value.response


async def boot(peer: Peer, version: str) -> None:
    """BootNotification, accepted."""
    station = {"vendorName": "Campaign", "model": "By hand"}
    payload: Payload = {"reason": "PowerUp", "chargingStation": station}
    if version == "1.6":
        payload = {"chargePointVendor": "Campaign", "chargePointModel": "By hand"}
    assert (await peer.call("BootNotification", payload))["status"] == "Accepted"


def session_told(version: str, minutes_ago: int = 0) -> Messages:
    """The messages of one whole session of ENERGY_WH that ended some minutes ago, start first."""
    return story(version, datetime.now(UTC) - timedelta(minutes=minutes_ago))[4:]


async def tell(peer: Peer, messages: Messages, prefix: str = "") -> list[Payload]:
    """Message after message, ids `prefix` and a number; the answers."""
    answers: list[Payload] = []
    for number, (action, payload) in enumerate(messages):
        if "transactionId" in payload:
            payload["transactionId"] = answers[0]["transactionId"]
        answers.append(await peer.call(action, payload, f"{prefix}{number}" if prefix else None))
    return answers


async def readiness(csms: CsmsServer) -> int:
    """The status of /readyz."""
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        return (await client.get(f"{csms.http_url}/readyz")).status_code


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = WITHIN_S) -> Any:
    """What `condition` gives once it is true. TimeoutError if it never is."""
    async for _ in polls(within_s):
        if found := await condition():
            return found
    raise TimeoutError(f"not so within {within_s:g} s: {condition}")


async def sessions_of(csms: CsmsServer, identity: str) -> list[dict[str, Any]]:
    """Every session of a station as the API tells it."""
    found: list[dict[str, Any]] = (await csms.get("sessions", station=identity))["items"]
    return found


def missing(what: str) -> NoReturn:
    """The machine cannot do what a test needs: skipped here, failed in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: CI has to run this test")
    pytest.skip(what)


async def start(csms: CsmsServer) -> None:
    """Start a server, with a site, and a token that may charge in many places at once."""
    await csms.start()
    await csms.add_site()
    await csms.add_token(TOKEN, concurrent_limit=1_000)
