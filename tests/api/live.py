"""The whole program on loopback, and charging stations that speak to it over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from csms.api.auth import new_key
from csms.app import App
from csms.config import Settings
from csms.domain.assets import OcppVersion
from csms.domain.scope import WHOLE
from csms.store.database import Database
from csms.store.registry import Registry
from tests.gateway.kit import authorization

BOOT: dict[OcppVersion, dict[str, Any]] = {
    OcppVersion.V16: {"chargePointVendor": "Example", "chargePointModel": "DC-60"},
    OcppVersion.V201: {"reason": "PowerUp", "chargingStation": {"vendorName": "Example", "model": "DC-60"}},
    OcppVersion.V21: {"reason": "PowerUp", "chargingStation": {"vendorName": "Example", "model": "DC-60"}},
}
Answer = Callable[[str, dict[str, Any]], dict[str, Any] | None]
"""What a station answers to an action and its payload; None: nothing at all."""


class Peer:
    """A station that is connected: what it was asked, and how it answers."""

    def __init__(self, socket: ClientConnection, answer: Answer) -> None:
        self.socket, self.answer = socket, answer
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async for text in self.socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    self.asked.append((frame[2], frame[3]))
                    answer = self.answer(frame[2], frame[3])
                    if answer is not None:
                        await self.socket.send(json.dumps([3, frame[1], answer]))
        except ConnectionClosed:
            return

    async def ended(self) -> int:
        """Wait until the connection is closed; with which code."""
        async with asyncio.timeout(5):
            await self._task
        return self.socket.close_code or 0

    async def close(self) -> None:
        """Go away."""
        await self.socket.close()
        await self._task


class Live:
    """The program, a client with an administrator's key, and stations to connect."""

    def __init__(self, app: App, client: httpx.AsyncClient, stack: AsyncExitStack) -> None:
        self.app, self.client, self._stack = app, client, stack

    async def register(self, identity: str, **more: Any) -> str:
        """A station at site S01; its password."""
        body = {"identity": identity, "site": "S01", **more}
        answer = await self.client.post("charging-stations", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["password"] or more.get("password"))

    async def connect(
        self,
        identity: str,
        password: str,
        version: OcppVersion = OcppVersion.V16,
        answer: Answer | None = None,
    ) -> Peer:
        """A station that has booted. Raises InvalidStatus when it is refused."""
        socket = await connect(
            f"ws://127.0.0.1:{self.app.gateway.port}/{identity}",
            subprotocols=[Subprotocol(version.value)],
            additional_headers={"Authorization": authorization(identity, password.encode())},
            ping_interval=None,
            close_timeout=0.5,
        )
        self._stack.push_async_callback(socket.close)
        await socket.send(json.dumps([2, "boot", "BootNotification", BOOT[version]]))
        async with asyncio.timeout(10):
            await socket.recv()
        return Peer(socket, answer or (lambda action, payload: {"status": "Accepted"}))


@asynccontextmanager
async def live(url: str, key: str = "", **gateway: Any) -> AsyncIterator[Live]:
    """The program over the database at `url`, with one operator and site in it."""
    gateway = {"host": "127.0.0.1", "port": 0, "close_timeout_s": 0.5, "command_expiry_s": 5} | gateway
    gateway |= {"handshakes_per_identity_burst": 100}
    settings = Settings(database={"url": url}, gateway=gateway, http={"host": "127.0.0.1", "port": 0})
    app = App(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(app.stop)
        await app.start()
        peers = await stack.enter_async_context(AsyncExitStack())
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=_base(app), timeout=30))
        client.headers["Authorization"] = f"Bearer {key or await _key(url)}"
        site = {"code": "S01", "operator": "123456789", "name": "Site"}
        operator = {"code": "123456789", "name": "Operator", "time_zone": "Asia/Shanghai"}
        assert (await client.post("operators", json=operator)).is_success
        assert (await client.post("sites", json=site)).is_success
        yield Live(app, client, peers)


async def _key(url: str) -> str:
    database = await Database.open(url)
    key, digest = new_key()
    await Registry(database).put_api_key("admin of a test", digest, "admin", WHOLE, datetime.now(UTC))
    await database.close()
    return key


def _base(app: App) -> str:
    return f"http://127.0.0.1:{app.http.port}/api/v1/"
