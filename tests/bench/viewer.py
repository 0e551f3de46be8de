"""A page of the console as a browser has it open, with nothing drawn: its document, and its socket.

Speaks the protocol of NiceGUI's own script: the socket is opened with what the document says; updates are
counted and acknowledged.
"""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import socketio

QUERY = re.compile(r"^\s*query: (\{.*\}),\s*$", re.MULTILINE)
ACKNOWLEDGED_EVERY = 20
PATH = "_nicegui_ws/socket.io"


class Viewer:
    """`updates`: how often the server has changed the page."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.updates = 0
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("update", self._updated)

    async def _updated(self, _: Any) -> None:
        self.updates += 1
        if self.updates % ACKNOWLEDGED_EVERY == 0:
            await self.socket.emit("ack", {"client_id": self.client_id, "next_message_id": self.updates})


@asynccontextmanager
async def viewing(url: str) -> AsyncIterator[Viewer]:
    """The page at the root of `url`, open. Raises what HTTP and the socket raise."""
    async with httpx.AsyncClient() as client:
        answer = (await client.get(f"{url}/")).raise_for_status()
    found = QUERY.search(answer.text)
    assert found is not None, "the document says how its socket is opened"
    # Written as Python writes it.
    query = ast.literal_eval(found[1]) | {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4())}
    query["implicit_handshake"] = "true"
    viewer = Viewer(query["client_id"])
    await viewer.socket.connect(f"{url}?{urlencode(query)}", transports=["websocket"], socketio_path=PATH)
    try:
        yield viewer
    finally:
        await viewer.socket.disconnect()
